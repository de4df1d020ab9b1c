/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fiber: a function that runs on a stack of its own and can be suspended. */

#pragma once

#include "stack.h"

typedef struct _GtxFiber GtxFiber;
typedef void (*GtxFiberFunc) (gpointer data);

/* Nothing of @func runs before the first resume.  The pool outlives the fiber. */
GtxFiber *gtx_fiber_new      (GtxStackPool  *pool,
                              gsize          stack_size,
                              GtxFiberFunc   func,
                              gpointer       data,
                              GError       **error);

/* Runs @fiber until it suspends: TRUE; or until its function returns: FALSE,
 * and the fiber is gone.  @depth: g_main_depth () here, which the caller asks
 * once for many. */
gboolean  gtx_fiber_resume   (GtxFiber      *fiber,
                              gint           depth);

/* Goes back to whoever resumed the fiber that runs. */
void      gtx_fiber_suspend  (GtxFiber      *fiber);

/* The fiber that runs, or NULL outside of all; a callback that a main loop
 * nested in a fiber dispatches is outside, though it runs on the same stack. */
GtxFiber *gtx_fiber_current  (void);
gpointer  gtx_fiber_get_data (GtxFiber      *fiber);
