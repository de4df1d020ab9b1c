/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_SEMAPHORE (gtx_semaphore_get_type ())

/**
 * GtxSemaphore:
 *
 * Lets a limited number of tasks at a time into a piece of code: asyncio's `Semaphore`,
 * and `BoundedSemaphore`.
 *
 * Tasks acquire the semaphore in the order in which they asked.  A semaphore is for the
 * tasks of one main context.  While tasks wait, no other thread may drop the last
 * reference.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxSemaphore, gtx_semaphore, GTX, SEMAPHORE, GObject)

GTX_API GtxSemaphore *gtx_semaphore_new         (guint          value);
GTX_API GtxSemaphore *gtx_semaphore_new_bounded (guint          value);
GTX_API gboolean      gtx_semaphore_acquire     (GtxSemaphore  *self,
                                                 GError       **error);
GTX_API gboolean      gtx_semaphore_release     (GtxSemaphore  *self);
GTX_API gboolean      gtx_semaphore_locked      (GtxSemaphore  *self);

/**
 * GtxSemaphoreHolder:
 *
 * A #GtxSemaphore that is released at the end of a block: asyncio's `async
 * with semaphore`.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GtxSemaphoreHolder) holder = gtx_semaphore_hold (semaphore, error);
 *
 * if (holder == NULL)
 *   return FALSE;
 * ]|
 *
 * Since: 0.1
 */
typedef struct _GtxSemaphoreHolder GtxSemaphoreHolder;

GTX_API GtxSemaphoreHolder *gtx_semaphore_hold        (GtxSemaphore        *self,
                                                       GError             **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API void                gtx_semaphore_holder_free (GtxSemaphoreHolder  *holder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GtxSemaphoreHolder, gtx_semaphore_holder_free)

G_END_DECLS
