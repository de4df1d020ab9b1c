/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Broadcasts: what each subscription receives, what is missed and when items are freed; in one main
 * context, in several whose order the test decides, and with threads that run all at once. */

#include "puppet.h"

#include "fixture.h"

static GtxBroadcast *broadcast; /* a new one for each test, which keeps three words */
static gint n_copied;

static gpointer
count_copy (gpointer word)
{
  g_atomic_int_inc (&n_copied);
  return g_strdup (word);
}

static void
begin (void)
{
  n_copied = n_freed = 0;
  broadcast = gtx_broadcast_new (3, count_copy, count_free);
}

static void
send_word (const char *word)
{
  g_assert_true (gtx_broadcast_send (broadcast, g_strdup (word), NULL));
}

static void
send_words (const char *letters)
{
  for (; *letters; letters++)
    send_word ((char[]) { *letters, '\0' });
}

static void
assert_received (GtxSubscription *subscription, const char *word, guint64 missed)
{
  guint64 n_missed = G_MAXUINT64;
  g_autoptr (GError) error = NULL;
  g_autofree char *item = gtx_subscription_try_receive (subscription, &n_missed, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (item, ==, word);
  g_assert_cmpuint (n_missed, ==, missed);
}

static void
assert_nothing (GtxSubscription *subscription, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_subscription_try_receive (subscription, NULL, &error));
  g_assert_error (error, GTX_ERROR, code);
}

static gboolean
receive_and_note (GtxSubscription *subscription, GError **error)
{
  g_autofree char *item = gtx_subscription_receive (subscription, NULL, error);

  if (item == NULL)
    return FALSE;
  note (item);
  return TRUE;
}

static GtxTask *
receiver (GtxSubscription *subscription)
{
  return gtx_create_task (receive_and_note, subscription, NULL);
}

/* ---- What is received ---- */

static gboolean
test_all_receive (gpointer data, GError **error)
{
  g_autoptr (GtxSubscription) a = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxSubscription) b = NULL;

  send_word ("1");
  b = gtx_broadcast_subscribe (broadcast);
  send_word ("2");
  assert_received (a, "1", 0);
  assert_received (a, "2", 0);
  assert_received (b, "2", 0);
  assert_nothing (a, GTX_ERROR_QUEUE_EMPTY);
  assert_nothing (b, GTX_ERROR_QUEUE_EMPTY);
  return TRUE;
}

static gboolean
test_missed (gpointer data, GError **error)
{
  g_autoptr (GtxSubscription) slow = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxSubscription) fast = gtx_broadcast_subscribe (broadcast);

  send_words ("123");
  assert_received (fast, "1", 0);
  send_words ("45");
  assert_received (slow, "3", 2);
  assert_received (fast, "3", 1);
  assert_received (slow, "4", 0);
  send_words ("6789");
  assert_received (slow, "7", 2);
  assert_received (fast, "7", 3);
  assert_received (fast, "8", 0);
  assert_received (fast, "9", 0);
  assert_nothing (fast, GTX_ERROR_QUEUE_EMPTY);
  return TRUE;
}

/* An item is freed when the last one has had it, or when it is not kept any longer. */
static gboolean
test_freed (gpointer data, GError **error)
{
  GtxSubscription *a = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxSubscription) b = gtx_broadcast_subscribe (broadcast);

  send_words ("12");
  assert_received (a, "1", 0);
  g_assert_cmpint (n_freed, ==, 0);
  assert_received (b, "1", 0);
  g_assert_cmpint (n_freed, ==, 1);
  send_words ("345");
  g_assert_cmpint (n_freed, ==, 2);
  assert_received (b, "3", 1);
  g_assert_cmpint (n_freed, ==, 2);
  g_object_unref (a);
  g_assert_cmpint (n_freed, ==, 3);
  assert_received (b, "4", 0);
  assert_received (b, "5", 0);
  g_assert_cmpint (n_freed, ==, 5);
  g_assert_cmpint (n_copied, ==, 5);
  return TRUE;
}

