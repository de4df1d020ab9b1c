/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Continuations: when their functions are called, and how the new futures end. */

#include "continuation-cases.h"

/* ---- Which function is called for which outcome ---- */

typedef enum
{
  SUCCEEDS,
  FAILS,
  IS_CANCELLED
} Ending;

static void
end (GtxFuture *future, Ending ending)
{
  if (ending == SUCCEEDS)
    gtx_future_set_result (future, (gpointer) "first", NULL);
  else if (ending == FAILS)
    fail_with (future, "broken");
  else
    gtx_cancel (future);
}

static const struct
{
  Continue way;
  Ending ending;
  gboolean returns;             /* the function returns a future */
  const char *trace;
} outcomes[] = {
  { gtx_future_then, SUCCEEDS, FALSE, "called first" },
  { gtx_future_then, SUCCEEDS, TRUE, "called second" },
  { gtx_future_then, FAILS, TRUE, "broken" },
  { gtx_future_then, IS_CANCELLED, TRUE, "cancelled" },
  { gtx_future_catch, SUCCEEDS, TRUE, "first" },
  { gtx_future_catch, FAILS, FALSE, "called broken" },
  { gtx_future_catch, FAILS, TRUE, "called second" },
  { gtx_future_catch, IS_CANCELLED, FALSE, "called cancelled" },
  { gtx_future_catch, IS_CANCELLED, TRUE, "called second" },
  { gtx_future_finally, SUCCEEDS, FALSE, "called first" },
  { gtx_future_finally, SUCCEEDS, TRUE, "called second" },
  { gtx_future_finally, FAILS, FALSE, "called broken" },
  { gtx_future_finally, FAILS, TRUE, "called second" },
  { gtx_future_finally, IS_CANCELLED, FALSE, "called cancelled" },
  { gtx_future_finally, IS_CANCELLED, TRUE, "called second" },
};

/* @is_done: the first future is done before the continuation is made, and the second one when it is
 * returned. */
static void
check_outcomes (gboolean is_done)
{
  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++)
    {
      g_autoptr (GtxFuture) first = gtx_future_new ();
      g_autoptr (GtxFuture) second = is_done ? done_future ("second") : gtx_future_new ();
      Call call = { .returned = outcomes[i].returns ? g_object_ref (second) : NULL };
      g_autoptr (GtxFuture) future = NULL;

      if (is_done)
        end (first, outcomes[i].ending);
      future = outcomes[i].way (first, call_and_return, &call, count_call_free);
      g_assert_false (gtx_future_is_done (future));
      g_assert_cmpuint (call.n_calls + call.n_frees, ==, 0);
      if (!is_done)
        end (first, outcomes[i].ending);
      settle_down ();
      gtx_future_set_result (second, (gpointer) "second", NULL);
      settle_down ();
      note_outcome (future);
      assert_trace (outcomes[i].trace);
      /* A function of gtx_future_finally() does not deal with the error by returning a future. */
      if (outcomes[i].way == gtx_future_finally)
        gtx_future_get_error (first);
      g_assert_cmpuint (call.n_frees, ==, 1);
      g_clear_object ((GObject **) &call.returned);
      g_clear_object (&future);
      g_assert_cmpint (G_OBJECT (first)->ref_count, ==, 1);
      g_assert_cmpint (G_OBJECT (second)->ref_count, ==, 1);
    }
}

static gboolean
test_outcomes (gpointer data, GError **error)
{
  check_outcomes (FALSE);
  check_outcomes (TRUE);
  return TRUE;
}

/* The function is called in the round and in the order in which a done callback is. */
static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call call = { .returned = NULL };
  g_autoptr (GtxFuture) future = NULL;

  gtx_future_add_done_callback (first, note_done, "before", NULL);
  future = gtx_future_then (first, call_and_return, &call, NULL);
  gtx_future_add_done_callback (first, note_done, "after", NULL);
  gtx_future_add_done_callback (future, note_done, "done", NULL);
  gtx_future_set_result (first, NULL, NULL);
  assert_trace ("");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("before called after");
  g_assert_true (gtx_future_is_done (future));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("done");
  return TRUE;
}

