/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Channels between tasks of one main context, whose order is known. */

#include "channel-words.h"

#define assert_fails_closed(task)                                              \
  G_STMT_START {                                                               \
    g_autoptr (GError) failure_ = NULL;                                        \
                                                                               \
    g_assert_false (gtx_await ((task), &failure_));                            \
    g_assert_error (failure_, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);           \
  } G_STMT_END

/* ---- Not waiting ---- */

static gboolean
test_try (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_channel_try_receive (channel, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_EMPTY);
  g_clear_error (&failure);
  g_assert_true (send_now ("a") && send_now ("b"));
  g_assert_cmpuint (gtx_channel_get_size (channel), ==, 2);
  g_assert_false (gtx_channel_try_send (channel, g_strdup ("c"), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_FULL);
  g_assert_cmpint (n_freed, ==, 1);
  assert_received ("a");
  assert_received ("b");
  return TRUE;
}

static gboolean
test_no_bound (gpointer data, GError **error)
{
  g_autoptr (GtxChannel) own = gtx_channel_new (0, g_free);

  for (int i = 0; i < 1000; i++)
    g_assert_true (gtx_channel_send (own, g_strdup ("x"), error));
  g_assert_cmpuint (gtx_channel_get_size (own), ==, 1000);
  return TRUE;
}

static gboolean
test_ready (gpointer data, GError **error)
{
  g_assert_true (send_and_note ("a", error));
  g_assert_true (send_and_note ("b", error));
  g_assert_true (receive_and_note ("main", error));
  assert_trace ("+a +b main=a");
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GtxChannel) own = gtx_channel_new (1, count_free);
  g_autoptr (GError) error = NULL;
  g_autofree char *item = NULL;

  n_freed = 0;
  g_assert_false (gtx_channel_send (own, g_strdup ("a"), &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_cmpint (n_freed, ==, 1);
  g_clear_error (&error);
  g_assert_null (gtx_channel_receive (own, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_true (gtx_channel_try_send (own, g_strdup ("b"), NULL));
  item = gtx_channel_try_receive (own, NULL);
  g_assert_cmpstr (item, ==, "b");
}

static void
test_null_item (void)
{
  g_autoptr (GtxChannel) own = gtx_channel_new (1, NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*assertion 'item != NULL' failed*");
  g_assert_false (gtx_channel_try_send (own, NULL, NULL));
  g_test_assert_expected_messages ();
  g_assert_cmpuint (gtx_channel_get_size (own), ==, 0);
}

/* ---- First come, first served ---- */

/* Neither a task nor a callback takes what is on its way to tasks that came before. */
static gboolean
test_receivers_in_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = receiver ("a");
  g_autoptr (GtxTask) b = receiver ("b");
  g_autoptr (GtxTask) c = NULL;

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (send_now ("x") && send_now ("y"));
  g_assert_cmpuint (gtx_channel_get_size (channel), ==, 0);
  assert_received (NULL);
  c = receiver ("c");
  g_assert_true (send_now ("z"));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("a=x b=y c=z");
  return TRUE;
}

/* What is on its way to receivers takes no room. */
static gboolean
test_room_beside_receivers (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = receiver ("a");

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (send_now ("x") && send_now ("y") && send_now ("z"));
  g_assert_false (send_now ("w"));
  g_assert_true (gtx_await (a, error));
  g_assert_false (send_now ("w"));
  assert_received ("y");
  assert_received ("z");
  return TRUE;
}

/* The items of the tasks that wait are received even before these tasks go on. */
static gboolean
test_senders_in_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) c = sender ("c");
  g_autoptr (GtxTask) d = sender ("d");
  g_autoptr (GtxTask) e = sender ("e");

  g_assert_true (send_now ("a") && send_now ("b"));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("");
  assert_received ("a");
  /* The room was c's. */
  g_assert_false (send_now ("too-early"));
  assert_received ("b");
  assert_received ("c");
  assert_received ("d");
  g_assert_true (send_now ("f"));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, c, d, e, NULL));
  assert_trace ("+c +d +e");
  assert_received ("e");
  assert_received ("f");
  assert_received (NULL);
  return TRUE;
}

static gboolean
send_all (const char *letters, GError **error)
{
  for (; *letters; letters++)
    if (!gtx_channel_send (channel, g_strndup (letters, 1), error))
      return FALSE;
  gtx_channel_close (channel);
  return TRUE;
}

static gboolean
receive_all (const char *who, GError **error)
{
  g_autoptr (GError) end = NULL;

  while (receive_and_note (who, &end))
    ;
  g_assert_error (end, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  return TRUE;
}

static gboolean
test_pipeline (gpointer data, GError **error)
{
  g_autoptr (GtxTask) from = gtx_create_task (send_all, "abcde", NULL);
  g_autoptr (GtxTask) to = gtx_create_task (receive_all, "to", NULL);

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, from, to, NULL));
  assert_trace ("to=a to=b to=c to=d to=e");
  return TRUE;
}

/* ---- The end ---- */

