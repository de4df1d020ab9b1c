/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the moment at which a future is done, another thread may take its result and drop both.  The code
 * that makes the future done uses neither after that moment. */

#include "fixture.h"

static gpointer watched_object;
static GtxFuture *watched_future;
static guint n_late;

/* This definition replaces GObject's, and counts the references that come too late. */
#undef g_object_ref
gpointer
g_object_ref (gpointer object)
{
  if (watched_object && object == watched_object && gtx_future_is_done (watched_future))
    n_late++;
  return (g_object_ref_sink) (object);
}

static void
watch (GtxFuture *future, gpointer object)
{
  n_late = 0;
  watched_future = future;
  watched_object = object;
}

static void
assert_in_time (void)
{
  watched_object = NULL;
  g_assert_cmpuint (n_late, ==, 0);
}

/* ---- The result of an operation ---- */

typedef struct
{
  GAsyncReadyCallback callback;
  gpointer data;
} Begun;

static void
begin_async (Begun *begun, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  begun->callback = callback;
  begun->data = data;
}

static gboolean
test_operation (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  g_autoptr (GTask) result = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (GTask) taken = NULL;
  Begun begun;

  g_task_return_boolean (result, TRUE);
  begin_async (&begun, GTX_ASYNC_FUTURE (future));
  watch (future, result);
  begun.callback (NULL, G_ASYNC_RESULT (result), begun.data);
  assert_in_time ();
  taken = gtx_await_pointer (future, error);
  g_assert_true (taken == result);
  return TRUE;
}

/* ---- The future itself ---- */

static void
count_call (gpointer future, gpointer n)
{
  (*(gint *) n)++;
}

/* The code that sets the future has only borrowed it. */
static gboolean
test_borrowed (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  gint n = 0;

  gtx_future_add_done_callback (future, count_call, &n, NULL);
  watch (future, future);
  gtx_future_set_result (future, NULL, NULL);
  assert_in_time ();
  if (!gtx_sleep (0, error))
    return FALSE;
  g_assert_cmpint (n, ==, 1);
  return TRUE;
}

/* ---- The error of a cancelled future ---- */

/* ThreadSanitizer sees whether code in the future's thread expects that nobody makes the error meanwhile. */
static gpointer
ask_for_error (gpointer future)
{
  while (!gtx_future_is_done (future))
    g_thread_yield ();
  assert_cancelled (gtx_future_get_error (future));
  return NULL;
}

static gboolean
test_error_in_scope (gpointer data, GError **error)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  GtxScope *scope = gtx_object_get_scope (object);
  g_autoptr (GtxTask) task = g_object_ref (gtx_scope_create_task (scope, sleep_long, NULL, NULL));
  GThread *thread = g_thread_new ("asks", ask_for_error, task);

  gtx_sleep (0, NULL);
  gtx_cancel (task);
  gtx_scope_join (scope, NULL);
  g_thread_join (thread);
  return TRUE;
}

static gboolean
test_error_in_shield (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxFuture) shield = gtx_shield (future);
  GThread *thread = g_thread_new ("asks", ask_for_error, future);

  gtx_cancel (future);
  g_assert_false (gtx_await (shield, NULL));
  g_assert_true (gtx_future_is_cancelled (shield));
  g_thread_join (thread);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/threads-done/operation", test_operation);
  add_coroutine ("/threads-done/borrowed", test_borrowed);
  add_coroutine ("/threads-done/error/scope", test_error_in_scope);
  add_coroutine ("/threads-done/error/shield", test_error_in_shield);
  return g_test_run ();
}
