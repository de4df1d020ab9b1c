/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages and rows: their tasks end when they leave their window, or with it. */

#include "fixture.h"
#include "gtk4-driver.h"

typedef struct
{
  GtkWindow *window;            /* a weak pointer */
  GtkWidget *box;
  GtkWidget *page;              /* a weak pointer */
  GtxFuture *may_end;
  guint n_begun;
  guint n_cancelled;
  gboolean has_ended;
} Case;

/* The page is the task's data, and lives in its clean-up. */
static gboolean
run_page (GtkWidget *page, GError **error)
{
  Case *self = g_object_get_data (G_OBJECT (page), "case");

  self->n_begun++;
  g_assert_false (gtx_sleep (GTX_FOREVER, error));
  self->n_cancelled++;
  g_assert_true (gtx_await (self->may_end, NULL));
  g_assert_true (GTK_IS_LABEL (page) && gtk_label_get_label (GTK_LABEL (page)) != NULL);
  self->has_ended = TRUE;
  return FALSE;
}

static void
case_begin (Case *self)
{
  *self = (Case) { 0 };
  self->may_end = gtx_future_new ();
  g_set_weak_pointer (&self->window, show_window ());
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_window_set_child (self->window, self->box);
  g_set_weak_pointer (&self->page, gtk_label_new ("page"));
  g_object_set_data (G_OBJECT (self->page), "case", self);
  gtx_widget_attach (self->page);
}

static void
start (Case *self)
{
  gtx_object_create_task (self->page, run_page);
  iterate ();
}

static void
case_end (Case *self)
{
  iterate_until (no_tasks ());
  if (self->window)
    gtk_window_destroy (self->window);
  iterate_until (self->window == NULL && self->page == NULL);
  g_object_unref (self->may_end);
}

static void
let_end (Case *self)
{
  gtx_future_set_result (self->may_end, NULL, NULL);
}

static void
test_removed (void)
{
  Case self;

  case_begin (&self);
  gtk_box_append (GTK_BOX (self.box), self.page);
  start (&self);
  gtk_box_remove (GTK_BOX (self.box), self.page);
  iterate ();
  g_assert_cmpuint (self.n_cancelled, ==, 1);
  g_assert_nonnull (self.page);
  let_end (&self);
  iterate_until (self.page == NULL);
  g_assert_true (self.has_ended);
  case_end (&self);
}

static gboolean
run_beside_page (Case *self, GError **error)
{
  g_assert_false (gtx_sleep (GTX_FOREVER, error));
  self->n_cancelled++;
  g_assert_true (gtx_await (self->may_end, NULL));
  g_assert_nonnull (self->page);
  self->has_ended = TRUE;
  return FALSE;
}

/* A task that has no reference to the page keeps it as well. */
static void
test_removed_without_reference (void)
{
  Case self;

  case_begin (&self);
  gtk_box_append (GTK_BOX (self.box), self.page);
  gtx_scope_create_task (gtx_object_get_scope (self.page), run_beside_page, &self, NULL);
  iterate ();
  gtk_box_remove (GTK_BOX (self.box), self.page);
  iterate ();
  g_assert_cmpuint (self.n_cancelled, ==, 1);
  let_end (&self);
  iterate_until (self.page == NULL);
  g_assert_true (self.has_ended);
  g_assert_cmpuint (self.n_cancelled, ==, 1);
  case_end (&self);
}

/* It may come back, and work again. */
static void
test_comes_back (void)
{
  Case self;
  g_autoptr (GtkWidget) page = NULL;

  case_begin (&self);
  page = g_object_ref_sink (self.page);
  let_end (&self);
  for (guint i = 1; i <= 3; i++)
    {
      gtk_box_append (GTK_BOX (self.box), page);
      start (&self);
      gtk_box_remove (GTK_BOX (self.box), page);
      iterate_until (no_tasks ());
      g_assert_cmpuint (self.n_cancelled, ==, i);
    }
  g_clear_object (&page);
  case_end (&self);
}

/* A task that is started before the page is in a window stays when it comes there. */
static void
test_started_before (void)
{
  Case self;

  case_begin (&self);
  start (&self);
  gtk_box_append (GTK_BOX (self.box), self.page);
  iterate ();
  g_assert_cmpuint (self.n_cancelled, ==, 0);
  let_end (&self);
  gtk_box_remove (GTK_BOX (self.box), self.page);
  case_end (&self);
  g_assert_cmpuint (self.n_cancelled, ==, 1);
}

