/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The task-local values of done callbacks: each has a copy of those of the code that added it. */

#include "note-done.h"

static GtxTaskLocal word = GTX_TASK_LOCAL_INIT (count_free);
static GtxTaskLocal number = GTX_TASK_LOCAL_INIT (NULL);

static void
set_word (const char *value)
{
  gtx_task_local_set (&word, g_strdup (value));
}

static void
note_word (void)
{
  const char *value = gtx_task_local_get (&word);

  note (value ? value : "none");
}

static void
note_and_change (gpointer future, gpointer data)
{
  note_word ();
  set_word ("changed");
}

static gboolean
note_in_task (gpointer data, GError **error)
{
  note_word ();
  return TRUE;
}

static void
note_change_and_start (gpointer future, gpointer data)
{
  g_autoptr (GtxTask) task = NULL;

  note_and_change (future, data);
  task = gtx_create_task (note_in_task, NULL, NULL);
}

typedef struct
{
  GtxFuture *future;
  const char *name;
} Adder;

static gboolean
add_and_look (Adder *self, GError **error)
{
  g_autofree char *later = g_strconcat (self->name, "-later", NULL);

  set_word (self->name);
  gtx_future_add_done_callback (self->future, note_change_and_start, NULL, NULL);
  gtx_future_add_done_callback (self->future, note_and_change, NULL, NULL);
  set_word (later);
  for (int i = 0; i < 3; i++)
    if (!gtx_sleep (0, error))
      return FALSE;
  note_word ();
  return TRUE;
}

/* An equivalent program for asyncio, with ContextVar and asyncio.ensure_future(), has this trace. */
static gboolean
test_as_asyncio (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  Adder adders[] = { { future, "one" }, { future, "two" } };
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;

  gtx_future_add_done_callback (future, note_and_change, NULL, NULL);
  first = gtx_create_task (add_and_look, &adders[0], NULL);
  second = gtx_create_task (add_and_look, &adders[1], NULL);
  g_assert_true (gtx_sleep (0, error));
  set_word ("own");
  gtx_future_set_result (future, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, first, second, NULL));
  note_word ();
  assert_trace ("none one one two two changed changed one-later two-later own");
  return TRUE;
}

/* ---- When values are destroyed ---- */

/* The values of a callback are destroyed after the call, and when it is not called. */
static gboolean
test_destroyed (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) called = gtx_future_new ();
  g_autoptr (GtxFuture) dropped = gtx_future_new ();

  set_word ("one");
  gtx_future_add_done_callback (called, note_and_change, NULL, NULL);
  gtx_future_add_done_callback (dropped, note_and_change, NULL, NULL);
  gtx_task_local_set (&word, NULL);
  g_assert_cmpint (n_freed, ==, 0);

  gtx_future_set_result (called, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  /* The value that the callback has set. */
  g_assert_cmpint (n_freed, ==, 1);
  g_clear_object (&dropped);
  g_assert_cmpint (n_freed, ==, 2);
  assert_trace ("one");
  return TRUE;
}

static gboolean
set_number_and_add (GtxFuture *future, GError **error)
{
  gtx_task_local_set (&number, GINT_TO_POINTER (1));
  gtx_future_add_done_callback (future, note_and_change, NULL, NULL);
  return TRUE;
}

/* The callback has none of the thread's values, and leaves the thread's alone. */
static void
test_thread (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GError) error = NULL;

  trace = g_string_new (NULL);
  n_freed = 0;
  g_assert_true (gtx_run (set_number_and_add, future, &error));
  set_word ("thread");
  gtx_task_local_set (&number, GINT_TO_POINTER (2));
  gtx_future_set_result (future, NULL, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  assert_trace ("none");
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_cmpstr (gtx_task_local_get (&word), ==, "thread");
  g_assert_cmpint (GPOINTER_TO_INT (gtx_task_local_get (&number)), ==, 2);
  gtx_task_local_set (&word, NULL);
  gtx_task_local_set (&number, NULL);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

/* ---- Values that are set when values are destroyed ---- */

static int n_left;

static void set_again (gpointer value);

static GtxTaskLocal stubborn = GTX_TASK_LOCAL_INIT (set_again);

static void
set_again (gpointer value)
{
  if (n_left-- > 0)
    gtx_task_local_set (&stubborn, value);
}

static void
set_stubborn (gpointer future, gpointer data)
{
  gtx_task_local_set (&stubborn, &stubborn);
}

static gboolean
test_set_again (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  gtx_future_set_result (future, NULL, NULL);
  n_left = 3;
  gtx_future_add_done_callback (future, set_stubborn, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpint (n_left, ==, -1);
  return TRUE;
}

static gboolean
test_set_for_ever (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  gtx_future_set_result (future, NULL, NULL);
  n_left = G_MAXINT;
  gtx_future_add_done_callback (future, set_stubborn, NULL, NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A done callback ends, and the functions that destroy*");
  g_assert_true (gtx_sleep (0, error));
  g_test_assert_expected_messages ();
  n_left = 0;
  return TRUE;
}

/* ---- Other threads ---- */

static gpointer
add_elsewhere (gpointer future)
{
  set_word ("elsewhere");
  gtx_future_add_done_callback (future, note_and_change, NULL, NULL);
  return NULL;
}

static gboolean
test_added_elsewhere (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  set_word ("here");
  g_thread_join (g_thread_new (NULL, add_elsewhere, future));
  g_assert_cmpint (n_freed, ==, 0);
  gtx_future_set_result (future, NULL, NULL);
  while (trace->len == 0)
    g_assert_true (gtx_sleep (0, error));
  assert_trace ("elsewhere");
  g_assert_cmpint (n_freed, ==, 2);
  g_assert_cmpstr (gtx_task_local_get (&word), ==, "here");
  return TRUE;
}

/* ---- Continuations ---- */

static gpointer
note_and_go_on (gpointer future, gpointer expected)
{
  note_and_change (future, NULL);
  return NULL;
}

static gboolean
test_continuation (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxFuture) then = NULL;
  g_autoptr (GtxFuture) finally = NULL;

  set_word ("then");
  then = gtx_future_then (future, note_and_go_on, NULL, NULL);
  set_word ("finally");
  finally = gtx_future_finally (then, note_and_go_on, NULL, NULL);
  set_word ("later");
  gtx_future_set_result (future, NULL, NULL);
  g_assert_true (gtx_await (finally, error));
  assert_trace ("then finally");
  g_assert_cmpstr (gtx_task_local_get (&word), ==, "later");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/done-callbacks-locals/as-asyncio", test_as_asyncio);
  add_coroutine ("/done-callbacks-locals/destroyed", test_destroyed);
  g_test_add_func ("/done-callbacks-locals/thread", test_thread);
  add_coroutine ("/done-callbacks-locals/set-again", test_set_again);
  add_coroutine ("/done-callbacks-locals/set-for-ever", test_set_for_ever);
  add_coroutine ("/done-callbacks-locals/added-elsewhere", test_added_elsewhere);
  add_coroutine ("/done-callbacks-locals/continuation", test_continuation);
  return g_test_run ();
}