static gboolean
test_nobody (gpointer data, GError **error)
{
  g_autoptr (GtxSubscription) late = NULL;

  send_word ("1");
  g_assert_cmpint (n_freed, ==, 1);
  late = gtx_broadcast_subscribe (broadcast);
  assert_nothing (late, GTX_ERROR_QUEUE_EMPTY);
  return TRUE;
}

/* What is kept goes with the last subscription, which may outlive the program's reference. */
static gboolean
test_let_go (gpointer data, GError **error)
{
  GtxSubscription *last = gtx_broadcast_subscribe (broadcast);

  send_words ("123");
  g_object_add_weak_pointer (G_OBJECT (broadcast), (gpointer *) &broadcast);
  g_object_unref (broadcast);
  assert_received (last, "1", 0);
  g_object_unref (last);
  g_assert_null (broadcast);
  g_assert_cmpint (n_freed, ==, 3);
  return TRUE;
}

/* Without functions the receivers get the pointer itself. */
static gboolean
test_plain_pointers (gpointer data, GError **error)
{
  g_autoptr (GtxBroadcast) own = gtx_broadcast_new (1, NULL, NULL);
  g_autoptr (GtxSubscription) a = gtx_broadcast_subscribe (own);
  guint64 n_missed;

  for (guint i = 1; i <= 5; i++)
    g_assert_true (gtx_broadcast_send (own, GUINT_TO_POINTER (i), error));
  g_assert_cmpuint (GPOINTER_TO_UINT (gtx_subscription_try_receive (a, &n_missed, error)), ==, 5);
  g_assert_cmpuint (n_missed, ==, 4);
  return TRUE;
}

/* ---- Waiting ---- */

static gboolean
test_wakes_all (gpointer data, GError **error)
{
  g_autoptr (GtxSubscription) a = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxSubscription) b = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxTask) first = receiver (a);
  g_autoptr (GtxTask) second = receiver (b);

  g_assert_true (gtx_sleep (0, error));
  send_word ("x");
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, first, second, NULL));
  assert_trace ("x x");
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

/* Of two tasks with one subscription, one gets the item. */
static gboolean
test_shared_subscription (gpointer data, GError **error)
{
  g_autoptr (GtxSubscription) a = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxTask) first = receiver (a);
  g_autoptr (GtxTask) second = receiver (a);
  g_autoptr (GtxTask) third = receiver (a);

  g_assert_true (gtx_sleep (0, error));
  send_word ("x");
  gtx_cancel (first);
  g_assert_true (gtx_await (second, error));
  g_assert_false (gtx_future_is_done (third));
  assert_ends_cancelled (first);
  send_word ("y");
  g_assert_true (gtx_await (third, error));
  assert_trace ("x y");
  return TRUE;
}

static gboolean
test_asked (gpointer data, GError **error)
{
  g_autoptr (GtxSubscription) a = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxTask) waiting = receiver (a);
  g_autoptr (GtxTask) woken = NULL;

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (waiting);
  send_word ("x");
  assert_ends_cancelled (waiting);
  assert_received (a, "x", 0);
  woken = receiver (a);
  g_assert_true (gtx_sleep (0, error));
  send_word ("y");
  gtx_cancel (woken);
  assert_ends_cancelled (woken);
  assert_received (a, "y", 0);
  return TRUE;
}

