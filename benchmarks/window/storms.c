/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "storms.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Turns ---- */

static gint64 work_us;
static guint64 n_turns;
static guint64 n_late;
static gint64 last_turn, longest_turn;

void
storm_work (gint64 microseconds)
{
  gint64 until;

  if (microseconds == 0)
    return;
  until = g_get_monotonic_time () + microseconds;
  while (g_get_monotonic_time () < until)
    ;
}

static void
take_turn (void)
{
  gint64 now;

  storm_work (work_us);
  now = g_get_monotonic_time ();
  longest_turn = MAX (longest_turn, now - last_turn);
  last_turn = now;
  n_turns++;
}

void
storms_reset (void)
{
  n_turns = 0;
  n_late = 0;
  longest_turn = 0;
  last_turn = g_get_monotonic_time ();
}

guint64
storms_turns (void)
{
  return n_turns;
}

gint64
storms_longest_turn (void)
{
  return n_turns > 0 ? MAX (longest_turn, g_get_monotonic_time () - last_turn) : 0;
}

double
storms_percent_late (void)
{
  return n_turns > 0 ? 100.0 * (double) n_late / (double) n_turns : 100;
}

/* ---- What the tasks do ---- */

static gboolean
never_stop (gpointer data, GError **error)
{
  (void) data;
  for (;;)
    {
      take_turn ();
      if (!gtx_sleep (0, error))
        return FALSE;
    }
}

static gboolean
sleep_at_random (gpointer data, GError **error)
{
  (void) data;
  for (;;)
    {
      if (!gtx_sleep (g_random_double (), error))
        return FALSE;
      take_turn ();
    }
}

static gboolean
sleep_evenly (gpointer data, GError **error)
{
  (void) data;
  for (;;)
    {
      gint64 due = g_get_monotonic_time () + 10000;

      if (!gtx_sleep (0.01, error))
        return FALSE;
      n_late += g_get_monotonic_time () > due + STORM_LATE_US;
      take_turn ();
    }
}

static gboolean
read_files (gpointer data, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/etc/passwd");

  (void) data;
  for (;;)
    {
      g_autofree char *text = NULL;

      g_file_load_contents_async (file, GTX_ASYNC);
      if (!g_file_load_contents_finish (file, gtx_await_result (), &text, NULL, NULL, error))
        return FALSE;
      take_turn ();
    }
}

/* The other end writes as soon as there is room. */
static int ends[2];

static gboolean
write_on (gpointer data, GError **error)
{
  (void) data;
  for (;;)
    if (write (ends[1], "x", 1) < 0 && !gtx_await_fd (ends[1], G_IO_OUT, error))
      return FALSE;
    else if (!gtx_await_fd (ends[1], G_IO_OUT, error))
      return FALSE;
}

static gboolean
wait_for_input (gpointer data, GError **error)
{
  char byte;

  (void) data;
  for (;;)
    {
      if (!gtx_await_fd (ends[0], G_IO_IN, error))
        return FALSE;
      if (read (ends[0], &byte, 1) == 1)
        take_turn ();
    }
}

/* ---- Connections ---- */

#define MESSAGE 64

static GIOStream *
stream_new (int fd, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, error);

  return socket ? G_IO_STREAM (g_socket_connection_factory_create_connection (socket)) : NULL;
}

static gboolean
send_message (GIOStream *stream, char *message, GError **error)
{
  return gtx_output_stream_write_all (g_io_stream_get_output_stream (stream), message, MESSAGE, NULL, error);
}

static gboolean
receive_message (GIOStream *stream, char *message, GError **error)
{
  gsize n;

  return gtx_input_stream_read_all (g_io_stream_get_input_stream (stream), message, MESSAGE, &n, error) &&
         n == MESSAGE;
}

static gboolean
answer (GIOStream *stream, GError **error)
{
  char message[MESSAGE];

  while (receive_message (stream, message, error) && send_message (stream, message, error))
    take_turn ();
  return FALSE;
}

static gboolean
talk (gpointer data, GError **error)
{
  int fds[2] = { -1, -1 };
  g_autoptr (GIOStream) stream = NULL;
  g_autoptr (GtxTask) other = NULL;
  char message[MESSAGE] = { 0 };

  (void) data;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return FALSE;
  stream = stream_new (fds[0], error);
  other = gtx_create_task (answer, stream_new (fds[1], error), g_object_unref);
  while (send_message (stream, message, error) && receive_message (stream, message, error))
    take_turn ();
  gtx_cancel (other);
  gtx_await (other, NULL);
  return FALSE;
}

