/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxQueue *queue;         /* of each test: for two words */

static gboolean
put (const char *word)
{
  return gtx_queue_put_nowait (queue, g_strdup (word), NULL);
}

static gboolean
put_and_note (const char *word, GError **error)
{
  g_autofree char *what = g_strconcat ("+", word, NULL);

  if (!gtx_queue_put (queue, g_strdup (word), error))
    return FALSE;
  note (what);
  return TRUE;
}

static gboolean
get_and_note (const char *who, GError **error)
{
  g_autofree char *item = gtx_queue_get (queue, error);
  g_autofree char *what = g_strconcat (who, "=", item, NULL);

  if (item == NULL)
    return FALSE;
  note (what);
  return TRUE;
}

static GtxTask *
putter (const char *word)
{
  return gtx_create_task (put_and_note, word, NULL);
}

static GtxTask *
getter (const char *who)
{
  return gtx_create_task (get_and_note, who, NULL);
}

/* ---- Order ---- */

static void
put_three (GtxQueue *own)
{
  g_assert_true (gtx_queue_put_nowait (own, g_strdup ("m"), NULL));
  g_assert_true (gtx_queue_put_nowait (own, g_strdup ("a"), NULL));
  g_assert_true (gtx_queue_put_nowait (own, g_strdup ("z"), NULL));
}

static void
get_all (GtxQueue *own)
{
  while (!gtx_queue_is_empty (own))
    {
      g_autofree char *item = gtx_queue_get_nowait (own, NULL);

      note (item);
    }
}

static int
compare_words (gconstpointer a, gconstpointer b, gpointer data)
{
  return g_ascii_strcasecmp (a, b);
}

static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) fifo = gtx_queue_new (0, g_free);
  g_autoptr (GtxQueue) lifo = gtx_queue_new_lifo (0, g_free);
  g_autoptr (GtxQueue) priority = gtx_queue_new_priority (0, g_free, compare_words, NULL);

  put_three (fifo);
  get_all (fifo);
  assert_trace ("m a z");
  put_three (lifo);
  get_all (lifo);
  assert_trace ("z a m");
  put_three (priority);
  gtx_queue_put_nowait (priority, g_strdup ("M"), NULL);
  get_all (priority);
  assert_trace ("a m M z");
  return TRUE;
}

static gboolean
test_size (gpointer data, GError **error)
{
  g_assert_cmpuint (gtx_queue_get_max_size (queue), ==, 2);
  g_assert_true (gtx_queue_is_empty (queue));
  put ("a");
  g_assert_false (gtx_queue_is_empty (queue));
  g_assert_false (gtx_queue_is_full (queue));
  put ("b");
  g_assert_true (gtx_queue_is_full (queue));
  g_assert_cmpuint (gtx_queue_get_size (queue), ==, 2);
  return TRUE;
}

static gboolean
test_no_bound (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) own = gtx_queue_new (0, g_free);

  for (int i = 0; i < 1000; i++)
    g_assert_true (gtx_queue_put (own, g_strdup ("x"), error));
  g_assert_false (gtx_queue_is_full (own));
  return TRUE;
}

/* ---- Not waiting ---- */

