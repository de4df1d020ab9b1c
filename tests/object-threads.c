/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects whose signals other threads emit, and that other threads dispose of. */

#include "object-job.h"

/* ---- Threads ---- */

#define N_JOBS (UNDER_TSAN || UNDER_ASAN || RUNNING_ON_VALGRIND ? 300 : 5000)

typedef struct
{
  GAsyncQueue *jobs;            /* the queue itself marks the end */
  guint n_emissions;
  gboolean disposes;
  guint n;
} Worker;

static void
tidy_up (guint how_long)
{
  for (guint i = 0; i < how_long; i++)
    __asm__ volatile ("" ::: "memory");
}

static gpointer
work (gpointer data)
{
  Worker *self = data;
  gpointer job;

  while ((job = g_async_queue_pop (self->jobs)) != self->jobs)
    {
      for (guint i = 0; i < self->n_emissions; i++)
        {
          g_signal_emit (job, finished, i % 2 ? g_quark_from_string ("first") : 0, (int) i);
          tidy_up (self->n++ % 4000);
        }
      if (self->n_emissions == 0)
        tidy_up (self->n++ % 4000);
      if (self->disposes)
        g_object_run_dispose (job);
      g_object_unref (job);
    }
  return NULL;
}

typedef gboolean (*JobFunc) (Job *job, GAsyncQueue *jobs);

/* The main loop has other work, and does not sleep. */
static gboolean
keep_busy (gpointer data, GError **error)
{
  while (gtx_sleep (0, error))
    ;
  return FALSE;
}

static gboolean
run_jobs (guint n_workers, guint n_emissions, gboolean disposes, JobFunc begin)
{
  GAsyncQueue *jobs = g_async_queue_new ();
  Worker workers[2] = { { jobs, n_emissions, disposes, 0 }, { jobs, n_emissions, FALSE, 500 } };
  g_autoptr (GtxTask) busy = gtx_create_task (keep_busy, NULL, NULL);
  GThread *threads[2];

  for (guint i = 0; i < n_workers; i++)
    threads[i] = g_thread_new ("worker", work, &workers[i]);
  for (guint i = 0; i < N_JOBS; i++)
    {
      g_autoptr (Job) job = job_new ();

      g_assert_true (begin (job, jobs));
      g_string_truncate (trace, 0);
    }
  for (guint i = 0; i < n_workers; i++)
    g_async_queue_push (jobs, jobs);
  for (guint i = 0; i < n_workers; i++)
    g_thread_join (threads[i]);
  g_async_queue_unref (jobs);
  gtx_cancel (busy);
  g_assert_false (gtx_await (busy, NULL));
  return TRUE;
}

static gboolean
emit_once (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_finished, g_object_ref (job), g_object_unref);

  gtx_sleep (0, NULL);
  g_async_queue_push (jobs, g_object_ref (job));
  return gtx_await (task, NULL);
}

static gboolean
test_thread_emits_and_disposes (gpointer data, GError **error)
{
  return run_jobs (1, 1, TRUE, emit_once);
}

static gboolean
await_to_end (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_all_finished, g_object_ref (job), g_object_unref);

  gtx_sleep (0, NULL);
  g_async_queue_push (jobs, g_object_ref (job));
  return gtx_await (task, NULL);
}

static gboolean
test_thread_until_gone (gpointer data, GError **error)
{
  return run_jobs (1, 3, TRUE, await_to_end);
}

/* One thread emits while the other disposes.  Each task waits once, because GObject does not allow
 * a new handler to be connected at the same time. */
static gboolean
await_in_two (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) a = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_first, job, NULL);
  g_autoptr (GtxTask) c = gtx_create_task (await_finished, job, NULL);

  gtx_sleep (0, NULL);
  g_async_queue_push (jobs, g_object_ref (job));
  g_async_queue_push (jobs, g_object_ref (job));
  gtx_gather_list (GTX_GATHER_RETURN_ERRORS, NULL, a, b, c, NULL);
  return TRUE;
}

static gboolean
test_two_threads (gpointer data, GError **error)
{
  return run_jobs (2, 4, TRUE, await_in_two);
}

static gboolean
cancel_meanwhile (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) a = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_first, job, NULL);

  gtx_sleep (0, NULL);
  g_async_queue_push (jobs, g_object_ref (job));
  tidy_up ((guint) g_random_int_range (0, 4000));
  gtx_cancel (a);
  gtx_sleep (0, NULL);
  gtx_cancel (b);
  gtx_gather_list (GTX_GATHER_RETURN_ERRORS, NULL, a, b, NULL);
  return TRUE;
}

static gboolean
test_thread_cancelled (gpointer data, GError **error)
{
  return run_jobs (1, 2, FALSE, cancel_meanwhile) && run_jobs (1, 2, TRUE, cancel_meanwhile);
}

/* ---- Several main contexts ---- */

