/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks on a pool in gatherings, groups and timeouts, and servers whose clients are on a pool. */

#include "gate.h"
#include "pool-new.h"

static gboolean
sleep_a_moment (gpointer data, GError **error)
{
  return gtx_sleep (0.002, error);
}

static GPtrArray *
create_on (GtxPool *pool, guint n, GtxCoroutine coroutine)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (tasks, gtx_create_task_on_named (pool, "coroutine", coroutine, NULL, NULL));
  return tasks;
}

static gboolean
fail_soon (gpointer data, GError **error)
{
  return gtx_sleep (0.001, error) && fail ("has failed", error);
}

/* ---- Futures together ---- */

static gboolean
gathered (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  g_autoptr (GPtrArray) all = create_on (pool, 10, sleep_a_moment);
  g_autoptr (GPtrArray) one_fails = create_on (pool, 1, sleep_long);
  g_autoptr (GtxTask) failing = gtx_create_task_on (pool, fail_soon, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_gather (all, 0, error));
  g_ptr_array_add (one_fails, g_object_ref (failing));
  g_assert_false (gtx_gather (one_fails, 0, &failure));
  g_assert_cmpstr (failure->message, ==, "has failed");
  gtx_cancel (one_fails->pdata[0]);
  assert_ends_cancelled (one_fails->pdata[0]);
  close_and_unref (pool);
  return TRUE;
}

static gboolean
gather_long (GtxPool *pool, GError **error)
{
  g_autoptr (GPtrArray) tasks = create_on (pool, 4, sleep_long);

  return gtx_gather (tasks, 0, error);
}

static gboolean
gathering_cancelled (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  g_autoptr (GtxTask) task = gtx_create_task (gather_long, pool, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  assert_ends_cancelled (task);
  close_and_unref (pool);
  return TRUE;
}

static gboolean
waited_for (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  g_autoptr (GPtrArray) tasks = create_on (pool, 1, sleep_long);
  g_autoptr (GtxAsCompleted) each = NULL;
  g_autoptr (GError) failure = NULL;

  g_ptr_array_add (tasks, gtx_create_task_on (pool, sleep_a_moment, NULL, NULL));
  g_assert_true (gtx_wait (tasks, GTX_FIRST_COMPLETED, GTX_FOREVER, error));
  g_assert_true (gtx_future_is_done (tasks->pdata[1]));
  g_assert_false (gtx_wait_for (tasks->pdata[0], 0.001, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (gtx_future_is_cancelled (tasks->pdata[0]));
  each = gtx_as_completed (tasks, GTX_FOREVER, error);
  g_assert_nonnull (gtx_as_completed_next (each, error));
  g_assert_nonnull (gtx_as_completed_next (each, error));
  close_and_unref (pool);
  return TRUE;
}

/* ---- Groups ---- */

static gboolean
note_thread (GThread **thread, GError **error)
{
  *thread = g_thread_self ();
  return gtx_sleep (0.001, error);
}

static gboolean
grouped (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  GThread *threads[20];
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 5);
  gtx_task_group_set_pool (&group, pool);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_nonnull (gtx_task_group_create_task (&group, note_thread, &threads[i], NULL, error));
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (threads[i] != g_thread_self ());
  close_and_unref (pool);
  return TRUE;
}

static gboolean
group_fails (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) errors = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_pool (&group, pool);
  for (int i = 0; i < 5; i++)
    gtx_task_group_create_task (&group, sleep_long, NULL, NULL, NULL);
  gtx_task_group_create_task (&group, fail_soon, NULL, NULL, NULL);
  g_assert_false (gtx_sleep (1000, &failure));
  g_assert_false (gtx_task_group_end (&group, &failure, &errors));
  g_assert_error (errors, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_cmpuint (gtx_error_get_n_errors (errors), ==, 1);
  close_and_unref (pool);
  return TRUE;
}

static gboolean
group_left (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);

  {
    g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

    n_freed = 0;
    gtx_task_group_begin (&group);
    gtx_task_group_set_pool (&group, pool);
    for (int i = 0; i < 5; i++)
      gtx_task_group_create_task (&group, sleep_long, g_malloc (1), count_free, NULL);
  }
  g_assert_cmpint (n_freed, ==, 5);
  close_and_unref (pool);
  return TRUE;
}

static gboolean
timed_out (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) task = gtx_create_task_on (pool, sleep_long, NULL, NULL);
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) own = NULL;

  gtx_timeout_begin (&timeout, 0.002);
  gtx_await (task, &failure);
  g_assert_false (gtx_timeout_end (&timeout, &failure, &own));
  g_assert_error (own, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (gtx_future_is_cancelled (task));
  close_and_unref (pool);
  return TRUE;
}

static gboolean
take_real_time (gpointer data, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  if (!gtx_sleep (0.02, error))
    return FALSE;
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
  return TRUE;
}

