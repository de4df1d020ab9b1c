/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing with GIO alone: callbacks. */

#include "io.h"

static GMainLoop *loop;
static guint64 n_left;

static void
one_is_done (void)
{
  if (--n_left == 0)
    g_main_loop_quit (loop);
}

static void
run_until_done (guint64 n)
{
  n_left = n;
  g_main_loop_run (loop);
}

/* ---- One end of a connection, or of a pipe ---- */

typedef struct _Peer Peer;

struct _Peer
{
  GObject *owner;               /* of the streams */
  GInputStream *in;
  GOutputStream *out;
  char *buffer;
  gsize size;                   /* of the buffer */
  gsize n_kept;                 /* bytes in it; the next ones are read behind these */
  const char *rest;             /* what is still to be written */
  gsize n_rest;
  guint64 n_left;
  void (*got) (Peer *self, gsize n);
  void (*wrote) (Peer *self);
};

static Peer *
peer_new (gpointer owner, GInputStream *in, GOutputStream *out, gsize size)
{
  Peer *self = g_new0 (Peer, 1);

  self->owner = owner;
  self->in = in;
  self->out = out;
  self->buffer = g_malloc0 (size);
  self->size = size;
  return self;
}

static Peer *
peer_new_for_connection (GSocketConnection *connection, gsize size)
{
  return peer_new (connection,
                   g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                   g_io_stream_get_output_stream (G_IO_STREAM (connection)), size);
}

static void
peer_free (Peer *self)
{
  g_object_unref (self->owner);
  g_free (self->buffer);
  g_free (self);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  Peer *self = data;
  gssize n = g_input_stream_read_finish (self->in, result, NULL);

  if (n > 0)
    self->got (self, (gsize) n);
  else
    peer_free (self);
}

/* Calls got () when there is something, and frees the peer at the end. */
static void
peer_read (Peer *self)
{
  g_input_stream_read_async (self->in, self->buffer + self->n_kept, self->size - self->n_kept,
                             G_PRIORITY_DEFAULT, NULL, on_read, self);
}

static void on_written (GObject *source, GAsyncResult *result, gpointer data);

/* Calls wrote () when all is written. */
static void
peer_write (Peer *self, const char *bytes, gsize n)
{
  self->rest = bytes;
  self->n_rest = n;
  g_output_stream_write_async (self->out, bytes, n, G_PRIORITY_DEFAULT, NULL, on_written, self);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  Peer *self = data;
  gssize n = g_output_stream_write_finish (self->out, result, NULL);

  if (n < 0)
    peer_free (self);
  else if ((gsize) n < self->n_rest)
    peer_write (self, self->rest + n, self->n_rest - (gsize) n);
  else
    self->wrote (self);
}

/* ---- Connections ---- */

/* Opens @n connections, whose ends have buffers of these sizes. */
static void
open_connections (guint n, Peer *clients[], gsize client_size, Peer *servers[], gsize server_size)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress) address = listen_on_loopback (listener);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    {
      GSocketConnection *ours = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, &error);
      GSocketConnection *theirs;

      check (ours != NULL, error);
      theirs = g_socket_listener_accept (listener, NULL, NULL, &error);
      check (theirs != NULL, error);
      clients[i] = peer_new_for_connection (ours, client_size);
      servers[i] = peer_new_for_connection (theirs, server_size);
    }
}

static Peer **clients;

static void
send_next (Peer *self)
{
  if (self->n_left-- > 0)
    peer_write (self, self->buffer, MESSAGE_SIZE);
  else
    one_is_done ();
}

static void
got_message_back (Peer *self, gsize n)
{
  check (n == MESSAGE_SIZE, NULL);
  send_next (self);
}

static void
send_back (Peer *self, gsize n)
{
  peer_write (self, self->buffer, n);
}

static void
prepare_echo (void)
{
  g_autofree Peer **servers = g_new (Peer *, n_tasks);

  clients = g_new (Peer *, n_tasks);
  open_connections (n_tasks, clients, MESSAGE_SIZE, servers, MESSAGE_SIZE);
  for (guint i = 0; i < n_tasks; i++)
    {
      servers[i]->got = send_back;
      servers[i]->wrote = peer_read;
      peer_read (servers[i]);
      clients[i]->got = got_message_back;
      clients[i]->wrote = peer_read;
      clients[i]->n_left = n_times / n_tasks;
    }
}

static void
echo (void)
{
  for (guint i = 0; i < n_tasks; i++)
    send_next (clients[i]);
  run_until_done (n_tasks);
}

