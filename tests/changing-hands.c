/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread of a main context: one thread uses the context before another runs it, and threads run
 * it in turn. */

#include "changing-hands.h"

/* ---- The default context, before its loop runs ---- */

static void
in_subprocess (void (*func) (void))
{
  if (g_test_subprocess ())
    {
      func ();
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

static void
create_while_another_thread_runs (void)
{
  Runner runner;
  gint n_ran = 0;
  gint n_created;

  runner_start (&runner, NULL);
  for (n_created = 0; n_created < 20000 && (n_created < 200 || g_atomic_int_get (&n_ran) == 0); n_created++)
    g_object_unref (gtx_create_task (count, &n_ran, NULL));
  wait_until (&n_ran, n_created);
  runner_stop (&runner);
}

static void
test_default_context (void)
{
  in_subprocess (create_while_another_thread_runs);
}

static void
on_over (gpointer future, gpointer loop)
{
  g_main_loop_quit (loop);
}

static gpointer
prepare_and_run (gpointer data)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GtxFuture) nap = gtx_sleep_future (0.01);
  g_autoptr (GtxFuture) operation = gtx_operation_future_new ();

  g_assert_nonnull (nap);
  g_assert_nonnull (operation);
  gtx_future_add_done_callback (nap, on_over, loop, NULL);
  g_main_loop_run (loop);
  g_assert_true (gtx_future_is_done (nap));
  return NULL;
}

/* The main thread has used its context before another thread runs it. */
static void
prepare_in_the_thread_that_runs (void)
{
  g_autoptr (GtxFuture) nap = gtx_sleep_future (0);
  gint n_ran = 0;

  g_object_unref (gtx_create_task (count, &n_ran, NULL));
  g_thread_join (g_thread_new ("program", prepare_and_run, NULL));
  g_assert_cmpint (n_ran, ==, 1);
  g_assert_true (gtx_future_is_done (nap));
}

static void
test_prepared (void)
{
  in_subprocess (prepare_in_the_thread_that_runs);
}

/* ---- A context of its own ---- */

static void
count_done (gpointer future, gpointer n)
{
  gtx_future_get_error (future);
  g_atomic_int_inc ((gint *) n);
}

static GtxFuture *
make_long_sleep (void)
{
  return gtx_sleep_future (1000);
}

/* A thread may do all of this while another thread begins to run the context.  Each of the four
 * futures is done once. */
static void
use_while_another_thread_begins (guint delay)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxFuture) nap = make_in (context, make_long_sleep);
  g_autoptr (GtxFuture) future = make_in (context, gtx_future_new);
  g_autoptr (GtxTask) cancelled = NULL;
  gint n_ran = 0;
  gint n_done = 0;
  Runner runner;

  gtx_future_add_done_callback (future, count_done, &n_done, NULL);
  runner_start (&runner, context);
  for (guint i = 0; i < delay; i++)
    g_object_unref (gtx_create_task_in (context, count, &n_ran, NULL));
  cancelled = gtx_create_task_in (context, sleep_long, NULL, NULL);
  gtx_future_add_done_callback (nap, count_done, &n_done, NULL);
  gtx_future_add_done_callback (cancelled, count_done, &n_done, NULL);
  gtx_cancel (nap);
  gtx_future_set_result (future, g_strdup ("result"), g_free);
  gtx_cancel (cancelled);
  for (guint i = 0; i < 10; i++)
    g_object_unref (gtx_create_task_in (context, count, &n_ran, NULL));
  wait_until (&n_done, 3);
  wait_until (&n_ran, (gint) delay + 10);
  runner_stop (&runner);
}

static void
test_own_context (void)
{
  for (guint i = 0; i < 300; i++)
    use_while_another_thread_begins (i % 100);
}

/* ---- From hand to hand ---- */

typedef struct
{
  GMainContext *context;
  GtxFuture *nap;
} Handed;

/* Pushes the context, waits for the future of the previous thread, and makes a future for the next
 * one. */
static gpointer
take_in_hand (gpointer data)
{
  Handed *handed = data;
  g_autoptr (GMainLoop) loop = g_main_loop_new (handed->context, FALSE);
  gint n_ran = 0;

  g_main_context_push_thread_default (handed->context);
  g_object_unref (gtx_create_task (count, &n_ran, NULL));
  gtx_future_add_done_callback (handed->nap, on_over, loop, NULL);
  g_main_loop_run (loop);
  g_assert_true (gtx_future_is_done (handed->nap));
  g_object_unref (handed->nap);
  handed->nap = gtx_sleep_future (0.001);
  g_main_context_pop_thread_default (handed->context);
  g_assert_cmpint (n_ran, ==, 1);
  return NULL;
}

static void
test_handed_over (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Handed handed = { context, make_in (context, make_long_sleep) };

  gtx_cancel (handed.nap);
  for (guint i = 0; i < 100; i++)
    {
      g_thread_join (g_thread_new ("hand", take_in_hand, &handed));
      take_in_hand (&handed);
    }
  gtx_cancel (handed.nap);
  g_object_unref (handed.nap);
}

