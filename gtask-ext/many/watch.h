/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watches several futures at once; a future that is named several times is watched once. */

#pragma once

#include "task/task-private.h"

typedef struct
{
  GtxHandle handle;             /* among the future's callbacks, or queued */
  gpointer owner;
  GtxFuture *future;
} GtxWatch;

typedef struct
{
  GtxWatch *watches;
  guint length;
  guint n_done;                 /* futures that were done at the beginning: their handles are not linked */
  GtxScheduler *open;           /* the scheduler, told by gtx_scheduler_open () that anybody may end a
                                 * future; or NULL */
} GtxWatches;

/* Whether @task can wait for all of @futures; FALSE with @error set, which names @function. */
gboolean gtx_watches_check (GtxTask     *task,
                            GPtrArray   *futures,
                            const char  *function,
                            GError     **error);

/* Starts the tasks that were not started.  Calls @on_done for each future in a round after it is
 * done, except for futures that are done already. */
void     gtx_watches_init  (GtxWatches  *self,
                            GPtrArray   *futures,
                            void       (*on_done) (GtxHandle *handle),
                            gpointer     owner);
/* Calls @on_done in the next round for the futures that were done already, too. */
void     gtx_watches_queue_done (GtxWatches   *self,
                                 GtxScheduler *home);
/* Stops watching: on_done is not called any more. */
void     gtx_watches_detach (GtxWatches   *self);
/* Adds the futures that are not done. */
void     gtx_watches_list  (const GtxWatches *self,
                            GPtrArray        *futures);
void     gtx_watches_clear (GtxWatches  *self);
