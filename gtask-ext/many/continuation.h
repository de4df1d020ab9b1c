/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The future that gtx_future_then () makes: what it waits for, who keeps it, and how it ends. */

#pragma once

#include "task/crossing.h"
#include "task/done-callback.h"

#include "gtask-ext/then.h"

/* The outcomes for which the function is called. */
#define GTX_ON_SUCCESS (1 << 0)
#define GTX_ON_FAILURE (1 << 1)

typedef enum
{
  GTX_WAITS_FOR_FIRST,          /* the future that the function is to be called for */
  GTX_CALLS,                    /* the function */
  GTX_WAITS_FOR_SECOND,         /* the future that the function has returned */
  GTX_WAITS_FOR_ANSWERS,        /* both are done, and requests have not been answered */
  GTX_OVER
} GtxPhase;

/* Who keeps a continuation. */
typedef enum
{
  GTX_HELD,                     /* the program; the continuation keeps what it waits for */
  GTX_LET_GO,                   /* the callback, since the program has dropped its last reference; what is
                                 * waited for is kept by the code that will end it, if there is any */
  GTX_FREE                      /* the program, if anybody: there is no callback any more */
} GtxKeeper;

/* Invariants:
 * - All fields but the keeper are touched in the home only, once the first callback is added, or, when
 *   the main context is gone, by the code that frees the last callback.
 * - A callback of what is waited for has a plain pointer to the continuation, and so have the requests
 *   that are on their way: n_uses counts them.  The keeper is GTX_FREE when there are none.
 * - While the continuation is held and waits, at_end is linked, unless it is on its way.
 * - awaited is of the same home.  If the function has returned a future of another one, that is there,
 *   and awaited is its shield. */
typedef struct
{
  GtxFuture parent_instance;
  GtxFuture *awaited;           /* NULL: nothing, or the continuation was let go of */
  GtxFuture *there;             /* NULL: what is waited for is of the same home */
  GtxDoneCallback *callback;
  GtxThenFunc func;
  gpointer data;
  GDestroyNotify data_free;
  GtxHandle at_end;             /* runs when the main context goes */
  GtxFuture *ended;             /* while GTX_WAITS_FOR_ANSWERS: the outcome */
  GtxCrossingPoint point;       /* where requests cross to the home of there */
  guint n_answers;              /* that requests to there will get */
  gint n_uses;
  gint keeper;
  GtxPhase phase;
  guint when : 2;               /* GTX_ON_SUCCESS, GTX_ON_FAILURE */
  guint is_to_pass_on : 1;      /* a request came while the function ran: it goes to what the function
                                 * returns */
  guint is_cancelled : 1;       /* a request came, and what is waited for does not take it: unless that fails,
                                 * this ends as cancelled */
} GtxContinuation;

GType     gtx_continuation_get_type  (void);

/* A callback of what @self waits for, or a request, begins and ends to use @self.  If the program keeps
 * @self, @self may be gone when the latter returns. */
void      gtx_continuation_add_use   (GtxContinuation *self);
void      gtx_continuation_drop_use  (GtxContinuation *self);
GtxKeeper gtx_continuation_keeper    (GtxContinuation *self);

/* Drops what @self waits for.  That would keep @self for ever if nobody ends it and @self kept it. */
void      gtx_continuation_let_go    (GtxContinuation *self);
/* Drops a reference.  If that leads to dropping the next future of a chain, that happens in a loop, since
 * the chain may be longer than the stack is deep. */
void      gtx_continuation_release   (GtxFuture       *future);
/* The same with the reference at @where, which is cleared first. */
void      gtx_continuation_release_at (GtxFuture     **where);
void      gtx_continuation_free_data (GtxContinuation *self);

/* Notices from now on if the main context goes. */
void      gtx_continuation_watch_end (GtxContinuation *self);
/* Ends @self as @outcome did, which is done. */
void      gtx_continuation_finish_as (GtxContinuation *self,
                                      GtxFuture       *outcome);
/* What is waited for can never end, or is gone.  In the latter case nobody holds @self. */
void      gtx_continuation_lose      (GtxContinuation *self);

/* ---- continuation-cancel.c ---- */

GtxFuture *gtx_continuation_get_awaited (GtxFuture    *future);
gboolean  gtx_continuation_cancel    (GtxFuture       *future);
