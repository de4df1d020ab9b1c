/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each kind of queue is joined and shut down. */

#include "fixture.h"

#include <stdlib.h>

typedef GtxQueue *(*NewQueue) (guint max_size);

static GtxQueue *queue;         /* a new one for each test, for two words */
static NewQueue new_queue;      /* the kind of the queue */

static GtxQueue *
new_fifo (guint max_size)
{
  return gtx_queue_new (max_size, g_free);
}

static GtxQueue *
new_lifo (guint max_size)
{
  return gtx_queue_new_lifo (max_size, g_free);
}

static int
compare_words (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (a, b);
}

static GtxQueue *
new_priority (guint max_size)
{
  return gtx_queue_new_priority (max_size, g_free, compare_words, NULL);
}

static void
put (const char *word)
{
  g_assert_true (gtx_queue_put_nowait (queue, g_strdup (word), NULL));
}

static gboolean
put_word (const char *word, GError **error)
{
  return gtx_queue_put (queue, g_strdup (word), error);
}

static gboolean
get_and_drop (gpointer data, GError **error)
{
  g_autofree char *item = gtx_queue_get (queue, error);

  return item != NULL;
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
refuse_task_done (void)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_queue_task_done: called more often*");
  g_assert_false (gtx_queue_task_done (queue));
  g_test_assert_expected_messages ();
  return TRUE;
}

/* ---- Its life ---- */

static void
unref_queue (gpointer itself)
{
  g_object_unref (itself);
}

/* Each item has a reference to the queue, and the last one frees the queue. */
static void
test_last_item (void)
{
  GtxQueue *own = gtx_queue_new (0, unref_queue);
  gpointer alive = own;

  g_object_add_weak_pointer (G_OBJECT (own), &alive);
  for (int i = 0; i < 3; i++)
    g_assert_true (gtx_queue_put_nowait (own, g_object_ref (own), NULL));
  g_object_unref (own);
  g_assert_nonnull (alive);
  gtx_queue_shutdown (own, GTX_SHUTDOWN_IMMEDIATE);
  g_assert_null (alive);
}

/* ---- Join ---- */

static gboolean
test_join (gpointer data, GError **error)
{
  g_autoptr (GtxTask) joiner = NULL;

  g_assert_true (gtx_queue_join (queue, error));
  g_assert_true (gtx_queue_join (queue, error));
  put ("1");
  put ("2");
  joiner = gtx_create_task (join_and_note, NULL, NULL);
  g_assert_true (get_and_drop (NULL, error) && get_and_drop (NULL, error));
  g_assert_true (gtx_queue_task_done (queue));
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  g_assert_true (gtx_queue_task_done (queue));
  g_assert_true (gtx_await (joiner, error));
  return refuse_task_done ();
}

typedef struct
{
  int sum;
  gboolean over;
} Work;

static gboolean
work (Work *done, GError **error)
{
  while (!done->over)
    {
      g_autofree char *item = gtx_queue_get (queue, error);

      if (item == NULL)
        return FALSE;
      done->sum += atoi (item);
      g_assert_true (gtx_queue_task_done (queue));
    }
  return TRUE;
}

/* Two tasks take a hundred items.  The joining task goes on when all items are done. */
static gboolean
test_workers (gpointer data, GError **error)
{
  Work done = { 0 };
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;

  g_clear_object (&queue);
  queue = new_queue (0);
  for (int i = 0; i < 100; i++)
    gtx_queue_put_nowait (queue, g_strdup_printf ("%d", i), NULL);
  first = gtx_create_task (work, &done, NULL);
  second = gtx_create_task (work, &done, NULL);
  g_assert_true (gtx_queue_join (queue, error));
  g_assert_cmpint (done.sum, ==, 4950);
  done.over = TRUE;
  put ("0");
  put ("0");
  return gtx_gather_list (GTX_GATHER_NONE, error, first, second, NULL);
}

static gboolean
test_done_too_often (gpointer data, GError **error)
{
  return refuse_task_done ();
}

/* ---- Shutdown ---- */

static void
assert_shut_down (GtxTask *task)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
}

