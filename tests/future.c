/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Futures on their own: promises for code with callbacks. */

#include "fixture.h"

static GError *
some_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "broken");
}

static void
note_done (gpointer future, gpointer word)
{
  g_assert_true (gtx_future_is_done (future));
  g_assert_null (gtx_current_task ());
  note (word);
}

/* ---- Outcomes ---- */

static gboolean
test_pending (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  g_assert_true (GTX_IS_FUTURE (future) && G_IS_ASYNC_RESULT (future));
  g_assert_false (GTX_IS_FUTURE (gtx_task_get_cancellable (gtx_current_task ())));
  g_assert_false (gtx_future_is_done (future));
  g_assert_false (gtx_future_is_cancelled (future));
  g_assert_null (gtx_future_get_result (future));
  g_assert_null (gtx_future_get_error (future));
  return TRUE;
}

static gboolean
test_result (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();
  char *result = g_strdup ("first");

  g_assert_true (gtx_future_set_result (future, result, count_free));
  g_assert_true (gtx_future_is_done (future));
  g_assert_true (gtx_await_peek_pointer (future, error) == result);
  g_assert_true (gtx_future_get_result (future) == result);
  g_assert_null (gtx_future_get_error (future));

  /* The first outcome stays; what else is offered is freed. */
  g_assert_false (gtx_future_set_result (future, g_strdup ("second"), count_free));
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_false (gtx_future_set_error (future, some_error ()));
  g_assert_false (gtx_cancel (future));
  g_assert_cmpstr (gtx_future_get_result (future), ==, "first");

  g_object_unref (future);
  g_assert_cmpint (n_freed, ==, 2);
  return TRUE;
}

