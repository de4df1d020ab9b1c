/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gallery of examples/gtk: what it shows, of a folder and of a server. */

#include "gallery-driver.h"

#include <string.h>

/* ---- Showing a folder ---- */

static void
test_show (void)
{
  begin ();
  write_picture ("b.png");
  write_picture ("a.png");
  write_text ("text.txt");
  g_assert_cmpstr (gtk_stack_get_visible_child_name (get_part (window, "stack")), ==, "empty");
  show_in (window, folder);
  iterate_until (is_running ());
  iterate_until (is_over (window));
  iterate_until (!is_running ());
  g_assert_cmpuint (count (window, "pictures"), ==, 2);
  g_assert_cmpuint (count_with_icon (window, NULL), ==, 2);
  g_assert_cmpstr (gtk_window_get_title (GTK_WINDOW (window)), ==, folder);
  iterate_until (gtk_progress_bar_get_fraction (get_part (window, "progress_bar")) == 1);
  end ();
}

static void
test_show_many (void)
{
  begin ();
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u.png", i);

      write_picture (name);
    }
  show_in (window, folder);
  do
    {
      g_main_context_iteration (NULL, TRUE);
      g_assert_cmpuint (count_with_icon (window, LOADING), <=, 4);
    }
  while (!is_over (window));
  g_assert_cmpuint (count_with_icon (window, NULL), ==, 50);
  end ();
}

static void
test_show_nothing (void)
{
  begin ();
  show_in (window, folder);
  iterate_until (is_over (window));
  g_assert_cmpuint (count (window, "pictures"), ==, 0);
  end ();
}

/* The error is shown until there is another folder. */
static void
test_no_folder (void)
{
  begin ();
  write_picture ("a.png");
  show_in (window, "/nonexistent");
  iterate_until (is_over (window));
  g_assert_true (gtk_info_bar_get_revealed (get_part (window, "error_bar")));
  g_assert_nonnull (strstr (gtk_label_get_label (get_part (window, "error_label")), "No such file"));
  show_in (window, folder);
  iterate_until (is_over (window));
  g_assert_false (gtk_info_bar_get_revealed (get_part (window, "error_bar")));
  end ();
}

static void
test_show_another (void)
{
  begin ();
  write_link ("link.png");
  write_picture ("a.png");
  show_in (window, folder);
  iterate_until (count_with_icon (window, RETRIED) == 1);
  show_in (window, "/nonexistent");
  iterate_until (is_over (window));
  g_assert_cmpuint (count (window, "pictures"), ==, 0);
  end ();
}

static void
test_show_another_instead_of_answer (void)
{
  begin ();
  write_text ("broken.png");
  show_in (window, folder);
  wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
  write_picture ("broken.png");
  show_in (window, folder);
  iterate_until (is_over (window));
  g_assert_cmpuint (count_with_icon (window, NULL), ==, 1);
  g_assert_null (find_dialog (GTK_TYPE_DIALOG));
  end ();
}

static void
test_stop (void)
{
  begin ();
  write_link ("link.png");
  show_in (window, folder);
  iterate_until (count_with_icon (window, RETRIED) == 1);
  g_signal_emit_by_name (get_part (window, "stop_button"), "clicked");
  iterate_until (is_over (window));
  g_assert_cmpuint (count_with_icon (window, WAITING), ==, 1);
  g_assert_false (gtk_info_bar_get_revealed (get_part (window, "error_bar")));
  g_assert_null (find_dialog (GTK_TYPE_DIALOG));
  end ();
}

static void
test_choose_folder (void)
{
  g_autoptr (GFile) file = NULL;

  begin ();
  file = g_file_new_for_path (folder);
  write_picture ("a.png");
  g_action_group_activate_action (G_ACTION_GROUP (window), "open", NULL);
  gtk_dialog_response (wait_for_dialog (GTK_TYPE_FILE_CHOOSER), GTK_RESPONSE_CANCEL);
  iterate_until (is_over (window));
  g_assert_cmpstr (gtk_stack_get_visible_child_name (get_part (window, "stack")), ==, "empty");
  g_action_group_activate_action (G_ACTION_GROUP (window), "open", NULL);
  gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (wait_for_dialog (GTK_TYPE_FILE_CHOOSER)), file, NULL);
  gtk_dialog_response (wait_for_chooser (), GTK_RESPONSE_ACCEPT);
  iterate_until (is_over (window));
  g_assert_cmpuint (count_with_icon (window, NULL), ==, 1);
  end ();
}

/* ---- Pictures that cannot be loaded ---- */

static void
test_retry (void)
{
  g_autofree char *status = NULL;

  begin ();
  write_link ("link.png");
  show_in (window, folder);
  iterate_until (count_with_icon (window, RETRIED) == 1);
  status = get_status (0);
  g_assert_nonnull (strstr (status, "No such file"));
  write_picture ("there");
  iterate_until (is_over (window));
  g_assert_cmpuint (count_with_icon (window, NULL), ==, 1);
  end ();
}

static void
check_answer (int response, guint n_left)
{
  begin ();
  write_picture ("a.png");
  write_text ("b.png");
  write_text ("c.png");
  write_picture ("d.png");
  show_in (window, folder);
  answer (response);
  iterate_until (is_over (window));
  g_assert_cmpuint (count (window, "pictures"), ==, n_left);
  g_assert_cmpuint (count_with_icon (window, NULL), ==, 2);
  g_assert_cmpuint (count_with_icon (window, BROKEN), ==, n_left - 2);
  end ();
}

