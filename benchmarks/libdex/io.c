/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing with libdex's fibers. */

#include <libdex.h>

#include "io.h"

static GMainLoop *loop;

static void
await (DexFuture *future)
{
  g_autoptr (GError) error = NULL;

  check (dex_await (future, &error), error);
}

static gpointer
await_object (DexFuture *future)
{
  g_autoptr (GError) error = NULL;
  gpointer object = dex_await_object (future, &error);

  check (object != NULL, error);
  return object;
}

/* A result that is not above zero is an error, or the end. */
static gssize
read_some (GInputStream *in, char *buffer, gsize size)
{
  return dex_await_int64 (dex_input_stream_read (in, buffer, size, G_PRIORITY_DEFAULT), NULL);
}

static gboolean
read_all (GInputStream *in, char *buffer, gsize size)
{
  while (size > 0)
    {
      gssize n = read_some (in, buffer, size);

      if (n <= 0)
        return FALSE;
      buffer += n;
      size -= (gsize) n;
    }
  return TRUE;
}

static gboolean
write_all (GOutputStream *out, const char *bytes, gsize size)
{
  while (size > 0)
    {
      gssize n = dex_await_int64 (dex_output_stream_write (out, bytes, size, G_PRIORITY_DEFAULT), NULL);

      if (n <= 0)
        return FALSE;
      bytes += n;
      size -= (gsize) n;
    }
  return TRUE;
}

static DexFuture *
spawn_with_object (DexFiberFunc func, gpointer object)
{
  return dex_scheduler_spawn (NULL, SMALL_STACK, func, object, g_object_unref);
}

static void
await_all (GPtrArray *futures)
{
  await (dex_future_allv ((DexFuture **) futures->pdata, futures->len));
}

static void
gather (DexFiberFunc func)
{
  g_autoptr (GPtrArray) fibers = g_ptr_array_new_with_free_func (dex_unref);

  for (guint i = 0; i < n_tasks; i++)
    g_ptr_array_add (fibers, dex_scheduler_spawn (NULL, SMALL_STACK, func, GUINT_TO_POINTER (i), NULL));
  await_all (fibers);
}

/* ---- What goes one way ---- */

static void
write_again_and_again (GOutputStream *out, gsize size)
{
  g_autofree char *bytes = g_malloc0 (size);

  for (guint64 i = 0; i < n_times; i++)
    check (write_all (out, bytes, size), NULL);
}

static DexFuture *
read_much (GInputStream *in, guint64 much, gsize at_once)
{
  g_autofree char *buffer = g_malloc (at_once);

  while (much > 0)
    {
      gssize n = read_some (in, buffer, at_once);

      check (n > 0, NULL);
      much -= (guint64) n;
    }
  return dex_future_new_true ();
}

/* ---- Connections ---- */

static GPtrArray *connections;
/* The fibers that run beside the work. */
static GPtrArray *beside;

/* Opens n_tasks connections, with @serve () at the other ends; by a blocking call,
 * because this is not measured, and dex_socket_client_connect () takes a minute for
 * 4,000. */
static void
open_connections (DexFiberFunc serve)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress) address = listen_on_loopback (listener);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;

  connections = g_ptr_array_new_with_free_func (g_object_unref);
  beside = g_ptr_array_new_with_free_func (dex_unref);
  for (guint i = 0; i < n_tasks; i++)
    {
      GSocketConnection *ours = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, &error);
      GSocketConnection *theirs;

      check (ours != NULL, error);
      theirs = g_socket_listener_accept (listener, NULL, NULL, &error);
      check (theirs != NULL, error);
      g_ptr_array_add (connections, ours);
      g_ptr_array_add (beside, spawn_with_object (serve, theirs));
    }
}

static DexFuture *
send_back (gpointer connection)
{
  GInputStream *in = g_io_stream_get_input_stream (connection);
  GOutputStream *out = g_io_stream_get_output_stream (connection);
  char message[MESSAGE_SIZE];
  gssize n;

  while ((n = read_some (in, message, sizeof message)) > 0 && write_all (out, message, (gsize) n))
    ;
  return dex_future_new_true ();
}

