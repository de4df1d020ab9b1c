/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxEvent *event;

static gboolean
wait_and_note (const char *word, GError **error)
{
  if (!gtx_event_wait (event, error))
    return FALSE;
  note (word);
  return TRUE;
}

static gboolean
test_wakes_all (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (wait_and_note, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (wait_and_note, "b", NULL);

  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  g_assert_false (gtx_event_is_set (event));
  gtx_event_set (event);
  gtx_event_set (event);
  g_assert_true (gtx_event_is_set (event));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("a b");
  return TRUE;
}

/* A task that comes when the event is set does not wait, and goes on before the tasks
 * that the event wakes. */
static gboolean
test_latecomer (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (wait_and_note, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (wait_and_note, "b", NULL);
  g_autoptr (GtxTask) late = NULL;

  g_assert_true (gtx_sleep (0, error));
  late = gtx_create_task (wait_and_note, "late", NULL);
  gtx_event_set (event);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("late a b");
  return gtx_gather_list (GTX_GATHER_NONE, error, a, b, late, NULL);
}

static gboolean
test_set_before (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  gtx_event_set (event);
  g_assert_true (gtx_event_wait (event, error));
  assert_trace ("");
  return gtx_await (other, error);
}

/* A woken task goes on although the event is cleared before the task runs. */
static gboolean
test_cleared_at_once (gpointer data, GError **error)
{
  g_autoptr (GtxTask) waiter = gtx_create_task (wait_and_note, "a", NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_event_set (event);
  gtx_event_clear (event);
  g_assert_true (gtx_await (waiter, error));
  assert_trace ("a");
  g_assert_false (gtx_event_is_set (event));
  return TRUE;
}

/* The task is woken only once, although the event is set again. */
static gboolean
test_cleared_and_set (gpointer data, GError **error)
{
  g_autoptr (GtxTask) waiter = gtx_create_task (wait_and_note, "a", NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_event_set (event);
  gtx_event_clear (event);
  g_assert_false (gtx_event_is_set (event));
  gtx_event_set (event);
  gtx_event_set (event);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a");
  g_assert_true (gtx_future_is_done (waiter));
  return TRUE;
}

static gboolean
test_cleared_keeps_waiting (gpointer data, GError **error)
{
  g_autoptr (GtxTask) waiter = NULL;

  g_assert_false (gtx_event_is_set (event));
  gtx_event_set (event);
  g_assert_true (gtx_event_is_set (event));
  gtx_event_clear (event);
  g_assert_false (gtx_event_is_set (event));
  waiter = gtx_create_task (wait_and_note, "a", NULL);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  gtx_event_set (event);
  return gtx_await (waiter, error);
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (wait_and_note, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (wait_and_note, "b", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  gtx_event_set (event);
  g_assert_false (gtx_await (a, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_await (b, error));
  assert_trace ("b");
  return TRUE;
}

static gboolean
test_freed_while_waited_for (gpointer data, GError **error)
{
  GtxEvent *own = gtx_event_new ();
  g_autoptr (GtxTask) waiter = gtx_create_task (gtx_event_wait, own, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_event_set (own);
  g_object_unref (own);
  return gtx_await (waiter, error);
}

static void
new_event (void)
{
  g_clear_object (&event);
  event = gtx_event_new ();
}

static void
run_with_event (gconstpointer data)
{
  new_event ();
  run_coroutine (data);
}

#define add(path, coroutine) add_run_ ((path), (coroutine), run_with_event)

static void
test_outside (void)
{
  g_autoptr (GError) error = NULL;

  new_event ();
  gtx_event_set (event);
  g_assert_false (gtx_event_wait (event, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

int
main (int argc, char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  add ("/event/wakes-all", test_wakes_all);
  add ("/event/latecomer", test_latecomer);
  add ("/event/set-before", test_set_before);
  add ("/event/cleared-at-once", test_cleared_at_once);
  add ("/event/cleared-and-set", test_cleared_and_set);
  add ("/event/cleared-keeps-waiting", test_cleared_keeps_waiting);
  add ("/event/cancelled", test_cancelled);
  add ("/event/freed-while-waited-for", test_freed_while_waited_for);
  g_test_add_func ("/event/outside", test_outside);
  status = g_test_run ();
  g_clear_object (&event);
  return status;
}
