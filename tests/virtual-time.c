/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

static gboolean
test_takes_no_time (gpointer data, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  g_assert_true (gtx_sleep (100000, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 100000);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 60 * G_USEC_PER_SEC);
  return TRUE;
}

static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) c = gtx_create_task (sleep_and_note, "30:c", NULL);
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "10:a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (sleep_and_note, "20:b", NULL);

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("a b c");
  g_assert_cmpfloat (gtx_get_time (), ==, 0.03);
  return TRUE;
}

/* Work takes no virtual time, however long it takes. */
static gboolean
test_work (gpointer data, GError **error)
{
  g_usleep (2000);
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return gtx_sleep (0, error);
}

/* ---- Events for which time waits ---- */

static void
finish_slowly (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_usleep (5000);
  g_task_return_boolean (task, TRUE);
}

static void
work_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);

  g_task_run_in_thread (task, finish_slowly);
}

static gboolean
test_operation (gpointer data, GError **error)
{
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_and_note, "1000:slept", NULL);

  work_async (GTX_ASYNC);
  g_assert_true (g_task_propagate_boolean (G_TASK (gtx_await_result ()), error));
  assert_trace ("");
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return gtx_await (sleeper, error);
}

static gboolean
add_word (gpointer word)
{
  note (word);
  return G_SOURCE_REMOVE;
}

/* Work that the main loop can do at once comes before time moves. */
static gboolean
test_idle_sources (gpointer data, GError **error)
{
  g_idle_add (add_word, (gpointer) "idle");
  g_assert_true (gtx_sleep (1000, error));
  assert_trace ("idle");
  return TRUE;
}

/* ---- Events from other code ---- */

static gboolean
activate (gpointer action)
{
  g_action_activate (action, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
set_future (gpointer future)
{
  gtx_future_set_result (future, NULL, NULL);
  return G_SOURCE_REMOVE;
}

/* A timer of the program comes before a time that is only as far away as the timer takes in real
 * time. */
static gboolean
await_activation (GSimpleAction *action, GError **error)
{
  return gtx_await_signal (action, "activate", error);
}

static gboolean
test_signal (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = g_simple_action_new ("test", NULL);
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  /* The test waits for the timer, however slow the machine is, and long before the time limit. */
  g_assert_true (gtx_sleep (0, error));
  g_timeout_add (500, activate, action);
  g_assert_true (gtx_wait_for (task, 60, error));
  g_assert_cmpfloat (gtx_get_time (), >=, 0.1);
  g_assert_cmpfloat (gtx_get_time (), <, 60);
  return TRUE;
}

static gboolean
test_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) awaited = gtx_future_new ();
  g_autoptr (GtxFuture) gathered = gtx_future_new ();

  g_timeout_add (20, set_future, awaited);
  g_assert_true (gtx_await (awaited, error));
  g_timeout_add (20, set_future, gathered);
  return gtx_gather_list (GTX_GATHER_NONE, error, gathered, NULL);
}

/* Sources whose events no task waits for have timers that do not count. */
static gboolean
slow_check (GSource *source)
{
  g_usleep (5000);
  return FALSE;
}

static gboolean
await_it (gpointer future, GError **error)
{
  return gtx_await (future, error);
}

/* After long work the library requests a turn without a wait, in which other sources have no
 * time-out. */
static gboolean
test_after_work (gpointer data, GError **error)
{
  static GSourceFuncs slow_funcs = { NULL, slow_check, NULL, NULL, NULL, NULL };
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) waits = gtx_create_task (await_it, future, NULL);
  g_autoptr (GSource) slow = g_source_new (&slow_funcs, sizeof (GSource));

  g_source_attach (slow, NULL);
  g_assert_true (gtx_sleep (0.001, error));
  g_usleep (3000);
  g_assert_true (gtx_sleep (0.001, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 0.002);
  g_source_destroy (slow);
  gtx_future_set_result (future, NULL, NULL);
  return gtx_await (waits, error);
}

static gboolean
tick (gpointer n)
{
  ++*(guint *) n;
  return G_SOURCE_CONTINUE;
}

static gboolean
test_others_timers (gpointer data, GError **error)
{
  guint n = 0;
  guint source = g_timeout_add (50, tick, &n);

  g_assert_true (gtx_sleep (1000000, error));
  g_source_remove (source);
  return TRUE;
}

typedef struct
{
  GtxFuture *future;
  int pipe[2];
} Outside;

static gboolean
on_readable (int fd, GIOCondition condition, gpointer outside)
{
  return set_future (((Outside *) outside)->future);
}

