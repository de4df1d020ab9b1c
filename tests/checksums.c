/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program with a window, examples/gtk: its real window is driven through
 * its actions, and what comes out is compared with sha256sum's. */

#include "checksums-driver.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <time.h>
#include <unistd.h>

/* ---- A folder of thousands of files ---- */

static const char *strange_names[] = {
  "-", "--help", " leading and trailing ", "back\\slash", "new\nline", "return\r", "\\\n\r",
  "not UTF-8 \xff\xfe", "gr\303\266\303\237e", "SHA256SUMS", "*", "#comment",
};

static guint
n_small_files (void)
{
  return RUNNING_ON_VALGRIND ? 200 : 4000;
}

static char *
make_large_folder (void)
{
  char *folder = make_folder ();
  g_autofree char *below = make_subfolder (folder, "below");
  g_autofree char *going = make_subfolder (folder, "going");
  g_autofree char *link = g_build_filename (below, "link", NULL);
  guint scale = RUNNING_ON_VALGRIND ? 20 : 1;

  for (guint i = 0; i < n_small_files (); i++)
    {
      g_autofree char *name = g_strdup_printf ("small %u", i);

      write_file (i % 2 ? folder : below, name, i % 50 * 100, i);
    }
  for (guint i = 0; i < G_N_ELEMENTS (strange_names); i++)
    write_file (folder, strange_names[i], 100 + i, 77);
  write_files (folder, "large ", 8, (5 << 20) / scale + 3, 1);
  write_files (below, "copy of large ", 4, (5 << 20) / scale + 3, 1);
  write_file (going, "file", 1000, 1);
  g_free (make_subfolder (going, "folder"));
  g_assert_cmpint (symlink ("..", link), ==, 0);
  return folder;
}

/* The names of both are known by now, and neither was looked at yet. */
static void
on_files_added (GListModel *files, guint position, guint removed, guint added, const char *folder)
{
  g_autofree char *gone_file = g_build_filename (folder, "going", "file", NULL);
  g_autofree char *gone_folder = g_build_filename (folder, "going", "folder", NULL);

  for (guint i = position; i < position + added; i++)
    {
      g_autoptr (ChecksumFile) row = g_list_model_get_item (files, i);

      if (strcmp (checksum_file_get_path (row), "going/file") == 0)
        {
          g_assert_cmpint (g_unlink (gone_file), ==, 0);
          g_assert_cmpint (g_rmdir (gone_folder), ==, 0);
        }
    }
}

typedef struct
{
  gint64 last;
  gint64 last_busy;
  gint64 longest_gap;
  gint64 most_busy;
  guint n;
} Frames;

/* The time that this thread has had of a processor. */
static gint64
get_busy_time (void)
{
  struct timespec time;

  g_assert_cmpint (clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time), ==, 0);
  return (gint64) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

static gboolean
count_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  Frames *frames = data;
  gint64 now = g_get_monotonic_time ();
  gint64 busy = get_busy_time ();

  frames->longest_gap = MAX (frames->longest_gap, now - frames->last);
  frames->most_busy = MAX (frames->most_busy, busy - frames->last_busy);
  frames->last = now;
  frames->last_busy = busy;
  frames->n++;
  return G_SOURCE_CONTINUE;
}

/* However busy the threads are, the window is drawn.  What is measured is this
 * thread's work from one frame to the next: how long it waits for a processor
 * is up to what else the machine does. */
static void
check_and_count_frames (ChecksumWindow *window, const char *folder)
{
  gint64 begin;
  Frames frames = { 0 };
  guint id = gtk_widget_add_tick_callback (GTK_WIDGET (window), count_frame, &frames, NULL);
  double seconds;

  iterate_until (frames.n >= 3);
  check (window, folder);
  g_signal_connect (checksum_job_get_files (checksum_window_get_job (window)), "items-changed",
                    G_CALLBACK (on_files_added), (gpointer) folder);
  begin = g_get_monotonic_time ();
  frames = (Frames) { .last = begin, .last_busy = get_busy_time () };
  iterate_until (is_over (window));
  seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  gtk_widget_remove_tick_callback (GTK_WIDGET (window), id);
  g_test_message ("%u frames in %.2f s, from one to the next at most %.1f ms, %.1f ms of them busy",
                  frames.n, seconds, (double) frames.longest_gap / 1000, (double) frames.most_busy / 1000);
  g_assert_cmpuint (frames.n, >=, 5);
  g_assert_cmpint (frames.most_busy, <, 250000 * (RUNNING_ON_VALGRIND ? 40 : UNDER_ASAN || UNDER_TSAN ? 4 : 1));
}

