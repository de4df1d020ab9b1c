/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of continuations share: futures with outcomes, and functions that note that they were
 * called. */

#pragma once

#include "note-done.h"

typedef GtxFuture *(*Continue) (gpointer future, GtxThenFunc func, gpointer data, GDestroyNotify data_free);

static inline void
fail_with (GtxFuture *future, const char *message)
{
  gtx_future_set_error (future, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, message));
}

/* Notes the outcome of @future. */
static inline void
note_outcome (gpointer future)
{
  const GError *error = gtx_future_get_error (future);

  if (!gtx_future_is_done (future))
    note ("pending");
  else if (gtx_future_is_cancelled (future))
    note ("cancelled");
  else
    note (error ? error->message : (const char *) gtx_future_get_result (future));
}

static inline GtxFuture *
done_future (const char *result)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_set_result (future, (gpointer) result, NULL);
  return future;
}

/* What a function returns, and whether its data was freed. */
typedef struct
{
  gpointer returned;            /* its reference is taken */
  GtxFuture *to_cancel;         /* the function cancels this one */
  guint n_calls;
  guint n_frees;
} Call;

static inline gpointer
call_and_return (gpointer future, gpointer data)
{
  Call *call = data;

  g_assert_true (gtx_future_is_done (future));
  g_assert_null (gtx_current_task ());
  g_assert_cmpuint (call->n_frees, ==, 0);
  call->n_calls++;
  note ("called");
  if (call->to_cancel)
    g_assert_true (gtx_cancel (call->to_cancel));
  return g_steal_pointer (&call->returned);
}

static inline void
count_call_free (gpointer data)
{
  ((Call *) data)->n_frees++;
}

/* Lets rounds pass until nothing changes any more. */
static inline void
settle_down (void)
{
  for (int i = 0; i < 8; i++)
    g_assert_true (gtx_sleep (0, NULL));
}