static gpointer
write_later (gpointer data)
{
  Outside *outside = data;

  g_usleep (3000);
  g_assert_cmpint (write (outside->pipe[1], "x", 1), ==, 1);
  return NULL;
}

static gboolean
test_descriptor (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  Outside outside = { .future = future };
  GThread *thread;

  g_assert_true (g_unix_open_pipe (outside.pipe, FD_CLOEXEC, error));
  g_unix_fd_add (outside.pipe[0], G_IO_IN, on_readable, &outside);
  thread = g_thread_new ("writer", write_later, &outside);
  g_assert_true (gtx_await (future, error));
  g_thread_join (thread);
  close (outside.pipe[0]);
  close (outside.pipe[1]);
  return TRUE;
}

static gpointer
set_later (gpointer future)
{
  g_usleep (3000);
  gtx_future_set_result (future, NULL, NULL);
  return NULL;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  GThread *thread = g_thread_new ("setter", set_later, future);

  g_assert_true (gtx_await (future, error));
  g_thread_join (thread);
  return TRUE;
}

static gboolean
await_usr1 (gpointer data, GError **error)
{
  return gtx_await_unix_signal (SIGUSR1, error);
}

static gpointer
send_usr1 (gpointer data)
{
  g_usleep (3000);
  kill (getpid (), SIGUSR1);
  return NULL;
}

/* A signal of the system comes in real time, so a time limit runs in real time meanwhile. */
static gboolean
test_unix_signal (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_usr1, NULL, NULL);
  GThread *thread;

  g_assert_true (gtx_sleep (0, error));
  thread = g_thread_new ("sender", send_usr1, NULL);
  g_assert_true (gtx_wait_for (task, 60, error));
  g_assert_cmpfloat (gtx_get_time (), <, 60);
  g_thread_join (thread);
  return TRUE;
}

/* ---- Virtual time that a test holds ---- */

static gpointer
answer (gpointer future)
{
  g_usleep (3000);
  gtx_future_set_result (future, NULL, NULL);
  return NULL;
}

static void
on_answer (gpointer future, gpointer asked)
{
  note ("answered");
  gtx_test_release ();
}

static gboolean
test_held (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  GThread *thread;

  gtx_future_add_done_callback (future, on_answer, NULL, NULL);
  gtx_test_hold ();
  thread = g_thread_new ("server", answer, future);
  g_assert_true (gtx_sleep (1000, error));
  assert_trace ("answered");
  g_thread_join (thread);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*gtx_test_release*more often*");
  gtx_test_release ();
  g_test_assert_expected_messages ();
  return TRUE;
}

/* ---- Leftovers ---- */

static void
count (gpointer future, gpointer n)
{
  ++*(guint *) n;
}

static gboolean
leave_things (guint *n_called, GError **error)
{
  GtxFuture *sleep = gtx_sleep_future (1);
  GtxFuture *future = gtx_future_new ();

  gtx_future_add_done_callback (sleep, count, n_called, NULL);
  gtx_future_add_done_callback (future, count, n_called, NULL);
  gtx_future_set_result (future, NULL, NULL);
  g_object_unref (sleep);
  g_object_unref (future);
  return TRUE;
}

static void
test_leaves_nothing (void)
{
  guint n_called = 0;

  g_assert_true (gtx_test_run (leave_things, &n_called, NULL));
  g_assert_cmpuint (n_called, ==, 2);
  g_assert_false (g_main_context_pending (NULL));
}

static gboolean
test_begins_anew (gpointer data, GError **error)
{
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return gtx_sleep (1, error);
}

/* ---- Outcomes ---- */