static GHashTable *
run_sha256sum (const char *folder)
{
  GHashTable *checksums = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  char *argv[] = { (char *) "sh", (char *) "-c",
                   (char *) "find . -type f -exec sha256sum --zero '{}' + >\"$0.sums\"", (char *) folder, NULL };
  g_autofree char *list = g_strconcat (folder, ".sums", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_spawn_sync (folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_file_get_contents (list, &text, &length, &error);
  g_assert_no_error (error);
  for (char *line = text; line < text + length; line += strlen (line) + 1)
    g_hash_table_insert (checksums, g_strdup (line + 64 + strlen ("  ./")), g_strndup (line, 64));
  g_unlink (list);
  return checksums;
}

static void
compare_with_sha256sum (ChecksumWindow *window, const char *folder)
{
  GListModel *files = checksum_job_get_files (checksum_window_get_job (window));
  g_autoptr (GHashTable) expected = run_sha256sum (folder);
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (files); i++)
    {
      g_autoptr (ChecksumFile) file = g_list_model_get_item (files, i);
      const char *path = checksum_file_get_path (file);

      g_assert_cmpstr (checksum_file_get_checksum (file), ==, g_hash_table_lookup (expected, path));
      n += checksum_file_get_checksum (file) != NULL;
    }
  g_assert_cmpuint (n, ==, g_hash_table_size (expected));
  g_assert_cmpuint (n, ==, n_small_files () + G_N_ELEMENTS (strange_names) + 12);
}

/* What the list of duplicates has to hold: all but the empty files whose
 * checksum another has. */
static void
compare_duplicates (ChecksumWindow *window)
{
  GListModel *files = checksum_job_get_files (checksum_window_get_job (window));
  GListModel *duplicates = checksum_job_get_duplicates (checksum_window_get_job (window));
  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = 0;

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < g_list_model_get_n_items (files); i++)
      {
        g_autoptr (ChecksumFile) file = g_list_model_get_item (files, i);
        gpointer checksum = (gpointer) checksum_file_get_checksum (file);
        guint so_far = checksum ? GPOINTER_TO_UINT (g_hash_table_lookup (counts, checksum)) : 0;

        if (checksum == NULL || checksum_file_get_size (file) == 0)
          continue;
        if (pass == 0)
          g_hash_table_insert (counts, checksum, GUINT_TO_POINTER (so_far + 1));
        else
          {
            g_assert_cmpint (checksum_file_is_duplicate (file), ==, so_far > 1);
            n += so_far > 1;
          }
      }
  g_assert_cmpuint (n, >=, 8);
  g_assert_cmpuint (g_list_model_get_n_items (duplicates), ==, n);
}

static void
check_errors (ChecksumWindow *window)
{
  GListModel *errors = checksum_job_get_errors (checksum_window_get_job (window));

  g_assert_cmpuint (g_list_model_get_n_items (errors), ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *status = get_status (errors, i);

      g_assert_true (g_str_has_suffix (status, g_strerror (ENOENT)));
    }
}

/* ---- Dialogs ---- */

/* The question may be answered already, and about to go. */
static void
answer_question (GtkDialog *question)
{
  g_object_ref (question);
  settle (GTK_WINDOW (question));
  /* GTK 4.8 calls this response ACCEPT, newer ones number it. */
  if (gtk_widget_get_mapped (GTK_WIDGET (question)))
    g_signal_emit_by_name (gtk_window_get_default_widget (GTK_WINDOW (question)), "clicked");
  g_object_unref (question);
}

/* Saves as it is proposed; a file that is there is replaced. */
static void
export_sums (ChecksumWindow *window)
{
  activate (window, "export");
  gtk_dialog_response (wait_for_chooser (), GTK_RESPONSE_ACCEPT);
  while (!has_message (window, "Saved "))
    {
      GtkDialog *question = find_dialog (GTK_TYPE_MESSAGE_DIALOG);

      if (question)
        answer_question (question);
      g_main_context_iteration (NULL, TRUE);
    }
}