/* ---- What goes one way ---- */

static Peer *reader, *writer;

static void
write_again (Peer *self)
{
  if (self->n_left-- > 0)
    peer_write (self, self->buffer, self->size);
}

static void
read_on (Peer *self, gsize n)
{
  self->n_left -= n;
  if (self->n_left > 0)
    peer_read (self);
  else
    one_is_done ();
}

/* The writer writes its whole buffer again and again. */
static void
prepare_flow (void)
{
  writer->wrote = write_again;
  writer->n_left = n_times;
  reader->got = read_on;
  reader->n_left = n_times * writer->size;
}

static void
flow (void)
{
  write_again (writer);
  peer_read (reader);
  run_until_done (1);
}

static void
prepare_bulk (void)
{
  open_connections (1, &writer, BULK_SIZE, &reader, BULK_READ_SIZE);
  prepare_flow ();
}

static void
prepare_pipe (void)
{
  GInputStream *in;
  GOutputStream *out;

  open_pipe (&in, &out);
  reader = peer_new (in, in, NULL, BLOCK_SIZE);
  writer = peer_new (out, NULL, out, BLOCK_SIZE);
  prepare_flow ();
}

/* ---- A server ---- */

static void
answer_request (Peer *self, gsize n)
{
  self->n_kept += n;
  if (!is_request (self->buffer, self->n_kept))
    {
      peer_read (self);
      return;
    }
  self->n_kept = 0;
  peer_write (self, response, RESPONSE_SIZE);
}

static void
on_connection (GObject *source, GAsyncResult *result, gpointer data)
{
  GSocketListener *listener = G_SOCKET_LISTENER (source);
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection = g_socket_listener_accept_finish (listener, result, NULL, &error);
  Peer *peer;

  check (connection != NULL, error);
  peer = peer_new_for_connection (connection, REQUEST_SIZE);
  peer->got = answer_request;
  peer->wrote = peer_read;
  peer_read (peer);
  g_socket_listener_accept_async (listener, NULL, on_connection, NULL);
}

static GSocketListener *http_listener;

static void
prepare_http (void)
{
  g_autoptr (GSocketAddress) address = NULL;

  http_listener = g_socket_listener_new ();
  address = listen_on_loopback (http_listener);
  print_port (address);
}

static void
http (void)
{
  g_socket_listener_accept_async (http_listener, NULL, on_connection, NULL);
  g_main_loop_run (loop);
}

/* ---- Datagrams, of which GIO tells when there are some ---- */

static GSocket *datagrams;
static GSocketAddress *destination;

static void
send_datagram (GSocket *socket, GSocketAddress *to, const char *message, gsize n)
{
  g_autoptr (GError) error = NULL;

  check (g_socket_send_to (socket, to, message, n, NULL, &error) == (gssize) n, error);
}

static gboolean
on_datagram (GSocket *socket, GIOCondition condition, gpointer data)
{
  g_autoptr (GSocketAddress) from = NULL;
  g_autoptr (GError) error = NULL;
  char message[MESSAGE_SIZE];
  gssize n = g_socket_receive_from (socket, &from, message, sizeof message, NULL, &error);

  check (n == sizeof message, error);
  send_datagram (socket, from, message, sizeof message);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_datagram_back (GSocket *socket, GIOCondition condition, gpointer data)
{
  g_autoptr (GError) error = NULL;
  char message[MESSAGE_SIZE];

  check (g_socket_receive (socket, message, sizeof message, NULL, &error) == sizeof message, error);
  one_is_done ();
  if (n_left > 0)
    send_datagram (socket, destination, message, sizeof message);
  return G_SOURCE_CONTINUE;
}

static void
watch_socket (GSocket *socket, GSocketSourceFunc callback)
{
  g_autoptr (GSource) source = g_socket_create_source (socket, G_IO_IN, NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (callback), NULL, NULL);
  g_source_attach (source, NULL);
}

static void
prepare_udp (void)
{
  g_autoptr (GSocket) other = new_datagram_socket ();

  datagrams = new_datagram_socket ();
  destination = address_of (other);
  watch_socket (other, on_datagram);
  watch_socket (datagrams, on_datagram_back);
}

static void
udp (void)
{
  const char message[MESSAGE_SIZE] = "";

  send_datagram (datagrams, destination, message, sizeof message);
  run_until_done (n_times);
}

/* ---- Files ---- */

static guint64 n_to_load;

static void on_loaded (GObject *source, GAsyncResult *result, gpointer data);

static void
load_next (GFile *file)
{
  if (n_to_load > 0)
    {
      n_to_load--;
      g_file_load_contents_async (file, NULL, on_loaded, NULL);
    }
}

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  check (g_file_load_contents_finish (G_FILE (source), result, &text, &length, NULL, &error) &&
         length == BLOCK_SIZE, error);
  load_next (G_FILE (source));
  one_is_done ();
}