static void
test_keep (void)
{
  check_answer (0, 4);
}

static void
test_remove (void)
{
  check_answer (1, 2);
}

static void
test_no_answer (void)
{
  check_answer (GTK_RESPONSE_DELETE_EVENT, 4);
}

/* ---- Searching ---- */

static void
test_search (void)
{
  begin ();
  write_picture ("sea.png");
  write_picture ("Seaside.png");
  write_picture ("wood.png");
  show_in (window, folder);
  iterate_until (is_over (window));
  type ("SEA");
  iterate_until (count (window, "shown") == 2);
  type ("seas");
  iterate_until (count (window, "shown") == 1);
  type ("nowhere");
  iterate_until (count (window, "shown") == 0);
  type ("");
  iterate_until (count (window, "shown") == 3);
  iterate_until (is_over (window));
  end ();
}

/* Each keystroke takes the place of the one before. */
static void
test_search_again (void)
{
  begin ();
  write_picture ("sea.png");
  write_picture ("wood.png");
  show_in (window, folder);
  iterate_until (is_over (window));
  for (guint i = 0; i < 3; i++)
    {
      type (i % 2 ? "wood" : "sea");
      iterate_until (!is_over (window));
      g_assert_cmpuint (count (window, "shown"), ==, 2);
      g_signal_emit_by_name (get_part (window, "entry"), "search-changed");
    }
  iterate_until (is_over (window));
  g_assert_cmpuint (count (window, "shown"), ==, 1);
  end ();
}

/* ---- A server ---- */

static void
check_server (int n_bad, const char *bad, const char *status)
{
  Server server;

  begin ();
  server_begin (&server, n_bad, bad);
  if (status)
    {
      g_autofree char *found = NULL;

      iterate_until (count_with_icon (window, RETRIED) == 2);
      found = get_status (0);
      g_assert_nonnull (strstr (found, status));
    }
  iterate_until (is_over (window));
  g_assert_cmpuint (count (window, "pictures"), ==, 2);
  g_assert_cmpuint (count_with_icon (window, NULL), ==, 2);
  server_end (&server);
}

static void
test_server (void)
{
  check_server (0, NULL, NULL);
}

static void
test_server_fails (void)
{
  check_server (2, "HTTP/1.1 503 Service Unavailable\r\n\r\n", "503 Service Unavailable");
  check_server (2, "HTTP/1.1 500 \xff\r\n\r\n", "500 \xef\xbf\xbd");
  check_server (2, "\r\n\r\n", "The server answered: ");
}

static void
test_server_is_short (void)
{
  check_server (2, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123456789", "not complete");
  check_server (2, "HTTP/1.1 200 OK\r\n\r\n123456789", "not complete");
  check_server (2, "HTTP/1.1 200 OK\r\n", "not complete");
}

static void
test_server_is_slow (void)
{
  check_server (2, NULL, "");
}

static void
test_no_server (void)
{
  begin ();
  show_in (window, "http://127.0.0.1:1/");
  iterate_until (is_over (window));
  g_assert_true (gtk_info_bar_get_revealed (get_part (window, "error_bar")));
  end ();
}

static void
test_two_windows (void)
{
  GtkWidget *other = NULL;

  begin ();
  write_picture ("a.png");
  write_link ("link.png");
  g_set_weak_pointer (&other, open_window ());
  show_in (window, folder);
  show_in (other, folder);
  iterate_until (count_with_icon (window, RETRIED) > 0 && count_with_icon (other, RETRIED) > 0);
  gtk_window_close (GTK_WINDOW (window));
  iterate_until (window == NULL);
  write_picture ("there");
  iterate_until (is_over (other));
  g_assert_cmpuint (count_with_icon (other, NULL), ==, 2);
  gtk_window_close (GTK_WINDOW (other));
  iterate_until (other == NULL);
  end ();
}

void
add_tests (void)
{
  g_test_add_func ("/gallery/show", test_show);
  g_test_add_func ("/gallery/show/many", test_show_many);
  g_test_add_func ("/gallery/show/nothing", test_show_nothing);
  g_test_add_func ("/gallery/show/no-folder", test_no_folder);
  g_test_add_func ("/gallery/show/another", test_show_another);
  g_test_add_func ("/gallery/show/another-instead-of-answer", test_show_another_instead_of_answer);
  g_test_add_func ("/gallery/stop", test_stop);
  g_test_add_func ("/gallery/choose-folder", test_choose_folder);
  g_test_add_func ("/gallery/retry", test_retry);
  g_test_add_func ("/gallery/keep", test_keep);
  g_test_add_func ("/gallery/remove", test_remove);
  g_test_add_func ("/gallery/no-answer", test_no_answer);
  g_test_add_func ("/gallery/search", test_search);
  g_test_add_func ("/gallery/search/again", test_search_again);
  g_test_add_func ("/gallery/server", test_server);
  g_test_add_func ("/gallery/server/fails", test_server_fails);
  g_test_add_func ("/gallery/server/is-short", test_server_is_short);
  g_test_add_func ("/gallery/server/is-slow", test_server_is_slow);
  g_test_add_func ("/gallery/server/none", test_no_server);
  g_test_add_func ("/gallery/two-windows", test_two_windows);
}
