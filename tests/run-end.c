/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The callbacks and waiting tasks of futures that are done at the very end of a run. */

#include "fixture.h"

static guint n_told;

static gboolean
end_at_once (gpointer data, GError **error)
{
  return TRUE;
}

static void
on_done (gpointer future, gpointer data)
{
  n_told++;
}

static void
begin_watched (void)
{
  g_autoptr (GtxTask) task = gtx_create_task (end_at_once, NULL, NULL);

  gtx_future_add_done_callback (task, on_done, g_malloc (1), count_free);
}

/* ---- Done callbacks ---- */

static gboolean
begin_and_return (gpointer data, GError **error)
{
  begin_watched ();
  return TRUE;
}

static gboolean
clean_up (gpointer data, GError **error)
{
  g_assert_false (gtx_sleep (100, error));
  begin_watched ();
  return FALSE;
}

static gboolean
leave_it (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (clean_up, NULL, NULL));
  return gtx_sleep (0, error);
}

/* A callback that is added just before the end is called, and its data freed. */
static void
assert_told (GtxCoroutine coroutine)
{
  n_told = n_freed = 0;
  g_assert_true (gtx_run (coroutine, NULL, NULL));
  g_assert_cmpuint (n_told, ==, 1);
  g_assert_cmpint (n_freed, ==, 1);
}

static void
test_last_round (void)
{
  assert_told (begin_and_return);
}

static void
test_clean_up (void)
{
  assert_told (leave_it);
}

static gboolean
work (GtxQueue *queue, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_queue_get (queue, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  return TRUE;
}

static gboolean
shut_down_and_return (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, NULL);

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (GtxTask) worker = gtx_create_task (work, g_object_ref (queue), g_object_unref);

      gtx_future_add_done_callback (worker, on_done, NULL, NULL);
    }
  g_assert_true (gtx_sleep (0, error));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_DRAIN);
  return TRUE;
}

static void
test_workers (void)
{
  n_told = 0;
  g_assert_true (gtx_run (shut_down_and_return, NULL, NULL));
  g_assert_cmpuint (n_told, ==, 3);
}

/* ---- Another context ---- */

typedef struct
{
  GtxEvent *event;
  GtxTask *job;
  gboolean shields;
  gint is_waiting;
  GThread *thread;
} Job;

static gboolean
do_job (Job *self, GError **error)
{
  return gtx_event_wait (self->event, error);
}

static gboolean
wait_for_job (Job *self, GError **error)
{
  g_autoptr (GtxFuture) shield = self->shields ? gtx_shield (self->job) : NULL;

  g_atomic_int_set (&self->is_waiting, TRUE);
  return gtx_await (shield ? (gpointer) shield : (gpointer) self->job, error);
}

static gpointer
run_in_thread (gpointer data)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GError) failure = NULL;
  gboolean succeeded;

  g_main_context_push_thread_default (context);
  succeeded = gtx_run (wait_for_job, data, &failure);
  g_assert_no_error (failure);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  return GINT_TO_POINTER (succeeded);
}

static gboolean
end_job_and_return (Job *self, GError **error)
{
  self->event = gtx_event_new ();
  self->job = gtx_create_task (do_job, self, NULL);
  self->thread = g_thread_new ("other", run_in_thread, self);
  /* The thread reports this before it awaits.  If the thread is late, the job is already done. */
  while (!g_atomic_int_get (&self->is_waiting))
    if (!gtx_sleep (0.001, error))
      return FALSE;
  g_assert_true (gtx_sleep (0.05, error));
  gtx_event_set (self->event);
  return TRUE;
}

static void
test_awaited_elsewhere (gconstpointer shields)
{
  Job job = { .shields = GPOINTER_TO_INT (shields) };

  g_assert_true (gtx_run (end_job_and_return, &job, NULL));
  g_assert_true (GPOINTER_TO_INT (g_thread_join (job.thread)));
  g_object_unref (job.job);
  g_object_unref (job.event);
}

/* ---- GTasks ---- */

typedef struct
{
  guint n_called;
  gboolean sleeps;
  gboolean in_clean_up;
} Shop;

