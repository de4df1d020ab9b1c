/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/lock.h>

G_BEGIN_DECLS

#define GTX_TYPE_CONDITION (gtx_condition_get_type ())

/**
 * GtxCondition:
 *
 * Lets tasks that hold a lock wait for a change that other tasks make under it: asyncio's
 * `Condition`.
 *
 * Wait in a loop, since the state may have changed again after the notification
 * (asyncio's `wait_for()`):
 *
 * |[<!-- language="C" -->
 * g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);
 *
 * if (holder == NULL)
 *   return FALSE;
 * while (stock == 0)
 *   if (!gtx_condition_wait (condition, error))
 *     return FALSE;
 * ]|
 *
 * A condition is for the tasks of one main context.  While tasks wait, no other thread
 * may drop the last reference.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxCondition, gtx_condition, GTX, CONDITION, GObject)

GTX_API GtxCondition *gtx_condition_new        (GtxLock       *lock);
GTX_API GtxLock      *gtx_condition_get_lock   (GtxCondition  *self);
GTX_API gboolean      gtx_condition_wait       (GtxCondition  *self,
                                                GError       **error);
GTX_API gboolean      gtx_condition_notify     (GtxCondition  *self,
                                                guint          n);
GTX_API gboolean      gtx_condition_notify_all (GtxCondition  *self);

G_END_DECLS