/* As a call gives what it returns, and once. */
static gboolean
test_result_taken (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GError) second = NULL;
  g_autoptr (GError) look = NULL;
  g_autofree char *result = NULL;

  g_assert_true (gtx_future_set_result (future, g_strdup ("result"), count_free));
  result = gtx_await_pointer (future, error);
  g_assert_cmpstr (result, ==, "result");

  g_assert_null (gtx_await_pointer (future, &second));
  g_assert_error (second, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_nonnull (strstr (second->message, "gtx_await_peek_pointer()"));
  g_assert_null (gtx_await_peek_pointer (future, &look));
  g_assert_error (look, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_null (gtx_future_get_result (future));
  g_assert_true (gtx_await (future, error));
  g_clear_object (&future);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

static gboolean
test_null_taken (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  g_assert_true (gtx_future_set_result (future, NULL, count_free));
  for (int i = 0; i < 3; i++)
    {
      g_assert_null (gtx_await_pointer (future, error));
      g_assert_no_error (*error);
      g_assert_null (gtx_await_peek_pointer (future, error));
      g_assert_no_error (*error);
    }
  return TRUE;
}

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  g_assert_true (gtx_future_set_error (future, some_error ()));
  g_assert_true (gtx_future_is_done (future));
  g_assert_false (gtx_future_is_cancelled (future));
  g_assert_false (gtx_await (future, &first));
  g_assert_null (gtx_await_pointer (future, &second));
  g_assert_error (first, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_error (second, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_error (gtx_future_get_error (future), G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_null (gtx_future_get_result (future));
  return TRUE;
}

static gboolean
test_error_never_retrieved (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_set_error (future, some_error ());
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "A GtxFuture: its error was never retrieved: broken");
  g_object_unref (future);
  g_test_assert_expected_messages ();
  return TRUE;
}

/* Of none of these anybody is told: a pending one that goes, a result that nobody
 * took, and errors that somebody asked for. */
static gboolean
test_silent (gpointer data, GError **error)
{
  GtxFuture *futures[7];

  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    futures[i] = gtx_future_new ();
  gtx_future_set_result (futures[1], NULL, NULL);
  gtx_future_set_result (futures[2], (gpointer) "result", NULL);
  g_assert_nonnull (gtx_future_get_result (futures[2]));
  for (guint i = 3; i < 6; i++)
    gtx_future_set_error (futures[i], some_error ());
  g_assert_nonnull (gtx_future_get_error (futures[3]));
  g_assert_false (gtx_await (futures[4], NULL));
  g_assert_false (gtx_cancel (futures[5]));
  g_assert_true (gtx_cancel (futures[6]));
  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    g_assert_finalize_object (futures[i]);
  return TRUE;
}

static void
free_busily (gpointer result)
{
  g_autoptr (GtxFuture) another = gtx_future_new ();

  gtx_future_add_done_callback (another, note_done, ".", NULL);
  gtx_future_set_result (another, NULL, NULL);
  count_free (result);
}

/* What frees a result may make and end futures. */
static gboolean
test_result_freed_busily (gpointer data, GError **error)
{
  for (int i = 0; i < 100; i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();

      gtx_future_set_result (future, g_strdup ("result"), free_busily);
    }
  g_assert_cmpint (n_freed, ==, 100);
  return gtx_sleep (0, error);
}

/* ---- Where its callbacks are called ---- */

static void
store_context (gpointer future, gpointer where)
{
  *(GMainContext **) where = g_main_context_ref_thread_default ();
}

/* One that is made outside of tasks belongs to the thread's default context. */
static void
assert_at_home (GMainContext *context)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GMainContext) seen = NULL;

  gtx_future_add_done_callback (future, store_context, &seen, NULL);
  gtx_future_set_result (future, NULL, NULL);
  g_assert_null (seen);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_true (seen == (context ? context : g_main_context_default ()));
}

static void
test_home (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  assert_at_home (NULL);
  g_main_context_push_thread_default (context);
  assert_at_home (context);
  g_main_context_pop_thread_default (context);
}

static gboolean
make_future (GtxFuture **future, GError **error)
{
  g_autoptr (GMainContext) seen = NULL;

  *future = gtx_future_new ();
  gtx_future_add_done_callback (*future, store_context, &seen, NULL);
  gtx_future_set_result (*future, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (seen == g_main_context_get_thread_default ());
  return TRUE;
}

/* One that is made in a task belongs to the task's. */
static void
test_home_of_task (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (make_future, &future, &error));
  g_main_context_pop_thread_default (context);
  g_assert_no_error (error);
}

/* ---- Cancelling ---- */

static gboolean
await_data (GtxFuture *future, GError **error)
{
  gboolean succeeded = gtx_await (future, error);

  note (succeeded ? "awaited" : "failed");
  return succeeded;
}

static gboolean
test_cancel (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_data, g_object_ref (future), g_object_unref);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  g_assert_true (gtx_cancel (future));
  g_assert_true (gtx_future_is_cancelled (future));
  assert_cancelled (gtx_future_get_error (future));
  g_assert_false (gtx_cancel (future));
  g_assert_null (gtx_future_get_result (future));
  g_assert_false (gtx_future_set_result (future, NULL, NULL));
  g_assert_false (gtx_future_set_error (future, some_error ()));
  g_assert_true (gtx_future_is_cancelled (future));

  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

static gboolean
test_awaiting_task_cancels (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_data, g_object_ref (future), g_object_unref);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  gtx_cancel (task);
  g_assert_true (gtx_future_is_cancelled (future));
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static char *
give_word (const char *word, GError **error)
{
  return (char *) word;
}

/* It ends with its own. */
static gboolean
test_set_on_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (give_word, "own", NULL, NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_future_set_result: the outcome of a task is*");
  g_assert_false (gtx_future_set_result (GTX_FUTURE (task), g_strdup ("no"), count_free));
  g_test_assert_expected_messages ();
  g_assert_cmpint (n_freed, ==, 1);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_future_set_error: the outcome of a task is*");
  g_assert_false (gtx_future_set_error (GTX_FUTURE (task), some_error ()));
  g_test_assert_expected_messages ();
  g_assert_false (gtx_future_is_done (task));
  g_assert_true (gtx_await (task, error));
  g_assert_cmpstr (gtx_future_get_result (task), ==, "own");
  return TRUE;
}

/* ---- Done callbacks ---- */

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

  /* The callback keeps a future that is done. */
  gtx_future_set_result (called, NULL, NULL);
  g_object_unref (called);
  g_assert_cmpint (n_freed, ==, 1);
  gtx_sleep (0, NULL);
  g_assert_cmpint (n_freed, ==, 2);
  assert_trace ("called");
  return TRUE;
}

