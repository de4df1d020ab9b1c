/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static gboolean
await_shielded (GtxTask *task, GError **error)
{
  g_autoptr (GtxFuture) shielded = gtx_shield (task);

  return gtx_await (shielded, error);
}

static gboolean
test_leaves_alone (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_create_task (sleep_and_note, "5:inner", NULL);
  g_autoptr (GtxTask) outer = gtx_create_task (await_shielded, inner, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0.001, NULL);
  gtx_cancel (outer);
  g_assert_false (gtx_await (outer, &failure));
  assert_cancelled (failure);
  g_assert_false (gtx_future_is_done (inner));
  g_assert_true (gtx_await (inner, error));
  assert_trace ("inner");
  return TRUE;
}

static char *
make_word (gpointer data, GError **error)
{
  return gtx_sleep (0, error) ? g_strdup ("word") : NULL;
}

static gboolean
test_result (gpointer data, GError **error)
{
  GtxTask *inner = gtx_create_task_pointer (make_word, NULL, NULL, count_free);
  GtxFuture *shielded = gtx_shield (inner);

  g_assert_cmpstr (gtx_await_peek_pointer (shielded, error), ==, "word");
  g_object_unref (inner);
  g_assert_cmpstr (gtx_future_get_result (shielded), ==, "word");
  g_object_unref (shielded);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

/* Taking the result from one future takes it from all. */
static gboolean
test_result_taken (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_create_task_pointer (make_word, NULL, NULL, count_free);
  g_autoptr (GtxFuture) shielded = gtx_shield (inner);
  g_autoptr (GtxFuture) twice = gtx_shield (shielded);
  g_autofree char *word = gtx_await_pointer (twice, error);
  GtxFuture *others[] = { (GtxFuture *) inner, shielded, twice };

  g_assert_cmpstr (word, ==, "word");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_null (gtx_await_pointer (others[i], &failure));
      g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
      g_assert_null (gtx_future_get_result (others[i]));
    }
  g_clear_object (&twice);
  g_clear_object (&shielded);
  g_clear_object (&inner);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_create_task (fail, "broken", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (await_shielded (inner, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

static gboolean
test_done_before (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) inner = gtx_future_new ();
  g_autoptr (GtxFuture) outer = NULL;

  gtx_future_set_result (inner, (gpointer) "done", NULL);
  outer = gtx_shield (inner);
  g_assert_true (outer == inner);
  g_assert_true (gtx_await (outer, error));
  g_assert_cmpstr (gtx_future_get_result (outer), ==, "done");
  return TRUE;
}

static gboolean
test_inner_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) inner = gtx_future_new ();
  g_autoptr (GtxFuture) outer = gtx_shield (inner);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (inner);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_future_is_cancelled (outer));
  return TRUE;
}

static gboolean
await_shielded_call (const char *what, GError **error)
{
  g_autoptr (GtxTask) unstarted = gtx_task_new (sleep_and_note, what, NULL);
  gboolean succeeded = await_shielded (unstarted, error);

  note (succeeded ? "awaited" : "left");
  return succeeded;
}

/* The inner task has no other references.  It goes on after the task that created it has ended. */
static gboolean
test_unstarted (gpointer data, GError **error)
{
  g_autoptr (GtxTask) outer = gtx_create_task (await_shielded_call, "5:inner", NULL);

  g_assert_true (gtx_sleep (0.001, error));
  gtx_cancel (outer);
  g_assert_false (gtx_await (outer, NULL));
  assert_trace ("left");
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("inner");
  return TRUE;
}

/* Neither future keeps the other alive for ever. */
static gboolean
test_dropped (gpointer data, GError **error)
{
  GtxFuture *inner = gtx_future_new ();
  GtxFuture *outer = gtx_shield (inner);

  g_object_add_weak_pointer (G_OBJECT (outer), (gpointer *) &outer);
  g_object_unref (outer);
  g_object_unref (inner);
  g_assert_null (outer);
  return TRUE;
}

/* A program may wait for a long future in many short shields, so a cancelled shield must
 * be freed. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) inner = gtx_future_new ();
  GtxFuture *outer = gtx_shield (inner);

  g_object_add_weak_pointer (G_OBJECT (outer), (gpointer *) &outer);
  gtx_cancel (outer);
  gtx_sleep (0, NULL);
  g_object_unref (outer);
  g_assert_null (outer);
  return TRUE;
}

#define expect_never_retrieved()                                               \
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING,                      \
                         "A GtxFuture: its error was never retrieved: broken")

static GError *
some_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "broken");
}

/* The library warns of an error that is not retrieved, whether it comes before or after the
 * request. */
