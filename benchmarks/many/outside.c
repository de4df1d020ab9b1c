/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Crowds that wait for things other than tasks: objects, operations, descriptors,
 * signals, threads, other main contexts. */

#include "cases.h"

#include <gio/gio.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

static void
end (gpointer thing)
{
  g_object_unref (thing);
}

/* ---- Objects ---- */

static gpointer
make_action (guint n)
{
  return g_simple_action_new ("thing", NULL);
}

static gboolean
await_activation (Member *member, GError **error)
{
  return gtx_await_signal (member->thing, "activate", error);
}

static void
activate (gpointer action, guint n)
{
  g_action_activate (action, NULL);
}

static gboolean
await_disabled (Member *member, GError **error)
{
  return gtx_await_notify (member->thing, "enabled", error);
}

static void
disable (gpointer action, guint n)
{
  g_simple_action_set_enabled (action, FALSE);
}

static gpointer
make_event (guint n)
{
  return gtx_event_new ();
}

static gboolean
wait_while_bound (Member *member, GError **error)
{
  gtx_task_bind (gtx_current_task (), member->thing);
  return gtx_event_wait (member->thing, error);
}

static void
set_event (gpointer event, guint n)
{
  gtx_event_set (event);
}

static void
dispose (gpointer object, guint n)
{
  g_object_run_dispose (object);
}

static gboolean
wait_in_scope (Member *member, GError **error)
{
  gtx_scope_create_task (gtx_object_get_scope (member->thing), wait_while_bound, member, NULL);
  return gtx_event_wait (member->thing, error);
}

static gboolean
join_scope (Member *member, GError **error)
{
  GtxScope *scope = gtx_object_get_scope (member->thing);

  if (gtx_scope_get_n_tasks (scope) == 0)
    gtx_scope_create_task (scope, wait_while_bound, member, NULL);
  return gtx_scope_join (scope, error);
}

/* ---- Descriptors and signals ---- */

static gpointer
make_pipe (guint n)
{
  int *ends = g_new (int, 2);

  g_assert_cmpint (pipe (ends), ==, 0);
  return ends;
}

static gboolean
await_input (Member *member, GError **error)
{
  return gtx_await_fd (*(int *) member->thing, G_IO_IN, error) != 0;
}

static void
write_byte (gpointer ends, guint n)
{
  g_assert_cmpint (write (((int *) ends)[1], "x", 1), ==, 1);
}

static void
close_pipe (gpointer ends)
{
  close (((int *) ends)[0]);
  close (((int *) ends)[1]);
  g_free (ends);
}

/* Each task has its own, as far as the system allows so many. */
static gpointer
make_counters (guint n)
{
  GArray *counters = g_array_new (FALSE, FALSE, sizeof (int));
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
  while (counters->len < MIN (n, limit.rlim_max / 2))
    {
      int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

      g_assert_cmpint (fd, >=, 0);
      g_array_append_val (counters, fd);
    }
  return counters;
}

static gboolean
await_count (Member *member, GError **error)
{
  GArray *counters = member->thing;

  return gtx_await_fd (g_array_index (counters, int, member->index % counters->len), G_IO_IN, error) != 0;
}

static void
count_up (gpointer thing, guint n)
{
  GArray *counters = thing;

  for (guint i = 0; i < counters->len; i++)
    g_assert_cmpint (eventfd_write (g_array_index (counters, int, i), 1), ==, 0);
}

static void
close_counters (gpointer thing)
{
  GArray *counters = thing;

  for (guint i = 0; i < counters->len; i++)
    close (g_array_index (counters, int, i));
  g_array_unref (counters);
}

static gpointer
make_nothing (guint n)
{
  return NULL;
}

static gboolean
await_usr1 (Member *member, GError **error)
{
  return gtx_await_unix_signal (SIGUSR1, error);
}

static void
send_usr1 (gpointer nothing, guint n)
{
  g_assert_cmpint (kill (getpid (), SIGUSR1), ==, 0);
}

/* ---- Operations ---- */

static void
on_cancelled (GCancellable *cancellable, GTask *task)
{
  if (!g_task_get_completed (task))
    g_task_return_error_if_cancelled (task);
}

/* Ends when all do, or is cancelled. */
static void
operate_async (GPtrArray *all, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, data);

  if (cancellable)
    g_signal_connect_object (cancellable, "cancelled", G_CALLBACK (on_cancelled), task, 0);
  g_ptr_array_add (all, task);
}

static gpointer
make_operations (guint n)
{
  return array_of_objects ();
}