/* ---- Callbacks that are taken back while others are ---- */

/* What frees its data does something to the future. */
typedef struct
{
  GtxFuture *future;
  enum
  {
    REMOVES,
    SETS,
    CANCELS,
    ADDS,
    UNREFS
  } what;
  guint n_calls;
  guint n_removed;
  gboolean succeeded;
} Meddler;

static void
note_data (gpointer future, gpointer data)
{
  note (GPOINTER_TO_UINT (data) == 1 ? "one" : "other");
}

static void
note_meddler (gpointer future, gpointer meddler)
{
  note ("meddler");
}

static void
meddle (gpointer data)
{
  Meddler *self = data;

  self->n_calls++;
  if (self->what == REMOVES)
    {
      self->n_removed += gtx_future_remove_done_callback (self->future, note_data, GUINT_TO_POINTER (1));
      self->n_removed += gtx_future_remove_done_callback (self->future, note_meddler, self);
    }
  else if (self->what == SETS)
    self->succeeded = gtx_future_set_result (self->future, NULL, NULL);
  else if (self->what == CANCELS)
    self->succeeded = gtx_cancel (self->future);
  else if (self->what == ADDS)
    gtx_future_add_done_callback (self->future, note_data, GUINT_TO_POINTER (2), NULL);
  else
    g_object_unref (self->future);
}

/* It is taken back together with its like, which are next to it and last. */
static guint
remove_meddler (Meddler *meddler, guint n_others)
{
  GtxFuture *future = gtx_future_new ();

  meddler->future = future;
  gtx_future_add_done_callback (future, note_meddler, meddler, meddle);
  gtx_future_add_done_callback (future, note_data, GUINT_TO_POINTER (1), NULL);
  gtx_future_add_done_callback (future, note_meddler, meddler, NULL);
  for (guint i = 0; i < n_others; i++)
    gtx_future_add_done_callback (future, note_done, "never", NULL);
  for (guint i = 0; i < n_others; i++)
    g_assert_cmpuint (gtx_future_remove_done_callback (future, note_done, GUINT_TO_POINTER (i)), ==, 0);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, note_done, "never"), ==, n_others);
  gtx_future_add_done_callback (future, note_data, GUINT_TO_POINTER (1), NULL);
  gtx_future_add_done_callback (future, note_data, GUINT_TO_POINTER (2), NULL);
  gtx_future_add_done_callback (future, note_meddler, meddler, NULL);
  return gtx_future_remove_done_callback (future, note_meddler, meddler);
}

static gboolean
test_removal_removes (gpointer data, GError **error)
{
  for (guint n_others = 0; n_others <= 100; n_others += 100)
    {
      Meddler meddler = { .what = REMOVES };

      g_assert_cmpuint (remove_meddler (&meddler, n_others), ==, 3);
      g_assert_cmpuint (meddler.n_calls, ==, 1);
      g_assert_cmpuint (meddler.n_removed, ==, 2);
      gtx_future_set_result (meddler.future, NULL, NULL);
      g_object_unref (meddler.future);
      gtx_sleep (0, NULL);
      assert_trace ("other");
    }
  return TRUE;
}

static gboolean
test_removal_settles (gpointer data, GError **error)
{
  gpointer one = GUINT_TO_POINTER (1);

  for (guint n_others = 0; n_others <= 100; n_others += 100)
    for (guint what = SETS; what <= CANCELS; what++)
      {
        Meddler meddler = { .what = what };

        g_assert_cmpuint (remove_meddler (&meddler, n_others), ==, 3);
        g_assert_true (meddler.succeeded);
        g_assert_cmpuint (gtx_future_remove_done_callback (meddler.future, note_data, one), ==, 0);
        g_object_unref (meddler.future);
        gtx_sleep (0, NULL);
        g_assert_cmpuint (meddler.n_calls, ==, 1);
        assert_trace ("one one other");
      }
  return TRUE;
}