static void
load (void)
{
  g_autoptr (GFile) file = g_file_new_for_path ("file");

  n_to_load = n_times;
  for (guint i = 0; i < n_tasks; i++)
    load_next (file);
  run_until_done (n_times);
}

/* ---- A tree, whose folders and files are counted in n_left until they are copied ---- */

typedef struct
{
  GFile *source;
  GFile *destination;
} Copy;

static GQueue waiting_copies = G_QUEUE_INIT;
static guint n_copying;

static void
copy_free (Copy *self)
{
  g_object_unref (self->source);
  g_object_unref (self->destination);
  g_free (self);
}

static void on_copied (GObject *source, GAsyncResult *result, gpointer data);

static void
copy_next (void)
{
  Copy *copy;

  while (n_copying < COPIED_AT_ONCE && (copy = g_queue_pop_head (&waiting_copies)))
    {
      n_copying++;
      g_file_copy_async (copy->source, copy->destination, G_FILE_COPY_NONE, G_PRIORITY_DEFAULT, NULL,
                         NULL, NULL, on_copied, copy);
    }
}

static void
on_copied (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  check (g_file_copy_finish (G_FILE (source), result, &error), error);
  copy_free (data);
  n_copying--;
  copy_next ();
  one_is_done ();
}

static void copy_folder (Copy *copy);

static void
on_files (GObject *source, GAsyncResult *result, gpointer data)
{
  GFileEnumerator *enumerator = G_FILE_ENUMERATOR (source);
  Copy *folder = data;
  g_autoptr (GError) error = NULL;
  GList *infos = g_file_enumerator_next_files_finish (enumerator, result, &error);

  check (error == NULL, error);
  for (GList *link = infos; link; link = link->next)
    {
      GFileInfo *info = link->data;
      Copy *copy = g_new (Copy, 1);

      copy->source = g_file_enumerator_get_child (enumerator, info);
      copy->destination = g_file_get_child (folder->destination, g_file_info_get_name (info));
      n_left++;
      if (g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY)
        copy_folder (copy);
      else
        g_queue_push_tail (&waiting_copies, copy);
    }
  copy_next ();
  if (infos)
    g_file_enumerator_next_files_async (enumerator, FILES_AT_ONCE, G_PRIORITY_DEFAULT, NULL, on_files, folder);
  else
    {
      g_object_unref (enumerator);
      copy_free (folder);
      one_is_done ();
    }
  g_list_free_full (infos, g_object_unref);
}

static void
on_enumerator (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  GFileEnumerator *enumerator = g_file_enumerate_children_finish (G_FILE (source), result, &error);

  check (enumerator != NULL, error);
  g_file_enumerator_next_files_async (enumerator, FILES_AT_ONCE, G_PRIORITY_DEFAULT, NULL, on_files, data);
}

static void
on_folder_made (GObject *source, GAsyncResult *result, gpointer data)
{
  Copy *copy = data;
  g_autoptr (GError) error = NULL;

  check (g_file_make_directory_finish (G_FILE (source), result, &error), error);
  g_file_enumerate_children_async (copy->source, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS,
                                   G_PRIORITY_DEFAULT, NULL, on_enumerator, copy);
}

static void
copy_folder (Copy *copy)
{
  g_file_make_directory_async (copy->destination, G_PRIORITY_DEFAULT, NULL, on_folder_made, copy);
}

static void
copy_tree (void)
{
  Copy *copy = g_new (Copy, 1);

  copy->source = g_file_new_for_path ("tree");
  copy->destination = g_file_new_for_path ("copy");
  copy_folder (copy);
  run_until_done (1);
}

static const Bench benches[] = {
  { "echo", prepare_echo, echo },
  { "bulk", prepare_bulk, flow },
  { "idle", prepare_http, http },
  { "pipe", prepare_pipe, flow },
  { "udp", prepare_udp, udp },
  { "load", NULL, load },
  { "copy-tree", NULL, copy_tree },
  { NULL, NULL, NULL }
};

int
main (int argc, char *argv[])
{
  const Bench *bench = parse_arguments (argc, argv, benches);

  loop = g_main_loop_new (NULL, FALSE);
  run_bench (bench);
  g_main_loop_unref (loop);
  return 0;
}
