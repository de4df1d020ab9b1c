/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which done callbacks are called, and in which order. */

#include "note-done.h"

static char words[] = "abc";

static void
note_one (gpointer future, gpointer letter)
{
  note ((char[]) { *(char *) letter, '\0' });
}

static void
add (GtxFuture *future, int index)
{
  gtx_future_add_done_callback (future, note_one, &words[index], NULL);
}

static guint
take_back (GtxFuture *future, int index)
{
  return gtx_future_remove_done_callback (future, note_one, &words[index]);
}

/* Ends a future that has three callbacks, none of which was called before. */
static void
assert_called (GtxFuture *future, const char *expected)
{
  assert_trace ("");
  gtx_future_set_result (future, (gpointer) "result", NULL);
  assert_trace ("");
  gtx_sleep (0, NULL);
  assert_trace (expected);
  g_assert_cmpstr (gtx_future_get_result (future), ==, "result");
  g_object_unref (future);
}

static GtxFuture *
future_for_three (void)
{
  GtxFuture *future = gtx_future_new ();

  for (int i = 0; i < 3; i++)
    add (future, i);
  return future;
}

/* A callback can be removed once. */
static gboolean
test_removed (gpointer data, GError **error)
{
  GtxFuture *future = future_for_three ();

  g_assert_cmpuint (take_back (future, 0), ==, 1);
  g_assert_cmpuint (take_back (future, 0), ==, 0);
  assert_called (future, "b c");

  future = future_for_three ();
  g_assert_cmpuint (take_back (future, 0), ==, 1);
  g_assert_cmpuint (take_back (future, 1), ==, 1);
  g_assert_cmpuint (take_back (future, 0), ==, 0);
  assert_called (future, "c");

  future = future_for_three ();
  g_assert_cmpuint (take_back (future, 2), ==, 1);
  g_assert_cmpuint (take_back (future, 2), ==, 0);
  assert_called (future, "a b");
  return TRUE;
}

static gboolean
test_many_removed (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  add (future, 0);
  add (future, 1);
  g_assert_cmpuint (take_back (future, 1), ==, 1);
  g_assert_cmpuint (take_back (future, 2), ==, 0);
  add (future, 1);
  for (int i = 0; i < 5; i++)
    add (future, 0);
  g_assert_cmpuint (take_back (future, 0), ==, 6);
  assert_called (future, "b");
  return TRUE;
}

static gboolean
test_all_removed (gpointer data, GError **error)
{
  GtxFuture *future = future_for_three ();

  for (int i = 0; i < 3; i++)
    g_assert_cmpuint (take_back (future, i), ==, 1);
  assert_called (future, "");
  return TRUE;
}

static gboolean
test_result (gpointer data, GError **error)
{
  assert_called (future_for_three (), "a b c");
  return TRUE;
}

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = future_for_three ();

  gtx_future_set_error (future, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "broken"));
  assert_trace ("");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a b c");
  g_assert_error (gtx_future_get_error (future), G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = future_for_three ();

  gtx_cancel (future);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a b c");
  return TRUE;
}

static void
take_all_back (gpointer future, gpointer data)
{
  note ("first");
  for (int i = 0; i < 3; i++)
    g_assert_cmpuint (take_back (future, i), ==, 0);
}

/* The callbacks are already on their way, and cannot be removed. */
static gboolean
test_too_late (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_add_done_callback (future, take_all_back, NULL, NULL);
  for (int i = 0; i < 3; i++)
    add (future, i);
  assert_called (future, "first a b c");
  return TRUE;
}

/* ---- Beside tasks, and their data ---- */

static gboolean
await_data (GtxFuture *future, GError **error)
{
  gboolean succeeded = gtx_await (future, error);

  note (succeeded ? "awaited" : "failed");
  return succeeded;
}

