/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_BARRIER (gtx_barrier_get_type ())

/**
 * GtxBarrier:
 *
 * Lets a number of tasks wait for one another: asyncio's `Barrier`.
 *
 * A barrier can be used again once all tasks have left it.  It is for the tasks of one
 * main context.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxBarrier, gtx_barrier, GTX, BARRIER, GObject)

GTX_API GtxBarrier *gtx_barrier_new           (guint        parties);
GTX_API gboolean    gtx_barrier_wait          (GtxBarrier  *self,
                                               guint       *index,
                                               GError     **error);
GTX_API gboolean    gtx_barrier_reset         (GtxBarrier  *self,
                                               GError     **error);
GTX_API gboolean    gtx_barrier_abort         (GtxBarrier  *self,
                                               GError     **error);
GTX_API guint       gtx_barrier_get_parties   (GtxBarrier  *self);
GTX_API guint       gtx_barrier_get_n_waiting (GtxBarrier  *self);
GTX_API gboolean    gtx_barrier_is_broken     (GtxBarrier  *self);

G_END_DECLS