static gboolean
test_closed (gpointer data, GError **error)
{
  g_autoptr (GtxSubscription) a = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxSubscription) b = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxTask) waiting = NULL;
  g_autoptr (GError) failure = NULL;

  send_word ("x");
  assert_received (b, "x", 0);
  waiting = receiver (b);
  g_assert_true (gtx_sleep (0, error));
  g_assert_false (gtx_broadcast_is_closed (broadcast));
  gtx_broadcast_close (broadcast);
  g_assert_true (gtx_broadcast_is_closed (broadcast));
  g_assert_false (gtx_await (waiting, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_clear_error (&failure);
  g_assert_false (gtx_broadcast_send (broadcast, g_strdup ("y"), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_assert_true (receive_and_note (a, error));
  g_assert_cmpint (n_freed, ==, 2);
  assert_nothing (a, GTX_ERROR_QUEUE_SHUT_DOWN);
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GtxBroadcast) own = gtx_broadcast_new (1, NULL, NULL);
  g_autoptr (GtxSubscription) a = gtx_broadcast_subscribe (own);
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_subscription_receive (a, NULL, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

/* ---- In other threads ---- */

/* Keeps a reference to a task that never ends, so that leak checkers find it. */
static GtxTask *suspended_for_ever;

static gpointer
receive_word (GtxSubscription *subscription, GError **error)
{
  return gtx_subscription_receive (subscription, NULL, error);
}

static GtxTask *
receive_in (Puppet *puppet, GtxSubscription *subscription)
{
  GtxTask *task = gtx_create_task_pointer_in (puppet->context, receive_word, g_object_ref (subscription),
                                              g_object_unref, g_free);

  puppet_turn (puppet);
  return task;
}

/* One context runs, the task of another is cancelled when it is woken, and a third one goes. */
static void
test_contexts (void)
{
  Puppet puppets[3];
  GtxSubscription *subscriptions[3];
  GtxTask *tasks[3];

  begin ();
  for (guint i = 0; i < 3; i++)
    {
      puppet_begin (&puppets[i]);
      subscriptions[i] = gtx_broadcast_subscribe (broadcast);
      tasks[i] = receive_in (&puppets[i], subscriptions[i]);
    }
  send_word ("x");
  puppet_cancel (&puppets[1], tasks[1]);
  puppet_turn (&puppets[0]);
  puppet_turn (&puppets[1]);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A main context goes away with 1 suspended task*");
  puppet_end (&puppets[2]);
  g_test_assert_expected_messages ();
  suspended_for_ever = tasks[2];
  g_assert_cmpstr (gtx_future_get_result (tasks[0]), ==, "x");
  assert_cancelled (gtx_future_get_error (tasks[1]));
  assert_received (subscriptions[1], "x", 0);
  assert_received (subscriptions[2], "x", 0);
  g_assert_cmpint (n_freed, ==, 1);
  for (guint i = 0; i < 2; i++)
    {
      g_object_unref (tasks[i]);
      puppet_end (&puppets[i]);
      g_object_unref (subscriptions[i]);
    }
  /* The task that never ends keeps its data. */
  g_assert_cmpuint (G_OBJECT (subscriptions[2])->ref_count, ==, 2);
  g_object_unref (subscriptions[2]);
  g_object_unref (broadcast);
}

#define N_SENDERS 3
#define N_RECEIVERS 4

static guint n_each;

static gpointer
send_numbers (gpointer sender)
{
  for (guint i = 0; i < n_each; i++)
    gtx_broadcast_send (broadcast, g_strdup_printf ("%u %u", GPOINTER_TO_UINT (sender), i), NULL);
  return NULL;
}

/* What was received and what was missed are all that was sent, each sender's in order. */
static gboolean
receive_numbers (GtxSubscription *subscription, GError **error)
{
  guint next[N_SENDERS] = { 0 };
  guint64 n_received = 0, n_missed = 0;
  g_autoptr (GError) end = NULL;
  char *item;

  for (guint64 missed; (item = gtx_subscription_receive (subscription, &missed, &end)); g_free (item))
    {
      guint sender = (guint) atoi (item);
      guint index = (guint) atoi (strchr (item, ' '));

      g_assert_cmpuint (index, >=, next[sender]);
      next[sender] = index + 1;
      n_received++;
      n_missed += missed;
    }
  g_assert_error (end, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  for (guint i = 0; i < N_SENDERS; i++)
    g_assert_cmpuint (next[i], <=, n_each);
  g_assert_cmpuint (n_received + n_missed, ==, (guint64) N_SENDERS * n_each);
  return TRUE;
}

static gpointer
run_receiver (gpointer subscription)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (receive_numbers, (GtxSubscription *) subscription, &error));
  g_main_context_pop_thread_default (context);
  g_object_unref (subscription);
  return NULL;
}

static void
test_all_at_once (void)
{
  GThread *senders[N_SENDERS];
  GThread *receivers[N_RECEIVERS];

  begin ();
  n_each = RUNNING_ON_VALGRIND ? 300 : 5000;
  for (guint i = 0; i < N_RECEIVERS; i++)
    receivers[i] = g_thread_new ("receiver", run_receiver, gtx_broadcast_subscribe (broadcast));
  for (guint i = 0; i < N_SENDERS; i++)
    senders[i] = g_thread_new ("sender", send_numbers, GUINT_TO_POINTER (i));
  for (guint i = 0; i < N_SENDERS; i++)
    g_thread_join (senders[i]);
  gtx_broadcast_close (broadcast);
  for (guint i = 0; i < N_RECEIVERS; i++)
    g_thread_join (receivers[i]);
  g_assert_cmpint (n_freed, ==, (gint) (N_SENDERS * n_each));
  g_test_message ("%u sent, %d received", N_SENDERS * n_each, n_copied);
  g_object_unref (broadcast);
}

static void
run_with_broadcast (gconstpointer data)
{
  begin ();
  run_coroutine (data);
  g_clear_object (&broadcast);
}

#define add(path, coroutine) add_run_ ("/broadcast/" path, (coroutine), run_with_broadcast)

/* Never has to wait. */
static gboolean
keep_busy (GtxSubscription *subscription, GError **error)
{
  for (;;)
    {
      g_autofree char *word = NULL;

      send_word ("x");
      word = gtx_subscription_receive (subscription, NULL, error);
      if (word == NULL)
        return FALSE;
    }
}

/* A request gets to a task that keeps the broadcast busy. */
static gboolean
test_busy_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxSubscription) subscription = gtx_broadcast_subscribe (broadcast);
  g_autoptr (GtxTask) task = gtx_create_task (keep_busy, subscription, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  assert_ends_cancelled (task);
  return TRUE;
}

static gpointer
copy_nothing (gpointer word)
{
  return NULL;
}

static gboolean
test_copy_of_nothing (gpointer data, GError **error)
{
  g_autoptr (GtxBroadcast) own = gtx_broadcast_new (1, copy_nothing, g_free);
  g_autoptr (GtxSubscription) subscription = gtx_broadcast_subscribe (own);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_broadcast_send (own, g_strdup ("x"), error));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*item_copy*NULL*");
  g_assert_null (gtx_subscription_try_receive (subscription, NULL, &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NO_REASON);
  return TRUE;
}

/* Objects that were made without their functions, and functions that do not fit together. */
static void
test_mistakes (void)
{
  g_autoptr (GtxBroadcast) bare = g_object_new (GTX_TYPE_BROADCAST, NULL);
  g_autoptr (GtxSubscription) subscription = gtx_broadcast_subscribe (bare);
  g_autoptr (GtxSubscription) without = g_object_new (GTX_TYPE_SUBSCRIPTION, NULL);

  g_assert_true (gtx_broadcast_send (bare, (gpointer) "x", NULL));
  g_assert_cmpstr (gtx_subscription_try_receive (subscription, NULL, NULL), ==, "x");
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*broadcast != NULL*");
  g_assert_null (gtx_subscription_try_receive (without, NULL, NULL));
  g_test_assert_expected_messages ();
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*item_copy != NULL*");
  g_assert_null (gtx_broadcast_new (4, NULL, g_free));
  g_test_assert_expected_messages ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("all-receive", test_all_receive);
  add ("missed", test_missed);
  add ("freed", test_freed);
  add ("nobody", test_nobody);
  add ("let-go", test_let_go);
  add ("plain-pointers", test_plain_pointers);
  add ("wakes-all", test_wakes_all);
  add ("shared-subscription", test_shared_subscription);
  add ("asked", test_asked);
  add ("busy-cancelled", test_busy_cancelled);
  add ("copy-of-nothing", test_copy_of_nothing);
  g_test_add_func ("/broadcast/mistakes", test_mistakes);
  add ("closed", test_closed);
  g_test_add_func ("/broadcast/outside", test_outside);
  g_test_add_func ("/broadcast/contexts", test_contexts);
  g_test_add_func ("/broadcast/all-at-once", test_all_at_once);
  return g_test_run ();
}
