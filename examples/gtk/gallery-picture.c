/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gallery-picture.h"

#include <gtask-ext.h>
#include <string.h>

#define SIZE 160                /* of a thumbnail, in pixels */
#define TIMEOUT 5               /* seconds for each attempt to load one */
#define N_RETRIES 3
#define FIRST_PAUSE 0.2         /* seconds; each is twice as long as the one before */

struct _GalleryPicture
{
  GObject parent_instance;
  GFile *file;
  char *name;
  GdkTexture *thumbnail;        /* or NULL */
  const char *icon;             /* in its place */
  char *status;
};

G_DEFINE_FINAL_TYPE (GalleryPicture, gallery_picture, G_TYPE_OBJECT)

enum
{
  PROP_NAME = 1,
  PROP_THUMBNAIL,
  PROP_ICON,
  PROP_STATUS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* ---- Files of a web server ---- */

/* The body of an answer, if all of it has come. */
static GBytes *
parse_answer (GMemoryOutputStream *memory, GError **error)
{
  g_autoptr (GBytes) answer = g_memory_output_stream_steal_as_bytes (memory);
  gsize size;
  const char *text = g_bytes_get_data (answer, &size);
  const char *body = text ? g_strstr_len (text, (gssize) size, "\r\n\r\n") : NULL;
  gsize n_head = body ? (gsize) (body - text) + 4 : 0;
  g_autofree char *told = g_utf8_make_valid (text ? text : "", (gssize) n_head);
  g_autofree char *head = g_ascii_strdown (told, -1);
  const char *length = strstr (head, "\r\ncontent-length: ");

  if (body && !g_pattern_match_simple ("http/1.? 200 *", head))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The server answered: %.*s", (int) strcspn (told, "\r"), told);
  else if (length == NULL || g_ascii_strtoull (strchr (length, ' '), NULL, 10) != size - n_head)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "The server's answer is not complete");
  else
    return g_bytes_new_from_bytes (answer, n_head, size - n_head);
  return NULL;
}

static GBytes *
http_get (const char *address, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (address, G_URI_FLAGS_ENCODED, error);
  g_autoptr (GSocketConnectable) server = uri ? g_network_address_parse_uri (address, 80, error) : NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = server ? gtx_socket_client_connect (client, server, error) : NULL;
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autofree char *request = NULL;

  if (connection == NULL)
    return NULL;
  request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", g_uri_get_path (uri),
                             g_uri_get_host (uri));
  if (!gtx_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
                                    strlen (request), NULL, error) ||
      gtx_output_stream_splice (memory, g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                                G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, error) < 0)
    return NULL;
  return parse_answer (G_MEMORY_OUTPUT_STREAM (memory), error);
}

static GBytes *
load_bytes (GFile *file, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autofree char *address = g_file_get_uri (file);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = NULL;

  gtx_timeout_begin (&timeout, TIMEOUT);
  bytes = g_file_has_uri_scheme (file, "http") ? http_get (address, &failure)
                                               : gtx_file_load_bytes (file, NULL, &failure);
  return gtx_timeout_end (&timeout, &failure, error) ? g_steal_pointer (&bytes) : NULL;
}

/* ---- Finding pictures ---- */

/* Takes the file. */
static void
add (GPtrArray *pictures, GFile *file)
{
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *type = g_content_type_guess (name, NULL, 0, NULL);
  g_autoptr (GalleryPicture) self = g_object_new (GALLERY_TYPE_PICTURE, NULL);

  self->file = file;
  if (!g_content_type_is_a (type, "image/*"))
    return;
  self->name = g_filename_display_name (name);
  g_ptr_array_add (pictures, g_steal_pointer (&self));
}

static gboolean
add_files (GFile *folder, GPtrArray *pictures, GError **error)
{
  g_autoptr (GPtrArray) infos = gtx_file_enumerate (folder, "standard::name", G_FILE_QUERY_INFO_NONE, error);

  for (guint i = 0; infos && i < infos->len; i++)
    add (pictures, g_file_get_child (folder, g_file_info_get_name (infos->pdata[i])));
  return infos != NULL;
}