static gboolean
test_removal_adds (gpointer data, GError **error)
{
  for (guint n_others = 0; n_others <= 100; n_others += 100)
    {
      Meddler meddler = { .what = ADDS };

      g_assert_cmpuint (remove_meddler (&meddler, n_others), ==, 3);
      g_assert_cmpuint (meddler.n_calls, ==, 1);
      gtx_future_set_result (meddler.future, NULL, NULL);
      g_object_unref (meddler.future);
      gtx_sleep (0, NULL);
      assert_trace ("one one other other");
    }
  return TRUE;
}

static gboolean
test_removal_unrefs (gpointer data, GError **error)
{
  for (guint n_others = 0; n_others <= 100; n_others += 100)
    {
      Meddler meddler = { .what = UNREFS };

      g_assert_cmpuint (remove_meddler (&meddler, n_others), ==, 3);
      g_assert_cmpuint (meddler.n_calls, ==, 1);
    }
  gtx_sleep (0, NULL);
  assert_trace ("");
  return TRUE;
}

/* A future that goes cannot be settled any more, and its callbacks are its own. */
static gboolean
test_end_meddles (gpointer data, GError **error)
{
  for (guint what = REMOVES; what <= CANCELS; what++)
    {
      Meddler meddler = { .what = what };

      meddler.future = gtx_future_new ();
      gtx_future_add_done_callback (meddler.future, note_done, g_strdup ("before"), count_free);
      gtx_future_add_done_callback (meddler.future, note_meddler, &meddler, meddle);
      gtx_future_add_done_callback (meddler.future, note_data, GUINT_TO_POINTER (1), NULL);
      gtx_future_add_done_callback (meddler.future, note_done, g_strdup ("after"), count_free);
      g_object_unref (meddler.future);
      g_assert_cmpuint (meddler.n_calls, ==, 1);
      g_assert_cmpuint (meddler.n_removed, ==, 0);
      g_assert_false (meddler.succeeded);
      gtx_sleep (0, NULL);
      assert_trace ("");
    }
  g_assert_cmpint (n_freed, ==, 6);
  return TRUE;
}

static gboolean
test_end_adds (gpointer data, GError **error)
{
  Meddler meddler = { .what = ADDS };

  meddler.future = gtx_future_new ();
  gtx_future_add_done_callback (meddler.future, note_meddler, &meddler, meddle);
  gtx_future_add_done_callback (meddler.future, note_done, g_strdup ("after"), count_free);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "gtx_future_add_done_callback: the future is being freed*");
  g_object_unref (meddler.future);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (meddler.n_calls, ==, 1);
  g_assert_cmpint (n_freed, ==, 1);
  gtx_sleep (0, NULL);
  assert_trace ("");
  return TRUE;
}

/* Nor can a task that goes. */
static gboolean
meddled (Meddler *meddler, GError **error)
{
  return TRUE;
}

static gboolean
test_task_end_meddles (gpointer data, GError **error)
{
  Meddler meddler = { .what = CANCELS };
  GtxTask *task = gtx_task_new (meddled, &meddler, meddle);

  meddler.future = GTX_FUTURE (task);
  gtx_future_add_done_callback (task, note_data, GUINT_TO_POINTER (1), NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "coroutine 'meddled' was never awaited");
  g_object_unref (task);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (meddler.n_calls, ==, 1);
  g_assert_false (meddler.succeeded);
  gtx_sleep (0, NULL);
  assert_trace ("");
  return TRUE;
}

/* An object takes back its second callback when it is disposed of, and its last
 * reference is the data of the first. */
static void
on_disposed (gpointer future, GObject *object)
{
  g_assert_cmpuint (gtx_future_remove_done_callback (future, note_done, object), ==, 1);
  n_freed++;
}

static gboolean
test_removal_disposes (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);

  g_object_weak_ref (object, on_disposed, future);
  gtx_future_add_done_callback (future, note_meddler, object, g_object_unref);
  gtx_future_add_done_callback (future, note_done, object, NULL);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, note_meddler, object), ==, 1);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

/* Callbacks that come and go among many: against an array that is searched. */
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

/* ---- From another thread ---- */

static GThread *freed_in;