static gboolean
open_shop (GTask *task, GError **error)
{
  Shop *self = g_task_get_task_data (task);

  return !self->sleeps || gtx_sleep (0, error);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer data)
{
  /* The operation of a sleeping task may be cancelled. */
  g_assert_true (g_task_propagate_boolean (G_TASK (result), NULL) || ((Shop *) data)->sleeps);
  ((Shop *) data)->n_called++;
}

static gboolean
begin_to_open (Shop *self, GError **error)
{
  g_autoptr (GTask) task = NULL;

  if (self->in_clean_up)
    g_assert_false (gtx_sleep (100, NULL));
  task = g_task_new (NULL, NULL, on_opened, self);
  g_task_set_task_data (task, self, NULL);
  gtx_gtask_run (task, open_shop);
  return TRUE;
}

static gboolean
begin_in_task (Shop *self, GError **error)
{
  g_object_unref (gtx_create_task (begin_to_open, self, NULL));
  return gtx_sleep (0, error);
}

/* The context counts its end in n_freed. */
static GMainContext *
context_new (void)
{
  GMainContext *context = g_main_context_new ();
  GSource *never = g_timeout_source_new_seconds (10000);

  n_freed = 0;
  g_source_set_callback (never, G_SOURCE_FUNC (g_object_unref), g_malloc (1), count_free);
  g_source_attach (never, context);
  g_source_unref (never);
  return context;
}

/* A GTask that was made in the current turn calls back in the next one. */
static void
test_gtask (gconstpointer which)
{
  Shop shop = { .sleeps = GPOINTER_TO_INT (which) & 1, .in_clean_up = GPOINTER_TO_INT (which) & 2 };
  GMainContext *context = context_new ();

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (shop.in_clean_up ? begin_in_task : begin_to_open, &shop, NULL));
  g_main_context_pop_thread_default (context);
  g_assert_cmpuint (shop.n_called, ==, 1);
  g_assert_cmpint (n_freed, ==, 0);
  g_main_context_unref (context);
  g_assert_cmpint (n_freed, ==, 1);
}

/* ---- Results that keep a context ---- */

static GtxFuture *kept;

static gboolean
await_kept (GFile *file, GError **error)
{
  kept = gtx_operation_future_new ();
  g_file_query_info_async (file, "standard::size", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT,
                           GTX_ASYNC_FUTURE (kept));
  return gtx_await (kept, error);
}

static gpointer
run_on_context (gpointer context)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (await_kept, file, NULL));
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* The thread that ran the main loop has ended, and another thread drops the future. */
static void
test_dropped_elsewhere (void)
{
  GMainContext *context = context_new ();

  g_thread_join (g_thread_new ("runs", run_on_context, context));
  g_main_context_unref (context);
  g_object_unref (kept);
  /* The thread in which GIO did the work may hold the result for a moment. */
  while (g_atomic_int_get (&n_freed) == 0)
    g_usleep (1000);
  g_assert_cmpint (n_freed, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run-end/last-round", test_last_round);
  g_test_add_func ("/run-end/clean-up", test_clean_up);
  g_test_add_func ("/run-end/workers", test_workers);
  g_test_add_data_func ("/run-end/awaited-elsewhere", GINT_TO_POINTER (FALSE), test_awaited_elsewhere);
  g_test_add_data_func ("/run-end/shielded-elsewhere", GINT_TO_POINTER (TRUE), test_awaited_elsewhere);
  g_test_add_data_func ("/run-end/gtask/short", GINT_TO_POINTER (0), test_gtask);
  g_test_add_data_func ("/run-end/gtask/sleeps", GINT_TO_POINTER (1), test_gtask);
  g_test_add_data_func ("/run-end/gtask/clean-up", GINT_TO_POINTER (2), test_gtask);
  g_test_add_data_func ("/run-end/gtask/clean-up-sleeps", GINT_TO_POINTER (3), test_gtask);
  g_test_add_func ("/run-end/dropped-elsewhere", test_dropped_elsewhere);
  return g_test_run ();
}
