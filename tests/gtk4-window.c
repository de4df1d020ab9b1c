/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows that are closed, destroyed or left in every way while they have tasks. */

#include "gtk4-driver.h"

#include <string.h>

/* A window with a label, and a task that cleans up with it when it is told to. */
typedef struct
{
  GtkWindow *window;            /* a weak pointer */
  GtkWidget *label;
  GtxFuture *may_end;
  gboolean has_begun;
  guint n_cancelled;
  gboolean has_ended;
  gboolean saw_label;           /* in its clean-up */
} Case;

static void
clean_up (Case *self)
{
  g_autoptr (GError) failure = NULL;

  self->n_cancelled++;
  while (!gtx_await (self->may_end, &failure))
    {
      g_assert_true (gtx_error_is_cancelled (failure));
      self->n_cancelled++;
      g_clear_error (&failure);
    }
  self->saw_label = self->window != NULL && gtk_widget_get_root (self->label) != NULL &&
                    g_str_equal (gtk_label_get_label (GTK_LABEL (self->label)), "text");
  self->has_ended = TRUE;
}

static gboolean
run_until_cancelled (Case *self, GError **error)
{
  self->has_begun = TRUE;
  if (!gtx_sleep (GTX_FOREVER, error))
    clean_up (self);
  return FALSE;
}

static void
case_begin (Case *self)
{
  *self = (Case) { 0 };
  self->may_end = gtx_future_new ();
  g_set_weak_pointer (&self->window, show_window ());
  self->label = g_object_ref_sink (gtk_label_new ("text"));
  gtk_window_set_child (self->window, self->label);
}

static void
case_start (Case *self, GtxScope *scope)
{
  gtx_scope_create_task (scope, run_until_cancelled, self, NULL);
  iterate ();
}

/* The task has cleaned up once, and all is gone. */
static void
case_end (Case *self)
{
  iterate_until (self->window == NULL && no_tasks ());
  g_assert_true (self->has_ended);
  g_assert_cmpuint (self->n_cancelled, ==, 1);
  g_object_unref (self->label);
  g_object_unref (self->may_end);
}

static void
case_end_without_task (Case *self)
{
  self->has_ended = TRUE;
  self->n_cancelled = 1;
  case_end (self);
}

static void
let_end (Case *self)
{
  gtx_future_set_result (self->may_end, NULL, NULL);
}

static void
assert_hidden (Case *self)
{
  g_assert_nonnull (self->window);
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (self->window)));
  g_assert_false (self->has_ended);
}

/* ---- Closed by the user ---- */

static void
test_close (void)
{
  Case self;

  case_begin (&self);
  case_start (&self, gtx_widget_attach (self.window));
  gtk_window_close (self.window);
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (self.window)));
  iterate ();
  assert_hidden (&self);
  g_assert_cmpuint (self.n_cancelled, ==, 1);
  let_end (&self);
  case_end (&self);
  g_assert_true (self.saw_label);
}

static void
test_close_without_tasks (void)
{
  Case self;

  case_begin (&self);
  gtx_widget_attach (self.window);
  gtk_window_close (self.window);
  case_end_without_task (&self);
}

/* Where the surface of the window outlives it, GTK 4.8 tells it of its size when it is gone. */
static void
test_close_one_after_the_other (void)
{
  for (guint i = 0; i < 5; i++)
    test_close_without_tasks ();
}

static void
test_close_twice (void)
{
  Case self;

  case_begin (&self);
  case_start (&self, gtx_widget_attach (self.window));
  gtk_window_close (self.window);
  gtk_window_close (self.window);
  iterate ();
  gtk_window_close (self.window);
  gtk_window_destroy (self.window);
  iterate ();
  assert_hidden (&self);
  let_end (&self);
  case_end (&self);
  g_assert_true (self.saw_label);
}

static gboolean
keep_open (GtkWindow *window, gboolean *keeps)
{
  return *keeps;
}

