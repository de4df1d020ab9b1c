/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Channels between main contexts of several threads, in an order that the test decides; and main
 * contexts that go. */

#include "puppet.h"

#include "fixture.h"

static GtxChannel *channel;     /* a new one for each test, for two words */
static Puppet left, right;

static gboolean
send_word (const char *word, GError **error)
{
  return gtx_channel_send (channel, g_strdup (word), error);
}

static gpointer
receive_word (gpointer data, GError **error)
{
  return gtx_channel_receive (channel, error);
}

/* The task waits when these return, or has ended. */
static GtxTask *
send_in (Puppet *puppet, const char *word)
{
  GtxTask *task = gtx_create_task_in (puppet->context, send_word, word, NULL);

  puppet_turn (puppet);
  return task;
}

static GtxTask *
receive_in (Puppet *puppet)
{
  GtxTask *task = gtx_create_task_pointer_in (puppet->context, receive_word, NULL, NULL, g_free);

  puppet_turn (puppet);
  return task;
}

static void
assert_sent (const char *word)
{
  g_assert_true (gtx_channel_try_send (channel, g_strdup (word), NULL));
}

static void
assert_received (const char *word)
{
  g_autofree char *item = gtx_channel_try_receive (channel, NULL);

  g_assert_cmpstr (item, ==, word);
}

/* Drops the task. */
static void
assert_got (GtxTask *task, const char *word)
{
  g_assert_cmpstr (gtx_future_get_result (task), ==, word);
  g_object_unref (task);
}

static void
assert_failed (GtxTask *task, GQuark domain, int code)
{
  g_assert_error (gtx_future_get_error (task), domain, code);
  g_object_unref (task);
}

#define assert_was_cancelled(task) assert_failed ((task), G_IO_ERROR, G_IO_ERROR_CANCELLED)
#define assert_was_refused(task) assert_failed ((task), GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN)

static void
test_receivers (void)
{
  GtxTask *a = receive_in (&left);
  GtxTask *b = receive_in (&right);
  GtxTask *c = receive_in (&left);

  assert_sent ("x");
  assert_sent ("y");
  assert_received (NULL);
  puppet_turn (&left);
  assert_got (a, "x");
  g_assert_false (gtx_future_is_done (c));
  puppet_turn (&right);
  assert_got (b, "y");
  assert_sent ("z");
  puppet_turn (&left);
  assert_got (c, "z");
}

static void
test_senders (void)
{
  GtxTask *c, *d;

  assert_sent ("a");
  assert_sent ("b");
  c = send_in (&right, "c");
  d = send_in (&left, "d");
  assert_received ("a");
  assert_received ("b");
  assert_received ("c");
  assert_received ("d");
  assert_received (NULL);
  g_assert_false (gtx_future_is_done (c) || gtx_future_is_done (d));
  puppet_turn (&left);
  puppet_turn (&right);
  g_assert_true (gtx_future_is_done (c) && gtx_future_is_done (d));
  g_assert_null (gtx_future_get_error (c));
  g_assert_null (gtx_future_get_error (d));
  g_object_unref (c);
  g_object_unref (d);
}

static void
test_closed (void)
{
  GtxTask *a = receive_in (&left);
  GtxTask *b = receive_in (&right);
  GtxTask *c = receive_in (&right);

  assert_sent ("x");
  gtx_channel_close (channel);
  puppet_turn (&right);
  g_assert_false (gtx_future_is_done (b));
  puppet_turn (&left);
  puppet_turn (&right);
  assert_got (a, "x");
  assert_was_refused (b);
  assert_was_refused (c);
}

static void
test_senders_refused (void)
{
  GtxTask *c, *d;

  assert_sent ("a");
  assert_sent ("b");
  c = send_in (&left, "c");
  d = send_in (&right, "d");
  gtx_channel_close (channel);
  /* The request comes when the task has been refused. */
  puppet_cancel (&right, d);
  puppet_turn (&left);
  puppet_turn (&right);
  assert_was_refused (c);
  assert_was_cancelled (d);
  g_assert_cmpint (n_freed, ==, 2);
}

/* ---- Requests to cancel ---- */

static void
test_receiver_asked (void)
{
  GtxTask *a = receive_in (&left);
  GtxTask *b = receive_in (&right);

  puppet_cancel (&left, a);
  assert_sent ("x");
  puppet_turn (&left);
  puppet_turn (&right);
  assert_was_cancelled (a);
  assert_got (b, "x");
}

/* The items are on their way when the requests come, which are made in another thread, too. */
static void
test_receivers_asked_when_served (void)
{
  GtxTask *a = receive_in (&left);
  GtxTask *b = receive_in (&right);
  GtxTask *c = receive_in (&right);

  assert_sent ("x");
  assert_sent ("y");
  puppet_cancel (&left, a);
  puppet_cancel (&left, a);
  gtx_cancel (b);
  puppet_turn (&left);
  assert_was_cancelled (a);
  puppet_turn (&right);
  assert_was_cancelled (b);
  puppet_turn (&right);
  assert_got (c, "x");
  assert_received ("y");
}

