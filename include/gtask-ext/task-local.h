/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

/**
 * GtxTaskLocal:
 *
 * A variable of which each task has a value of its own: Python's
 * `contextvars.ContextVar`, as #GPrivate is for threads.
 *
 * |[<!-- language="C" -->
 * static GtxTaskLocal request_id = GTX_TASK_LOCAL_INIT (g_free);
 *
 * gtx_task_local_set (&request_id, g_uuid_string_random ());
 * ]|
 *
 * A task starts with the values of the code that started it, and sees no change that is
 * made later.  A done callback, and the function of gtx_future_then(), has a copy of the values of
 * the code that added it, and changes only that copy.  Otherwise, outside of all tasks, the value
 * is that of the thread.
 *
 * Since: 0.1
 */
typedef struct
{
  /*< private >*/
  GDestroyNotify destroy;
} GtxTaskLocal;

/**
 * GTX_TASK_LOCAL_INIT:
 * @destroy: (nullable): frees a value that no task has any more
 *
 * Initializes a #GtxTaskLocal, which must be a static variable.
 *
 * Since: 0.1
 */
#define GTX_TASK_LOCAL_INIT(destroy) { (destroy) }

GTX_API gpointer gtx_task_local_get (GtxTaskLocal *self);
GTX_API void     gtx_task_local_set (GtxTaskLocal *self,
                                     gpointer      value);

G_END_DECLS
