/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The printed description of each kind of wait.  It is no longer printed after the wait. */

#include "fixture.h"

static GString *printed;

static void
keep (const char *text)
{
  g_string_append (printed, text);
}

static char *
print_tasks (void)
{
  GPrintFunc old = g_set_printerr_handler (keep);

  printed = g_string_new (NULL);
  gtx_print_tasks ();
  g_set_printerr_handler (old);
  return g_string_free (g_steal_pointer (&printed), FALSE);
}

typedef struct
{
  GtxTask *a;
  GtxFuture *b;
} Pair;

static GPtrArray *
both (Pair *pair)
{
  GPtrArray *futures = g_ptr_array_new ();

  g_ptr_array_add (futures, pair->a);
  g_ptr_array_add (futures, pair->b);
  return futures;
}

static gboolean
wait_for_both (Pair *pair, GError **error)
{
  g_autoptr (GPtrArray) futures = both (pair);

  return gtx_wait (futures, GTX_ALL_COMPLETED, 5, error);
}

static gboolean
take_next (Pair *pair, GError **error)
{
  g_autoptr (GPtrArray) futures = both (pair);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (futures, 5, error);

  return gtx_as_completed_next (each, error) != NULL;
}

static gboolean
race_both (Pair *pair, GError **error)
{
  g_autoptr (GPtrArray) futures = both (pair);

  return gtx_race (futures, error) != NULL;
}

static gboolean
try_both (Pair *pair, GError **error)
{
  g_autoptr (GPtrArray) futures = both (pair);

  return gtx_any (futures, error) != NULL;
}

static gboolean
wait_for_so_long (Pair *pair, GError **error)
{
  return gtx_wait_for (pair->a, 5, error);
}

static gboolean
wait_in_time (Pair *pair, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, 5);
  gtx_await (pair->a, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

static gboolean
await_shielded (Pair *pair, GError **error)
{
  g_autoptr (GtxFuture) shielded = gtx_shield (pair->a);

  return gtx_await (shielded, error);
}

static gboolean
sleep_shielded (gpointer data, GError **error)
{
  gtx_task_set_name (gtx_current_task (), "shielded");
  return gtx_sleep (1, error);
}

static gboolean
call_shielded (Pair *pair, GError **error)
{
  return gtx_call_shielded (5, sleep_shielded, NULL, error);
}

static gboolean
await_condition (Pair *pair, GError **error)
{
  g_autoptr (GtxCondition) condition = gtx_condition_new (NULL);

  return gtx_lock_acquire (gtx_condition_get_lock (condition), error) &&
         gtx_condition_wait (condition, error);
}

static void
assert_has_lines (const char *text, const char *expected)
{
  const char *found = strstr (text, expected);

  if (found == NULL)
    g_test_message ("%s", text);
  g_assert_nonnull (found);
}

/* The task waits for the task "a", which sleeps, and for a future, as @coroutine does. */
static void
assert_printed (GtxCoroutine coroutine, const char *expected)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxFuture) b = gtx_future_new ();
  Pair pair = { a, b };
  g_autoptr (GtxTask) task = gtx_create_task_named ("waits", coroutine, &pair, NULL);
  g_autofree char *text = NULL;
  g_autofree char *after = NULL;

  gtx_task_set_name (a, "a");
  gtx_task_set_name (task, "task");
  gtx_sleep (0.5, NULL);
  text = print_tasks ();
  assert_has_lines (text, expected);
  gtx_cancel (task);
  gtx_cancel (a);
  gtx_sleep (1, NULL);
  after = print_tasks ();
  g_assert_null (strstr (after, "waits"));
}

/* The waiting task is printed, and no future below it. */
static void
assert_printed_alone (GtxCoroutine coroutine, const char *what)
{
  g_autofree char *expected = g_strconcat ("task (waits): waits for ", what, " 0x", NULL);

  assert_printed (coroutine, expected);
}

#define SLEEPS "a (sleep_long): waits for a sleep, 999.500 s left\n"

static gboolean
test_wait (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) wait_for_both, "task (waits): waits for all of 2, 4.500 s left\n└─ " SLEEPS);
  return TRUE;
}

static gboolean
test_as_completed (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) take_next, "task (waits): waits for the next of 2, 4.500 s left\n└─ " SLEEPS);
  return TRUE;
}

static gboolean
test_first (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) race_both, "task (waits): waits for the first of 2\n└─ " SLEEPS);
  assert_printed ((GtxCoroutine) try_both, "task (waits): waits for the first success of 2\n└─ " SLEEPS);
  return TRUE;
}

static gboolean
test_wait_for (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) wait_for_so_long, "task (waits): waits for task a\n└─ " SLEEPS);
  return TRUE;
}

static gboolean
test_timeout (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) wait_in_time, "task (waits): waits for task a\n└─ " SLEEPS);
  return TRUE;
}

/* A shield is a future; the shielded task is printed by itself. */
static gboolean
test_shield (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) await_shielded, SLEEPS "task (waits): waits for future 0x");
  return TRUE;
}

static gboolean
test_call_shielded (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) call_shielded,
                  "task (waits): waits for the shielded task shielded\n"
                  "└─ shielded (sleep_shielded): waits for a sleep, 0.500 s left\n");
  return TRUE;
}

static gboolean
test_condition (gpointer data, GError **error)
{
  assert_printed_alone ((GtxCoroutine) await_condition, "condition");
  return TRUE;
}