static DexFuture *
send_and_receive (gpointer number)
{
  GIOStream *connection = g_ptr_array_index (connections, GPOINTER_TO_UINT (number));
  GInputStream *in = g_io_stream_get_input_stream (connection);
  GOutputStream *out = g_io_stream_get_output_stream (connection);
  char message[MESSAGE_SIZE] = "";

  for (guint64 i = 0; i < n_times; i += n_tasks)
    check (write_all (out, message, sizeof message) && read_all (in, message, sizeof message), NULL);
  return dex_future_new_true ();
}

static void
prepare_echo (void)
{
  open_connections (send_back);
}

static void
echo (void)
{
  gather (send_and_receive);
}

static DexFuture *
read_bulk (gpointer connection)
{
  return read_much (g_io_stream_get_input_stream (connection), n_times * BULK_SIZE, BULK_READ_SIZE);
}

static void
prepare_bulk (void)
{
  open_connections (read_bulk);
}

static void
bulk (void)
{
  write_again_and_again (g_io_stream_get_output_stream (g_ptr_array_index (connections, 0)), BULK_SIZE);
  await_all (beside);
}

/* ---- A server ---- */

static DexFuture *
answer_requests (gpointer connection)
{
  GInputStream *in = g_io_stream_get_input_stream (connection);
  GOutputStream *out = g_io_stream_get_output_stream (connection);
  char request[REQUEST_SIZE];
  gsize length = 0;
  gssize n;

  while ((n = read_some (in, request + length, sizeof request - length)) > 0)
    {
      length += (gsize) n;
      if (!is_request (request, length))
        continue;
      length = 0;
      if (!write_all (out, response, RESPONSE_SIZE))
        break;
    }
  return dex_future_new_true ();
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
  for (;;)
    dex_future_disown (spawn_with_object (answer_requests, await_object (dex_socket_listener_accept (http_listener))));
}

/* ---- Pipes and datagrams ---- */

static GOutputStream *pipe_out;

static DexFuture *
read_blocks (gpointer in)
{
  return read_much (in, n_times * BLOCK_SIZE, BLOCK_SIZE);
}

static void
prepare_pipe (void)
{
  GInputStream *in;

  open_pipe (&in, &pipe_out);
  beside = g_ptr_array_new_with_free_func (dex_unref);
  g_ptr_array_add (beside, spawn_with_object (read_blocks, in));
}

static void
pass_through_pipe (void)
{
  write_again_and_again (pipe_out, BLOCK_SIZE);
  await_all (beside);
}

static GSocket *datagrams;
static GSocketAddress *destination;

/* Sends the datagram, and waits only if there is no room for it. */
static void
send_datagram (GSocket *socket, GSocketAddress *to, const char *message, gsize n)
{
  g_autoptr (GError) error = NULL;

  while (g_socket_send_to (socket, to, message, n, NULL, &error) < 0)
    {
      check (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK), error);
      g_clear_error (&error);
      await (dex_socket_wait (socket, G_IO_OUT));
    }
}

/* Receives a datagram, and waits only if there is none. */
static gsize
receive_datagram (GSocket *socket, GSocketAddress **from, char *message, gsize size)
{
  g_autoptr (GError) error = NULL;
  gssize n;

  while ((n = g_socket_receive_from (socket, from, message, size, NULL, &error)) < 0)
    {
      check (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK), error);
      g_clear_error (&error);
      await (dex_socket_wait (socket, G_IO_IN));
    }
  return (gsize) n;
}

static DexFuture *
send_datagrams_back (gpointer socket)
{
  char message[MESSAGE_SIZE];

  for (;;)
    {
      g_autoptr (GSocketAddress) from = NULL;
      gsize n = receive_datagram (socket, &from, message, sizeof message);

      send_datagram (socket, from, message, n);
    }
}

static void
prepare_udp (void)
{
  GSocket *other = new_datagram_socket ();

  datagrams = new_datagram_socket ();
  destination = address_of (other);
  g_socket_set_blocking (datagrams, FALSE);
  g_socket_set_blocking (other, FALSE);
  dex_future_disown (spawn_with_object (send_datagrams_back, other));
}

static void
udp (void)
{
  char message[MESSAGE_SIZE] = "";

  for (guint64 i = 0; i < n_times; i++)
    {
      send_datagram (datagrams, destination, message, sizeof message);
      check (receive_datagram (datagrams, NULL, message, sizeof message) == sizeof message, NULL);
    }
}