static gboolean
add_links (GFile *folder, GPtrArray *pictures, GError **error)
{
  g_autoptr (GBytes) page = load_bytes (folder, error);
  g_autofree char *base = g_file_get_uri (folder);
  g_autofree char *text = page ? g_strndup (g_bytes_get_data (page, NULL), g_bytes_get_size (page)) : NULL;
  g_auto (GStrv) parts = g_strsplit (text ? text : "", "href=\"", -1);

  for (guint i = 1; i < g_strv_length (parts); i++)
    {
      g_autofree char *link = g_strndup (parts[i], strcspn (parts[i], "\""));
      g_autofree char *address = g_uri_resolve_relative (base, link, G_URI_FLAGS_ENCODED, NULL);

      if (address && g_str_has_prefix (address, "http:"))
        add (pictures, g_file_new_for_uri (address));
    }
  return page != NULL;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return g_utf8_collate ((*(GalleryPicture **) a)->name, (*(GalleryPicture **) b)->name);
}

GPtrArray *
gallery_picture_find_all (GFile *folder, GError **error)
{
  g_autoptr (GPtrArray) pictures = g_ptr_array_new_with_free_func (g_object_unref);
  gboolean found = g_file_has_uri_scheme (folder, "http") ? add_links (folder, pictures, error)
                                                          : add_files (folder, pictures, error);

  g_ptr_array_sort (pictures, by_name);
  return found ? g_steal_pointer (&pictures) : NULL;
}

/* ---- Loading a thumbnail ---- */

static void
set_status (GalleryPicture *self, const char *icon, const char *status)
{
  self->icon = icon;
  g_free (self->status);
  self->status = g_strdup (status);
  for (guint i = PROP_THUMBNAIL; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
}

static GBytes *
load_with_retries (GalleryPicture *self, GError **error)
{
  double pause = FIRST_PAUSE;

  set_status (self, "content-loading-symbolic", "Loading");
  for (guint i = 0;; i++, pause *= 2)
    {
      GBytes *bytes = load_bytes (self->file, error);

      if (bytes || i == N_RETRIES || gtx_error_is_cancelled (*error))
        return bytes;
      set_status (self, "view-refresh-symbolic", (*error)->message);
      g_clear_error (error);
      if (!gtx_sleep (pause, error))
        return NULL;
    }
}

/* For a thread. */
static GdkTexture *
make_thumbnail (GBytes *bytes, GCancellable *cancellable, GError **error)
{
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new_from_stream_at_scale (stream, SIZE, SIZE, TRUE, cancellable, error);

  return pixbuf ? gdk_texture_new_for_pixbuf (pixbuf) : NULL;
}

gboolean
gallery_picture_load (GalleryPicture *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = load_with_retries (self, &failure);

  if (bytes)
    self->thumbnail = gtx_to_thread_pointer (make_thumbnail, bytes, &failure);
  if (gtx_error_is_cancelled (failure))
    {
      set_status (self, "image-x-generic-symbolic", "Not loaded");
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  set_status (self, failure ? "image-missing-symbolic" : NULL, failure ? failure->message : NULL);
  return TRUE;
}

gboolean
gallery_picture_is_loaded (GalleryPicture *self)
{
  return self->thumbnail != NULL;
}

/* ---- GObject ---- */

static void
gallery_picture_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GalleryPicture *self = GALLERY_PICTURE (object);

  switch (id)
    {
    case PROP_NAME: g_value_set_string (value, self->name); break;
    case PROP_THUMBNAIL: g_value_set_object (value, self->thumbnail); break;
    case PROP_ICON: g_value_set_string (value, self->icon); break;
    case PROP_STATUS: g_value_set_string (value, self->status); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
gallery_picture_finalize (GObject *object)
{
  GalleryPicture *self = GALLERY_PICTURE (object);

  g_object_unref (self->file);
  g_free (self->name);
  g_clear_object (&self->thumbnail);
  g_free (self->status);
  G_OBJECT_CLASS (gallery_picture_parent_class)->finalize (object);
}

static void
gallery_picture_class_init (GalleryPictureClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = gallery_picture_get_property;
  object_class->finalize = gallery_picture_finalize;
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  properties[PROP_THUMBNAIL] = g_param_spec_object ("thumbnail", NULL, NULL, GDK_TYPE_TEXTURE, flags);
  properties[PROP_ICON] = g_param_spec_string ("icon", NULL, NULL, NULL, flags);
  properties[PROP_STATUS] = g_param_spec_string ("status", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
gallery_picture_init (GalleryPicture *self)
{
  self->icon = "image-x-generic-symbolic";
}
