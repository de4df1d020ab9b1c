/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress that threads and tasks report, and a widget hears of at most once a frame. */

#include "gtk4-driver.h"

#define N_REPORTS 100000

typedef struct
{
  GtkWidget *bar;
  guint n_notified;
  gint64 last_frame;
  gboolean twice_in_a_frame;
} Seen;

static void
on_value (GtxProgress *progress, GParamSpec *pspec, Seen *self)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (self->bar);
  gint64 frame = gdk_frame_clock_get_frame_counter (clock);

  self->twice_in_a_frame |= frame == self->last_frame;
  self->last_frame = frame;
  self->n_notified++;
}

static gboolean
report_in_thread (GtxProgress *progress, GCancellable *cancellable, GError **error)
{
  for (int i = 1; i <= N_REPORTS; i++)
    gtx_progress_report (progress, i);
  return TRUE;
}

static gboolean
work (GtxProgress *progress, GError **error)
{
  return gtx_to_thread (report_in_thread, progress, error);
}

static void
test_thread (void)
{
  GtkWindow *window = show_window ();
  Seen seen = { gtk_progress_bar_new (), 0, -1, FALSE };
  g_autoptr (GtxProgress) progress = NULL;

  gtk_window_set_child (window, seen.bar);
  progress = gtx_progress_new (seen.bar);
  g_assert_cmpfloat (gtx_progress_get_value (progress), ==, 0);
  g_signal_connect (progress, "notify::value", G_CALLBACK (on_value), &seen);
  iterate_until (gtk_widget_get_mapped (seen.bar));
  g_object_unref (gtx_create_task (work, progress, NULL));
  iterate_until (no_tasks () && gtx_progress_get_value (progress) == N_REPORTS);
  g_assert_cmpuint (seen.n_notified, >, 0);
  g_assert_cmpuint (seen.n_notified, <, N_REPORTS / 10);
  g_assert_false (seen.twice_in_a_frame);
  gtk_window_destroy (window);
}

/* Without frames it is told soon. */
static void
test_not_visible (void)
{
  g_autoptr (GtkWidget) bar = g_object_ref_sink (gtk_progress_bar_new ());
  g_autoptr (GtxProgress) progress = gtx_progress_new (bar);

  g_object_bind_property (progress, "value", bar, "fraction", G_BINDING_DEFAULT);
  gtx_progress_report (progress, 0.25);
  gtx_progress_report (progress, 0.5);
  iterate_until (gtx_progress_get_value (progress) != 0);
  g_assert_cmpfloat (gtk_progress_bar_get_fraction (GTK_PROGRESS_BAR (bar)), ==, 0.5);
}

static void
test_widget_gone (void)
{
  GtkWindow *window = show_window ();
  g_autoptr (GtxProgress) progress = gtx_progress_new (window);

  gtx_progress_report (progress, 0.25);
  gtk_window_destroy (window);
  iterate_until (gtx_progress_get_value (progress) == 0.25);
  gtx_progress_report (progress, 0.5);
  iterate_until (gtx_progress_get_value (progress) == 0.5);
}

/* The window goes between the report and the frame. */
static void
test_widget_goes (void)
{
  GtkWindow *window = show_window ();
  g_autoptr (GtxProgress) progress = gtx_progress_new (window);

  gtx_progress_report (progress, 0.25);
  g_main_context_iteration (NULL, FALSE);
  gtk_window_destroy (window);
  iterate_until (gtx_progress_get_value (progress) == 0.25);
}

static void
assert_is_whole (GtxProgress *progress, GParamSpec *pspec, GtkWidget *label)
{
  g_assert_true (GTK_IS_LABEL (label) && gtk_widget_get_root (label) != NULL);
}

/* A report that waits for a frame is told when there will be none, while the widget is whole. */
static void
test_hidden_before_frame (void)
{
  GtkWindow *window = show_window ();
  GtkWidget *label = gtk_label_new ("text");
  g_autoptr (GtxProgress) progress = NULL;

  gtk_window_set_child (window, label);
  progress = gtx_progress_new (label);
  g_signal_connect (progress, "notify::value", G_CALLBACK (assert_is_whole), label);
  iterate_until (gtk_widget_get_mapped (label));
  for (guint i = 1; i <= 20; i++)
    {
      gtx_progress_report (progress, i);
      for (guint j = 0; j < i; j++)
        g_main_context_iteration (NULL, FALSE);
      gtk_widget_set_visible (label, FALSE);
      iterate_until (gtx_progress_get_value (progress) == i);
      gtk_widget_set_visible (label, TRUE);
    }
  gtx_progress_report (progress, 100);
  g_main_context_iteration (NULL, FALSE);
  gtk_window_destroy (window);
  g_signal_handlers_disconnect_by_data (progress, label);
  iterate_until (gtx_progress_get_value (progress) == 100);
}

static void
test_dropped (void)
{
  GtkWindow *window = show_window ();
  GtxProgress *progress = gtx_progress_new (window);

  g_object_add_weak_pointer (G_OBJECT (progress), (gpointer *) &progress);
  gtx_progress_report (progress, 0.25);
  g_object_unref (progress);
  iterate_until (progress == NULL);
  gtk_window_destroy (window);
}

void
add_tests (void)
{
  g_test_add_func ("/gtk4-progress/thread", test_thread);
  g_test_add_func ("/gtk4-progress/not-visible", test_not_visible);
  g_test_add_func ("/gtk4-progress/widget-gone", test_widget_gone);
  g_test_add_func ("/gtk4-progress/widget-goes", test_widget_goes);
  g_test_add_func ("/gtk4-progress/hidden-before-frame", test_hidden_before_frame);
  g_test_add_func ("/gtk4-progress/dropped", test_dropped);
}
