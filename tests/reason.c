/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reasons of requests to cancel.  Where there are several, asyncio decides which is told. */

#include "fixture.h"

#define TOLD(reason) "The task was cancelled: " reason
#define TOLD_NONE "The task was cancelled"

#define assert_told(error, text)                                               \
  G_STMT_START {                                                               \
    assert_cancelled (error);                                                  \
    g_assert_cmpstr ((error)->message, ==, (text));                            \
  } G_STMT_END

/* Fails if @task does not end as cancelled with this text, for all who ask. */
static void
assert_ends (gpointer task, const char *text)
{
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (gtx_await (task, &error));
      assert_told (error, text);
    }
  g_assert_true (gtx_future_is_cancelled (task));
  assert_told (gtx_future_get_error (task), text);
}

/* Notes what the sleep was told. */
static gboolean
sleep_told (gpointer data, GError **error)
{
  if (gtx_sleep (100, error))
    return TRUE;
  note (strrchr ((*error)->message, ' ') + 1);
  return FALSE;
}

static gboolean
await_sleep (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_told, NULL, NULL);

  return gtx_await (task, error);
}

static gboolean
run_sleep (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (sleep_told, NULL, NULL);

  return gtx_await (task, error);
}

static gboolean
gather_sleeps (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_told, NULL, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (sleep_told, NULL, NULL);

  return gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL);
}

static gboolean
shield_sleep (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_told, NULL, NULL);
  g_autoptr (GtxFuture) shielded = gtx_shield (task);
  gboolean succeeded = gtx_await (shielded, error);

  gtx_cancel (task);
  return succeeded;
}

static gboolean
await_new_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  return gtx_await (future, error);
}

static gboolean
await_sleep_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_sleep_future (100);

  return gtx_await (future, error);
}

static gboolean
group_sleep (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_told, NULL, NULL, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* The block of the group is told. */
static gboolean
group_block (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  sleep_told (NULL, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

static gboolean
time_sleep (gpointer data, GError **error)
{
  return gtx_call_with_timeout (50, sleep_told, NULL, error);
}

static gboolean
get_item (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, NULL);

  return gtx_queue_get (queue, error) != NULL;
}

static gboolean
let_others_run (gpointer data, GError **error)
{
  while (gtx_sleep (0, error))
    ;
  return FALSE;
}

static gboolean
wait_for_sleep (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_told, NULL, NULL);

  return gtx_wait_for (task, 50, error);
}

static gboolean
call_shielded (gpointer data, GError **error)
{
  return gtx_call_shielded (0.1, sleep_told, NULL, NULL) || gtx_sleep (100, error);
}

typedef struct
{
  GtxCoroutine coroutine;
  const char *trace;            /* what sleepers are told */
} Way;

/* What a task awaits, and what the awaited are told. */
static const Way ways[] = {
  { sleep_told, "why" },
  { await_sleep, "why" },
  { run_sleep, "why" },
  { gather_sleeps, "why why" },
  { shield_sleep, "cancelled" },
  { await_new_future, "" },
  { await_sleep_future, "" },
  { group_sleep, "cancelled" },
  { group_block, "why" },
  { time_sleep, "why" },
  { get_item, "" },
  { wait_for_sleep, "why" },
  { call_shielded, "cancelled" },
};

static gboolean
test_ways (gpointer data, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task_named ("way", ways[i].coroutine, NULL, NULL);

      g_test_message ("way %u", i);
      g_assert_true (gtx_sleep (0.05, error));
      g_assert_true (gtx_cancel_with_reason (task, "why"));
      assert_ends (task, TOLD ("why"));
      assert_trace (ways[i].trace);
      g_assert_false (gtx_cancel_with_reason (task, "late"));
    }
  return gtx_sleep (1, error);
}