/* There is always something to read. */
static gboolean
read_on (gpointer data, GError **error)
{
  g_autoptr (GInputStream) zeroes = g_memory_input_stream_new_from_data (g_malloc0 (MESSAGE), MESSAGE, g_free);
  char message[MESSAGE];

  (void) data;
  while (gtx_input_stream_read (zeroes, message, MESSAGE, error) == MESSAGE &&
         g_seekable_seek (G_SEEKABLE (zeroes), 0, G_SEEK_SET, NULL, error))
    take_turn ();
  return FALSE;
}

/* ---- The cases ---- */

static const Storm all_storms[] = {
  { "nothing", NULL, 0, 0, 0, FALSE, FALSE, FALSE },
  { "1-task", never_stop, 1, 40, 0, FALSE, FALSE, FALSE },
  { "100-tasks", never_stop, 100, 40, 0, FALSE, FALSE, FALSE },
  { "10000-sleepers", sleep_at_random, 10000, 5, 0, FALSE, FALSE, FALSE },
  { "10-readers", read_files, 10, 3, 0, FALSE, FALSE, FALSE },
  { "100-readers", read_files, 100, 3, 0, FALSE, FALSE, FALSE },
  { "10-readers-40us", read_files, 10, 40, 0, FALSE, FALSE, FALSE },
  { "100-readers-40us", read_files, 100, 40, 0, FALSE, FALSE, FALSE },
  { "1-connection", talk, 1, 3, 0, FALSE, FALSE, FALSE },
  { "100-connections", talk, 100, 3, 0, FALSE, FALSE, FALSE },
  { "100-connections-40us", talk, 100, 40, 0, FALSE, FALSE, FALSE },
  { "1-stream", read_on, 1, 3, 0, FALSE, FALSE, FALSE },
  { "10-tasks,17-ms-frames", never_stop, 10, 40, 17000, FALSE, TRUE, FALSE },
  { "10-tasks,25-ms-frames", never_stop, 10, 40, 25000, FALSE, TRUE, FALSE },
  { "10-tasks,busy-source", never_stop, 10, 40, 0, TRUE, TRUE, FALSE },
  { "10-sleepers,busy-source", sleep_evenly, 10, 5, 0, TRUE, TRUE, TRUE },
  { "10-readers,busy-source", read_files, 10, 3, 0, TRUE, TRUE, FALSE },
  { "100-connections,busy-source", talk, 100, 3, 0, TRUE, TRUE, FALSE },
  { "100-connections,25-ms-frames", talk, 100, 3, 25000, FALSE, TRUE, FALSE },
  { "input,17-ms-frames", wait_for_input, 1, 40, 17000, FALSE, TRUE, FALSE },
  { "input,25-ms-frames", wait_for_input, 1, 40, 25000, FALSE, TRUE, FALSE },
  { "input,busy-source", wait_for_input, 1, 40, 0, TRUE, TRUE, FALSE },
  { NULL, NULL, 0, 0, 0, FALSE, FALSE, FALSE }
};

const Storm *
storms_all (void)
{
  return all_storms;
}

static guint busy_source;

static gboolean
be_busy (gpointer data)
{
  (void) data;
  storm_work (100);
  return G_SOURCE_CONTINUE;
}

gboolean
storm_start (const Storm   *storm,
             GtxTaskGroup  *group,
             GError       **error)
{
  work_us = storm->work_us;
  if (storm->has_busy_source)
    busy_source = g_idle_add_full (G_PRIORITY_DEFAULT, be_busy, NULL, NULL);
  if (storm->coroutine == wait_for_input)
    {
      if (!g_unix_open_pipe (ends, FD_CLOEXEC, error) ||
          !g_unix_set_fd_nonblocking (ends[0], TRUE, error) ||
          !g_unix_set_fd_nonblocking (ends[1], TRUE, error))
        return FALSE;
      if (gtx_task_group_create_task (group, write_on, NULL, NULL, error) == NULL)
        return FALSE;
    }
  for (guint i = 0; i < storm->n_tasks; i++)
    if (gtx_task_group_start (group, gtx_task_new_named ("storm", storm->coroutine, NULL, NULL), error) == NULL)
      return FALSE;
  return TRUE;
}

void
storm_stop (const Storm *storm)
{
  if (storm->has_busy_source)
    g_source_remove (busy_source);
}
