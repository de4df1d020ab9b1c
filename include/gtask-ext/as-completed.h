/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/wait.h>

G_BEGIN_DECLS

/**
 * GtxAsCompleted:
 *
 * Gives futures in the order in which they are done: the iterator of asyncio's
 * `as_completed()`.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, GTX_FOREVER, error);
 * g_autoptr (GError) failure = NULL;
 * GtxTask *task;
 *
 * if (each == NULL)
 *   return FALSE;
 * while ((task = gtx_as_completed_next (each, &failure)))
 *   show (gtx_future_get_result (task));
 * ]|
 *
 * Since: 0.1
 */
typedef struct _GtxAsCompleted GtxAsCompleted;

GTX_API GtxAsCompleted *gtx_as_completed      (GPtrArray       *futures,
                                               double           seconds,
                                               GError         **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API gpointer        gtx_as_completed_next (GtxAsCompleted  *self,
                                               GError         **error);
GTX_API void            gtx_as_completed_free (GtxAsCompleted  *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GtxAsCompleted, gtx_as_completed_free)

G_END_DECLS
