/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gallery of examples/gtk: what it shows, and that it can be left in every way in the middle of
 * everything. */

#include "gallery-window.h"
#include "gtk4-driver.h"

#include <glib/gstdio.h>
#include <string.h>

/* ---- What is shown: pictures in a folder of the test's own ---- */

static char *folder;
static GtkApplication *application;
static GtkWidget *window;       /* a weak pointer */

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
write_picture (const char *name)
{
  g_autofree char *path = path_of (name);
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, 40, 30);
  g_autoptr (GError) error = NULL;

  gdk_pixbuf_fill (pixbuf, 0x204080ff);
  gdk_pixbuf_save (pixbuf, path, "png", &error, NULL);
  g_assert_no_error (error);
}

static void
write_text (const char *name)
{
  g_autofree char *path = path_of (name);

  g_assert_true (g_file_set_contents (path, "not a picture", -1, NULL));
}

/* It cannot be loaded before the picture "there" is written. */
static void
write_link (const char *name)
{
  g_autofree char *path = path_of (name);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  g_assert_true (g_file_make_symbolic_link (file, "there", NULL, NULL));
}

static void
remove_folder (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)))
    {
      g_autofree char *path = path_of (name);

      g_assert_cmpint (g_remove (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_clear_pointer (&folder, g_free);
}

/* ---- The window ---- */

static GtkWidget *
open_window (void)
{
  GtkWidget *opened = GTK_WIDGET (gallery_window_new (application));

  gtk_window_present (GTK_WINDOW (opened));
  iterate_until (gtk_widget_get_mapped (opened));
  return opened;
}

static void
on_activate (GApplication *unused)
{
}

static void
begin (void)
{
  folder = g_dir_make_tmp ("gallery-XXXXXX", NULL);
  g_assert_nonnull (folder);
  application = gtk_application_new ("org.example.Gallery", G_APPLICATION_NON_UNIQUE);
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), NULL);
  gtx_application_attach (G_APPLICATION (application), GTX_APPLICATION_DEFAULT);
  g_assert_true (g_application_register (G_APPLICATION (application), NULL, NULL));
  g_set_weak_pointer (&window, open_window ());
}

static void
end (void)
{
  if (window)
    gtk_window_close (GTK_WINDOW (window));
  iterate_until (window == NULL && no_tasks ());
  g_assert_cmpuint (g_list_model_get_n_items (gtk_window_get_toplevels ()), ==, 0);
  g_object_unref (application);
  remove_folder ();
}

static void
show_in (GtkWidget *shown, const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);

  gallery_window_show (GALLERY_WINDOW (shown), file);
}

static gpointer
get_part (GtkWidget *shown, const char *name)
{
  return gtk_widget_get_template_child (shown, GALLERY_TYPE_WINDOW, name);
}

static gboolean
is_over (GtkWidget *shown)
{
  return gtx_scope_get_n_tasks (gtx_object_get_scope (shown)) == 0;
}

static guint
count (GtkWidget *shown, const char *model)
{
  return g_list_model_get_n_items (get_part (shown, model));
}

/* The pictures that have this icon; NULL: a thumbnail. */
static guint
count_with_icon (GtkWidget *shown, const char *icon)
{
  guint n = 0;

  for (guint i = 0; i < count (shown, "pictures"); i++)
    {
      g_autoptr (GObject) picture = g_list_model_get_item (get_part (shown, "pictures"), i);
      g_autoptr (GdkTexture) thumbnail = NULL;
      g_autofree char *found = NULL;

      g_object_get (picture, "icon", &found, "thumbnail", &thumbnail, NULL);
      g_assert_true ((found == NULL) == (thumbnail != NULL));
      n += g_strcmp0 (found, icon) == 0;
    }
  return n;
}

#define LOADING "content-loading-symbolic"
#define RETRIED "view-refresh-symbolic"
#define BROKEN "image-missing-symbolic"
#define WAITING "image-x-generic-symbolic"

static char *
get_status (guint position)
{
  g_autoptr (GObject) picture = g_list_model_get_item (get_part (window, "pictures"), position);
  char *status;

  g_object_get (picture, "status", &status, NULL);
  return status;
}

static gboolean
is_running (void)
{
  return gtk_widget_get_visible (get_part (window, "stop_button"));
}

static void
answer (int response)
{
  gtk_dialog_response (wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG), response);
}

static void
type (const char *text)
{
  gtk_editable_set_text (get_part (window, "entry"), text);
}

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

#define LISTING                                                                \
  "<a href=\"b.png\">b</a><a href=\"c%20d.png\">c d</a><a href=\"text.txt\"></a><a href=\"%zz.png\"></a>" \
  "<a href=\"%00.png\"></a><a href=\"mailto:me.png\"></a><a href=\"file:///etc/x.png\"></a><a href=\"\"></a><a href=\""

typedef struct
{
  GSocketService *service;
  char *address;
  char *picture;
  gsize size;
  int n_bad;                    /* answers that are not as they should be, before those that are */
  const char *bad;              /* NULL: none */
} Server;

/* In a thread.  Pictures come only after so many bad answers; where those are none, the client has
 * to go. */
static gboolean
on_run (GThreadedSocketService *service, GSocketConnection *connection, GObject *source, Server *self)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (input);
  g_autofree char *request = g_data_input_stream_read_line (lines, NULL, NULL, NULL);
  gboolean is_listing = request && g_str_has_prefix (request, "GET / ");
  const char *body = is_listing ? LISTING : self->picture;
  gsize size = is_listing ? strlen (LISTING) : self->size;
  g_autoptr (GString) answer = g_string_new ("HTTP/1.1 200 OK\r\n");

  if (!is_listing && g_atomic_int_add (&self->n_bad, -1) > 0)
    {
      g_string_assign (answer, self->bad ? self->bad : "");
      g_main_context_wakeup (NULL);
    }
  else
    {
      g_string_append_printf (answer, "Content-length: %" G_GSIZE_FORMAT "\r\n\r\n", size);
      g_string_append_len (answer, body, (gssize) size);
    }
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), answer->str, answer->len, NULL,
                             NULL, NULL);
  while (answer->len == 0 && g_input_stream_skip (G_INPUT_STREAM (lines), 1000, NULL, NULL) > 0)
    continue;
  return TRUE;
}