static gboolean
test_let_others_run (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (let_others_run, NULL, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel_with_reason (task, "enough");
  assert_ends (task, TOLD ("enough"));
  return TRUE;
}

/* ---- Several requests ---- */

typedef struct
{
  GtxCoroutine coroutine;
  gboolean begins;
  const char *first;
  const char *second;
  const char *told;
} Several;

/* As asyncio tells. */
static const Several cases[] = {
  { sleep_told, TRUE, "a", "b", TOLD ("a") },
  { sleep_told, TRUE, "a", NULL, TOLD ("a") },
  { sleep_told, TRUE, NULL, "b", TOLD_NONE },
  { await_sleep, TRUE, "a", "b", TOLD ("a") },
  { await_sleep, TRUE, "a", NULL, TOLD ("a") },
  { await_sleep, TRUE, NULL, "b", TOLD_NONE },
  { gather_sleeps, TRUE, "a", "b", TOLD ("a") },
  { sleep_told, FALSE, "a", "b", TOLD ("b") },
  { sleep_told, FALSE, "a", NULL, TOLD_NONE },
  { sleep_told, FALSE, NULL, "b", TOLD ("b") },
};

static gboolean
test_several (gpointer data, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task_named ("several", cases[i].coroutine, NULL, NULL);

      g_test_message ("case %u", i);
      if (cases[i].begins)
        g_assert_true (gtx_sleep (1, error));
      g_assert_true (gtx_cancel_with_reason (task, cases[i].first));
      g_assert_true (gtx_cancel_with_reason (task, cases[i].second));
      assert_ends (task, cases[i].told);
    }
  return TRUE;
}

/* Each of two waits is told of its own request. */
static gboolean
sleep_twice (gpointer data, GError **error)
{
  g_autoptr (GError) first = NULL;

  sleep_told (NULL, &first);
  return sleep_told (NULL, error);
}

static gboolean
test_again (gpointer data, GError **error)
{
  const char *second[] = { "b", NULL };

  for (guint i = 0; i < G_N_ELEMENTS (second); i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (sleep_twice, NULL, NULL);

      g_assert_true (gtx_sleep (1, error));
      gtx_cancel_with_reason (task, "a");
      g_assert_true (gtx_sleep (1, error));
      gtx_cancel_with_reason (task, second[i]);
      assert_ends (task, second[i] ? TOLD ("b") : TOLD_NONE);
      assert_trace (second[i] ? "a b" : "a cancelled");
    }
  return TRUE;
}

static gboolean
ask_itself (const char *reason, GError **error)
{
  gtx_cancel_with_reason (gtx_current_task (), "earlier");
  gtx_cancel_with_reason (gtx_current_task (), reason);
  return sleep_told (NULL, error);
}

static gboolean
test_own (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (ask_itself, (gpointer) "own", NULL);

  assert_ends (task, TOLD ("own"));
  assert_trace ("own");
  return TRUE;
}

static gboolean
ask_itself_and_return (gpointer data, GError **error)
{
  gtx_cancel_with_reason (gtx_current_task (), "unread");
  return TRUE;
}

/* A task that returns while the request is pending ends with its reason. */
static gboolean
test_undelivered (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (ask_itself_and_return, NULL, NULL);

  assert_ends (task, TOLD ("unread"));
  return TRUE;
}

/* A request that is withdrawn takes its reason with it. */
static gboolean
test_withdrawn (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  GtxTask *self = gtx_current_task ();

  gtx_cancel_with_reason (self, "withdrawn");
  gtx_uncancel (self);
  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (self);
  g_assert_false (gtx_sleep (1, &failure));
  assert_told (failure, TOLD_NONE);
  gtx_uncancel (self);
  return TRUE;
}

/* A timeout's own request has no reason, and an earlier one does not show. */
static gboolean
test_timeout (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  gtx_cancel_with_reason (gtx_current_task (), "a");
  g_assert_false (gtx_sleep (1, &first));
  assert_told (first, TOLD ("a"));
  gtx_uncancel (gtx_current_task ());
  gtx_timeout_begin (&timeout, 1);
  g_assert_false (gtx_sleep (2, &second));
  assert_told (second, TOLD_NONE);
  g_assert_false (gtx_timeout_end (&timeout, &second, NULL));
  return TRUE;
}

/* ---- Futures, and tasks that never begin ---- */