static gboolean
operate (Member *member, GError **error)
{
  operate_async (member->thing, GTX_ASYNC);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

static void
end_operations (gpointer all, guint n)
{
  GPtrArray *tasks = all;

  for (guint i = 0; i < tasks->len; i++)
    if (!g_cancellable_is_cancelled (g_task_get_cancellable (tasks->pdata[i])))
      g_task_return_boolean (tasks->pdata[i], TRUE);
}

static void
free_operations (gpointer all)
{
  g_ptr_array_unref (all);
}

static gboolean
run_operation_futures (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of_objects ();
  g_autoptr (GPtrArray) all = array_of_objects ();

  for (guint i = 0; i < job->n; i++)
    {
      g_ptr_array_add (futures, gtx_operation_future_new ());
      operate_async (all, GTX_ASYNC_FUTURE (futures->pdata[i]));
    }
  let_others_run ();
  chill ();
  if (job->way == WOKEN)
    end_operations (all, job->n);
  else
    for (guint i = 0; i < job->n; i++)
      gtx_cancel (futures->pdata[job->order[i]]);
  gather_all (futures, job->way == WOKEN);
  return TRUE;
}

/* ---- Somebody else's GTasks ---- */

static void
do_nothing (GObject *source, GAsyncResult *result, gpointer data)
{
}

static gpointer
make_gtask (guint n)
{
  return g_task_new (NULL, NULL, do_nothing, NULL);
}

static gboolean
await_gtask (Member *member, GError **error)
{
  return gtx_await_gtask (member->thing, error);
}

static void
return_from_gtask (gpointer task, guint n)
{
  g_task_return_boolean (task, TRUE);
}

static void
count_gtask (GObject *source, GAsyncResult *result, gpointer n_left)
{
  --*(guint *) n_left;
}

static gboolean
let_others_run_once (GTask *task, GError **error)
{
  return gtx_sleep (0, error);
}

static gboolean
run_gtasks (const Job *job, GError **error)
{
  guint n_left = job->n;

  for (guint i = 0; i < job->n; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, count_gtask, &n_left);

      gtx_gtask_run (task, let_others_run_once);
    }
  while (n_left > 0)
    if (!gtx_sleep (0.001, error))
      return FALSE;
  return TRUE;
}

/* ---- Threads ---- */

static gboolean
be_quick (gpointer data, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static gboolean
go_to_thread (Member *member, GError **error)
{
  return gtx_to_thread (be_quick, NULL, error);
}

/* Another main context, in which there is a task. */
typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GtxTask *task;
  gint is_over;
} Elsewhere;

static gpointer
run_loop (gpointer data)
{
  Elsewhere *self = data;

  g_main_loop_run (self->loop);
  return NULL;
}

static gboolean
wait_elsewhere (Elsewhere *self, GError **error)
{
  while (!g_atomic_int_get (&self->is_over))
    if (!gtx_sleep (0.001, error))
      return FALSE;
  return TRUE;
}

static gpointer
make_elsewhere (guint n)
{
  Elsewhere *self = g_new0 (Elsewhere, 1);

  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new ("elsewhere", run_loop, self);
  self->task = gtx_create_task_in (self->context, wait_elsewhere, self, NULL);
  return self;
}

static gboolean
await_elsewhere (Member *member, GError **error)
{
  return gtx_await (((Elsewhere *) member->thing)->task, error);
}

static gboolean
shield_elsewhere (Member *member, GError **error)
{
  g_autoptr (GtxFuture) shielded = gtx_shield (((Elsewhere *) member->thing)->task);

  return gtx_await (shielded, error);
}

static void
end_elsewhere (gpointer data, guint n)
{
  g_atomic_int_set (&((Elsewhere *) data)->is_over, TRUE);
}

static void
free_elsewhere (gpointer data)
{
  Elsewhere *self = data;

  end_elsewhere (self, 0);
  gtx_await (self->task, NULL);
  g_main_loop_quit (self->loop);
  g_thread_join (self->thread);
  g_object_unref (self->task);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}

static gboolean
quick (gpointer data, GError **error)
{
  return TRUE;
}

/* Tasks of the other context, created and awaited from this one. */
static gboolean
run_tasks_elsewhere (const Job *job, GError **error)
{
  Elsewhere *elsewhere = make_elsewhere (job->n);
  g_autoptr (GPtrArray) tasks = array_of_objects ();

  for (guint i = 0; i < job->n; i++)
    g_ptr_array_add (tasks, gtx_create_task_in (elsewhere->context, quick, NULL, NULL));
  for (guint i = 0; i < job->n; i++)
    if (!gtx_await (tasks->pdata[job->order[i]], error))
      return FALSE;
  free_elsewhere (elsewhere);
  return TRUE;
}

