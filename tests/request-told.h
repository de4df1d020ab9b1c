/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task to which requests are delivered in its blocks, and that lends these blocks to
 * the test. */

#pragma once

#include "fixture.h"

static GTask *under_way;

static inline void
start_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_assert_null (under_way);
  under_way = g_task_new (NULL, NULL, callback, data);
}

/* A request that came during the operation is still pending when the operation has succeeded. */
static inline void
await_operation (void)
{
  g_autoptr (GError) failure = NULL;

  start_async (GTX_ASYNC);
  g_assert_true (g_task_propagate_boolean (G_TASK (gtx_await_result ()), &failure));
  g_assert_no_error (failure);
}

typedef enum
{
  IN_BLOCK,
  BEFORE_BLOCK,
  NEVER
} Told;

typedef struct
{
  GtxTask *task;
  GtxTimeout *timeout;
  GtxTaskGroup *outer;
  GtxTaskGroup *group;          /* the inner group, if there are two */
  Told told;                    /* when a request from outside is delivered, after which the task carries on */
  gboolean has_child;
  gboolean fails;               /* the block fails with an error of its own */
  gboolean ends;                /* the group is ended; otherwise it is left early */
} Lent;

typedef gboolean (*Borrower) (Lent *lent, GError **error);

/* Virtual time stands still, as it always does while an operation is under way. */
static inline void
let_run (void)
{
  for (int i = 0; i < 5; i++)
    gtx_sleep (0, NULL);
}

static inline void
begin_task (Lent *lent, Borrower coroutine)
{
  lent->task = gtx_create_task (coroutine, lent, NULL);
  let_run ();
}

static inline void
ask_group (GtxTaskGroup *group)
{
  gtx_task_group_cancel (group);
  let_run ();
}

/* The main loop calls the callback in a turn of its own. */
static inline void
end_operation (void)
{
  g_autoptr (GTask) ended = g_steal_pointer (&under_way);

  g_assert_nonnull (ended);
  if (!g_task_return_error_if_cancelled (ended))
    g_task_return_boolean (ended, TRUE);
  while (!g_task_get_completed (ended))
    gtx_sleep (0, NULL);
  let_run ();
}

/* Ends the operation that the task waits for, and then the task. */
static inline gboolean
end_task (Lent *lent, const char *expected, GError **error)
{
  g_autoptr (GtxTask) task = lent->task;

  end_operation ();
  if (!gtx_await (task, error))
    return FALSE;
  assert_trace (expected);
  return TRUE;
}

/* Notes the awaits after all blocks: a pending request is delivered once. */
static inline void
note_rest (guint n_requests)
{
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, n_requests);
  for (int i = 0; i < 2; i++)
    note (gtx_sleep (1, NULL) ? "went-on" : "cancelled");
}

static inline void
be_told (void)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (1000, &failure));
  assert_cancelled (failure);
}

static inline void
run_group (Lent *lent)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  lent->group = &group;
  if (lent->has_child)
    gtx_task_group_create_task (&group, sleep_long, NULL, NULL, NULL);
  if (lent->told == IN_BLOCK)
    be_told ();
  await_operation ();
  if (lent->ends)
    gtx_task_group_end (&group, NULL, &failure);
  g_assert_no_error (failure);
}

static inline gboolean
be_told_and_run_group (Lent *lent, GError **error)
{
  if (lent->told == BEFORE_BLOCK)
    be_told ();
  run_group (lent);
  note_rest (1);
  return TRUE;
}
