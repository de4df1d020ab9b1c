/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to cancel the future of a continuation. */

#include "many/continuation.h"

GtxFuture *
gtx_continuation_get_awaited (GtxFuture *future)
{
  GtxContinuation *self = (GtxContinuation *) future;

  return self->there ? NULL : self->awaited;
}

/* A request on its way to the future of another main context. */
typedef struct
{
  GtxContinuation *asker;
  GtxFuture *asked;
} Request;

static void
answer (GtxContinuation *self)
{
  if (--self->n_answers == 0 && self->phase == GTX_WAITS_FOR_ANSWERS)
    gtx_continuation_finish_as (self, self->ended);
  gtx_continuation_drop_use (self);
  g_object_unref (self);
}

static void
on_taken (gpointer self)
{
  answer (self);
}

static void
on_refused (gpointer self)
{
  ((GtxContinuation *) self)->is_cancelled = TRUE;
  answer (self);
}

static void
make_request_there (gpointer crossing)
{
  Request *request = gtx_crossing_get_data (crossing);
  GtxContinuation *self = request->asker;
  gboolean made = gtx_crossing_cancel (crossing, request->asked);

  g_object_unref (request->asked);
  g_free (request);
  if (gtx_scheduler_post (self->parent_instance.home, made ? on_taken : on_refused, self))
    return;
  gtx_continuation_drop_use (self);
  g_object_unref (self);
}

/* FALSE: the other main context is gone, or the request has come back here. */
static gboolean
request_there (GtxContinuation *self)
{
  GtxCrossing *crossing;
  Request *request;
  guint64 number;

  if (gtx_crossing_point_was_passed (&self->point))
    return FALSE;
  request = g_new (Request, 1);
  *request = (Request) { g_object_ref (self), g_object_ref (self->there) };
  crossing = gtx_crossing_new (&self->point, request);
  number = gtx_crossing_get_request (crossing);
  gtx_continuation_add_use (self);
  if (!gtx_scheduler_post (self->there->home, make_request_there, crossing))
    {
      gtx_crossing_unref (crossing);
      g_object_unref (request->asked);
      g_free (request);
      gtx_continuation_drop_use (self);
      g_object_unref (self);
      return FALSE;
    }
  gtx_crossing_point_count (&self->point, number);
  self->n_answers++;
  return TRUE;
}

/* Called if nothing that @self waits for takes the request. */
static gboolean
take_request (GtxContinuation *self)
{
  if (self->phase == GTX_WAITS_FOR_SECOND && self->there && !gtx_future_done (self->awaited) && request_there (self))
    return TRUE;
  if (self->phase == GTX_CALLS)
    self->is_to_pass_on = TRUE;
  else if (self->phase == GTX_WAITS_FOR_FIRST && self->when == (GTX_ON_SUCCESS | GTX_ON_FAILURE))
    self->is_cancelled = TRUE;
  else
    {
      if (self->awaited)
        gtx_future_forgive_error (self->awaited);
      return gtx_future_finish_cancelled (&self->parent_instance);
    }
  return TRUE;
}

gboolean
gtx_continuation_cancel (GtxFuture *future)
{
  GtxFuture *addressee;

  /* If another thread settles the addressee meanwhile, there is another one. */
  while ((addressee = gtx_future_get_addressee (future)) != future)
    {
      gboolean made;

      g_object_ref (addressee);
      made = gtx_future_cancel_here (addressee);
      g_object_unref (addressee);
      if (made)
        return TRUE;
    }
  return take_request ((GtxContinuation *) future);
}
