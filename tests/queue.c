/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxQueue *queue;         /* a new one for each test, for two words */

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
put_all (const char *letters, GError **error)
{
  for (; *letters; letters++)
    if (!put_and_note ((char[]) { *letters, '\0' }, error))
      return FALSE;
  return TRUE;
}

/* The putter is held at the bound, and puts as many items as are taken. */
static gboolean
test_putter_held (gpointer data, GError **error)
{
  g_autoptr (GtxTask) producer = gtx_create_task (put_all, "abc", NULL);

  g_assert_true (gtx_sleep (0, error) && gtx_sleep (0, error));
  assert_trace ("+a +b");
  g_assert_true (get_and_note ("main", error));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("main=a +c");
  g_assert_true (get_and_note ("main", error) && get_and_note ("main", error));
  assert_trace ("main=b main=c");
  g_assert_true (gtx_future_is_done (producer));
  return TRUE;
}

static gboolean
get_five (const char *who, GError **error)
{
  for (int i = 0; i < 5; i++)
    if (!get_and_note (who, error))
      return FALSE;
  return TRUE;
}

/* Neither task is forgotten, although both wait again and again. */
static gboolean
test_producer_and_consumer (gpointer data, GError **error)
{
  g_autoptr (GtxTask) producer = NULL;
  g_autoptr (GtxTask) consumer = NULL;

  g_clear_object (&queue);
  queue = gtx_queue_new (1, g_free);
  producer = gtx_create_task (put_all, "abcde", NULL);
  consumer = gtx_create_task (get_five, "c", NULL);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, producer, consumer, NULL));
  g_assert_true (gtx_queue_is_empty (queue));
  return TRUE;
}

static gboolean
take_what_is_there (gpointer data, GError **error)
{
  if (!gtx_sleep (0, error))
    return FALSE;
  for (guint n = gtx_queue_get_size (queue); n > 0; n--)
    g_free (gtx_queue_get_nowait (queue, error));
  return TRUE;
}

/* Several places become free at once: as many putters go on. */
static gboolean
test_places_at_once (gpointer data, GError **error)
{
  g_autoptr (GtxTask) taker = gtx_create_task (take_what_is_there, NULL, NULL);
  g_autoptr (GtxTask) a = putter ("a");
  g_autoptr (GtxTask) b = putter ("b");
  g_autoptr (GtxTask) c = putter ("c");
  g_autoptr (GtxTask) d = putter ("d");

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, taker, a, b, c, d, NULL));
  assert_trace ("+a +b +c +d");
  return TRUE;
}

/* The getter is there before the putters have begun. */
static gboolean
test_getter_before_putters (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  g_clear_object (&queue);
  queue = gtx_queue_new (1, g_free);
  a = putter ("a");
  b = putter ("b");
  g_assert_true (get_and_note ("main", error));
  g_assert_true (get_and_note ("main", error));
  g_assert_nonnull (strstr (trace->str, "main=a"));
  g_assert_true (g_str_has_suffix (trace->str, "main=b"));
  return gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL);
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

/* Another task takes the item for which a getter was woken: the getter goes on
 * waiting. */
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

/* The getter's time is over: an item that comes later is not for it. */
static gboolean
test_getter_timed_out (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, 0.1);
  g_assert_null (gtx_queue_get (queue, &failure));
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  g_assert_error (result, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  put ("x");
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (gtx_queue_get_size (queue), ==, 1);
  return get_and_note ("main", error);
}

/* The getter is woken for the first of two items and then cancelled.  Neither item is lost, and the
 * order stays. */
static gboolean
test_cancelled_getter_drops_nothing (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = getter ("a");

  g_assert_true (gtx_sleep (0, error));
  put ("1");
  put ("2");
  gtx_cancel (a);
  g_assert_false (gtx_await (a, NULL));
  g_assert_true (gtx_future_is_cancelled (a));
  g_assert_true (get_and_note ("main", error) && get_and_note ("main", error));
  assert_trace ("main=1 main=2");
  return TRUE;
}

