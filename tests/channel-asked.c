/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to cancel tasks that send or receive: before, while and after they are served. */

#include "channel-words.h"

/* ---- Requests to cancel a receiver ---- */

static gboolean
receive_asked (const char *who, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return receive_and_note (who, error);
}

/* The request is delivered where the task waits. */
static gboolean
test_receiver_asked_before (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (receive_asked, "a", NULL);

  assert_ends_cancelled (a);
  g_assert_true (send_now ("x"));
  assert_received ("x");
  return TRUE;
}

static gboolean
test_receiver_asked (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = receiver ("a");
  g_autoptr (GtxTask) b = receiver ("b");

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  gtx_cancel (a);
  g_assert_true (send_now ("x"));
  assert_ends_cancelled (a);
  g_assert_true (gtx_await (b, error));
  assert_trace ("b=x");
  return TRUE;
}

/* The next receivers get what was on its way, in order. */
static gboolean
test_receivers_asked_when_served (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = receiver ("a");
  g_autoptr (GtxTask) b = receiver ("b");
  g_autoptr (GtxTask) c = receiver ("c");
  g_autoptr (GtxTask) d = receiver ("d");

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (send_now ("x") && send_now ("y") && send_now ("z"));
  gtx_cancel (b);
  gtx_cancel (a);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, c, d, NULL));
  assert_ends_cancelled (a);
  assert_ends_cancelled (b);
  assert_trace ("c=x d=y");
  assert_received ("z");
  return TRUE;
}

/* If there is no next one, the items stay in order before later ones, be they more than the bound. */
static gboolean
test_items_come_back (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = receiver ("a");
  g_autoptr (GtxTask) b = receiver ("b");
  g_autoptr (GtxTask) late = NULL;

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (send_now ("1") && send_now ("2") && send_now ("3") && send_now ("4"));
  gtx_cancel (a);
  gtx_cancel (b);
  assert_ends_cancelled (a);
  assert_ends_cancelled (b);
  g_assert_cmpuint (gtx_channel_get_size (channel), ==, 4);
  late = sender ("5");
  g_assert_true (gtx_sleep (0, error));
  assert_received ("1");
  assert_received ("2");
  assert_trace ("");
  assert_received ("3");
  g_assert_true (gtx_await (late, error));
  assert_received ("4");
  assert_received ("5");
  return TRUE;
}

static gboolean
test_receiver_timed_out (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_with_timeout (1, receive_and_note, "main", &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  g_assert_true (send_now ("x"));
  return receive_and_note ("main", error);
}

/* A request that is withdrawn in the turn in which it would be delivered takes no item along. */
static gboolean
test_request_withdrawn (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = receiver ("a");

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (send_now ("x"));
  gtx_cancel (a);
  gtx_uncancel (a);
  g_assert_true (gtx_await (a, error));
  assert_trace ("a=x");
  return TRUE;
}

/* ---- Requests to cancel a sender ---- */

static gboolean
send_asked (const char *word, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return send_and_note (word, error);
}

static gboolean
test_sender_asked_before (gpointer data, GError **error)
{
  g_autoptr (GtxTask) c = NULL;

  g_assert_true (send_now ("a") && send_now ("b"));
  c = gtx_create_task (send_asked, "c", NULL);
  assert_ends_cancelled (c);
  g_assert_cmpint (n_freed, ==, 1);
  assert_received ("a");
  assert_received ("b");
  assert_received (NULL);
  return TRUE;
}

/* What was not sent is freed, and the next sender gets the room. */
static gboolean
test_sender_asked (gpointer data, GError **error)
{
  g_autoptr (GtxTask) c = sender ("c");
  g_autoptr (GtxTask) d = sender ("d");

  g_assert_true (send_now ("a") && send_now ("b"));
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (c);
  gtx_cancel (c);
  assert_received ("a");
  assert_ends_cancelled (c);
  g_assert_true (gtx_await (d, error));
  g_assert_cmpint (n_freed, ==, 1);
  assert_received ("b");
  assert_received ("d");
  return TRUE;
}

static gboolean
send_and_sleep (const char *word, GError **error)
{
  return send_and_note (word, error) && gtx_sleep (0, error) && note_and_return ("slept", error);
}

/* What was sent stays so, and the request is delivered where the task waits next. */
static gboolean
test_sender_asked_when_served (gpointer data, GError **error)
{
  g_autoptr (GtxTask) c = gtx_create_task (send_and_sleep, "c", NULL);

  g_assert_true (send_now ("a") && send_now ("b"));
  g_assert_true (gtx_sleep (0, error));
  assert_received ("a");
  gtx_cancel (c);
  assert_ends_cancelled (c);
  assert_trace ("+c");
  assert_received ("b");
  assert_received ("c");
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

static gboolean
test_sender_asked_when_refused (gpointer data, GError **error)
{
  g_autoptr (GtxTask) c = sender ("c");

  g_assert_true (send_now ("a") && send_now ("b"));
  g_assert_true (gtx_sleep (0, error));
  gtx_channel_close (channel);
  gtx_cancel (c);
  assert_ends_cancelled (c);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

#define add(path, coroutine) add_run_ ("/channel-asked/" path, (coroutine), run_with_channel)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("receiver/before", test_receiver_asked_before);
  add ("receiver", test_receiver_asked);
  add ("receiver/when-served", test_receivers_asked_when_served);
  add ("receiver/items-come-back", test_items_come_back);
  add ("receiver/timed-out", test_receiver_timed_out);
  add ("receiver/withdrawn", test_request_withdrawn);
  add ("sender/before", test_sender_asked_before);
  add ("sender", test_sender_asked);
  add ("sender/when-served", test_sender_asked_when_served);
  add ("sender/when-refused", test_sender_asked_when_refused);
  return g_test_run ();
}