static void
test_handler_keeps_window (void)
{
  Case self;
  gboolean keeps = TRUE;

  case_begin (&self);
  case_start (&self, gtx_widget_attach (self.window));
  g_signal_connect (self.window, "close-request", G_CALLBACK (keep_open), &keeps);
  gtk_window_close (self.window);
  iterate ();
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (self.window)));
  g_assert_cmpuint (self.n_cancelled, ==, 0);
  keeps = FALSE;
  gtk_window_close (self.window);
  let_end (&self);
  case_end (&self);
  g_assert_true (self.saw_label);
}

static void
test_hide_on_close (void)
{
  Case self;

  case_begin (&self);
  case_start (&self, gtx_widget_attach (self.window));
  gtk_window_set_hide_on_close (self.window, TRUE);
  gtk_window_close (self.window);
  iterate ();
  g_assert_cmpuint (self.n_cancelled, ==, 0);
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (self.window)));
  let_end (&self);
  gtk_window_destroy (self.window);
  case_end (&self);
  g_assert_true (self.saw_label);
}

static void
test_attach_twice (void)
{
  Case self;

  case_begin (&self);
  g_assert_true (gtx_widget_attach (self.window) == gtx_widget_attach (self.window));
  case_start (&self, gtx_object_get_scope (self.window));
  gtk_window_close (self.window);
  let_end (&self);
  case_end (&self);
}

/* ---- Closed by a task ---- */

static gboolean
close_own_window (GtkWindow *window, GError **error)
{
  g_autoptr (GError) failure = NULL;

  gtk_window_close (window);
  g_assert_false (gtx_sleep (1, &failure));
  g_assert_true (gtx_error_is_cancelled (failure));
  g_assert_nonnull (gtk_window_get_child (window));
  return TRUE;
}

static void
test_close_by_task (void)
{
  Case self;

  case_begin (&self);
  case_start (&self, gtx_widget_attach (self.window));
  gtx_object_create_task (self.window, close_own_window);
  let_end (&self);
  case_end (&self);
  g_assert_true (self.saw_label);
}

/* Its clean-up starts something. */
static gboolean
start_late (Case *self, GError **error)
{
  if (!gtx_sleep (GTX_FOREVER, error))
    g_assert_null (gtx_future_get_result (gtx_object_create_task (self->window, close_own_window)));
  return FALSE;
}

static void
test_task_after_close (void)
{
  Case self;

  case_begin (&self);
  gtx_scope_create_task (gtx_widget_attach (self.window), start_late, &self, NULL);
  case_start (&self, gtx_object_get_scope (self.window));
  gtk_window_close (self.window);
  let_end (&self);
  case_end (&self);
}

/* ---- Destroyed by code ---- */

static void
test_destroyed (void)
{
  Case self;

  case_begin (&self);
  case_start (&self, gtx_widget_attach (self.window));
  gtk_window_destroy (self.window);
  iterate ();
  assert_hidden (&self);
  let_end (&self);
  case_end (&self);
  g_assert_true (self.saw_label);
}

static gboolean
wait_with_window (GtkWindow *window, GError **error)
{
  g_assert_false (gtx_sleep (GTX_FOREVER, error));
  g_assert_nonnull (gtk_window_get_child (window));
  return FALSE;
}

/* GTK does not dispose of a window to which a task has a reference. */
static void
test_destroyed_with_references (void)
{
  Case self;

  case_begin (&self);
  gtx_widget_attach (self.window);
  for (guint i = 0; i < 3; i++)
    gtx_object_create_task (self.window, wait_with_window);
  iterate ();
  gtk_window_destroy (self.window);
  case_end_without_task (&self);
}

static void
test_destroyed_while_closing (void)
{
  Case self;

  case_begin (&self);
  case_start (&self, gtx_widget_attach (self.window));
  gtk_window_close (self.window);
  iterate ();
  gtk_window_destroy (self.window);
  iterate ();
  g_assert_false (self.has_ended);
  let_end (&self);
  case_end (&self);
}