static gboolean
read_under_lock (Pair *pair, GError **error)
{
  g_autoptr (GtxRWLock) lock = gtx_rw_lock_new ();

  return gtx_rw_lock_write_acquire (lock, error) && gtx_rw_lock_read_acquire (lock, error);
}

static gboolean
write_under_lock (Pair *pair, GError **error)
{
  g_autoptr (GtxRWLock) lock = gtx_rw_lock_new ();

  return gtx_rw_lock_read_acquire (lock, error) && gtx_rw_lock_write_acquire (lock, error);
}

static gboolean
test_rw_lock (gpointer data, GError **error)
{
  assert_printed_alone ((GtxCoroutine) read_under_lock, "a turn to read under lock");
  assert_printed_alone ((GtxCoroutine) write_under_lock, "a turn to write under lock");
  return TRUE;
}

static gboolean
receive_item (Pair *pair, GError **error)
{
  g_autoptr (GtxChannel) channel = gtx_channel_new (0, NULL);

  return gtx_channel_receive (channel, error) != NULL;
}

static gboolean
send_items (Pair *pair, GError **error)
{
  g_autoptr (GtxChannel) channel = gtx_channel_new (1, NULL);

  return gtx_channel_send (channel, pair, error) && gtx_channel_send (channel, pair, error);
}

static gboolean
receive_of_subscription (Pair *pair, GError **error)
{
  g_autoptr (GtxBroadcast) broadcast = gtx_broadcast_new (1, NULL, NULL);
  g_autoptr (GtxSubscription) subscription = gtx_broadcast_subscribe (broadcast);

  return gtx_subscription_receive (subscription, NULL, error) != NULL;
}

static gboolean
test_channel (gpointer data, GError **error)
{
  assert_printed_alone ((GtxCoroutine) receive_item, "an item of channel");
  assert_printed_alone ((GtxCoroutine) send_items, "room in channel");
  assert_printed_alone ((GtxCoroutine) receive_of_subscription, "an item of subscription");
  return TRUE;
}

static gboolean
join_scope (Pair *pair, GError **error)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  GtxScope *scope = gtx_object_get_scope (object);

  gtx_task_set_name (gtx_scope_create_task (scope, await_future, pair->b, NULL), "of the scope");
  return gtx_scope_join (scope, error);
}

static gboolean
test_scope (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) join_scope, "task (waits): waits for scope 0x");
  assert_printed ((GtxCoroutine) join_scope, "\n└─ of the scope (await_future): waits for future 0x");
  return TRUE;
}

static gboolean
let_others_fail (Pair *pair, GError **error)
{
  g_autoptr (GtxTask) failing = gtx_create_task (fail, "broken", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_gather_list (GTX_GATHER_NONE, &failure, pair->a, failing, NULL));
  return gtx_await (pair->b, error);
}

/* Futures that a gathering no longer watches are not below the task that gathered. */
static gboolean
test_gathering_failed (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) let_others_fail, SLEEPS "task (waits): waits for future 0x");
  return TRUE;
}

static gboolean
clean_up_slowly (gpointer data, GError **error)
{
  g_assert_false (gtx_sleep (1000, error));
  gtx_sleep (1, NULL);
  return FALSE;
}

static gboolean
wait_no_time (Pair *pair, GError **error)
{
  g_autoptr (GtxTask) slow = gtx_create_task (clean_up_slowly, NULL, NULL);

  gtx_task_set_name (slow, "slow");
  return gtx_sleep (0, error) && gtx_wait_for (slow, 0, error);
}

/* The time is over; the task waits for the future that was cancelled. */
static gboolean
test_wait_for_no_time (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) wait_no_time, "task (waits): waits for all of 1\n"
                  "└─ slow (clean_up_slowly): waits for a sleep, 0.500 s left\n");
  return TRUE;
}

static gboolean
race_slow (Pair *pair, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (tasks, gtx_create_task (clean_up_slowly, NULL, NULL));
  g_ptr_array_add (tasks, gtx_create_task (note_and_return, "first", NULL));
  gtx_task_set_name (tasks->pdata[0], "slow");
  return gtx_race (tasks, error) != NULL;
}

/* The others were cancelled, and are waited for. */
static gboolean
test_others (gpointer data, GError **error)
{
  assert_printed ((GtxCoroutine) race_slow, "task (waits): waits for the others of 2\n"
                  "└─ slow (clean_up_slowly): waits for a sleep, 0.500 s left\n");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  /* GLib uses this instead of the locale's character set. */
  g_setenv ("CHARSET", "UTF-8", FALSE);
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/print-waits/wait", test_wait);
  add_coroutine ("/print-waits/as-completed", test_as_completed);
  add_coroutine ("/print-waits/first", test_first);
  add_coroutine ("/print-waits/others", test_others);
  add_coroutine ("/print-waits/wait-for", test_wait_for);
  add_coroutine ("/print-waits/wait-for/no-time", test_wait_for_no_time);
  add_coroutine ("/print-waits/gathering-failed", test_gathering_failed);
  add_coroutine ("/print-waits/timeout", test_timeout);
  add_coroutine ("/print-waits/shield", test_shield);
  add_coroutine ("/print-waits/call-shielded", test_call_shielded);
  add_coroutine ("/print-waits/condition", test_condition);
  add_coroutine ("/print-waits/rw-lock", test_rw_lock);
  add_coroutine ("/print-waits/channel", test_channel);
  add_coroutine ("/print-waits/scope", test_scope);
  return g_test_run ();
}
