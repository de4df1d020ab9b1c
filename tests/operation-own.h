/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An operation of the test's own, which ends when the test decides. */

#pragma once

#include "fixture.h"

typedef struct
{
  GCancellable *cancellable;
  GAsyncReadyCallback callback;
  gpointer data;
} Started;

/* The operation that is under way. */
static Started under_way;

static inline void
start_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_assert_null (under_way.callback);
  under_way = (Started) { cancellable ? g_object_ref (cancellable) : NULL, callback, data };
}

/* Ends the operation, with an error if @code is not negative.  @knows: the GTask has the
 * GCancellable, but does not check it by itself. */
static inline void
end_operation_that (gboolean knows,
                    int      code)
{
  Started ended = under_way;
  GTask *task = g_task_new (NULL, knows ? ended.cancellable : NULL, ended.callback, ended.data);

  under_way = (Started) { 0 };
  g_task_set_check_cancellable (task, !knows);
  if (code >= 0)
    g_task_return_new_error (task, G_IO_ERROR, code, "ended");
  else
    g_task_return_pointer (task, g_strdup ("result"), g_free);
  g_object_unref (task);
  g_clear_object (&ended.cancellable);
}

static inline void
end_operation (int code)
{
  end_operation_that (FALSE, code);
}

static inline char *
finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static inline gboolean
end_later (gpointer code)
{
  end_operation (GPOINTER_TO_INT (code));
  return G_SOURCE_REMOVE;
}

static inline GtxTask *
start_and_cancel (GtxCoroutine coroutine)
{
  GtxTask *task = gtx_create_task (coroutine, NULL, NULL);

  gtx_sleep (0, NULL);
  g_assert_nonnull (under_way.callback);
  g_assert_false (g_cancellable_is_cancelled (under_way.cancellable));
  gtx_cancel (task);
  g_assert_true (g_cancellable_is_cancelled (under_way.cancellable));
  for (int i = 0; i < 5; i++)
    gtx_sleep (0, NULL);
  /* The task still waits, because no operation is abandoned. */
  g_assert_false (gtx_future_is_done (task));
  assert_trace ("");
  return task;
}

static inline void
call_at_once (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_return_pointer (task, g_strdup ("sync"), g_free);
  callback (NULL, G_ASYNC_RESULT (task), data);
}
