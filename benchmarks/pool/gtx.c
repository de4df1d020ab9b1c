/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks on a pool of threads. */

#include <gtask-ext.h>

#include "work.h"

static GtxPool *pool;

static void
prepare (void)
{
  g_autoptr (GError) error = NULL;

  pool = gtx_pool_new (n_threads, &error);
  check (pool != NULL, error);
}

static void
run (GtxCoroutine coroutine)
{
  g_autoptr (GError) error = NULL;

  check (gtx_run_named ("main", coroutine, NULL, &error), error);
}

static gboolean
work (gpointer data, GError **error)
{
  do_work ();
  return TRUE;
}

/* ---- One after the other ---- */

static gboolean
hand_over (gpointer data, GError **error)
{
  for (guint64 i = 0; i < n_times; i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task_on (pool, work, NULL, NULL);

      if (!gtx_await (task, error))
        return FALSE;
    }
  return TRUE;
}

static void
run_hand_over (void)
{
  run (hand_over);
}

/* ---- All at once ---- */

static gboolean
spread (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_set_pool (&group, pool);
  for (guint64 i = 0; i < n_times; i++)
    gtx_task_group_create_task (&group, work, NULL, NULL, NULL);
  return gtx_task_group_end (&group, NULL, error);
}

static void
run_spread (void)
{
  run (spread);
}

/* The same, created on the pool. */
static gboolean
spread_from_pool (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_on (pool, spread, NULL, NULL);

  return gtx_await (task, error);
}

static void
run_spread_from_pool (void)
{
  run (spread_from_pool);
}

/* ---- An HTTP server, until its input ends ---- */

static gboolean
answer (gpointer data, GSocketConnection *connection, GError **error)
{
  static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
  g_autoptr (GDataInputStream) input =
    g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_autoptr (GError) failure = NULL;

  g_data_input_stream_set_newline_type (input, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  for (;;)
    {
      g_autofree char *line = gtx_data_input_stream_read_line (input, NULL, &failure);

      if (line == NULL)
        break;
      if (*line != '\0')
        continue;
      do_work ();
      if (!gtx_output_stream_write_all (output, response, sizeof response - 1, NULL, error))
        return FALSE;
    }
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
serve (gpointer data, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port;

  g_socket_listener_set_backlog (listener, 128);
  port = g_socket_listener_add_any_inet_port (listener, NULL, error);
  if (port == 0)
    return FALSE;
  printf ("%u\n", port);
  fflush (stdout);
  return gtx_serve_on (pool, listener, 0, answer, NULL, error);
}

static gboolean
serve_until_end (gpointer data, GError **error)
{
  g_autoptr (GtxTask) server = gtx_create_task (serve, NULL, NULL);

  if (!gtx_await_fd (0, G_IO_IN | G_IO_HUP, error))
    return FALSE;
  gtx_cancel (server);
  gtx_await (server, NULL);
  return TRUE;
}

static void
run_serve (void)
{
  run (serve_until_end);
}

static const Bench benches[] = {
  { "hand-over", prepare, run_hand_over },
  { "spread", prepare, run_spread },
  { "spread-from-pool", prepare, run_spread_from_pool },
  { "serve", prepare, run_serve },
  { NULL, NULL, NULL }
};

int
main (int   argc,
      char *argv[])
{
  run_bench (parse_pool_arguments (argc, argv, benches));
  return 0;
}