static void
test_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_test_run (fail, "no luck", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static gboolean
wait_for_ever (GtxFuture *future, GError **error)
{
  return gtx_await (future, error);
}

static gboolean
wait_with_another (GtxFuture *future, GError **error)
{
  g_autoptr (GtxTask) other = gtx_task_new (wait_for_ever, future, NULL);

  gtx_task_set_name (other, "the other");
  gtx_task_start (other);
  return gtx_sleep (1, error) && gtx_await (future, error);
}

static void
test_deadlock (void)
{
  if (g_test_subprocess ())
    {
      GtxFuture *future = gtx_future_new ();

      gtx_test_run (wait_with_another, future, NULL);
      return;
    }
  g_test_trap_subprocess (NULL, 10 * G_USEC_PER_SEC, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*Deadlock*\nTask-1 (wait_with_another): waits for future 0x*\nthe other (wait_for_ever): waits for future 0x*");
}

/* The main loop checks this source last in each turn, after the source that detects a deadlock.
 * Here it adds an event, as the last act of a thread may.  The turn's check does not see this
 * event. */
typedef struct
{
  GSource source;
  GtxFuture *future;
  guint n_left;                 /* other events, before the one that sets the future */
} LastAct;

static gboolean
last_act_prepare (GSource *source, gint *timeout)
{
  *timeout = -1;
  return FALSE;
}

static gboolean
do_nothing (gpointer data)
{
  return G_SOURCE_REMOVE;
}

static gboolean
last_act_check (GSource *source)
{
  LastAct *self = (LastAct *) (void *) source;

  if (self->n_left-- > 0)
    g_idle_add (do_nothing, NULL);
  else
    g_idle_add (set_future, self->future);
  return FALSE;
}

static gboolean
await_last_act (gpointer data, GError **error)
{
  static GSourceFuncs funcs = { last_act_prepare, last_act_check, NULL, NULL, NULL, NULL };
  g_autoptr (GSource) source = g_source_new (&funcs, sizeof (LastAct));
  LastAct *self = (LastAct *) (void *) source;
  g_autoptr (GtxFuture) future = gtx_future_new ();

  self->future = future;
  self->n_left = 2;
  g_source_set_priority (source, G_MAXINT);
  g_source_attach (source, NULL);
  g_assert_true (gtx_await (future, error));
  g_source_destroy (source);
  return TRUE;
}

/* The test needs a process of its own, without other threads. */
static void
test_last_act (void)
{
  if (g_test_subprocess ())
    {
      g_assert_true (gtx_test_run (await_last_act, NULL, NULL));
      return;
    }
  g_test_trap_subprocess (NULL, 60 * G_USEC_PER_SEC, 0);
  g_test_trap_assert_passed ();
}

static GTask *unanswered;

static void
ask_async (gpointer nothing, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  unanswered = g_task_new (NULL, NULL, callback, data);
}

static gboolean
ask (gpointer data, GError **error)
{
  ask_async (NULL, GTX_ASYNC);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

static gboolean
ask_in_time (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (ask, NULL, NULL);

  return gtx_wait_for (task, 2, error);
}

/* The test is about this message, at which the operation is answered. */
static GLogWriterOutput
answer_what_was_told (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  g_autoptr (GTask) task = g_steal_pointer (&unanswered);

  g_task_return_boolean (task, TRUE);
  return g_log_writer_default (level, fields, n, data);
}

/* Time does not jump past an operation, so a timeout around the operation does not expire. */
static void
test_stands_still (void)
{
  if (g_test_subprocess ())
    {
      g_log_set_writer_func (answer_what_was_told, NULL, NULL);
      g_assert_true (gtx_test_run (ask_in_time, NULL, NULL));
      return;
    }
  g_test_trap_subprocess (NULL, 20 * G_USEC_PER_SEC, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*virtual time stands still*\nTask-1 (ask_in_time): waits for *"
                             "Task-2 (ask): waits for the operation*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/virtual-time/takes-no-time", test_takes_no_time);
  add_coroutine ("/virtual-time/order", test_order);
  add_coroutine ("/virtual-time/work", test_work);
  add_coroutine ("/virtual-time/waits-for/operation", test_operation);
  add_coroutine ("/virtual-time/waits-for/idle-sources", test_idle_sources);
  add_coroutine ("/virtual-time/others/signal", test_signal);
  add_coroutine ("/virtual-time/others/future", test_future);
  add_coroutine ("/virtual-time/others/after-work", test_after_work);
  add_coroutine ("/virtual-time/others/timers", test_others_timers);
  add_coroutine ("/virtual-time/others/descriptor", test_descriptor);
  add_coroutine ("/virtual-time/others/thread", test_thread);
  add_coroutine ("/virtual-time/others/unix-signal", test_unix_signal);
  add_coroutine ("/virtual-time/held", test_held);
  g_test_add_func ("/virtual-time/leaves-nothing", test_leaves_nothing);
  add_coroutine ("/virtual-time/begins-anew", test_begins_anew);
  g_test_add_func ("/virtual-time/error", test_error);
  g_test_add_func ("/virtual-time/deadlock", test_deadlock);
  g_test_add_func ("/virtual-time/deadlock/last-act", test_last_act);
  g_test_add_func ("/virtual-time/stands-still", test_stands_still);
  return g_test_run ();
}