static gboolean
test_second_fails (gpointer data, GError **error)
{
  for (int is_failure = 0; is_failure < 2; is_failure++)
    {
      g_autoptr (GtxFuture) first = done_future ("first");
      g_autoptr (GtxFuture) second = gtx_future_new ();
      Call call = { .returned = g_object_ref (second) };
      g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, NULL);

      g_assert_true (gtx_sleep (0, error));
      if (is_failure)
        fail_with (second, "broken");
      else
        gtx_cancel (second);
      settle_down ();
      note_outcome (future);
      assert_trace (is_failure ? "called broken" : "called cancelled");
    }
  return TRUE;
}

/* ---- Tasks ---- */

static char *
make_word (const char *word, GError **error)
{
  return gtx_sleep (1, error) ? g_strdup (word) : NULL;
}

static gpointer
return_unstarted (gpointer future, gpointer data)
{
  return gtx_task_new_pointer (make_word, (const char *) "made", NULL, count_free);
}

/* Tasks that were not started are. */
static gboolean
test_unstarted (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = gtx_task_new_pointer (make_word, "first", NULL, count_free);
  g_autoptr (GtxFuture) future = gtx_future_then (first, return_unstarted, NULL, NULL);

  g_assert_cmpstr (gtx_await_peek_pointer (future, error), ==, "made");
  g_assert_cmpstr (gtx_future_get_result (first), ==, "first");
  g_clear_object (&future);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

/* ---- Results and errors that go on ---- */

/* The result belongs to the first future, and is taken once. */
static gboolean
test_result_goes_on (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call calls[] = { { .returned = NULL }, { .returned = NULL } };
  g_autoptr (GtxFuture) one = gtx_future_then (first, call_and_return, &calls[0], NULL);
  g_autoptr (GtxFuture) other = gtx_future_catch (one, call_and_return, &calls[1], NULL);
  g_autofree char *result = NULL;
  g_autoptr (GError) failure = NULL;

  gtx_future_set_result (first, g_strdup ("result"), count_free);
  g_clear_object (&first);
  g_assert_cmpstr (gtx_await_peek_pointer (other, error), ==, "result");
  g_clear_object (&one);
  result = gtx_await_pointer (other, error);
  g_assert_cmpstr (result, ==, "result");
  g_assert_null (gtx_await_pointer (other, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_clear_object (&other);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

static gboolean
test_result_freed (gpointer data, GError **error)
{
  GtxFuture *first = gtx_future_new ();
  GtxFuture *future = gtx_future_catch (first, call_and_return, NULL, NULL);

  gtx_future_set_result (first, g_strdup ("result"), count_free);
  g_object_unref (first);
  g_assert_true (gtx_await (future, error));
  g_assert_cmpint (n_freed, ==, 0);
  g_object_unref (future);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

/* The library warns of an error that nobody retrieves once. */
static gboolean
test_error_goes_on (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, NULL, NULL);

  fail_with (first, "broken");
  settle_down ();
  g_clear_object (&first);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "A GtxFuture: its error was never retrieved: broken");
  g_clear_object (&future);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gpointer
retrieve (gpointer future, gpointer data)
{
  g_assert_nonnull (gtx_future_get_error (future));
  return NULL;
}

/* The function has retrieved the error, which goes on. */
static gboolean
test_error_retrieved (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  GtxFuture *future = gtx_future_catch (first, retrieve, NULL, NULL);

  fail_with (first, "broken");
  settle_down ();
  g_object_unref (future);
  return TRUE;
}

/* A future that gtx_future_catch() waits for instead is a way to deal with the error, and one that
 * gtx_future_finally() waits for is not. */
static gboolean
test_error_replaced (gpointer data, GError **error)
{
  for (int is_finally = 0; is_finally < 2; is_finally++)
    {
      g_autoptr (GtxFuture) first = gtx_future_new ();
      Call call = { .returned = done_future ("second") };
      g_autoptr (GtxFuture) future = (is_finally ? gtx_future_finally : gtx_future_catch) (first, call_and_return,
                                                                                         &call, NULL);

      fail_with (first, "broken");
      g_assert_true (gtx_await (future, error));
      if (is_finally)
        g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "A GtxFuture: its error was never retrieved: broken");
      g_clear_object (&first);
      g_test_assert_expected_messages ();
    }
  return TRUE;
}

/* ---- Mistakes ---- */

/* Rings of one and of two. */
static gboolean
test_ring (gpointer data, GError **error)
{
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GtxFuture) first = gtx_future_new ();
      Call calls[] = { { .returned = NULL }, { .returned = NULL } };
      g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &calls[0], NULL);
      g_autoptr (GtxFuture) other = gtx_future_finally (future, call_and_return, &calls[1], NULL);
      g_autoptr (GError) failure = NULL;

      calls[0].returned = g_object_ref (i == 0 ? future : other);
      gtx_future_set_result (first, NULL, NULL);
      g_assert_false (gtx_await (other, &failure));
      g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
      assert_trace ("called called");
      g_assert_cmpint (G_OBJECT (future)->ref_count, ==, 1);
      g_assert_cmpint (G_OBJECT (other)->ref_count, ==, 1);
    }
  return TRUE;
}