static gboolean
test_closed (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GtxTask) late = NULL;

  g_assert_true (send_now ("a"));
  g_assert_false (gtx_channel_is_closed (channel));
  gtx_channel_close (channel);
  gtx_channel_close (channel);
  g_assert_true (gtx_channel_is_closed (channel));
  g_assert_false (gtx_channel_try_send (channel, g_strdup ("b"), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_clear_error (&failure);
  g_assert_false (gtx_channel_send (channel, g_strdup ("c"), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_clear_error (&failure);
  g_assert_cmpint (n_freed, ==, 2);
  g_assert_true (receive_and_note ("main", error));
  g_assert_null (gtx_channel_try_receive (channel, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  late = receiver ("late");
  assert_fails_closed (late);
  assert_trace ("main=a");
  return TRUE;
}

static gboolean
test_closed_for_receivers (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = receiver ("a");
  g_autoptr (GtxTask) b = receiver ("b");

  g_assert_true (gtx_sleep (0, error));
  gtx_channel_close (channel);
  assert_fails_closed (a);
  assert_fails_closed (b);
  return TRUE;
}

static gboolean
test_closed_for_senders (gpointer data, GError **error)
{
  g_autoptr (GtxTask) c = sender ("c");
  g_autoptr (GtxTask) d = sender ("d");

  g_assert_true (send_now ("a") && send_now ("b"));
  g_assert_true (gtx_sleep (0, error));
  assert_received ("a");
  gtx_channel_close (channel);
  g_assert_true (gtx_await (c, error));
  assert_fails_closed (d);
  g_assert_cmpint (n_freed, ==, 1);
  assert_received ("b");
  assert_received ("c");
  assert_received (NULL);
  return TRUE;
}

/* While the last item is on its way, it may come back: others wait for it. */
static gboolean
test_closed_with_item_on_its_way (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = receiver ("a");
  g_autoptr (GtxTask) b = receiver ("b");
  g_autoptr (GtxTask) c = receiver ("c");
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (send_now ("x"));
  gtx_channel_close (channel);
  g_assert_null (gtx_channel_try_receive (channel, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_EMPTY);
  gtx_cancel (a);
  assert_ends_cancelled (a);
  g_assert_true (gtx_await (b, error));
  assert_fails_closed (c);
  assert_trace ("b=x");
  return TRUE;
}

/* ---- Beside the main loop ---- */

static gboolean
send_late (gpointer word)
{
  send_now (word);
  return G_SOURCE_REMOVE;
}

/* Virtual time does not jump past the source that sends. */
static gboolean
test_other_source (gpointer data, GError **error)
{
  g_timeout_add (10, send_late, (gpointer) "x");
  g_assert_true (gtx_call_with_timeout (1000, receive_and_note, "main", error));
  g_assert_cmpfloat (gtx_get_time (), <, 1000);
  assert_trace ("main=x");
  return TRUE;
}

static gboolean
set_flag (gpointer flag)
{
  *(gboolean *) flag = TRUE;
  return G_SOURCE_REMOVE;
}

/* A task that never has to wait lets other sources run all the same. */
static gboolean
test_others_run (gpointer data, GError **error)
{
  gboolean has_run = FALSE;

  g_timeout_add (0, set_flag, &has_run);
  while (!has_run)
    {
      g_autofree char *item = NULL;

      g_assert_true (gtx_channel_send (channel, g_strdup ("x"), error));
      item = gtx_channel_receive (channel, error);
      g_assert_nonnull (item);
    }
  return TRUE;
}

static gboolean
let_go (gpointer kept)
{
  g_clear_object ((GtxChannel **) kept);
  return G_SOURCE_REMOVE;
}

/* The last reference goes while the task lets others run. */
static gboolean
test_let_go_meanwhile (gpointer data, GError **error)
{
  GtxChannel *own = gtx_channel_new (0, count_free);
  GtxChannel *kept = own;

  g_timeout_add (0, let_go, &kept);
  while (kept)
    {
      g_autofree char *item = NULL;

      g_assert_true (gtx_channel_try_send (own, g_strdup ("x"), error));
      item = gtx_channel_receive (own, error);
      g_assert_cmpstr (item, ==, "x");
    }
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

/* Never has to wait. */
static gboolean
go_round (gpointer data, GError **error)
{
  for (;;)
    {
      g_autofree char *item = NULL;

      if (!gtx_channel_send (channel, g_strdup ("x"), error))
        return FALSE;
      item = gtx_channel_receive (channel, error);
      if (item == NULL)
        return FALSE;
    }
}

/* A request gets to a task that keeps the channel busy. */
static gboolean
test_busy_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (go_round, NULL, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  assert_ends_cancelled (task);
  return TRUE;
}

/* ---- Memory ---- */

static gboolean
receive_from (GtxChannel *own, GError **error)
{
  return gtx_channel_receive (own, error) != NULL;
}

/* A task that waits keeps the channel. */
static gboolean
test_freed (gpointer data, GError **error)
{
  GtxChannel *own = gtx_channel_new (0, count_free);
  g_autoptr (GtxTask) task = gtx_create_task (receive_from, own, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_channel_try_send (own, g_strdup ("a"), error));
  g_assert_true (gtx_channel_try_send (own, g_strdup ("b"), error));
  gtx_cancel (task);
  g_object_unref (own);
  g_assert_cmpint (n_freed, ==, 0);
  assert_ends_cancelled (task);
  g_assert_cmpint (n_freed, ==, 2);
  return TRUE;
}

#define add(path, coroutine) add_run_ ("/channel/" path, (coroutine), run_with_channel)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("try", test_try);
  add ("no-bound", test_no_bound);
  add ("ready", test_ready);
  g_test_add_func ("/channel/outside", test_outside);
  g_test_add_func ("/channel/null-item", test_null_item);
  add ("receivers-in-order", test_receivers_in_order);
  add ("room-beside-receivers", test_room_beside_receivers);
  add ("senders-in-order", test_senders_in_order);
  add ("pipeline", test_pipeline);
  add ("closed", test_closed);
  add ("closed/for-receivers", test_closed_for_receivers);
  add ("closed/for-senders", test_closed_for_senders);
  add ("closed/with-item-on-its-way", test_closed_with_item_on_its_way);
  add ("other-source", test_other_source);
  add ("others-run", test_others_run);
  add ("others-run/let-go", test_let_go_meanwhile);
  add ("busy-cancelled", test_busy_cancelled);
  add ("freed", test_freed);
  return g_test_run ();
}