/* No function can put or get an item any more. */
static void
assert_over (void)
{
  g_autoptr (GError) put_failure = NULL;
  g_autoptr (GError) put_nowait_failure = NULL;
  g_autoptr (GError) get_failure = NULL;
  g_autoptr (GError) get_nowait_failure = NULL;

  g_assert_false (gtx_queue_put (queue, g_strdup ("x"), &put_failure));
  g_assert_error (put_failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_assert_false (gtx_queue_put_nowait (queue, g_strdup ("x"), &put_nowait_failure));
  g_assert_error (put_nowait_failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_assert_null (gtx_queue_get (queue, &get_failure));
  g_assert_error (get_failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_assert_null (gtx_queue_get_nowait (queue, &get_nowait_failure));
  g_assert_error (get_nowait_failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
}

static gboolean
test_wakes_getters (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (get_and_drop, NULL, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (get_and_drop, NULL, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_DRAIN);
  g_assert_true (gtx_queue_is_empty (queue));
  g_assert_true (gtx_queue_join (queue, error));
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_future_is_done (a) && gtx_future_is_done (b));
  assert_shut_down (a);
  assert_shut_down (b);
  assert_over ();
  return TRUE;
}

static gboolean
test_drains (gpointer data, GError **error)
{
  g_autoptr (GtxTask) joiner = NULL;
  g_autoptr (GtxTask) waiting = NULL;
  g_autoptr (GtxTask) late = NULL;

  put ("1");
  put ("1");
  joiner = gtx_create_task (join_and_note, NULL, NULL);
  waiting = gtx_create_task (put_word, "3", NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_false (gtx_future_is_done (waiting));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_DRAIN);
  g_assert_cmpuint (gtx_queue_get_size (queue), ==, 2);
  late = gtx_create_task (put_word, "4", NULL);
  assert_shut_down (waiting);
  assert_shut_down (late);
  g_assert_true (get_and_drop (NULL, error) && get_and_drop (NULL, error));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("");
  assert_over ();
  g_assert_true (gtx_queue_task_done (queue) && gtx_queue_task_done (queue));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("joined");
  return refuse_task_done ();
}

static gboolean
test_immediate (gpointer data, GError **error)
{
  g_autoptr (GtxTask) joiner = NULL;

  put ("1");
  put ("2");
  joiner = gtx_create_task (join_and_note, NULL, NULL);
  g_assert_true (gtx_sleep (1, error));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_IMMEDIATE);
  g_assert_true (gtx_queue_is_empty (queue));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("joined");
  assert_over ();
  return refuse_task_done ();
}

static gboolean
test_unfinished (gpointer data, GError **error)
{
  g_autoptr (GtxTask) joiner = NULL;

  put ("1");
  put ("2");
  joiner = gtx_create_task (join_and_note, NULL, NULL);
  g_assert_true (get_and_drop (NULL, error));
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_IMMEDIATE);
  g_assert_cmpuint (gtx_queue_get_size (queue), ==, 0);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  assert_over ();
  g_assert_true (gtx_queue_task_done (queue));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("joined");
  return refuse_task_done ();
}

/* ---- Each kind ---- */

static void
run_kind (NewQueue kind, gconstpointer coroutine)
{
  new_queue = kind;
  queue = kind (2);
  run_coroutine (coroutine);
  g_clear_object (&queue);
}

static void
run_with_fifo (gconstpointer coroutine)
{
  run_kind (new_fifo, coroutine);
}

static void
run_with_lifo (gconstpointer coroutine)
{
  run_kind (new_lifo, coroutine);
}

static void
run_with_priority (gconstpointer coroutine)
{
  run_kind (new_priority, coroutine);
}

#define add(path, coroutine)                                                   \
  G_STMT_START {                                                               \
    add_run_ (path, (coroutine), run_with_fifo);                               \
    add_run_ (path "/lifo", (coroutine), run_with_lifo);                       \
    add_run_ (path "/priority", (coroutine), run_with_priority);               \
  } G_STMT_END

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/queue-end/last-item", test_last_item);
  add ("/queue-end/join", test_join);
  add ("/queue-end/workers", test_workers);
  add ("/queue-end/done-too-often", test_done_too_often);
  add ("/queue-end/shutdown/wakes-getters", test_wakes_getters);
  add ("/queue-end/shutdown/drains", test_drains);
  add ("/queue-end/shutdown/immediate", test_immediate);
  add ("/queue-end/shutdown/unfinished", test_unfinished);
  return g_test_run ();
}
