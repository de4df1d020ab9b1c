/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing. */

#include <gtask-ext.h>

#include "io.h"

static GPtrArray *
create_tasks (GtxCoroutine coroutine)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n_tasks; i++)
    g_ptr_array_add (tasks, gtx_create_task (coroutine, GUINT_TO_POINTER (i), NULL));
  return tasks;
}

static void
gather (GtxCoroutine coroutine)
{
  g_autoptr (GPtrArray) tasks = create_tasks (coroutine);
  g_autoptr (GError) error = NULL;

  check (gtx_gather (tasks, GTX_GATHER_NONE, &error), error);
}

/* The tasks that run beside the work. */
static GPtrArray *beside;

static void
await_beside (void)
{
  g_autoptr (GError) error = NULL;

  check (gtx_gather (beside, GTX_GATHER_NONE, &error), error);
}

/* ---- What goes one way ---- */

static void
write_again_and_again (GOutputStream *out, gsize size)
{
  g_autofree char *bytes = g_malloc0 (size);
  g_autoptr (GError) error = NULL;

  for (guint64 i = 0; i < n_times; i++)
    check (gtx_output_stream_write_all (out, bytes, size, NULL, &error), error);
}

static gboolean
read_much (GInputStream *in, guint64 much, gsize at_once, GError **error)
{
  g_autofree char *buffer = g_malloc (at_once);

  while (much > 0)
    {
      gssize n = gtx_input_stream_read (in, buffer, at_once, error);

      if (n < 0)
        return FALSE;
      check (n > 0, NULL);
      much -= (guint64) n;
    }
  return TRUE;
}

/* ---- Connections ---- */

static GPtrArray *connections;

/* Opens n_tasks connections, with @serve () at the other ends. */
static void
open_connections (gboolean (*serve) (GIOStream *connection, GError **error))
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketAddress) address = listen_on_loopback (listener);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;

  connections = g_ptr_array_new_with_free_func (g_object_unref);
  beside = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < n_tasks; i++)
    {
      GSocketConnection *ours = gtx_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), &error);
      GSocketConnection *theirs;

      check (ours != NULL, error);
      theirs = gtx_socket_listener_accept (listener, NULL, &error);
      check (theirs != NULL, error);
      g_ptr_array_add (connections, ours);
      g_ptr_array_add (beside, gtx_create_task (serve, G_IO_STREAM (theirs), g_object_unref));
    }
}

static gboolean
send_back (GIOStream *connection, GError **error)
{
  GInputStream *in = g_io_stream_get_input_stream (connection);
  GOutputStream *out = g_io_stream_get_output_stream (connection);
  char message[READ_SIZE];
  gssize n;

  while ((n = gtx_input_stream_read (in, message, sizeof message, error)) > 0)
    if (!gtx_output_stream_write_all (out, message, (gsize) n, NULL, error))
      return FALSE;
  return n == 0;
}

static gboolean
receive_message (GInputStream *in, char *buffer, gsize size, GError **error)
{
  gssize n;

  for (gsize n_received = 0; n_received < MESSAGE_SIZE; n_received += (gsize) n)
    {
      n = gtx_input_stream_read (in, buffer, size, error);
      if (n < 0)
        return FALSE;
      check (n > 0, NULL);
    }
  return TRUE;
}

static gboolean
send_and_receive (gpointer number, GError **error)
{
  GIOStream *connection = g_ptr_array_index (connections, GPOINTER_TO_UINT (number));
  GInputStream *in = g_io_stream_get_input_stream (connection);
  GOutputStream *out = g_io_stream_get_output_stream (connection);
  char message[READ_SIZE] = "";

  for (guint64 i = 0; i < n_times; i += n_tasks)
    if (!gtx_output_stream_write_all (out, message, MESSAGE_SIZE, NULL, error) ||
        !receive_message (in, message, sizeof message, error))
      return FALSE;
  return TRUE;
}

static void
prepare_echo (void)
{
  gtx_set_default_stack_size (SMALL_STACK);
  open_connections (send_back);
}

static void
echo (void)
{
  gather (send_and_receive);
}

static gboolean
read_bulk (GIOStream *connection, GError **error)
{
  return read_much (g_io_stream_get_input_stream (connection), n_times * BULK_SIZE, BULK_READ_SIZE, error);
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
  await_beside ();
}

/* ---- A server ---- */