static gboolean
test_nowait (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *item = NULL;

  g_assert_null (gtx_queue_get_nowait (queue, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_EMPTY);
  g_clear_error (&failure);
  put ("a");
  put ("b");
  g_assert_false (gtx_queue_put_nowait (queue, g_strdup ("c"), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_FULL);
  item = gtx_queue_get_nowait (queue, error);
  g_assert_cmpstr (item, ==, "a");
  return TRUE;
}

static gboolean
test_ready (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  g_assert_true (put_and_note ("a", error));
  g_assert_true (get_and_note ("main", error));
  assert_trace ("+a main=a");
  return gtx_await (other, error);
}

/* ---- Waiting ---- */

static gboolean
test_getters_in_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = getter ("a");
  g_autoptr (GtxTask) b = getter ("b");

  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  put ("x");
  put ("y");
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("a=x b=y");
  return TRUE;
}

static gboolean
test_putters_in_order (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  const char *const words[] = { "a", "b", "c", "d" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_ptr_array_add (tasks, putter (words[i]));
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("+a +b");
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      g_assert_true (get_and_note ("main", error));
      g_assert_true (gtx_sleep (1, error));
    }
  assert_trace ("main=a +c main=b +d main=c main=d");
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* Somebody else takes what a getter was woken for: it waits on. */
static gboolean
test_item_taken (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = getter ("a");

  g_assert_true (gtx_sleep (0, error));
  put ("x");
  g_assert_true (get_and_note ("main", error));
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("main=x");
  put ("y");
  g_assert_true (gtx_await (a, error));
  assert_trace ("a=y");
  return TRUE;
}

/* ---- Cancelling ---- */

static gboolean
test_getter_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = getter ("a");
  g_autoptr (GtxTask) b = getter ("b");

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  put ("x");
  g_assert_true (gtx_await (b, error));
  g_assert_true (gtx_future_is_cancelled (a));
  assert_trace ("b=x");
  return TRUE;
}

static gboolean
test_getter_woken_then_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = getter ("a");
  g_autoptr (GtxTask) b = getter ("b");

  g_assert_true (gtx_sleep (0, error));
  put ("x");
  gtx_cancel (a);
  g_assert_true (gtx_await (b, error));
  g_assert_true (gtx_future_is_cancelled (a));
  assert_trace ("b=x");
  return TRUE;
}

static gboolean
test_putter_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  put ("1");
  put ("2");
  a = putter ("a");
  b = putter ("b");
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  g_assert_true (get_and_note ("main", error));
  g_assert_true (gtx_await (b, error));
  g_assert_true (gtx_future_is_cancelled (a));
  assert_trace ("main=1 +b");
  return TRUE;
}

static gboolean
test_putter_woken_then_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  put ("1");
  put ("2");
  a = putter ("a");
  b = putter ("b");
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (get_and_note ("main", error));
  gtx_cancel (a);
  g_assert_true (gtx_await (b, error));
  g_assert_true (gtx_future_is_cancelled (a));
  assert_trace ("main=1 +b");
  return TRUE;
}

/* ---- Join ---- */

static gboolean
work (gpointer data, GError **error)
{
  for (;;)
    {
      g_autofree char *item = gtx_queue_get (queue, error);

      if (item == NULL || !gtx_sleep (1, error))
        return FALSE;
      note (item);
      gtx_queue_task_done (queue);
    }
}

static gboolean
test_join (gpointer data, GError **error)
{
  g_autoptr (GtxTask) worker = gtx_create_task (work, NULL, NULL);

  g_assert_true (gtx_queue_join (queue, error));
  for (int i = 0; i < 3; i++)
    g_assert_true (gtx_queue_put (queue, g_strdup ("x"), error));
  g_assert_true (gtx_queue_join (queue, error));
  assert_trace ("x x x");
  g_assert_cmpfloat (gtx_test_get_time (), ==, 3);
  gtx_cancel (worker);
  g_assert_false (gtx_await (worker, NULL));
  return TRUE;
}

static gboolean
test_done_too_often (gpointer data, GError **error)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_queue_task_done: called more often*");
  g_assert_false (gtx_queue_task_done (queue));
  g_test_assert_expected_messages ();
  return TRUE;
}

/* ---- Shutdown ---- */

static void
assert_shut_down (GtxTask *task)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
}

static gboolean
test_shutdown_wakes_getters (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = getter ("a");
  g_autoptr (GtxTask) b = getter ("b");

  g_assert_true (gtx_sleep (0, error));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_DRAIN);
  assert_shut_down (a);
  assert_shut_down (b);
  g_assert_true (gtx_queue_join (queue, error));
  return TRUE;
}