/* ---- Files ---- */

static DexFuture *
load_again_and_again (gpointer data)
{
  g_autoptr (GFile) file = g_file_new_for_path ("file");

  for (guint64 i = 0; i < n_times; i += n_tasks)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = dex_await_boxed (dex_file_load_contents_bytes (file), &error);

      check (bytes != NULL && g_bytes_get_size (bytes) == BLOCK_SIZE, error);
    }
  return dex_future_new_true ();
}

static void
load (void)
{
  gather (load_again_and_again);
}

typedef struct
{
  GFile *source;
  GFile *destination;
  DexLimiter *limiter;
} Copy;

static void
copy_free (gpointer data)
{
  Copy *self = data;

  g_object_unref (self->source);
  g_object_unref (self->destination);
  dex_unref (self->limiter);
  g_free (self);
}

static DexFuture *
copy_file (gpointer data)
{
  Copy *copy = data;

  await (dex_file_copy (copy->source, copy->destination, G_FILE_COPY_NONE, G_PRIORITY_DEFAULT));
  dex_limiter_release (copy->limiter);
  return dex_future_new_true ();
}

static void copy_folder (GFile *source, GFile *folder, DexTaskGroup *copies, DexLimiter *limiter);

static void
copy_child (GFileInfo *info, GFile *source, GFile *folder, DexTaskGroup *copies, DexLimiter *limiter)
{
  g_autoptr (GFile) from = g_file_get_child (source, g_file_info_get_name (info));
  g_autoptr (GFile) to = g_file_get_child (folder, g_file_info_get_name (info));
  Copy *copy;

  if (g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY)
    {
      copy_folder (from, to, copies, limiter);
      return;
    }
  copy = g_new (Copy, 1);
  copy->source = g_steal_pointer (&from);
  copy->destination = g_steal_pointer (&to);
  copy->limiter = dex_ref (limiter);
  await (dex_limiter_acquire (limiter));
  dex_task_group_add (copies, dex_scheduler_spawn (NULL, SMALL_STACK, copy_file, copy, copy_free));
}

static void
copy_folder (GFile *source, GFile *folder, DexTaskGroup *copies, DexLimiter *limiter)
{
  g_autoptr (GFileEnumerator) enumerator =
    await_object (dex_file_enumerate_children (source, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS,
                                               G_PRIORITY_DEFAULT));
  GList *infos;

  await (dex_file_make_directory (folder, G_PRIORITY_DEFAULT));
  while ((infos = dex_await_boxed (dex_file_enumerator_next_files (enumerator, FILES_AT_ONCE, G_PRIORITY_DEFAULT),
                                   NULL)))
    {
      for (GList *link = infos; link; link = link->next)
        copy_child (link->data, source, folder, copies, limiter);
      g_list_free_full (infos, g_object_unref);
    }
}

static void
copy_tree (void)
{
  g_autoptr (GFile) source = g_file_new_for_path ("tree");
  g_autoptr (GFile) folder = g_file_new_for_path ("copy");
  g_autoptr (DexTaskGroup) copies = dex_task_group_new (DEX_TASK_GROUP_FLAGS_CANCEL_ON_ERROR);
  g_autoptr (DexLimiter) limiter = dex_limiter_new (COPIED_AT_ONCE);

  copy_folder (source, folder, copies, limiter);
  await (dex_task_group_close (copies));
}

static const Bench benches[] = {
  { "echo", prepare_echo, echo },
  { "bulk", prepare_bulk, bulk },
  { "idle", prepare_http, http },
  { "pipe", prepare_pipe, pass_through_pipe },
  { "udp", prepare_udp, udp },
  { "load", NULL, load },
  { "copy-tree", NULL, copy_tree },
  { NULL, NULL, NULL }
};

static DexFuture *
main_fiber (gpointer data)
{
  run_bench (data);
  g_main_loop_quit (loop);
  return dex_future_new_true ();
}

int
main (int argc, char *argv[])
{
  const Bench *bench = parse_arguments (argc, argv, benches);

  dex_init ();
  loop = g_main_loop_new (NULL, FALSE);
  dex_future_disown (dex_scheduler_spawn (NULL, 0, main_fiber, (gpointer) bench, NULL));
  g_main_loop_run (loop);
  return 0;
}
