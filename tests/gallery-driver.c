/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the gallery share: a folder, a window that is driven, and a server. */

#include "gallery-driver.h"

#include <glib/gstdio.h>
#include <string.h>

/* ---- What is shown: pictures in a folder of the test's own ---- */

char *folder;
GtkApplication *application;
GtkWidget *window;

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

void
write_picture (const char *name)
{
  g_autofree char *path = path_of (name);
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, 40, 30);
  g_autoptr (GError) error = NULL;

  gdk_pixbuf_fill (pixbuf, 0x204080ff);
  gdk_pixbuf_save (pixbuf, path, "png", &error, NULL);
  g_assert_no_error (error);
}

void
write_text (const char *name)
{
  g_autofree char *path = path_of (name);

  g_assert_true (g_file_set_contents (path, "not a picture", -1, NULL));
}

void
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

GtkWidget *
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

void
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

void
end (void)
{
  if (window)
    gtk_window_close (GTK_WINDOW (window));
  iterate_until (window == NULL && no_tasks ());
  g_assert_cmpuint (g_list_model_get_n_items (gtk_window_get_toplevels ()), ==, 0);
  g_object_unref (application);
  remove_folder ();
}

void
show_in (GtkWidget *shown, const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);

  gallery_window_show (GALLERY_WINDOW (shown), file);
}

gpointer
get_part (GtkWidget *shown, const char *name)
{
  return gtk_widget_get_template_child (shown, GALLERY_TYPE_WINDOW, name);
}

gboolean
is_over (GtkWidget *shown)
{
  return gtx_scope_get_n_tasks (gtx_object_get_scope (shown)) == 0;
}

guint
count (GtkWidget *shown, const char *model)
{
  return g_list_model_get_n_items (get_part (shown, model));
}

guint
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

char *
get_status (guint position)
{
  g_autoptr (GObject) picture = g_list_model_get_item (get_part (window, "pictures"), position);
  char *status;

  g_object_get (picture, "status", &status, NULL);
  return status;
}

gboolean
is_running (void)
{
  return gtk_widget_get_visible (get_part (window, "stop_button"));
}

void
answer (int response)
{
  gtk_dialog_response (wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG), response);
}

void
type (const char *text)
{
  gtk_editable_set_text (get_part (window, "entry"), text);
}

/* ---- A server ---- */

#define LISTING                                                                \
  "<a href=\"b.png\">b</a><a href=\"c%20d.png\">c d</a><a href=\"text.txt\"></a><a href=\"%zz.png\"></a>" \
  "<a href=\"%00.png\"></a><a href=\"mailto:me.png\"></a><a href=\"file:///etc/x.png\"></a><a href=\"\"></a><a href=\""

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

void
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

void
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