/* ---- Tests ---- */

static void
test_folder (void)
{
  char *folder = make_large_folder ();
  ChecksumWindow *window = open_window ();
  g_autofree char *output = NULL;
  int status;

  check_and_count_frames (window, folder);
  compare_with_sha256sum (window, folder);
  compare_duplicates (window);
  check_errors (window);

  export_sums (window);
  output = run_in (folder, "sha256sum --check --strict --quiet SHA256SUMS 2>&1 && wc -l <SHA256SUMS", &status);
  g_assert_cmpint (status, ==, 0);
  /* All but the list itself. */
  g_assert_cmpint (g_ascii_strtoll (output, NULL, 10), ==, count_done (window) - 1);

  close_window (window);
  remove_folder (folder);
}

static void
test_cancel (void)
{
  char *folder = make_endless_folder ();
  ChecksumWindow *window = open_window ();
  GListModel *files;
  gint64 begin;

  check (window, folder);
  files = checksum_job_get_files (checksum_window_get_job (window));
  iterate_until (reads_endless_file (window));

  begin = g_get_monotonic_time ();
  activate (window, "cancel");
  iterate_until (is_over (window));
  g_test_message ("Cancelled in %.1f ms", (double) (g_get_monotonic_time () - begin) / 1000);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, RUNNING_ON_VALGRIND ? 20000000 : 1000000);

  g_assert_cmpuint (count_done (window), ==, 50);
  for (guint i = 50; i < 76; i++)
    {
      g_autofree char *status = get_status (files, i);

      g_assert_cmpstr (status, ==, "Left out");
    }
  export_sums (window);
  close_window (window);
  remove_folder (folder);
}

static gboolean
set_true (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean
says_paused (ChecksumWindow *window)
{
  g_autofree char *summary = NULL;

  g_object_get (checksum_window_get_job (window), "summary", &summary, NULL);
  return g_str_has_prefix (summary, "Paused: ");
}

static void
test_pause (void)
{
  const guint n_files = RUNNING_ON_VALGRIND ? 60 : 600;
  const guint n_workers = 4;
  char *folder = make_folder ();
  ChecksumWindow *window = open_window ();
  gboolean is_late = FALSE;
  guint n_done;

  write_files (folder, "", n_files, 200000, 0);
  check (window, folder);
  iterate_until (count_done (window) >= 5);
  activate (window, "pause");
  n_done = count_done (window);
  g_assert_cmpuint (n_done, <, n_files - n_workers);

  /* What a thread has begun it ends, and nobody begins anything. */
  g_timeout_add (500, set_true, &is_late);
  iterate_until (is_late && says_paused (window));
  g_assert_cmpuint (count_done (window), <=, n_done + n_workers);
  g_assert_true (is_running (window));

  activate (window, "pause");
  iterate_until (is_over (window));
  g_assert_cmpuint (count_done (window), ==, n_files);
  close_window (window);
  remove_folder (folder);
}

static void
test_cancel_while_paused (void)
{
  char *folder = make_endless_folder ();
  ChecksumWindow *window = open_window ();

  check (window, folder);
  iterate_until (reads_endless_file (window));
  activate (window, "pause");
  iterate_until (says_paused (window));
  activate (window, "cancel");
  iterate_until (is_over (window));
  g_assert_cmpuint (count_done (window), ==, 50);
  close_window (window);
  remove_folder (folder);
}

/* ---- Arguments ---- */

static int
run_program (const char *argument)
{
  g_autofree char *path = g_test_build_filename (G_TEST_BUILT, "..", "examples", "gtk", "checksums", NULL);
  char *argv[] = { path, (char *) argument, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

static void
test_arguments (void)
{
  g_assert_cmpint (run_program ("--help"), ==, 0);
  g_assert_cmpint (run_program ("--nonsense"), ==, 2);
}

void
add_tests (void)
{
  make_application ();
  g_test_add_func ("/checksums/folder", test_folder);
  g_test_add_func ("/checksums/cancel", test_cancel);
  g_test_add_func ("/checksums/pause", test_pause);
  g_test_add_func ("/checksums/cancel-while-paused", test_cancel_while_paused);
  g_test_add_func ("/checksums/arguments", test_arguments);
}