static void
test_sender_asked (void)
{
  GtxTask *c, *d;

  assert_sent ("a");
  assert_sent ("b");
  c = send_in (&left, "c");
  d = send_in (&right, "d");
  puppet_cancel (&left, c);
  assert_received ("a");
  puppet_turn (&left);
  assert_was_cancelled (c);
  g_assert_cmpint (n_freed, ==, 1);
  puppet_turn (&right);
  g_assert_true (gtx_future_is_done (d));
  assert_received ("b");
  assert_received ("d");
  g_object_unref (d);
}

static gboolean
send_and_sleep (const char *word, GError **error)
{
  g_assert_true (send_word (word, error));
  return gtx_sleep (0, error);
}

/* What was sent stays so, and the request is delivered next. */
static void
test_sender_asked_when_served (void)
{
  GtxTask *c = gtx_create_task_in (left.context, send_and_sleep, "c", NULL);

  assert_sent ("a");
  assert_sent ("b");
  puppet_turn (&left);
  assert_received ("a");
  puppet_cancel (&left, c);
  puppet_turn (&left);
  assert_was_cancelled (c);
  assert_received ("b");
  assert_received ("c");
  g_assert_cmpint (n_freed, ==, 0);
}

/* ---- Main contexts that go ---- */

/* Keeps references to tasks that never end, so that leak checkers find them. */
static GPtrArray *suspended_for_ever;

static void
end_with_suspended (Puppet *puppet, GtxTask *task)
{
  if (suspended_for_ever == NULL)
    suspended_for_ever = g_ptr_array_new ();
  g_ptr_array_add (suspended_for_ever, task);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A main context goes away with 1 suspended task*");
  puppet_end (puppet);
  g_test_assert_expected_messages ();
  puppet_begin (puppet);
}

static void
test_receiver_gone (void)
{
  GtxTask *a = receive_in (&left);
  GtxTask *b = receive_in (&right);

  end_with_suspended (&left, a);
  assert_sent ("x");
  puppet_turn (&right);
  assert_got (b, "x");
}

/* The item is on its way to the task, whose context goes instead of running. */
static void
test_receivers_gone_when_served (void)
{
  GtxTask *a = receive_in (&left);
  GtxTask *b = receive_in (&right);

  assert_sent ("x");
  assert_sent ("y");
  end_with_suspended (&left, a);
  puppet_turn (&right);
  assert_got (b, "x");
  a = receive_in (&left);
  b = receive_in (&right);
  assert_got (a, "y");
  assert_sent ("z");
  end_with_suspended (&right, b);
  assert_received ("z");
}

static void
test_receiver_gone_when_asked (void)
{
  GtxTask *a = receive_in (&left);

  assert_sent ("x");
  puppet_cancel (&left, a);
  end_with_suspended (&left, a);
  assert_received ("x");
}

static void
test_sender_gone (void)
{
  GtxTask *c, *d;

  assert_sent ("a");
  assert_sent ("b");
  c = send_in (&left, "c");
  d = send_in (&right, "d");
  end_with_suspended (&left, c);
  g_assert_cmpint (n_freed, ==, 1);
  assert_received ("a");
  end_with_suspended (&right, d);
  assert_received ("b");
  assert_received ("d");
  assert_received (NULL);
  g_assert_cmpint (n_freed, ==, 1);
}

/* The task had the last reference of the channel. */
static void
test_channel_gone (void)
{
  GtxTask *a = receive_in (&left);

  g_object_add_weak_pointer (G_OBJECT (channel), (gpointer *) &channel);
  assert_sent ("x");
  assert_sent ("y");
  g_object_unref (channel);
  g_assert_nonnull (channel);
  end_with_suspended (&left, a);
  g_assert_null (channel);
  g_assert_cmpint (n_freed, ==, 2);
}

static void
run_steps (gconstpointer data)
{
  void (*test) (void) = *(void (*const *) (void)) data;

  channel = gtx_channel_new (2, count_free);
  n_freed = 0;
  puppet_begin (&left);
  puppet_begin (&right);
  test ();
  puppet_end (&left);
  puppet_end (&right);
  g_clear_object (&channel);
}

#define add_steps(path, test)                                                  \
  G_STMT_START {                                                               \
    static void (*const kept) (void) = (test);                                 \
                                                                               \
    g_test_add_data_func ("/channel-contexts/" path, &kept, run_steps);         \
  } G_STMT_END

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_steps ("receivers", test_receivers);
  add_steps ("senders", test_senders);
  add_steps ("closed", test_closed);
  add_steps ("closed/for-senders", test_senders_refused);
  add_steps ("receiver-asked", test_receiver_asked);
  add_steps ("receiver-asked/when-served", test_receivers_asked_when_served);
  add_steps ("sender-asked", test_sender_asked);
  add_steps ("sender-asked/when-served", test_sender_asked_when_served);
  add_steps ("receiver-gone", test_receiver_gone);
  add_steps ("receiver-gone/when-served", test_receivers_gone_when_served);
  add_steps ("receiver-gone/when-asked", test_receiver_gone_when_asked);
  add_steps ("sender-gone", test_sender_gone);
  add_steps ("channel-gone", test_channel_gone);
  return g_test_run ();
}