static gboolean
test_no_future (gpointer data, GError **error)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GtxFuture) first = done_future ("first");
  Call call = { .returned = object };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, count_call_free);
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "GtxThenFunc: takes a GtxFuture or GtxTask*");
  g_assert_false (gtx_await (future, &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (call.n_frees, ==, 1);
  return TRUE;
}

static gboolean
test_no_argument (gpointer data, GError **error)
{
  Call call = { .returned = NULL };

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_future_catch: takes a GtxFuture*NULL");
  g_assert_null (gtx_future_catch (NULL, call_and_return, &call, count_call_free));
  g_test_assert_expected_messages ();
  g_assert_cmpuint (call.n_frees, ==, 1);
  return TRUE;
}

/* The program sets the new future itself, and what its function waits for goes on alone. */
static gboolean
test_set_by_program (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call call = { .returned = NULL };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, count_call_free);

  gtx_future_set_result (future, (gpointer) "set", NULL);
  gtx_future_set_result (first, (gpointer) "first", NULL);
  settle_down ();
  note_outcome (future);
  assert_trace ("set");
  g_assert_cmpuint (call.n_frees, ==, 1);
  return TRUE;
}

/* ---- Operations, without a task: the recipe of docs/beside-tasks.md ---- */

static GtxFuture *
failed (GError *error)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_set_error (future, error);
  return future;
}

static gpointer
write_copy (gpointer loaded, gpointer copy)
{
  GAsyncResult *result = gtx_future_get_result (loaded);
  g_autoptr (GObject) file = g_async_result_get_source_object (result);
  GError *error = NULL;
  g_autoptr (GBytes) bytes = g_file_load_bytes_finish (G_FILE (file), result, NULL, &error);
  GtxFuture *written;

  if (bytes == NULL)
    return failed (error);
  written = gtx_operation_future_new ();
  g_file_replace_contents_bytes_async (copy, bytes, NULL, FALSE, G_FILE_CREATE_NONE, GTX_ASYNC_FUTURE (written));
  return written;
}

static gpointer
finish_copy (gpointer written, gpointer copy)
{
  GError *error = NULL;

  if (g_file_replace_contents_finish (copy, gtx_future_get_result (written), NULL, &error))
    return NULL;
  return failed (error);
}