static gboolean
answer_requests (GIOStream *connection, GError **error)
{
  GInputStream *in = g_io_stream_get_input_stream (connection);
  GOutputStream *out = g_io_stream_get_output_stream (connection);
  char request[REQUEST_SIZE];
  gsize length = 0;
  gssize n;

  while ((n = gtx_input_stream_read (in, request + length, sizeof request - length, error)) > 0)
    {
      length += (gsize) n;
      if (!is_request (request, length))
        continue;
      length = 0;
      if (!gtx_output_stream_write_all (out, response, RESPONSE_SIZE, NULL, error))
        return FALSE;
    }
  return n == 0;
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
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection;

  gtx_set_default_stack_size (SMALL_STACK);
  while ((connection = gtx_socket_listener_accept (http_listener, NULL, &error)))
    g_object_unref (gtx_create_task (answer_requests, G_IO_STREAM (connection), g_object_unref));
  check (FALSE, error);
}

/* ---- Pipes and datagrams ---- */

static GOutputStream *pipe_out;

static gboolean
read_blocks (GInputStream *in, GError **error)
{
  return read_much (in, n_times * BLOCK_SIZE, BLOCK_SIZE, error);
}

static void
prepare_pipe (void)
{
  GInputStream *in;

  open_pipe (&in, &pipe_out);
  beside = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (beside, gtx_create_task (read_blocks, in, g_object_unref));
}

static void
pass_through_pipe (void)
{
  write_again_and_again (pipe_out, BLOCK_SIZE);
  await_beside ();
}

static GSocket *datagrams;
static GSocketAddress *destination;

static gboolean
send_datagrams_back (GSocket *socket, GError **error)
{
  char message[MESSAGE_SIZE];

  for (;;)
    {
      g_autoptr (GSocketAddress) from = NULL;
      gssize n = gtx_socket_receive_from (socket, &from, message, sizeof message, error);

      if (n < 0 || gtx_socket_send_to (socket, from, message, (gsize) n, error) < 0)
        return FALSE;
    }
}

static void
prepare_udp (void)
{
  GSocket *other = new_datagram_socket ();

  datagrams = new_datagram_socket ();
  destination = address_of (other);
  g_object_unref (gtx_create_task (send_datagrams_back, other, g_object_unref));
}

static void
udp (void)
{
  char message[MESSAGE_SIZE] = "";
  g_autoptr (GError) error = NULL;

  for (guint64 i = 0; i < n_times; i++)
    check (gtx_socket_send_to (datagrams, destination, message, sizeof message, &error) == sizeof message &&
           gtx_socket_receive_from (datagrams, NULL, message, sizeof message, &error) == sizeof message,
           error);
}

/* ---- Files ---- */

static gboolean
load_again_and_again (gpointer data, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("file");

  for (guint64 i = 0; i < n_times; i += n_tasks)
    {
      g_autofree char *text = NULL;
      gsize length;

      if (!gtx_file_load_contents (file, &text, &length, NULL, error))
        return FALSE;
      check (length == BLOCK_SIZE, NULL);
    }
  return TRUE;
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
} Copy;

static void
copy_free (gpointer data)
{
  Copy *self = data;

  g_object_unref (self->source);
  g_object_unref (self->destination);
  g_free (self);
}

static gboolean
copy_file (Copy *copy, GError **error)
{
  return gtx_file_copy (copy->source, copy->destination, G_FILE_COPY_NONE, NULL, NULL, error);
}

static gboolean
copy_folder (GFile *source, GFile *folder, GtxTaskGroup *copies, GError **error)
{
  g_autoptr (GPtrArray) infos = gtx_file_enumerate (source, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, error);

  if (infos == NULL || !gtx_file_make_directory_with_parents (folder, error))
    return FALSE;
  for (guint i = 0; i < infos->len; i++)
    {
      GFileInfo *info = g_ptr_array_index (infos, i);
      g_autoptr (GFile) from = g_file_get_child (source, g_file_info_get_name (info));
      g_autoptr (GFile) to = g_file_get_child (folder, g_file_info_get_name (info));

      if (g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY)
        {
          if (!copy_folder (from, to, copies, error))
            return FALSE;
        }
      else
        {
          Copy *copy = g_new (Copy, 1);

          copy->source = g_steal_pointer (&from);
          copy->destination = g_steal_pointer (&to);
          if (!gtx_task_group_create_task (copies, copy_file, copy, copy_free, error))
            return FALSE;
        }
    }
  return TRUE;
}

static void
copy_tree (void)
{
  g_autoptr (GFile) source = g_file_new_for_path ("tree");
  g_autoptr (GFile) folder = g_file_new_for_path ("copy");
  g_auto (GtxTaskGroup) copies = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) error = NULL;

  gtx_task_group_begin (&copies);
  gtx_task_group_set_limit (&copies, COPIED_AT_ONCE);
  copy_folder (source, folder, &copies, &failure);
  check (gtx_task_group_end (&copies, &failure, &error), error);
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

static gboolean
main_coroutine (const Bench *bench, GError **error)
{
  run_bench (bench);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  return gtx_run (main_coroutine, parse_arguments (argc, argv, benches), NULL) ? 0 : 1;
}
