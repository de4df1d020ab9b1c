/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drives a window of the program: gives it folders, waits for what it does, and looks at it. */

#include "checksums-driver.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Nothing is done with a file of this size before the test is. */
#define ENDLESS ((off_t) 1 << 36)

GtkApplication *application;

void
make_application (void)
{
  application = GTK_APPLICATION (checksum_application_new ());
  g_assert_true (g_application_register (G_APPLICATION (application), NULL, NULL));
}

/* ---- Folders ---- */

char *
make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("checksums-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

void
write_file (const char *folder, const char *name, gsize size, guint32 seed)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree guint32 *text = g_new (guint32, size / 4 + 1);
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i <= size / 4; i++)
    text[i] = seed * 2654435761u + (guint32) i;
  g_file_set_contents (path, (char *) text, (gssize) size, &error);
  g_assert_no_error (error);
}

void
write_files (const char *folder, const char *prefix, guint n, gsize size, guint32 seed)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s%u", prefix, i);

      write_file (folder, name, size, seed + i);
    }
}

static void
write_endless_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  int fd = g_open (path, O_CREAT | O_WRONLY, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, ENDLESS), ==, 0);
  g_assert_cmpint (close (fd), ==, 0);
}

char *
make_subfolder (const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, NULL);

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  return path;
}

char *
run_in (const char *folder, const char *command, int *status)
{
  char *argv[] = { (char *) "sh", (char *) "-c", (char *) command, NULL };
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  g_spawn_sync (folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, status, &error);
  g_assert_no_error (error);
  return output;
}

void
remove_folder (char *folder)
{
  int status;

  g_free (run_in (folder, "rm -rf \"$PWD\"", &status));
  g_assert_cmpint (status, ==, 0);
  g_free (folder);
}

/* ---- Windows ---- */

ChecksumWindow *
open_window (void)
{
  ChecksumWindow *window = checksum_window_new (application);

  gtk_window_present (GTK_WINDOW (window));
  iterate_until (gtk_widget_get_mapped (GTK_WIDGET (window)));
  return window;
}

void
check (ChecksumWindow *window, const char *path)
{
  g_autoptr (GFile) folder = g_file_new_for_path (path);

  checksum_window_check (window, folder);
}

void
activate (ChecksumWindow *window, const char *action)
{
  g_assert_true (g_action_group_get_action_enabled (G_ACTION_GROUP (window), action));
  g_action_group_activate_action (G_ACTION_GROUP (window), action, NULL);
}

gboolean
is_running (ChecksumWindow *window)
{
  gboolean running;

  g_object_get (checksum_window_get_job (window), "running", &running, NULL);
  return running;
}

gboolean
is_over (ChecksumWindow *window)
{
  g_autofree char *summary = NULL;

  g_object_get (checksum_window_get_job (window), "summary", &summary, NULL);
  return !is_running (window) && summary &&
         (g_str_has_prefix (summary, "Done: ") || g_str_has_prefix (summary, "Stopped: "));
}

guint
count_done (ChecksumWindow *window)
{
  GListModel *files = checksum_job_get_files (checksum_window_get_job (window));
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (files); i++)
    {
      g_autoptr (ChecksumFile) file = g_list_model_get_item (files, i);

      n += checksum_file_get_checksum (file) != NULL;
    }
  return n;
}

char *
get_status (GListModel *files, guint index)
{
  g_autoptr (ChecksumFile) file = g_list_model_get_item (files, index);
  char *status;

  g_object_get (file, "status", &status, NULL);
  return status;
}

gpointer
get_part (ChecksumWindow *window, const char *name)
{
  GObject *part = gtk_widget_get_template_child (GTK_WIDGET (window), CHECKSUM_TYPE_WINDOW, name);

  g_assert_nonnull (part);
  return part;
}

void
close_window (ChecksumWindow *window)
{
  ChecksumJob *job = checksum_window_get_job (window);

  g_object_add_weak_pointer (G_OBJECT (window), (gpointer *) &window);
  if (job)
    g_object_add_weak_pointer (G_OBJECT (job), (gpointer *) &job);
  gtk_window_close (GTK_WINDOW (window));
  iterate_until (no_tasks () && window == NULL && job == NULL);
}

/* ---- Dialogs ---- */

gboolean
has_message (ChecksumWindow *window, const char *prefix)
{
  return gtk_info_bar_get_revealed (get_part (window, "message_bar")) &&
         g_str_has_prefix (gtk_label_get_label (get_part (window, "message")), prefix);
}

/* ---- A folder that keeps the window busy ---- */

char *
make_endless_folder (void)
{
  char *folder = make_folder ();

  write_files (folder, "a ", 50, 1000, 0);
  write_files (folder, "z ", 20, 1000, 100);
  for (guint i = 0; i < 6; i++)
    {
      g_autofree char *name = g_strdup_printf ("m %u", i);

      write_endless_file (folder, name);
    }
  return folder;
}

gboolean
reads_endless_file (ChecksumWindow *window)
{
  GListModel *files = checksum_job_get_files (checksum_window_get_job (window));
  g_autoptr (ChecksumFile) file = g_list_model_get_item (files, 53);
  gboolean reading = FALSE;

  if (file)
    g_object_get (file, "reading", &reading, NULL);
  return reading && count_done (window) == 50;
}