static gboolean
test_futures (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxFuture) below = gtx_future_new ();
  g_autoptr (GtxTask) unstarted = gtx_task_new (sleep_told, NULL, NULL);
  g_autoptr (GtxFuture) shielded = NULL;

  g_assert_true (gtx_cancel_with_reason (future, "a"));
  g_assert_false (gtx_cancel_with_reason (future, "b"));
  assert_ends (future, TOLD ("a"));
  g_assert_true (gtx_cancel_with_reason (unstarted, "never"));
  assert_ends (unstarted, TOLD ("never"));
  shielded = gtx_shield (below);
  g_assert_true (gtx_cancel_with_reason (below, "below"));
  assert_ends (shielded, TOLD ("below"));
  return TRUE;
}

/* ---- Where it shows ---- */

static gboolean
sleep_long_enough (gpointer data, GError **error)
{
  return gtx_sleep (10, error);
}

static gboolean
clean_up (gpointer data, GError **error)
{
  return gtx_call_shielded (GTX_FOREVER, sleep_long_enough, NULL, error);
}

static gboolean
test_shown (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (clean_up, NULL, NULL);
  g_autofree char *state = NULL;
  g_autofree char *later = NULL;

  g_assert_true (gtx_sleep (1, error));
  gtx_cancel_with_reason (task, "the end");
  state = gtx_task_describe_state (task);
  g_assert_nonnull (strstr (state, ", and is to be cancelled: the end"));
  gtx_cancel (task);
  later = gtx_task_describe_state (task);
  g_assert_true (g_str_has_suffix (later, ", and is to be cancelled"));
  assert_ends (task, TOLD_NONE);
  return TRUE;
}

/* ---- Other threads ---- */

static gpointer
cancel_in_thread (gpointer task)
{
  g_autofree char *reason = g_strdup ("from afar");

  g_assert_true (gtx_cancel_with_reason (task, reason));
  return NULL;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_sleep, NULL, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_thread_join (g_thread_new (NULL, cancel_in_thread, task));
  assert_ends (task, TOLD ("from afar"));
  return TRUE;
}

static void
test_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) future = NULL;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_true (gtx_cancel_with_reason (future, "gone"));
  g_assert_true (gtx_future_is_cancelled (future));
  assert_cancelled (gtx_future_get_error (future));
}

static void
test_mistake (void)
{
  g_autoptr (GObject) other = g_object_new (G_TYPE_OBJECT, NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_cancel_with_reason: takes a GtxFuture*");
  g_assert_false (gtx_cancel_with_reason (other, "no"));
  g_test_assert_expected_messages ();
}

static gboolean
sleep_a_moment (gpointer data, GError **error)
{
  return gtx_sleep (0.01, error);
}

/* A request that was dealt with is not the reason why the loser of a race is cancelled. */
static gboolean
test_race (gpointer data, GError **error)
{
  for (int withdraws = FALSE; withdraws <= TRUE; withdraws++)
    {
      g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
      const GError *loss;

      gtx_cancel_with_reason (gtx_current_task (), "the window was closed");
      g_assert_false (gtx_sleep (0, NULL));
      if (withdraws)
        gtx_uncancel (gtx_current_task ());
      g_ptr_array_add (futures, gtx_create_task (sleep_a_moment, NULL, NULL));
      g_ptr_array_add (futures, gtx_create_task (sleep_long, NULL, NULL));
      g_assert_true (gtx_race (futures, error) == futures->pdata[0]);
      loss = gtx_future_get_error (futures->pdata[1]);
      assert_cancelled (loss);
      g_assert_null (strstr (loss->message, "window"));
    }
  while (gtx_uncancel (gtx_current_task ()) > 0)
    ;
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/reason/ways", test_ways);
  add_coroutine ("/reason/ways/let-others-run", test_let_others_run);
  add_coroutine ("/reason/several", test_several);
  add_coroutine ("/reason/again", test_again);
  add_coroutine ("/reason/own", test_own);
  add_coroutine ("/reason/undelivered", test_undelivered);
  add_coroutine ("/reason/withdrawn", test_withdrawn);
  add_coroutine ("/reason/timeout", test_timeout);
  add_coroutine ("/reason/futures", test_futures);
  add_coroutine ("/reason/race", test_race);
  add_coroutine ("/reason/shown", test_shown);
  add_coroutine ("/reason/thread", test_thread);
  g_test_add_func ("/reason/context-gone", test_context_gone);
  g_test_add_func ("/reason/mistake", test_mistake);
  return g_test_run ();
}