static gboolean
test_callbacks_in_order (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = NULL;

  gtx_future_add_done_callback (future, note_done, "one", NULL);
  task = gtx_create_task (await_data, g_object_ref (future), g_object_unref);
  gtx_sleep (0, NULL);
  gtx_future_add_done_callback (future, note_done, "two", NULL);

  gtx_future_set_result (future, NULL, NULL);
  assert_trace ("");
  gtx_sleep (0, NULL);
  assert_trace ("one awaited two");

  gtx_future_add_done_callback (future, note_done, "late", NULL);
  assert_trace ("");
  gtx_sleep (0, NULL);
  assert_trace ("late");
  return TRUE;
}

static gboolean
test_callbacks_removed (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  char *twice = g_strdup ("twice");

  gtx_future_add_done_callback (future, note_done, "kept", NULL);
  gtx_future_add_done_callback (future, note_done, twice, NULL);
  gtx_future_add_done_callback (future, note_done, twice, count_free);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, note_done, "absent"), ==, 0);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, note_done, twice), ==, 2);
  g_assert_cmpint (n_freed, ==, 1);

  gtx_future_set_result (future, NULL, NULL);
  gtx_sleep (0, NULL);
  assert_trace ("kept");
  return TRUE;
}

static gboolean
test_callback_data (gpointer data, GError **error)
{
  GtxFuture *called = gtx_future_new ();
  GtxFuture *dropped = gtx_future_new ();

  gtx_future_add_done_callback (called, note_done, g_strdup ("called"), count_free);
  gtx_future_add_done_callback (dropped, note_done, g_strdup ("never"), count_free);
  g_object_unref (dropped);
  g_assert_cmpint (n_freed, ==, 1);

  /* A done future lives until its callbacks were called. */
  gtx_future_set_result (called, NULL, NULL);
  g_object_unref (called);
  g_assert_cmpint (n_freed, ==, 1);
  gtx_sleep (0, NULL);
  g_assert_cmpint (n_freed, ==, 2);
  assert_trace ("called");
  return TRUE;
}

/* ---- Many ---- */

/* Callbacks are added and removed among many others.  An array has the expected calls. */
static GArray *called;

static void
note_number (gpointer future, gpointer number)
{
  guint value = GPOINTER_TO_UINT (number);

  g_array_append_val (called, value);
}

static void
count_number (gpointer number)
{
  n_freed++;
}

static guint
remove_from_array (GArray *numbers, guint number)
{
  guint n = numbers->len;

  for (guint i = numbers->len; i-- > 0;)
    if (g_array_index (numbers, guint, i) == number)
      g_array_remove_index (numbers, i);
  return n - numbers->len;
}

static gboolean
test_callbacks_many (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GArray) expected = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  int n_added = 0;

  called = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < 5000; i++)
    {
      guint number = (guint) g_rand_int_range (random, 0, i < 1000 ? 4 : 300);

      if (g_rand_int_range (random, 0, 3) > 0)
        {
          gtx_future_add_done_callback (future, note_number, GUINT_TO_POINTER (number), count_number);
          g_array_append_val (expected, number);
          n_added++;
        }
      else
        {
          guint n_removed = gtx_future_remove_done_callback (future, note_number, GUINT_TO_POINTER (number));

          g_assert_cmpuint (n_removed, ==, remove_from_array (expected, number));
        }
      g_assert_cmpint (n_freed, ==, n_added - (int) expected->len);
    }
  g_assert_cmpuint (expected->len, >, 200);
  gtx_future_set_result (future, NULL, NULL);
  gtx_sleep (0, NULL);
  g_assert_cmpint (n_freed, ==, n_added);
  g_assert_cmpmem (called->data, called->len * sizeof (guint),
                   expected->data, expected->len * sizeof (guint));
  g_array_unref (called);
  return TRUE;
}

/* ---- Other threads ---- */

static gpointer
set_it (gpointer future)
{
  gtx_future_set_result (future, NULL, NULL);
  return NULL;
}

static void
set_elsewhere (GtxFuture *future)
{
  g_thread_join (g_thread_new (NULL, set_it, future));
}