static GtxFuture *
copy_file (GFile *file, GFile *copy)
{
  g_autoptr (GtxFuture) loaded = gtx_operation_future_new ();
  g_autoptr (GtxFuture) written = NULL;

  g_file_load_bytes_async (file, GTX_ASYNC_FUTURE (loaded));
  written = gtx_future_then (loaded, write_copy, g_object_ref (copy), g_object_unref);
  return gtx_future_then (written, finish_copy, g_object_ref (copy), g_object_unref);
}

static void
quit (gpointer future, gpointer loop)
{
  g_main_loop_quit (loop);
}

/* Returns the error of the copy, or NULL. */
static const GError *
run_copy (GtxFuture *copied)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  gtx_future_add_done_callback (copied, quit, loop, NULL);
  g_main_loop_run (loop);
  return gtx_future_get_error (copied);
}

static void
test_operations (void)
{
  g_autofree char *folder = g_dir_make_tmp ("continuations-XXXXXX", NULL);
  g_autoptr (GFile) parent = g_file_new_for_path (folder);
  g_autoptr (GFile) file = g_file_get_child (parent, "file");
  g_autoptr (GFile) copy = g_file_get_child (parent, "copy");
  g_autoptr (GFile) nowhere = g_file_resolve_relative_path (parent, "no/where");
  g_autoptr (GtxFuture) unread = copy_file (nowhere, copy);
  g_autoptr (GtxFuture) cancelled = NULL;
  g_autoptr (GtxFuture) copied = NULL;
  g_autoptr (GtxFuture) unwritten = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_error (run_copy (unread), G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_true (g_file_replace_contents (file, "text", 4, NULL, FALSE, G_FILE_CREATE_NONE, NULL, NULL, &error));
  cancelled = copy_file (file, copy);
  g_assert_true (gtx_cancel (cancelled));
  assert_cancelled (run_copy (cancelled));
  g_assert_false (g_file_query_exists (copy, NULL));
  copied = copy_file (file, copy);
  g_assert_no_error (run_copy (copied));
  g_assert_true (g_file_load_contents (copy, NULL, &text, NULL, NULL, &error));
  g_assert_cmpstr (text, ==, "text");
  unwritten = copy_file (file, nowhere);
  g_assert_error (run_copy (unwritten), G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_file_delete (copy, NULL, NULL);
  g_file_delete (file, NULL, NULL);
  g_file_delete (parent, NULL, NULL);
}

/* ---- Virtual time ---- */

static gboolean
set_word (gpointer future)
{
  gtx_future_set_result (future, (gpointer) "set", NULL);
  return G_SOURCE_REMOVE;
}

/* Another source of the main loop may end what a continuation waits for, so that virtual time does not jump
 * past that source. */
static gboolean
test_ended_by_source (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call call = { .returned = NULL };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, NULL);

  g_timeout_add (20, set_word, first);
  g_assert_true (gtx_wait_for (future, 1000, error));
  note_outcome (future);
  assert_trace ("called set");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/continuations/outcomes", test_outcomes);
  add_coroutine ("/continuations/order", test_order);
  add_coroutine ("/continuations/second-fails", test_second_fails);
  add_coroutine ("/continuations/unstarted", test_unstarted);
  add_coroutine ("/continuations/result/goes-on", test_result_goes_on);
  add_coroutine ("/continuations/result/freed", test_result_freed);
  add_coroutine ("/continuations/error/goes-on", test_error_goes_on);
  add_coroutine ("/continuations/error/retrieved", test_error_retrieved);
  add_coroutine ("/continuations/error/replaced", test_error_replaced);
  add_coroutine ("/continuations/ring", test_ring);
  add_coroutine ("/continuations/no-future", test_no_future);
  add_coroutine ("/continuations/no-argument", test_no_argument);
  add_coroutine ("/continuations/set-by-program", test_set_by_program);
  g_test_add_func ("/continuations/operations", test_operations);
  add_coroutine ("/continuations/ended-by-source", test_ended_by_source);
  return g_test_run ();
}