static void
note_thread (gpointer data)
{
  freed_in = g_thread_self ();
}

static gpointer
drop_in_thread (gpointer future)
{
  g_object_unref (future);
  return NULL;
}

/* The data of its callbacks is freed at home, whoever drops it. */
static gboolean
drop_from_thread (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_add_done_callback (future, note_done, "never", note_thread);
  g_thread_join (g_thread_new ("dropper", drop_in_thread, future));
  if (!gtx_sleep (0.001, error))
    return FALSE;
  g_assert_true (freed_in == g_thread_self ());
  return TRUE;
}

static gpointer
set_in_thread (gpointer future)
{
  g_assert_true (gtx_future_set_result (future, g_strdup ("from afar"), count_free));
  g_object_unref (future);
  return NULL;
}

static gboolean
set_from_thread (gpointer data, GError **error)
{
  for (int i = 0; i < 200; i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();
      GThread *thread = g_thread_new ("setter", set_in_thread, g_object_ref (future));

      g_assert_cmpstr (gtx_await_peek_pointer (future, error), ==, "from afar");
      g_thread_join (thread);
    }
  return TRUE;
}

static void
test_thread (void)
{
  g_autoptr (GError) error = NULL;

  n_freed = 0;
  g_assert_true (gtx_run (set_from_thread, NULL, &error));
  g_assert_no_error (error);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (n_freed, ==, 200);
}

static gpointer
race (gpointer future)
{
  char *result = g_strdup ("mine");
  gboolean won = gtx_future_set_result (future, result, count_free);

  return GINT_TO_POINTER (won);
}

/* One of two threads wins, the other's result is freed. */
static void
test_race (void)
{
  n_freed = 0;
  for (int i = 0; i < 500; i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();
      GThread *a = g_thread_new ("a", race, future);
      GThread *b = g_thread_new ("b", race, future);
      int winners = GPOINTER_TO_INT (g_thread_join (a)) + GPOINTER_TO_INT (g_thread_join (b));

      g_assert_cmpint (winners, ==, 1);
      g_assert_cmpstr (gtx_future_get_result (future), ==, "mine");
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
  g_assert_cmpint (n_freed, ==, 1000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/future/pending", test_pending);
  add_coroutine ("/future/result", test_result);
  add_coroutine ("/future/result/taken", test_result_taken);
  add_coroutine ("/future/result/null", test_null_taken);
  add_coroutine ("/future/error", test_error);
  add_coroutine ("/future/error/never-retrieved", test_error_never_retrieved);
  add_coroutine ("/future/silent", test_silent);
  add_coroutine ("/future/result/freed-busily", test_result_freed_busily);
  g_test_add_func ("/future/home/outside", test_home);
  g_test_add_func ("/future/home/in-task", test_home_of_task);
  add_coroutine ("/future/cancel", test_cancel);
  add_coroutine ("/future/cancel/by-awaiting-task", test_awaiting_task_cancels);
  add_coroutine ("/future/set-on-task", test_set_on_task);
  add_coroutine ("/future/callbacks/order", test_callbacks_in_order);
  add_coroutine ("/future/callbacks/removed", test_callbacks_removed);
  add_coroutine ("/future/callbacks/data", test_callback_data);
  add_coroutine ("/future/callbacks/many", test_callbacks_many);
  add_coroutine ("/future/callbacks/removal/removes", test_removal_removes);
  add_coroutine ("/future/callbacks/removal/settles", test_removal_settles);
  add_coroutine ("/future/callbacks/removal/adds", test_removal_adds);
  add_coroutine ("/future/callbacks/removal/unrefs", test_removal_unrefs);
  add_coroutine ("/future/callbacks/removal/disposes", test_removal_disposes);
  add_coroutine ("/future/callbacks/end/meddles", test_end_meddles);
  add_coroutine ("/future/callbacks/end/task", test_task_end_meddles);
  add_coroutine ("/future/callbacks/end/adds", test_end_adds);
  add_real_coroutine ("/future/thread/dropped", drop_from_thread);
  g_test_add_func ("/future/thread", test_thread);
  g_test_add_func ("/future/thread/race", test_race);
  return g_test_run ();
}
