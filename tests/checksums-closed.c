/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program of examples/gtk, from its arguments to its end: each state of its window is ended in
 * each way.  No task, job or window is left. */

#include "checksums-driver.h"

typedef struct
{
  const char *path;             /* that the program is started with */
  gboolean (*is_reached) (ChecksumWindow *window);
  void (*end) (ChecksumWindow *window);
  gboolean is_ended;
  gpointer window;              /* weak pointers */
  gpointer job;
} Run;

/* ---- States ---- */

static gboolean
is_empty (ChecksumWindow *window)
{
  return checksum_window_get_job (window) == NULL;
}

static gboolean
is_reading (ChecksumWindow *window)
{
  return reads_endless_file (window);
}

static gboolean
is_paused (ChecksumWindow *window)
{
  if (!reads_endless_file (window))
    return FALSE;
  activate (window, "pause");
  return TRUE;
}

static gboolean
is_cancelling (ChecksumWindow *window)
{
  if (!reads_endless_file (window))
    return FALSE;
  activate (window, "cancel");
  return TRUE;
}

static gboolean
is_restarting (ChecksumWindow *window)
{
  if (!reads_endless_file (window))
    return FALSE;
  check (window, "/nonexistent");
  return TRUE;
}

static gboolean
is_asking (ChecksumWindow *window)
{
  activate (window, "open");
  wait_for_dialog (GTK_TYPE_FILE_CHOOSER);
  return TRUE;
}

static gboolean
shows_message (ChecksumWindow *window)
{
  return has_message (window, "Error opening directory");
}

/* Its tasks were created, and none has begun. */
static gboolean
has_begun (ChecksumWindow *window)
{
  check (window, "/nonexistent");
  return TRUE;
}

/* ---- Ends ---- */

static void
close_it (ChecksumWindow *window)
{
  gtk_window_close (GTK_WINDOW (window));
}

static void
close_twice (ChecksumWindow *window)
{
  g_object_ref (window);
  gtk_window_close (GTK_WINDOW (window));
  iterate ();
  gtk_window_close (GTK_WINDOW (window));
  g_object_unref (window);
}

static void
destroy_it (ChecksumWindow *window)
{
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
close_and_destroy (ChecksumWindow *window)
{
  gtk_window_close (GTK_WINDOW (window));
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
quit (ChecksumWindow *window)
{
  g_application_quit (G_APPLICATION (gtk_window_get_application (GTK_WINDOW (window))));
}

static void
close_and_quit (ChecksumWindow *window)
{
  GApplication *program = G_APPLICATION (gtk_window_get_application (GTK_WINDOW (window)));

  gtk_window_close (GTK_WINDOW (window));
  g_application_quit (program);
}

/* ---- A run of the program ---- */

static gboolean
end_when_reached (gpointer data)
{
  Run *self = data;
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (g_application_get_default ()));

  if (window == NULL || !gtk_widget_get_mapped (GTK_WIDGET (window)) || !self->is_reached (CHECKSUM_WINDOW (window)))
    return G_SOURCE_CONTINUE;
  self->is_ended = TRUE;
  g_set_weak_pointer (&self->window, window);
  g_set_weak_pointer (&self->job, checksum_window_get_job (CHECKSUM_WINDOW (window)));
  self->end (CHECKSUM_WINDOW (window));
  return G_SOURCE_REMOVE;
}

static void
run_program (Run *self)
{
  char *argv[] = { (char *) "checksums", (char *) self->path, NULL };
  g_autoptr (ChecksumApplication) program = checksum_application_new ();

  g_application_set_default (G_APPLICATION (program));
  g_timeout_add (5, end_when_reached, self);
  g_assert_cmpint (g_application_run (G_APPLICATION (program), self->path ? 2 : 1, argv), ==, 0);
  g_assert_true (self->is_ended);
  g_assert_true (no_tasks ());
  /* GTK leaves the windows of an application that quits to the end of the process. */
  if (self->window)
    gtk_window_destroy (self->window);
  iterate_until (self->window == NULL && self->job == NULL && no_tasks ());
  g_assert_cmpuint (g_list_model_get_n_items (gtk_window_get_toplevels ()), ==, 0);
  g_application_set_default (G_APPLICATION (application));
}

static const struct
{
  const char *name;
  void (*end) (ChecksumWindow *window);
} ends[] = {
  { "close", close_it },
  { "close-twice", close_twice },
  { "destroy", destroy_it },
  { "close-and-destroy", close_and_destroy },
  { "quit", quit },
  { "close-and-quit", close_and_quit },
};

static void
test_state (const char *path,
            gboolean  (*is_reached) (ChecksumWindow *window))
{
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      Run run = { path, is_reached, ends[i].end, FALSE, NULL, NULL };

      g_test_message ("%s", ends[i].name);
      run_program (&run);
    }
}

static void
test_endless_state (gboolean (*is_reached) (ChecksumWindow *window))
{
  char *folder = make_endless_folder ();

  test_state (folder, is_reached);
  remove_folder (folder);
}

static void
test_empty (void)
{
  test_state (NULL, is_empty);
}

static void
test_begun (void)
{
  test_state (NULL, has_begun);
}

static void
test_reading (void)
{
  test_endless_state (is_reading);
}

static void
test_paused (void)
{
  test_endless_state (is_paused);
}

static void
test_cancelling (void)
{
  test_endless_state (is_cancelling);
}

static void
test_restarting (void)
{
  test_endless_state (is_restarting);
}

static void
test_asking (void)
{
  test_state (NULL, is_asking);
}

static void
test_message (void)
{
  test_state ("/nonexistent", shows_message);
}

static void
test_over (void)
{
  char *folder = make_folder ();

  write_files (folder, "file ", 3, 1000, 1);
  test_state (folder, is_over);
  remove_folder (folder);
}

void
add_tests (void)
{
  make_application ();
  g_test_add_func ("/checksums-closed/empty", test_empty);
  g_test_add_func ("/checksums-closed/begun", test_begun);
  g_test_add_func ("/checksums-closed/reading", test_reading);
  g_test_add_func ("/checksums-closed/paused", test_paused);
  g_test_add_func ("/checksums-closed/cancelling", test_cancelling);
  g_test_add_func ("/checksums-closed/restarting", test_restarting);
  g_test_add_func ("/checksums-closed/asking", test_asking);
  g_test_add_func ("/checksums-closed/message", test_message);
  g_test_add_func ("/checksums-closed/over", test_over);
}
