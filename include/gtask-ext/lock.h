/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_LOCK (gtx_lock_get_type ())

/**
 * GtxLock:
 *
 * Lets one task at a time into a piece of code: asyncio's `Lock`.
 *
 * Tasks get the lock in the order in which they asked.  A lock is for the tasks of one
 * main context.  These never run at the same moment, so a lock is needed only if the
 * piece of code awaits something.  While tasks wait, no other thread may drop the last
 * reference.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxLock, gtx_lock, GTX, LOCK, GObject)

GTX_API GtxLock *gtx_lock_new     (void);
GTX_API gboolean gtx_lock_acquire (GtxLock  *self,
                                   GError  **error);
GTX_API gboolean gtx_lock_release (GtxLock  *self);
GTX_API gboolean gtx_lock_locked  (GtxLock  *self);

/**
 * GtxLockHolder:
 *
 * A #GtxLock that is released at the end of a block: asyncio's `async with
 * lock`, as #GMutexLocker is for a #GMutex.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);
 *
 * if (holder == NULL)
 *   return FALSE;
 * ]|
 *
 * Since: 0.1
 */
typedef struct _GtxLockHolder GtxLockHolder;

GTX_API GtxLockHolder *gtx_lock_hold        (GtxLock        *self,
                                             GError        **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API void           gtx_lock_holder_free (GtxLockHolder  *holder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GtxLockHolder, gtx_lock_holder_free)

G_END_DECLS