static gboolean
test_fails_meanwhile (gpointer data, GError **error)
{
  GtxFuture *inner = gtx_future_new ();
  g_autoptr (GtxFuture) outer = gtx_shield (inner);

  gtx_cancel (outer);
  gtx_future_set_error (inner, some_error ());
  gtx_sleep (0, NULL);
  expect_never_retrieved ();
  g_object_unref (inner);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
test_fails_later (gpointer data, GError **error)
{
  GtxFuture *inner = gtx_future_new ();
  g_autoptr (GtxFuture) outer = gtx_shield (inner);

  gtx_cancel (outer);
  gtx_sleep (0, NULL);
  gtx_future_set_error (inner, some_error ());
  gtx_sleep (0, NULL);
  expect_never_retrieved ();
  g_object_unref (inner);
  g_test_assert_expected_messages ();
  return TRUE;
}

static void
cancel_shield_of (GtxFuture *inner)
{
  g_autoptr (GtxFuture) outer = gtx_shield (inner);

  gtx_sleep (0, NULL);
  gtx_cancel (outer);
  gtx_sleep (0, NULL);
  g_assert_true (gtx_future_is_cancelled (outer));
}

/* The later outcome of the inner future can be queried. */
static gboolean
test_result_later (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) inner = gtx_future_new ();

  cancel_shield_of (inner);
  gtx_future_set_result (inner, (gpointer) "late", NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpstr (gtx_future_get_result (inner), ==, "late");
  return TRUE;
}

static gboolean
test_error_asked_for (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) inner = gtx_future_new ();

  cancel_shield_of (inner);
  cancel_shield_of (inner);
  gtx_future_set_error (inner, some_error ());
  g_assert_true (gtx_sleep (0, error));
  g_assert_error (gtx_future_get_error (inner), G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

/* ---- With gatherings ---- */

typedef struct
{
  gpointer a;
  gpointer b;
} Pair;

static gboolean
gather_pair (Pair *pair, GError **error)
{
  return gtx_gather_list (GTX_GATHER_NONE, error, pair->a, pair->b, NULL);
}

static gboolean
test_gathering (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) a = gtx_future_new ();
  g_autoptr (GtxFuture) b = gtx_future_new ();
  Pair pair = { a, b };
  g_autoptr (GtxTask) parent = gtx_create_task (gather_pair, &pair, NULL);

  cancel_shield_of ((GtxFuture *) parent);
  g_assert_false (gtx_future_is_done (a) || gtx_future_is_done (b));
  gtx_future_set_result (a, (gpointer) "1", NULL);
  gtx_future_set_result (b, (gpointer) "2", NULL);
  return gtx_await (parent, error);
}

static gboolean
test_gathered (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) a = gtx_future_new ();
  g_autoptr (GtxFuture) b = gtx_future_new ();
  g_autoptr (GtxFuture) shield_a = gtx_shield (a);
  g_autoptr (GtxFuture) shield_b = gtx_shield (b);
  Pair pair = { shield_a, shield_b };
  g_autoptr (GtxTask) parent = gtx_create_task (gather_pair, &pair, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (parent);
  g_assert_false (gtx_await (parent, NULL));
  g_assert_true (gtx_future_is_cancelled (parent));
  g_assert_true (gtx_future_is_cancelled (shield_a) && gtx_future_is_cancelled (shield_b));
  g_assert_false (gtx_future_is_done (a) || gtx_future_is_done (b));
  gtx_future_set_result (a, NULL, NULL);
  gtx_future_set_result (b, NULL, NULL);
  return gtx_sleep (0, error);
}

/* ---- Outside of tasks ---- */

static void
note_done (gpointer future, gpointer word)
{
  note (word);
}

/* An unstarted task is started in the thread's default main context. */
static void
test_outside (void)
{
  g_autoptr (GtxTask) inner = gtx_task_new (note_and_return, "inner", NULL);
  g_autoptr (GtxFuture) outer = gtx_shield (inner);

  trace = g_string_new (NULL);
  gtx_future_add_done_callback (outer, note_done, "outer", NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  assert_trace ("inner outer");
  g_string_free (g_steal_pointer (&trace), TRUE);
}

/* ---- Of another main context ---- */

typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
} Elsewhere;

static gpointer
run_loop (gpointer loop)
{
  g_main_loop_run (loop);
  return NULL;
}

static void
elsewhere_begin (Elsewhere *self)
{
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new ("elsewhere", run_loop, self->loop);
}

static void
elsewhere_end (Elsewhere *self)
{
  g_main_loop_quit (self->loop);
  g_thread_join (self->thread);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
}

static gboolean
do_nothing (gpointer data, GError **error)
{
  return TRUE;
}

/* Returns after the other context has handled all messages that were posted before. */
static gboolean
reach (Elsewhere *elsewhere, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_in (elsewhere->context, do_nothing, NULL, NULL);

  return gtx_await (task, error);
}

static gint n_gone;

static void
count_gone (gpointer data, GObject *object)
{
  g_atomic_int_inc (&n_gone);
}

/* A program may shield a long future of another context again and again, and that future drops each
 * shield. */
static gboolean
test_elsewhere_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = NULL;
  Elsewhere elsewhere;

  elsewhere_begin (&elsewhere);
  inner = gtx_create_task_in (elsewhere.context, sleep_long, NULL, NULL);
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (GtxFuture) outer = gtx_shield (inner);

      g_object_weak_ref (G_OBJECT (outer), count_gone, NULL);
      gtx_cancel (outer);
      if (!gtx_sleep (0, error))
        return FALSE;
    }
  g_assert_true (reach (&elsewhere, error));
  g_assert_cmpint (g_atomic_int_get (&n_gone), ==, 100);
  gtx_cancel (inner);
  g_assert_false (gtx_await (inner, NULL));
  elsewhere_end (&elsewhere);
  return TRUE;
}