static void
test_never_shown (void)
{
  GtkWindow *window = GTK_WINDOW (gtk_window_new ());

  gtx_widget_attach (window);
  g_object_add_weak_pointer (G_OBJECT (window), (gpointer *) &window);
  gtk_window_destroy (window);
  iterate_until (window == NULL);
}

/* ---- A task that does not end ---- */

static GString *told;

static void
on_log (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  g_string_append (told, message);
}

static void
on_printed (const char *text)
{
  g_string_append (told, text);
}

static void
test_slow (void)
{
  Case self, page;
  guint handler;
  GPrintFunc printed;

  case_begin (&self);
  case_begin (&page);
  gtk_window_set_child (page.window, NULL);
  gtk_window_set_child (self.window, page.label);
  gtx_widget_attach (self.window);
  case_start (&page, gtx_widget_attach (page.label));
  told = g_string_new (NULL);
  handler = g_log_set_handler ("gtask-ext-gtk4", G_LOG_LEVEL_WARNING, on_log, NULL);
  printed = g_set_printerr_handler (on_printed);
  gtk_window_set_title (self.window, "slow");
  gtk_window_close (self.window);
  iterate_until (strstr (told->str, "(run_until_cancelled)"));
  g_set_printerr_handler (printed);
  g_log_remove_handler ("gtask-ext-gtk4", handler);
  g_assert_nonnull (strstr (told->str, "The window \"slow\" was closed"));
  g_assert_nonnull (strstr (told->str, "(run_until_cancelled): waits for future"));
  g_string_free (told, TRUE);
  assert_hidden (&self);
  let_end (&page);
  case_end_without_task (&self);
  gtk_window_destroy (page.window);
  case_end (&page);
}

/* ---- Dialogs and other windows that go with it ---- */

static void
test_follower (void)
{
  Case self, dialog;

  case_begin (&self);
  case_begin (&dialog);
  gtx_widget_attach (self.window);
  gtk_window_set_transient_for (dialog.window, self.window);
  gtk_window_set_destroy_with_parent (dialog.window, TRUE);
  case_start (&dialog, gtx_widget_attach (dialog.window));
  gtk_window_close (self.window);
  iterate ();
  assert_hidden (&self);
  assert_hidden (&dialog);
  g_assert_cmpuint (dialog.n_cancelled, ==, 1);
  let_end (&dialog);
  case_end (&dialog);
  g_assert_true (dialog.saw_label);
  case_end_without_task (&self);
}

/* A window that is only in front of it stays. */
static void
test_not_a_follower (void)
{
  Case self;
  GtkWindow *other = show_window ();

  case_begin (&self);
  case_start (&self, gtx_widget_attach (self.window));
  gtk_window_set_transient_for (other, self.window);
  gtk_window_close (self.window);
  let_end (&self);
  case_end (&self);
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (other)));
  gtk_window_destroy (other);
}

/* ---- Applications ---- */

static void
on_activate (GtkApplication *application, Case *self)
{
  case_begin (self);
  gtk_window_set_application (self->window, application);
  gtx_scope_create_task (gtx_widget_attach (self->window), run_until_cancelled, self, NULL);
}

static void
run_application (Case *self, GSourceFunc func)
{
  g_autoptr (GtkApplication) application =
    gtk_application_new ("org.example.Windows", G_APPLICATION_NON_UNIQUE);

  gtx_application_attach (G_APPLICATION (application), GTX_APPLICATION_DEFAULT);
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), self);
  g_timeout_add (1, func, self);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
}

/* The window's task has cleaned up, with the widgets, when the application ends, and the window goes. */
static void
check_application (GSourceFunc func)
{
  Case self;

  memset (&self, 0, sizeof self);
  run_application (&self, func);
  g_assert_true (self.has_ended);
  g_assert_true (self.saw_label);
  case_end (&self);
}

static gboolean
is_at_work (Case *self)
{
  return self->has_begun && self->window && gtk_widget_get_mapped (GTK_WIDGET (self->window));
}