/* Two items come for three getters, one of which is cancelled.  The others get an item each. */
static gboolean
test_cancelled_getter_of_three (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = getter ("a");
  g_autoptr (GtxTask) b = getter ("b");
  g_autoptr (GtxTask) c = getter ("c");

  g_assert_true (gtx_sleep (0, error));
  put ("1");
  put ("2");
  gtx_cancel (a);
  g_assert_false (gtx_await (a, NULL));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, b, c, NULL));
  assert_trace ("b=1 c=2");
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

/* The item of the cancelled putter is not in the queue. */
static gboolean
test_putter_cancelled_alone (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GError) failure = NULL;

  put ("1");
  put ("2");
  a = putter ("a");
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  g_assert_false (gtx_await (a, &failure));
  assert_cancelled (failure);
  g_assert_true (get_and_note ("main", error) && get_and_note ("main", error));
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_queue_is_empty (queue));
  assert_trace ("main=1 main=2");
  return TRUE;
}

/* Another task puts the item again. */
static gboolean
test_putter_cancelled_puts_nothing (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;

  put ("1");
  put ("2");
  a = putter ("a");
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (get_and_note ("main", error));
  gtx_cancel (a);
  g_assert_false (gtx_await (a, NULL));
  g_assert_true (gtx_future_is_cancelled (a));
  g_assert_cmpuint (gtx_queue_get_size (queue), ==, 1);
  g_assert_true (put_and_note ("a", error));
  g_assert_true (get_and_note ("main", error) && get_and_note ("main", error));
  assert_trace ("main=1 +a main=2 main=a");
  g_assert_true (gtx_queue_is_empty (queue));
  return TRUE;
}

/* The putter is behind the first in line, which stays the next one. */
static gboolean
test_later_putter_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;
  g_autoptr (GtxTask) c = NULL;

  put ("1");
  a = putter ("a");
  b = putter ("b");
  c = putter ("c");
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_future_is_done (a));
  g_assert_false (gtx_future_is_done (b));
  gtx_cancel (c);
  g_assert_false (gtx_await (c, NULL));
  g_assert_true (get_and_note ("main", error));
  g_assert_true (gtx_await (b, error));
  g_assert_true (get_and_note ("main", error) && get_and_note ("main", error));
  assert_trace ("+a main=1 +b main=a main=b");
  return TRUE;
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
  /* Functions that do not wait may be called in callbacks, too. */
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
  add ("/queue/putter-held", test_putter_held);
  add ("/queue/producer-and-consumer", test_producer_and_consumer);
  add ("/queue/places-at-once", test_places_at_once);
  add ("/queue/getter-before-putters", test_getter_before_putters);
  add ("/queue/putters-in-order", test_putters_in_order);
  add ("/queue/item-taken", test_item_taken);
  add ("/queue/getter-cancelled", test_getter_cancelled);
  add ("/queue/getter-woken-then-cancelled", test_getter_woken_then_cancelled);
  add ("/queue/getter-timed-out", test_getter_timed_out);
  add ("/queue/getter-woken-then-cancelled/drops-nothing", test_cancelled_getter_drops_nothing);
  add ("/queue/getter-woken-then-cancelled/of-three", test_cancelled_getter_of_three);
  add ("/queue/putter-cancelled", test_putter_cancelled);
  add ("/queue/putter-woken-then-cancelled", test_putter_woken_then_cancelled);
  add ("/queue/putter-cancelled/alone", test_putter_cancelled_alone);
  add ("/queue/putter-cancelled/later-one", test_later_putter_cancelled);
  add ("/queue/putter-woken-then-cancelled/puts-nothing", test_putter_cancelled_puts_nothing);
  add ("/queue/freed", test_freed);
  g_test_add_func ("/queue/outside", test_outside);
  return g_test_run ();
}