/* A cancelled shield does not take an error that comes from another context. */
static gboolean
fail_when_told (GtxFuture *told, GError **error)
{
  return gtx_await (told, error) && fail ("broken", error);
}

static gboolean
test_elsewhere_fails_later (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) told = gtx_future_new ();
  Elsewhere elsewhere;
  GtxTask *inner;

  elsewhere_begin (&elsewhere);
  inner = gtx_create_task_in (elsewhere.context, fail_when_told, told, NULL);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GtxFuture) outer = gtx_shield (inner);

      gtx_cancel (outer);
      if (i == 0)
        gtx_sleep (0, NULL);
    }
  gtx_future_set_result (told, NULL, NULL);
  while (!gtx_future_is_done (inner))
    if (!gtx_sleep (0.001, error))
      return FALSE;
  g_assert_true (reach (&elsewhere, error));
  elsewhere_end (&elsewhere);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING,
                         "fail_when_told: its error was never retrieved: broken");
  g_object_unref (inner);
  g_test_assert_expected_messages ();
  return TRUE;
}

/* The future's main context goes away before the shield is freed. */
static gboolean
test_elsewhere_gone (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) inner = gtx_create_task_in (context, sleep_long, NULL, NULL);
  g_autoptr (GtxFuture) outer = gtx_shield (inner);

  g_clear_pointer (&context, g_main_context_unref);
  gtx_cancel (outer);
  return gtx_sleep (0, error);
}

/* ---- Virtual time ---- */

static gboolean
take_a_while (gpointer data, GError **error)
{
  g_usleep (10000);
  return TRUE;
}

/* Virtual time does not jump past the work of another thread. */
static gboolean
test_elsewhere_in_time (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = NULL;
  g_autoptr (GtxFuture) outer = NULL;
  Elsewhere elsewhere;
  gboolean succeeded;

  elsewhere_begin (&elsewhere);
  inner = gtx_create_task_in (elsewhere.context, take_a_while, NULL, NULL);
  outer = gtx_shield (inner);
  succeeded = gtx_wait_for (outer, 10, error);
  elsewhere_end (&elsewhere);
  return succeeded;
}

/* A shield that no task waits for any more does not stop virtual time. */
static gboolean
test_elsewhere_stops_waiting (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxFuture) inner = NULL;
  g_autoptr (GtxFuture) outer = NULL;

  g_main_context_push_thread_default (context);
  inner = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  outer = gtx_shield (inner);
  gtx_cancel (outer);
  return gtx_sleep (1, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/shield/leaves-alone", test_leaves_alone);
  add_coroutine ("/shield/result", test_result);
  add_coroutine ("/shield/result/taken", test_result_taken);
  add_coroutine ("/shield/error", test_error);
  add_coroutine ("/shield/dropped", test_dropped);
  add_coroutine ("/shield/cancelled", test_cancelled);
  add_coroutine ("/shield/cancelled/fails-meanwhile", test_fails_meanwhile);
  add_coroutine ("/shield/cancelled/fails-later", test_fails_later);
  add_coroutine ("/shield/done-before", test_done_before);
  add_coroutine ("/shield/inner-cancelled", test_inner_cancelled);
  add_coroutine ("/shield/unstarted", test_unstarted);
  add_coroutine ("/shield/cancelled/result-later", test_result_later);
  add_coroutine ("/shield/cancelled/error-asked-for", test_error_asked_for);
  add_coroutine ("/shield/gathering", test_gathering);
  add_coroutine ("/shield/gathered", test_gathered);
  g_test_add_func ("/shield/outside", test_outside);
  add_real_coroutine ("/shield/elsewhere/cancelled", test_elsewhere_cancelled);
  add_real_coroutine ("/shield/elsewhere/fails-later", test_elsewhere_fails_later);
  add_real_coroutine ("/shield/elsewhere/gone", test_elsewhere_gone);
  add_coroutine ("/shield/elsewhere/in-time", test_elsewhere_in_time);
  add_coroutine ("/shield/elsewhere/stops-waiting", test_elsewhere_stops_waiting);
  return g_test_run ();
}