/* ---- A thread that is in the middle of something ---- */

typedef struct
{
  Runner runner;
  GMainContext *context;
  gint n_turns;
  gint n_ran;
} PutOff;

static gboolean
count_turn (gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return G_SOURCE_REMOVE;
}

static void
not_called (gpointer future, gpointer data)
{
  g_assert_not_reached ();
}

/* This function runs while this thread owns the future's home. */
static void
begin_runner (gpointer data)
{
  PutOff *self = data;

  g_object_unref (gtx_create_task_in (self->context, count, &self->n_ran, NULL));
  call_in (self->context, count_turn, &self->n_turns);
  runner_start (&self->runner, self->context);
  wait_until (&self->n_turns, 1);
  call_in (self->context, count_turn, &self->n_turns);
  wait_until (&self->n_turns, 2);
  g_assert_cmpint (g_atomic_int_get (&self->n_ran), ==, 0);
}

static void
test_put_off (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxFuture) future = make_in (context, gtx_future_new);
  PutOff put_off = { .context = context };

  g_main_context_push_thread_default (context);
  gtx_future_add_done_callback (future, not_called, &put_off, begin_runner);
  g_main_context_pop_thread_default (context);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, not_called, &put_off), ==, 1);
  wait_until (&put_off.n_ran, 1);
  runner_stop (&put_off.runner);
}

/* Another thread drops the last reference to the context. */
static gpointer
unref_context (gpointer context)
{
  g_main_context_unref (context);
  return NULL;
}

static void
drop_context (gpointer data)
{
  GThread **thread = data;

  *thread = g_thread_new ("unref", unref_context, g_steal_pointer (thread));
  g_usleep (1000);
}

static void
test_context_goes (void)
{
  GMainContext *context = g_main_context_new ();
  GThread *thread = (gpointer) context;
  g_autoptr (GtxFuture) future = make_in (context, gtx_future_new);
  g_autoptr (GtxFuture) nap = make_in (context, make_long_sleep);

  g_main_context_push_thread_default (context);
  gtx_future_add_done_callback (future, not_called, &thread, drop_context);
  g_main_context_pop_thread_default (context);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, not_called, &thread), ==, 1);
  g_thread_join (thread);
  g_assert_error (gtx_future_get_error (nap), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  g_assert_true (gtx_future_set_result (future, NULL, NULL));
}

/* ---- All at once ---- */

#define N_CONTEXTS 3
#define N_ACTORS 4
#define N_FUTURES 16

/* The thread that has the mutex runs the context for a while. */
typedef struct
{
  GMutex mutex;
  GMainContext *context;
} Contested;

static Contested contested[N_CONTEXTS];
static GMutex futures_mutex;
static GtxFuture *futures[N_FUTURES];
static gint n_expected, n_happened;

static void
happen (gpointer future, gpointer data)
{
  gtx_future_get_error (future);
  g_atomic_int_inc (&n_happened);
}

static GtxFuture *
exchange_future (guint index, GtxFuture *future)
{
  GtxFuture *old;

  g_mutex_lock (&futures_mutex);
  old = futures[index];
  futures[index] = future;
  g_mutex_unlock (&futures_mutex);
  return old;
}

static gboolean
let_others_run (gpointer data, GError **error)
{
  return gtx_sleep (0, error) && gtx_sleep (0.0001, error);
}

static void
run_for_a_while (Contested *self)
{
  g_autoptr (GtxFuture) nap = NULL;

  if (!g_mutex_trylock (&self->mutex))
    return;
  g_main_context_push_thread_default (self->context);
  g_object_unref (gtx_create_task (let_others_run, NULL, NULL));
  nap = gtx_sleep_future (0.0001);
  for (int i = 0; i < 20; i++)
    g_main_context_iteration (self->context, FALSE);
  gtx_cancel (nap);
  gtx_cancel_all ();
  g_main_context_pop_thread_default (self->context);
  g_mutex_unlock (&self->mutex);
}

static void
make_something (Contested *self, guint index)
{
  g_autoptr (GtxTask) task = gtx_create_task_in (self->context, let_others_run, NULL, NULL);
  g_autoptr (GtxFuture) old = exchange_future (index, g_object_ref ((GtxFuture *) task));

  g_atomic_int_inc (&n_expected);
  gtx_future_add_done_callback (task, happen, NULL, NULL);
  if (old)
    gtx_cancel (old);
}

static void
cancel_something (guint index)
{
  g_autoptr (GtxFuture) old = exchange_future (index, NULL);

  if (old == NULL)
    return;
  g_atomic_int_inc (&n_expected);
  gtx_future_add_done_callback (old, happen, NULL, NULL);
  gtx_cancel (old);
}

