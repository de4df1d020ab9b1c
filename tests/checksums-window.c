/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The window of examples/gtk: without a folder, with what is dropped on it, and what it shows. */

#include "checksums-driver.h"

static void
test_no_folder (void)
{
  ChecksumWindow *window = open_window ();

  g_assert_cmpstr (gtk_stack_get_visible_child_name (get_part (window, "stack")), ==, "empty");
  g_assert_null (checksum_window_get_job (window));
  g_assert_false (g_action_group_has_action (G_ACTION_GROUP (window), "export"));
  activate (window, "open");
  gtk_dialog_response (wait_for_dialog (GTK_TYPE_FILE_CHOOSER), GTK_RESPONSE_CANCEL);
  iterate_until (no_tasks ());
  g_assert_null (checksum_window_get_job (window));
  close_window (window);
}

static void
test_not_a_folder (void)
{
  char *folder = make_folder ();
  g_autofree char *file = g_build_filename (folder, "file", NULL);
  ChecksumWindow *window = open_window ();

  write_file (folder, "file", 10, 1);
  check (window, file);
  iterate_until (has_message (window, "Error opening directory"));
  g_assert_true (is_over (window));
  gtk_info_bar_response (get_part (window, "message_bar"), GTK_RESPONSE_CLOSE);
  iterate_until (no_tasks ());
  g_assert_false (gtk_info_bar_get_revealed (get_part (window, "message_bar")));

  /* Another folder is another try. */
  check (window, file);
  iterate_until (has_message (window, "Error opening directory"));
  check (window, folder);
  iterate_until (is_over (window));
  g_assert_false (gtk_info_bar_get_revealed (get_part (window, "message_bar")));
  g_assert_cmpuint (count_done (window), ==, 1);
  close_window (window);
  remove_folder (folder);
}

static GtkDropTarget *
find_drop_target (ChecksumWindow *window)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (GTK_WIDGET (window));

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);

      if (GTK_IS_DROP_TARGET (controller))
        return GTK_DROP_TARGET (controller);
    }
  return NULL;
}

/* What is dropped in the middle takes the place of what it was at. */
static void
test_drop (void)
{
  char *endless = make_endless_folder ();
  char *folder = make_folder ();
  ChecksumWindow *window = open_window ();
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  GValue value = G_VALUE_INIT;
  gboolean accepted = FALSE;

  write_files (folder, "", 10, 10, 0);
  check (window, endless);
  iterate_until (reads_endless_file (window));
  g_value_init (&value, G_TYPE_FILE);
  g_value_set_object (&value, file);
  g_signal_emit_by_name (find_drop_target (window), "drop", &value, 5.0, 5.0, &accepted);
  g_value_unset (&value);
  g_assert_true (accepted);
  g_assert_cmpstr (gtk_window_get_title (GTK_WINDOW (window)), ==, folder);

  iterate_until (is_over (window));
  g_assert_cmpuint (count_done (window), ==, 10);
  g_assert_true (no_tasks ());
  close_window (window);
  remove_folder (folder);
  remove_folder (endless);
}

static guint
count_shown (ChecksumWindow *window, const char *what)
{
  g_assert_true (gtk_widget_activate_action (GTK_WIDGET (window), "list.show", "s", what));
  return g_list_model_get_n_items (get_part (window, "selection"));
}

static void
test_show (void)
{
  char *folder = make_folder ();
  ChecksumWindow *window = open_window ();

  write_files (folder, "one ", 5, 10, 0);
  write_files (folder, "two ", 2, 10, 0);
  check (window, folder);
  iterate_until (is_over (window));
  g_assert_cmpuint (count_shown (window, "duplicates"), ==, 4);
  g_assert_cmpuint (count_shown (window, "errors"), ==, 0);
  g_assert_cmpuint (count_shown (window, "files"), ==, 7);
  close_window (window);
  remove_folder (folder);
}

void
add_tests (void)
{
  make_application ();
  g_test_add_func ("/checksums-window/no-folder", test_no_folder);
  g_test_add_func ("/checksums-window/not-a-folder", test_not_a_folder);
  g_test_add_func ("/checksums-window/drop", test_drop);
  g_test_add_func ("/checksums-window/show", test_show);
}