/* Virtual time stands still while a task is on a pool. */
static gboolean
in_virtual_time (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) task = gtx_create_task_on (pool, take_real_time, NULL, NULL);

  g_assert_true (gtx_await (task, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  g_assert_true (gtx_await (sleeper, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 1000);
  close_and_unref (pool);
  return TRUE;
}

static gboolean
create_in_thread (gpointer data, GCancellable *cancellable, GError **error)
{
  GtxTask **task = data;

  *task = gtx_create_task_on (NULL, take_real_time, NULL, NULL);
  return TRUE;
}

/* The same if a thread has created the task. */
static gboolean
in_virtual_time_by_thread (gpointer data, GError **error)
{
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) task = NULL;

  g_assert_true (gtx_to_thread (create_in_thread, (gpointer) &task, error));
  g_assert_true (gtx_await (task, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  gtx_cancel (sleeper);
  assert_ends_cancelled (sleeper);
  return TRUE;
}

/* ---- Servers ---- */

typedef struct
{
  GtxPool *pool;
  GSocketListener *listener;
  guint16 port;
  Gate both;                    /* passed when two clients are served at the same time */
} Server;

/* Each client's thread waits for that of the other client. */
static gboolean
greet (Server *self, GSocketConnection *connection, GError **error)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  char byte;

  g_mutex_lock (&self->both.mutex);
  if (++self->both.n_begun == 2)
    self->both.is_open = TRUE;
  g_cond_broadcast (&self->both.cond);
  while (!self->both.is_open)
    g_cond_wait (&self->both.cond, &self->both.mutex);
  g_mutex_unlock (&self->both.mutex);
  return gtx_output_stream_write_all (output, "hello", 5, NULL, error) &&
         gtx_input_stream_read (input, &byte, 1, error) >= 0;
}

static gboolean
run_server (Server *self, GError **error)
{
  return gtx_serve_on (self->pool, self->listener, 0, greet, self, error);
}

static GSocketConnection *
connect_to (Server *self, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, self->port);

  g_socket_client_set_enable_proxy (client, FALSE);
  return gtx_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), error);
}

static gboolean
be_greeted (Server *self, GError **error)
{
  g_autoptr (GSocketConnection) connection = connect_to (self, error);
  char text[6] = "";

  if (connection == NULL ||
      !gtx_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (connection)), text, 5, NULL, error))
    return FALSE;
  g_assert_cmpstr (text, ==, "hello");
  return gtx_io_stream_close (G_IO_STREAM (connection), error);
}

static gboolean
served (gpointer data, GError **error)
{
  Server server = { .pool = pool_new (2), .listener = g_socket_listener_new () };
  g_autoptr (GtxTask) task = NULL;

  gate_init (&server.both);
  server.port = g_socket_listener_add_any_inet_port (server.listener, NULL, error);
  task = gtx_create_task (run_server, &server, NULL);
  for (int i = 0; i < 10; i++)
    {
      g_autoptr (GtxTask) first = gtx_create_task (be_greeted, &server, NULL);
      g_autoptr (GtxTask) second = gtx_create_task (be_greeted, &server, NULL);

      g_mutex_lock (&server.both.mutex);
      server.both.n_begun = 0;
      server.both.is_open = FALSE;
      g_mutex_unlock (&server.both.mutex);
      g_assert_true (gtx_gather_list (0, error, first, second, NULL));
    }
  gtx_cancel (task);
  assert_ends_cancelled (task);
  close_and_unref (server.pool);
  g_object_unref (server.listener);
  gate_clear (&server.both);
  return TRUE;
}

/* The server drops the client, or accepts no more. */
static gboolean
be_dropped (Server *self, GError **error)
{
  g_autoptr (GSocketConnection) connection = connect_to (self, NULL);
  char byte;

  if (connection)
    g_assert_cmpint (gtx_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, NULL),
                     <=, 0);
  return TRUE;
}

/* The pool is closed, and then several clients come at once. */
static gboolean
served_by_closed (gpointer data, GError **error)
{
  Server server = { .pool = pool_new (2), .listener = g_socket_listener_new () };
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GError) failure = NULL;

  server.port = g_socket_listener_add_any_inet_port (server.listener, NULL, error);
  task = gtx_create_task (run_server, &server, NULL);
  close_and_unref (g_object_ref (server.pool));
  for (int i = 0; i < 4; i++)
    g_ptr_array_add (clients, gtx_create_task (be_dropped, &server, NULL));
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_true (gtx_gather (clients, 0, error));
  g_object_unref (server.pool);
  g_object_unref (server.listener);
  return TRUE;
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/pool-blocks/gathered", gathered);
  add_real_coroutine ("/pool-blocks/gathering-cancelled", gathering_cancelled);
  add_real_coroutine ("/pool-blocks/waited-for", waited_for);
  add_real_coroutine ("/pool-blocks/grouped", grouped);
  add_real_coroutine ("/pool-blocks/group-fails", group_fails);
  add_real_coroutine ("/pool-blocks/group-left", group_left);
  add_real_coroutine ("/pool-blocks/timed-out", timed_out);
  add_coroutine ("/pool-blocks/virtual-time", in_virtual_time);
  add_coroutine ("/pool-blocks/virtual-time/by-thread", in_virtual_time_by_thread);
  add_real_coroutine ("/pool-blocks/served", served);
  add_real_coroutine ("/pool-blocks/served/by-closed", served_by_closed);
  return g_test_run ();
}