static gboolean
sleep_on_pool (gpointer data, GError **error)
{
  return gtx_sleep (1000, error);
}

/* Tasks on a pool, of which some have begun when they are cancelled. */
static gboolean
run_on_pool (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) tasks = array_of_objects ();
  GtxCoroutine coroutine = job->way == WOKEN ? quick : sleep_on_pool;

  for (guint i = 0; i < job->n; i++)
    g_ptr_array_add (tasks, gtx_create_task_on_named (NULL, "on_pool", coroutine, NULL, NULL));
  if (job->way != WOKEN)
    for (guint i = 0; i < job->n; i++)
      gtx_cancel (tasks->pdata[job->order[i]]);
  gather_all (tasks, job->way == WOKEN);
  return TRUE;
}

static gpointer
set_all (gpointer data)
{
  GPtrArray *futures = data;

  for (guint i = 0; i < futures->len; i++)
    gtx_future_set_result (futures->pdata[i], NULL, NULL);
  return NULL;
}

static gboolean
run_set_elsewhere (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of_objects ();
  GThread *thread;

  for (guint i = 0; i < job->n; i++)
    g_ptr_array_add (futures, gtx_future_new ());
  thread = g_thread_new ("setter", set_all, futures);
  gather_all (futures, TRUE);
  g_thread_join (thread);
  return TRUE;
}

static const Crowd signals = { make_action, await_activation, activate, end, FALSE };
static const Crowd notifications = { make_action, await_disabled, disable, end, FALSE };
static const Crowd bound = { make_event, wait_while_bound, set_event, end, FALSE };
static const Crowd disposed = { make_event, wait_while_bound, dispose, end, TRUE };
static const Crowd scoped = { make_event, wait_in_scope, set_event, end, FALSE };
static const Crowd joined = { make_event, join_scope, set_event, end, FALSE };
static const Crowd descriptors = { make_pipe, await_input, write_byte, close_pipe, FALSE };
static const Crowd counters = { make_counters, await_count, count_up, close_counters, FALSE };
static const Crowd unix_signals = { make_nothing, await_usr1, send_usr1, NULL, FALSE };
static const Crowd operations = { make_operations, operate, end_operations, free_operations, FALSE };
static const Crowd gtasks = { make_gtask, await_gtask, return_from_gtask, end, FALSE };
static const Crowd threads = { make_nothing, go_to_thread, NULL, NULL, FALSE };
static const Crowd elsewhere = { make_elsewhere, await_elsewhere, end_elsewhere, free_elsewhere, FALSE };
static const Crowd shielded = { make_elsewhere, shield_elsewhere, end_elsewhere, free_elsewhere, FALSE };

const Case outside_cases[] = {
  { "signal", ALL_WAYS, &signals, NULL, FALSE },
  { "notify", ALL_WAYS, &notifications, NULL, FALSE },
  { "bind", ALL_WAYS, &bound, NULL, FALSE },
  { "bind-disposed", WAY (WOKEN), &disposed, NULL, FALSE },
  { "scope", ALL_WAYS, &scoped, NULL, FALSE },
  { "scope-join", ALL_WAYS, &joined, NULL, FALSE },
  { "fd", ALL_WAYS, &descriptors, NULL, FALSE },
  { "fd-each", ALL_WAYS, &counters, NULL, FALSE },
  { "unix-signal", ALL_WAYS, &unix_signals, NULL, TRUE },
  { "operation", ALL_WAYS, &operations, NULL, FALSE },
  { "operation-future", ALL_WAYS, NULL, run_operation_futures, FALSE },
  { "gtask-await", ALL_WAYS, &gtasks, NULL, FALSE },
  { "gtask-run", WAY (WOKEN), NULL, run_gtasks, FALSE },
  { "to-thread", ALL_WAYS, &threads, NULL, TRUE },
  { "pool", ALL_WAYS, NULL, run_on_pool, TRUE },
  { "elsewhere-await", ALL_WAYS, &elsewhere, NULL, TRUE },
  { "elsewhere-shield", ALL_WAYS, &shielded, NULL, TRUE },
  { "elsewhere-tasks", ALL_ORDERS, NULL, run_tasks_elsewhere, TRUE },
  { "elsewhere-set", WAY (WOKEN), NULL, run_set_elsewhere, TRUE },
  { 0 }
};