/* The window waits for the page, and both stay until the page's task has ended. */
static void
test_window_closed (void)
{
  Case self;

  case_begin (&self);
  gtx_widget_attach (self.window);
  gtk_box_append (GTK_BOX (self.box), self.page);
  start (&self);
  gtk_window_close (self.window);
  iterate ();
  g_assert_cmpuint (self.n_cancelled, ==, 1);
  g_assert_nonnull (self.window);
  g_assert_true (gtk_widget_get_root (self.page) == GTK_ROOT (self.window));
  let_end (&self);
  iterate_until (self.window == NULL);
  g_assert_true (self.has_ended);
  g_assert_cmpuint (self.n_cancelled, ==, 1);
  case_end (&self);
}

static gboolean
start_page_in_clean_up (Case *self, GError **error)
{
  g_assert_false (gtx_sleep (GTX_FOREVER, error));
  gtx_object_create_task (self->page, run_page);
  while (self->n_begun == 0)
    gtx_sleep (0, NULL);
  return FALSE;
}

static void
test_started_while_closing (void)
{
  Case self;

  case_begin (&self);
  gtk_box_append (GTK_BOX (self.box), self.page);
  gtx_scope_create_task (gtx_widget_attach (self.window), start_page_in_clean_up, &self, NULL);
  iterate ();
  gtk_window_close (self.window);
  iterate_until (self.n_cancelled == 1);
  iterate ();
  g_assert_nonnull (self.window);
  let_end (&self);
  iterate_until (self.window == NULL);
  g_assert_true (self.has_ended);
  case_end (&self);
}

static void
test_window_destroyed_by_gtk (void)
{
  Case self;

  case_begin (&self);
  gtk_box_append (GTK_BOX (self.box), self.page);
  start (&self);
  gtk_window_destroy (self.window);
  iterate ();
  g_assert_cmpuint (self.n_cancelled, ==, 1);
  g_assert_nonnull (self.page);
  let_end (&self);
  case_end (&self);
  g_assert_true (self.has_ended);
}

/* Removed while its window closes: it was cancelled already. */
static void
test_removed_while_closing (void)
{
  Case self;

  case_begin (&self);
  gtx_widget_attach (self.window);
  gtk_box_append (GTK_BOX (self.box), self.page);
  start (&self);
  gtk_window_close (self.window);
  iterate ();
  gtk_box_remove (GTK_BOX (self.box), self.page);
  let_end (&self);
  iterate_until (self.window == NULL);
  g_assert_true (self.has_ended);
  case_end (&self);
}

/* Thousands of rows with a task each. */
static void
test_many (void)
{
  Case self;
  guint n = RUNNING_ON_VALGRIND ? 300 : 10000;

  case_begin (&self);
  let_end (&self);
  gtx_widget_attach (self.window);
  gtk_box_append (GTK_BOX (self.box), self.page);
  for (guint i = 0; i < n; i++)
    {
      GtkWidget *row = gtk_label_new ("row");

      g_object_set_data (G_OBJECT (row), "case", &self);
      gtx_widget_attach (row);
      gtk_widget_set_visible (row, FALSE);
      gtk_box_prepend (GTK_BOX (self.box), row);
      gtx_object_create_task (row, run_page);
    }
  iterate_until (self.n_begun == n);
  gtk_window_close (self.window);
  iterate_until (self.window == NULL);
  g_assert_cmpuint (self.n_cancelled, ==, n);
  case_end (&self);
}

void
add_tests (void)
{
  g_test_add_func ("/gtk4-widget/removed", test_removed);
  g_test_add_func ("/gtk4-widget/removed-without-reference", test_removed_without_reference);
  g_test_add_func ("/gtk4-widget/comes-back", test_comes_back);
  g_test_add_func ("/gtk4-widget/started-before", test_started_before);
  g_test_add_func ("/gtk4-widget/window-closed", test_window_closed);
  g_test_add_func ("/gtk4-widget/started-while-closing", test_started_while_closing);
  g_test_add_func ("/gtk4-widget/window-destroyed-by-gtk", test_window_destroyed_by_gtk);
  g_test_add_func ("/gtk4-widget/removed-while-closing", test_removed_while_closing);
  g_test_add_func ("/gtk4-widget/many", test_many);
}