static gpointer
act (gpointer seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (GPOINTER_TO_UINT (seed));
  guint n = RUNNING_ON_VALGRIND ? 300 : UNDER_TSAN || UNDER_ASAN ? 3000 : 10000;

  for (guint i = 0; i < n; i++)
    {
      Contested *any = &contested[g_rand_int_range (rand, 0, N_CONTEXTS)];

      switch (g_rand_int_range (rand, 0, 8))
        {
        case 0: run_for_a_while (any); break;
        case 1: case 2: cancel_something (g_rand_int_range (rand, 0, N_FUTURES)); break;
        default: make_something (any, g_rand_int_range (rand, 0, N_FUTURES));
        }
    }
  return NULL;
}

/* Other threads create tasks in the context all the time, so a thread that cancels all of them may
 * give up. */
static gboolean
is_fatal (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  return strstr (message, "others were started again and again while they were cancelled") == NULL;
}

static void
test_all_at_once (void)
{
  GThread *actors[N_ACTORS];

  for (guint i = 0; i < N_CONTEXTS; i++)
    contested[i].context = g_main_context_new ();
  g_test_log_set_fatal_handler (is_fatal, NULL);
  for (guint i = 0; i < N_ACTORS; i++)
    actors[i] = g_thread_new ("actor", act, GUINT_TO_POINTER (g_test_rand_int ()));
  for (guint i = 0; i < N_ACTORS; i++)
    g_thread_join (actors[i]);
  for (guint i = 0; i < N_FUTURES; i++)
    cancel_something (i);
  for (guint i = 0; i < N_CONTEXTS; i++)
    {
      run_for_a_while (&contested[i]);
      g_main_context_unref (contested[i].context);
    }
  g_assert_cmpint (n_happened, ==, n_expected);
}

/* ---- Callbacks on their way ---- */

static gpointer
add_callback (gpointer future)
{
  gtx_future_add_done_callback (future, not_called, &n_freed, NULL);
  return NULL;
}

/* A callback that another thread has added can be removed. */
static gboolean
take_back_of_thread (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  g_thread_join (g_thread_new ("adds", add_callback, future));
  g_assert_cmpuint (gtx_future_remove_done_callback (future, not_called, &n_freed), ==, 1);
  gtx_future_set_result (future, NULL, NULL);
  return gtx_sleep (0, error);
}

static gpointer
shield_and_cancel (gpointer inner)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GtxFuture *outer;

  g_main_context_push_thread_default (context);
  outer = gtx_shield (inner);
  gtx_cancel (outer);
  g_object_unref (outer);
  g_main_context_pop_thread_default (context);
  return g_steal_pointer (&context);
}

/* The shield is freed while its callback is still on its way to the inner future. */
static void
test_shield_overtakes (void)
{
  GtxFuture *inner = gtx_future_new ();
  GMainContext *context = g_thread_join (g_thread_new ("shields", shield_and_cancel, inner));

  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_unref (context);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  gtx_future_set_result (inner, NULL, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (inner);
}

/* A task that has a callback in its own context is not started in another one. */
static gpointer
start_watched (gpointer context)
{
  g_autoptr (GtxTask) task = gtx_task_new (sleep_long, NULL, NULL);

  gtx_future_add_done_callback (task, not_called, NULL, NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*gtx_task_start_in*has been started*");
  gtx_task_start_in (task, context);
  g_test_assert_expected_messages ();
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*was never awaited*");
  return NULL;
}

static void
test_watched_is_not_moved (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_thread_join (g_thread_new ("starts", start_watched, context));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_test_assert_expected_messages ();
}

/* ---- A context that goes in a task ---- */

static void
assert_outside (gpointer task, gpointer data)
{
  g_assert_null (gtx_current_task ());
  g_assert_false (gtx_sleep (1, NULL));
  n_freed++;
}

static gpointer
start_in_context (gpointer context)
{
  g_autoptr (GtxTask) task = gtx_create_task_in (context, sleep_long, NULL, NULL);

  gtx_future_add_done_callback (task, assert_outside, NULL, NULL);
  gtx_future_get_error (task);
  return g_steal_pointer (&task);
}

static gboolean
let_go_of_context (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) task = g_thread_join (g_thread_new ("starts", start_in_context, context));

  n_freed = 0;
  g_main_context_unref (context);
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_error (gtx_future_get_error (task), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  g_assert_true (gtx_current_task () != NULL);
  return gtx_sleep (0, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/changing-hands/default-context", test_default_context);
  g_test_add_func ("/changing-hands/prepared", test_prepared);
  g_test_add_func ("/changing-hands/own-context", test_own_context);
  g_test_add_func ("/changing-hands/handed-over", test_handed_over);
  g_test_add_func ("/changing-hands/put-off", test_put_off);
  g_test_add_func ("/changing-hands/context-goes", test_context_goes);
  g_test_add_func ("/changing-hands/all-at-once", test_all_at_once);
  add_coroutine ("/changing-hands/on-its-way/callback", take_back_of_thread);
  g_test_add_func ("/changing-hands/on-its-way/shield", test_shield_overtakes);
  g_test_add_func ("/changing-hands/on-its-way/start", test_watched_is_not_moved);
  add_coroutine ("/changing-hands/gone-in-task", let_go_of_context);
  return g_test_run ();
}