static gboolean
test_shutdown_drains (gpointer data, GError **error)
{
  g_autoptr (GtxTask) waiting = NULL;
  g_autoptr (GtxTask) late = NULL;
  g_autoptr (GError) failure = NULL;

  put ("1");
  put ("2");
  waiting = putter ("3");
  g_assert_true (gtx_sleep (0, error));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_DRAIN);
  late = putter ("4");
  assert_shut_down (waiting);
  assert_shut_down (late);
  g_assert_true (get_and_note ("main", error));
  g_assert_true (get_and_note ("main", error));
  assert_trace ("main=1 main=2");
  g_assert_null (gtx_queue_get (queue, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_clear_error (&failure);
  g_assert_null (gtx_queue_get_nowait (queue, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_clear_error (&failure);
  g_assert_false (gtx_queue_put_nowait (queue, g_strdup ("5"), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  return TRUE;
}

static gboolean
join_and_note (gpointer data, GError **error)
{
  if (!gtx_queue_join (queue, error))
    return FALSE;
  note ("joined");
  return TRUE;
}

static gboolean
test_shutdown_immediate (gpointer data, GError **error)
{
  g_autoptr (GtxTask) joiner = NULL;

  put ("1");
  put ("2");
  joiner = gtx_create_task (join_and_note, NULL, NULL);
  g_assert_true (gtx_sleep (1, error));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_IMMEDIATE);
  g_assert_true (gtx_queue_is_empty (queue));
  g_assert_true (gtx_await (joiner, error));
  assert_trace ("joined");
  return TRUE;
}

static gboolean
test_shutdown_unfinished (gpointer data, GError **error)
{
  g_autoptr (GtxTask) joiner = NULL;
  g_autofree char *item = NULL;

  put ("1");
  put ("2");
  item = gtx_queue_get_nowait (queue, error);
  joiner = gtx_create_task (join_and_note, NULL, NULL);
  g_assert_true (gtx_sleep (1, error));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_IMMEDIATE);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  g_assert_true (gtx_queue_task_done (queue));
  return gtx_await (joiner, error);
}

/* ---- Memory ---- */

static gboolean
test_freed (gpointer data, GError **error)
{
  GtxQueue *own = gtx_queue_new (1, count_free);

  g_assert_true (gtx_queue_put (own, g_strdup ("a"), error));
  g_assert_false (gtx_queue_put_nowait (own, g_strdup ("b"), NULL));
  g_assert_cmpint (n_freed, ==, 1);
  g_object_unref (own);
  g_assert_cmpint (n_freed, ==, 2);
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GtxQueue) own = gtx_queue_new (1, g_free);
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_queue_put (own, g_strdup ("a"), &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (&error);
  g_assert_null (gtx_queue_get (own, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  /* What does not wait is for callbacks, too. */
  g_assert_true (gtx_queue_put_nowait (own, g_strdup ("b"), NULL));
}

static void
run_with_queue (gconstpointer data)
{
  queue = gtx_queue_new (2, g_free);
  run_coroutine (data);
  g_clear_object (&queue);
}

#define add(path, coroutine) add_run_ ((path), (coroutine), run_with_queue)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("/queue/order", test_order);
  add ("/queue/size", test_size);
  add ("/queue/no-bound", test_no_bound);
  add ("/queue/nowait", test_nowait);
  add ("/queue/ready", test_ready);
  add ("/queue/getters-in-order", test_getters_in_order);
  add ("/queue/putters-in-order", test_putters_in_order);
  add ("/queue/item-taken", test_item_taken);
  add ("/queue/getter-cancelled", test_getter_cancelled);
  add ("/queue/getter-woken-then-cancelled", test_getter_woken_then_cancelled);
  add ("/queue/putter-cancelled", test_putter_cancelled);
  add ("/queue/putter-woken-then-cancelled", test_putter_woken_then_cancelled);
  add ("/queue/join", test_join);
  add ("/queue/done-too-often", test_done_too_often);
  add ("/queue/shutdown/wakes-getters", test_shutdown_wakes_getters);
  add ("/queue/shutdown/drains", test_shutdown_drains);
  add ("/queue/shutdown/immediate", test_shutdown_immediate);
  add ("/queue/shutdown/unfinished", test_shutdown_unfinished);
  add ("/queue/freed", test_freed);
  g_test_add_func ("/queue/outside", test_outside);
  return g_test_run ();
}
