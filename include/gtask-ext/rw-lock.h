/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_RW_LOCK (gtx_rw_lock_get_type ())

/**
 * GtxRWLock:
 *
 * Lets either one task that writes or any number of tasks that read into a piece of code: a #GRWLock
 * for tasks.  asyncio has none.
 *
 * Tasks are served in the order in which they asked: those that ask to read while a task waits to
 * write come after it, so that neither side waits for ever.  For the same reason a task that reads
 * must not ask to write, nor to read once more, before it has released the lock.  A lock is for the
 * tasks of one main context.  These never run at the same moment, so a lock is needed only if the
 * piece of code awaits something.  While tasks wait, no other thread may drop the last reference.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxRWLock, gtx_rw_lock, GTX, RW_LOCK, GObject)

GTX_API GtxRWLock *gtx_rw_lock_new           (void);
GTX_API gboolean   gtx_rw_lock_read_acquire  (GtxRWLock  *self,
                                              GError    **error);
GTX_API gboolean   gtx_rw_lock_read_release  (GtxRWLock  *self);
GTX_API gboolean   gtx_rw_lock_write_acquire (GtxRWLock  *self,
                                              GError    **error);
GTX_API gboolean   gtx_rw_lock_write_release (GtxRWLock  *self);

/**
 * GtxRWLockReadHolder:
 *
 * A #GtxRWLock that a task reads under until the end of a block, as #GRWLockReaderLocker is for a
 * #GRWLock.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GtxRWLockReadHolder) holder = gtx_rw_lock_read_hold (lock, error);
 *
 * if (holder == NULL)
 *   return FALSE;
 * ]|
 *
 * Since: 0.1
 */
typedef struct _GtxRWLockReadHolder GtxRWLockReadHolder;

/**
 * GtxRWLockWriteHolder:
 *
 * A #GtxRWLock that a task writes under until the end of a block, as #GtxRWLockReadHolder is for
 * reading.
 *
 * Since: 0.1
 */
typedef struct _GtxRWLockWriteHolder GtxRWLockWriteHolder;

GTX_API GtxRWLockReadHolder  *gtx_rw_lock_read_hold         (GtxRWLock             *self,
                                                             GError               **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API void                  gtx_rw_lock_read_holder_free  (GtxRWLockReadHolder   *holder);
GTX_API GtxRWLockWriteHolder *gtx_rw_lock_write_hold        (GtxRWLock             *self,
                                                             GError               **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API void                  gtx_rw_lock_write_holder_free (GtxRWLockWriteHolder  *holder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GtxRWLockReadHolder, gtx_rw_lock_read_holder_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GtxRWLockWriteHolder, gtx_rw_lock_write_holder_free)

G_END_DECLS