static gboolean
await_and_note (GtxFuture *future, GError **error)
{
  gboolean succeeded = gtx_await (future, error);

  note ("task");
  return succeeded;
}

/* Another thread has settled the future, and its home does not know yet.  A callback that is added
 * now is called last. */
static gboolean
test_set_elsewhere (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_and_note, future, NULL);

  g_assert_true (gtx_sleep (0, error));
  add (future, 0);
  add (future, 1);
  set_elsewhere (future);
  add (future, 2);
  g_assert_cmpuint (take_back (future, 1), ==, 0);
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("task a b c");
  return TRUE;
}

/* Another thread frees these results, each of which removes a callback. */
#define N_RESULTS 1000

static GtxFuture *shared;
static guint depth, deepest;

static void
take_back_and_free (gpointer result)
{
  depth++;
  deepest = MAX (deepest, depth);
  g_assert_cmpuint (gtx_future_remove_done_callback (shared, note_one, result), ==, 1);
  depth--;
  count_free (result);
}

static gpointer
drop_all (gpointer futures)
{
  /* This callback is on its way when the first result is freed. */
  gtx_future_add_done_callback (shared, note_one, words, NULL);
  g_ptr_array_unref (futures);
  return NULL;
}

static gboolean
test_dropped_elsewhere (gpointer data, GError **error)
{
  GPtrArray *futures = g_ptr_array_new_with_free_func (g_object_unref);

  shared = gtx_future_new ();
  for (int i = 0; i < N_RESULTS; i++)
    {
      GtxFuture *future = gtx_future_new ();
      gpointer result = g_malloc (1);

      gtx_future_add_done_callback (shared, note_one, result, NULL);
      gtx_future_set_result (future, result, take_back_and_free);
      g_ptr_array_add (futures, future);
    }
  g_thread_join (g_thread_new (NULL, drop_all, futures));
  while (n_freed < N_RESULTS)
    g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (deepest, <=, 2);
  g_clear_object (&shared);
  return TRUE;
}

/* The function that frees a result also handles the messages of other threads. */
static void
list_and_free (gpointer result)
{
  depth++;
  deepest = MAX (deepest, depth);
  g_ptr_array_unref (gtx_all_tasks ());
  depth--;
  count_free (result);
}

static gpointer
unref_all (gpointer futures)
{
  g_ptr_array_unref (futures);
  return NULL;
}

static gboolean
test_dropped_and_asked (gpointer data, GError **error)
{
  GPtrArray *futures = g_ptr_array_new_with_free_func (g_object_unref);

  deepest = 0;
  for (int i = 0; i < N_RESULTS; i++)
    {
      GtxFuture *future = gtx_future_new ();

      gtx_future_set_result (future, g_malloc (1), list_and_free);
      g_ptr_array_add (futures, future);
    }
  g_thread_join (g_thread_new (NULL, unref_all, futures));
  while (n_freed < N_RESULTS)
    g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (deepest, <=, 2);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/done-callbacks/result", test_result);
  add_coroutine ("/done-callbacks/error", test_error);
  add_coroutine ("/done-callbacks/cancelled", test_cancelled);
  add_coroutine ("/done-callbacks/removed", test_removed);
  add_coroutine ("/done-callbacks/removed/many", test_many_removed);
  add_coroutine ("/done-callbacks/removed/all", test_all_removed);
  add_coroutine ("/done-callbacks/removed/too-late", test_too_late);
  add_coroutine ("/done-callbacks/order", test_callbacks_in_order);
  add_coroutine ("/done-callbacks/removed/data", test_callbacks_removed);
  add_coroutine ("/done-callbacks/data", test_callback_data);
  add_coroutine ("/done-callbacks/many", test_callbacks_many);
  add_coroutine ("/done-callbacks/set-elsewhere", test_set_elsewhere);
  add_coroutine ("/done-callbacks/dropped-elsewhere", test_dropped_elsewhere);
  add_coroutine ("/done-callbacks/dropped-elsewhere/asks", test_dropped_and_asked);
  return g_test_run ();
}