/* The application runs until the window's task has ended. */
static gboolean
close_and_end (gpointer data)
{
  Case *self = data;

  if (!is_at_work (self))
    return G_SOURCE_CONTINUE;
  if (gtk_widget_get_visible (GTK_WIDGET (self->window)))
    gtk_window_close (self->window);
  let_end (self);
  return G_SOURCE_REMOVE;
}

static void
test_last_window (void)
{
  check_application (close_and_end);
}

/* A window that is being closed is none of the application's any more. */
static gboolean
close_all (gpointer data)
{
  Case *self = data;
  GtkApplication *application = GTK_APPLICATION (g_application_get_default ());
  GtkWindow *window;

  if (!is_at_work (self))
    return G_SOURCE_CONTINUE;
  while ((window = gtk_application_get_active_window (application)))
    gtk_window_close (window);
  iterate ();
  g_assert_false (self->has_ended);
  let_end (self);
  return G_SOURCE_REMOVE;
}

static void
test_close_all (void)
{
  check_application (close_all);
}

static gboolean
let_end_later (gpointer data)
{
  let_end (data);
  return G_SOURCE_REMOVE;
}

static gboolean
quit_in_the_middle (gpointer data)
{
  Case *self = data;

  if (!is_at_work (self))
    return G_SOURCE_CONTINUE;
  g_application_quit (g_application_get_default ());
  let_end (self);
  return G_SOURCE_REMOVE;
}

static void
test_quit (void)
{
  Case self;

  memset (&self, 0, sizeof self);
  run_application (&self, quit_in_the_middle);
  g_assert_true (self.has_ended);
  g_assert_true (self.saw_label);
  if (self.window)
    gtk_window_destroy (self.window);
  case_end (&self);
}

/* The clean-up that closing the window began is not cut short. */
static gboolean
close_and_quit (gpointer data)
{
  Case *self = data;

  if (self->n_cancelled > 0)
    {
      g_application_quit (g_application_get_default ());
      g_timeout_add (10, let_end_later, self);
      return G_SOURCE_REMOVE;
    }
  if (is_at_work (self))
    gtk_window_close (self->window);
  return G_SOURCE_CONTINUE;
}

static void
test_close_and_quit (void)
{
  check_application (close_and_quit);
}

void
add_tests (void)
{
  g_test_add_func ("/gtk4-window/close", test_close);
  g_test_add_func ("/gtk4-window/close-without-tasks", test_close_without_tasks);
  g_test_add_func ("/gtk4-window/close-one-after-the-other", test_close_one_after_the_other);
  g_test_add_func ("/gtk4-window/close-twice", test_close_twice);
  g_test_add_func ("/gtk4-window/handler-keeps-window", test_handler_keeps_window);
  g_test_add_func ("/gtk4-window/hide-on-close", test_hide_on_close);
  g_test_add_func ("/gtk4-window/attach-twice", test_attach_twice);
  g_test_add_func ("/gtk4-window/close-by-task", test_close_by_task);
  g_test_add_func ("/gtk4-window/task-after-close", test_task_after_close);
  g_test_add_func ("/gtk4-window/destroyed", test_destroyed);
  g_test_add_func ("/gtk4-window/destroyed-with-references", test_destroyed_with_references);
  g_test_add_func ("/gtk4-window/destroyed-while-closing", test_destroyed_while_closing);
  g_test_add_func ("/gtk4-window/never-shown", test_never_shown);
  g_test_add_func ("/gtk4-window/slow", test_slow);
  g_test_add_func ("/gtk4-window/follower", test_follower);
  g_test_add_func ("/gtk4-window/not-a-follower", test_not_a_follower);
  g_test_add_func ("/gtk4-window/last-window", test_last_window);
  g_test_add_func ("/gtk4-window/close-all", test_close_all);
  g_test_add_func ("/gtk4-window/quit", test_quit);
  g_test_add_func ("/gtk4-window/close-and-quit", test_close_and_quit);
}