typedef struct
{
  Job *job;
  gint n_waiting;
  guint n_heard;                /* the number of emissions that both threads together heard */
} Audience;

static gboolean
count_until_gone (Audience *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  while (gtx_await_signal (self->job, "finished", &failure))
    g_atomic_int_inc (&self->n_heard);
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
  return TRUE;
}

static gboolean
listen (Audience *self, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (count_until_gone, self, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (count_until_gone, self, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_atomic_int_inc (&self->n_waiting);
  return gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL);
}

static gpointer
listen_in_thread (gpointer audience)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (listen, (Audience *) audience, NULL));
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* Tasks of two other threads get the signals that this thread emits.  This thread disposes of the
 * object at the end. */
static gboolean
test_contexts (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  Audience audience = { job, 0, 0 };
  GThread *threads[2];

  for (int i = 0; i < 2; i++)
    threads[i] = g_thread_new ("listener", listen_in_thread, &audience);
  while (g_atomic_int_get (&audience.n_waiting) < 2)
    g_thread_yield ();
  for (int i = 0; i < N_JOBS; i++)
    g_signal_emit (job, finished, 0, i);
  g_object_run_dispose (G_OBJECT (job));
  for (int i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (audience.n_heard, >=, 4);
  return TRUE;
}

/* A thread that stops in the middle of disposing of a job. */
typedef struct
{
  Job *job;
  GAsyncQueue *arrived;
  GAsyncQueue *go;
  GThread *thread;
} Disposal;

static void
stand_still (gpointer data, GObject *object)
{
  Disposal *self = data;

  g_async_queue_push (self->arrived, self);
  g_async_queue_pop (self->go);
}

static gpointer
dispose_in_thread (gpointer job)
{
  g_object_run_dispose (job);
  return NULL;
}

/* Call this function before other code uses the job. */
static void
disposal_prepare (Disposal *self, Job *job)
{
  self->job = job;
  self->arrived = g_async_queue_new ();
  self->go = g_async_queue_new ();
  g_object_weak_ref (G_OBJECT (job), stand_still, self);
}

static void
disposal_begin (Disposal *self)
{
  self->thread = g_thread_new ("disposer", dispose_in_thread, self->job);
  g_async_queue_pop (self->arrived);
}

static void
disposal_end (Disposal *self)
{
  g_async_queue_push (self->go, self);
  g_thread_join (self->thread);
  g_async_queue_unref (self->arrived);
  g_async_queue_unref (self->go);
}

static gboolean
test_cancelled_in_disposal (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) other = NULL;
  Disposal disposal;

  disposal_prepare (&disposal, job);
  task = gtx_create_task (await_finished, job, NULL);
  other = gtx_create_task (await_first, job, NULL);
  g_assert_true (gtx_sleep (0, error));
  disposal_begin (&disposal);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  disposal_end (&disposal);
  assert_gone (other);
  return TRUE;
}

static gboolean
test_ended_in_disposal (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "task", NULL);
  g_autoptr (GtxTask) other = gtx_create_task (sleep_long, NULL, NULL);
  Disposal disposal;

  disposal_prepare (&disposal, job);
  gtx_task_bind (task, job);
  gtx_task_bind (other, job);
  disposal_begin (&disposal);
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_sleep (0, error));
  disposal_end (&disposal);
  g_assert_false (gtx_await (other, NULL));
  g_assert_true (gtx_future_is_cancelled (other));
  return TRUE;
}

static gboolean
sleep_once (Job *job, GError **error)
{
  return gtx_sleep (0, error);
}

/* A task ends while its object is disposed of. */
static gboolean
bind_meanwhile (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_once, g_object_ref (job), g_object_unref);
  g_autoptr (GtxTask) other = gtx_create_task (sleep_once, job, NULL);

  gtx_task_bind (task, job);
  g_async_queue_push (jobs, g_object_ref (job));
  gtx_task_bind (other, job);
  gtx_gather_list (GTX_GATHER_RETURN_ERRORS, NULL, task, other, NULL);
  return TRUE;
}

static gboolean
test_thread_bound (gpointer data, GError **error)
{
  return run_jobs (1, 0, TRUE, bind_meanwhile);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/object/thread/emits-and-disposes", test_thread_emits_and_disposes);
  add_real_coroutine ("/object/thread/until-gone", test_thread_until_gone);
  add_real_coroutine ("/object/thread/two", test_two_threads);
  add_real_coroutine ("/object/thread/cancelled", test_thread_cancelled);
  add_real_coroutine ("/object/thread/cancelled-in-disposal", test_cancelled_in_disposal);
  add_real_coroutine ("/object/thread/contexts", test_contexts);
  add_real_coroutine ("/object/thread/bound", test_thread_bound);
  add_real_coroutine ("/object/thread/ended-in-disposal", test_ended_in_disposal);
  return g_test_run ();
}
