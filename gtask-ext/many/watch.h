/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watching several futures at once, each once however often it is named. */

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
  guint n_done;                 /* were done when it began: those are not linked */
  GtxScheduler *open;           /* told that anybody may end one of them; or NULL */
} GtxWatches;

/* Whether @task can wait for all of @futures; @function asks. */
gboolean gtx_watches_check (GtxTask     *task,
                            GPtrArray   *futures,
                            const char  *function,
                            GError     **error);

/* Starts those that are not.  Has @on_done called for each, in a round after it is
 * done, but for those that are done. */
void     gtx_watches_init  (GtxWatches  *self,
                            GPtrArray   *futures,
                            void       (*on_done) (GtxHandle *handle),
                            gpointer     owner);
/* Has it called in the next round for those, too. */
void     gtx_watches_queue_done (GtxWatches   *self,
                                 GtxScheduler *home);
/* No more of that. */
void     gtx_watches_detach (GtxWatches   *self);
/* Adds those that are not done. */
void     gtx_watches_list  (const GtxWatches *self,
                            GPtrArray        *futures);
void     gtx_watches_clear (GtxWatches  *self);