static void
server_begin (Server *self, int n_bad, const char *bad)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) address = NULL;
  g_autofree char *path = path_of ("a.png");
  g_autoptr (GError) error = NULL;

  write_picture ("a.png");
  *self = (Server) { .n_bad = n_bad, .bad = bad };
  g_file_get_contents (path, &self->picture, &self->size, &error);
  g_assert_no_error (error);
  self->service = g_threaded_socket_service_new (10);
  g_signal_connect (self->service, "run", G_CALLBACK (on_run), self);
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                 NULL, &address, &error);
  g_assert_no_error (error);
  self->address = g_strdup_printf ("http://127.0.0.1:%u/",
                                   g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  show_in (window, self->address);
}

static void
server_end (Server *self)
{
  end ();
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  iterate ();
  g_object_unref (self->service);
  g_free (self->address);
  g_free (self->picture);
}

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

/* ---- Left in the middle ---- */

static void
reach_begin (void)
{
  show_in (window, folder);
}

static void
reach_loading (void)
{
  show_in (window, folder);
  iterate_until (count (window, "pictures") > 0);
}

static void
reach_retrying (void)
{
  show_in (window, folder);
  iterate_until (count_with_icon (window, RETRIED) > 0);
}

static void
reach_asking (void)
{
  show_in (window, folder);
  wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
}

static void
reach_choosing (void)
{
  g_action_group_activate_action (G_ACTION_GROUP (window), "open", NULL);
  wait_for_dialog (GTK_TYPE_FILE_CHOOSER);
}

static void
reach_searching (void)
{
  type ("a");
  iterate_until (!is_over (window));
}

static void
reach_searching_while_retrying (void)
{
  reach_retrying ();
  g_signal_emit_by_name (get_part (window, "entry"), "search-changed");
}

static void
reach_stopping (void)
{
  reach_retrying ();
  g_signal_emit_by_name (get_part (window, "stop_button"), "clicked");
}

static void
reach_end (void)
{
  reach_asking ();
  answer (1);
  iterate_until (is_over (window));
}

static void
leave_by_close (void)
{
  gtk_window_close (GTK_WINDOW (window));
}

static void
leave_by_destroy (void)
{
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
leave_by_both (void)
{
  gtk_window_close (GTK_WINDOW (window));
  gtk_window_destroy (GTK_WINDOW (window));
}

static gboolean
quit (gpointer unused)
{
  g_application_quit (G_APPLICATION (application));
  return G_SOURCE_REMOVE;
}

/* GTK leaves it to the end of the process to destroy the window. */
static void
leave_by_quit (void)
{
  g_idle_add (quit, NULL);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
  g_assert_true (no_tasks ());
  if (window)
    gtk_window_destroy (GTK_WINDOW (window));
}

static gboolean
close_last (gpointer unused)
{
  gtk_window_close (GTK_WINDOW (window));
  return G_SOURCE_REMOVE;
}

/* The application ends when its last window is gone. */
static void
leave_by_close_last (void)
{
  g_idle_add (close_last, NULL);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
}

typedef struct
{
  void (*reach) (void);
  void (*leave) (void);
} Leaving;

static void
test_leave (const Leaving *leaving)
{
  begin ();
  write_picture ("a.png");
  write_text ("b.png");
  write_link ("link.png");
  leaving->reach ();
  leaving->leave ();
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

/* A picture that is waited for is not asked for again. */
static void
test_leave_server (const Leaving *leaving)
{
  Server server;

  begin ();
  server_begin (&server, 1000, NULL);
  iterate_until (g_atomic_int_get (&server.n_bad) == 998);
  leaving->leave ();
  server_end (&server);
  g_assert_cmpint (server.n_bad, ==, 998);
}

/* No state: while a server is waited for. */
static void
add_leaving_one (const char *state, void (*reach) (void), const char *way, void (*leave) (void))
{
  g_autofree char *path = g_strdup_printf ("/gallery/leave/%s/%s", state, way);
  static Leaving all[100], *next = all;

  *next = (Leaving) { reach, leave };
  g_test_add_data_func (path, next++, (GTestDataFunc) (reach ? test_leave : test_leave_server));
}

static void
add_leaving (void)
{
  static const struct
  {
    const char *name;
    void (*func) (void);
  } states[] = {
    { "begin", reach_begin },
    { "loading", reach_loading },
    { "retrying", reach_retrying },
    { "asking", reach_asking },
    { "choosing", reach_choosing },
    { "searching", reach_searching },
    { "searching-while-retrying", reach_searching_while_retrying },
    { "stopping", reach_stopping },
    { "end", reach_end },
  }, ways[] = {
    { "close", leave_by_close },
    { "destroy", leave_by_destroy },
    { "both", leave_by_both },
    { "quit", leave_by_quit },
    { "close-last", leave_by_close_last },
  };

  for (guint j = 0; j < G_N_ELEMENTS (ways); j++)
    {
      add_leaving_one ("server", NULL, ways[j].name, ways[j].func);
      for (guint i = 0; i < G_N_ELEMENTS (states); i++)
        add_leaving_one (states[i].name, states[i].func, ways[j].name, ways[j].func);
    }
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
  add_leaving ();
}
