/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GIO's functions that block work on a native file in a thread, in one go: GIO's own operations go
 * to a thread and back several times for most of what they do.  A file that is not native may have
 * better operations than those. */

#pragma once

#include "outside/operation-private.h"

#include "gtask-ext/to-thread.h"

/* Do what gtx_to_thread() and gtx_to_thread_pointer() do, for the library's @function, and keep a
 * reference of @file meanwhile, as GIO's operations do. */
gboolean gtx_file_to_thread         (GFile                *file,
                                     const char           *function,
                                     GtxThreadFunc         func,
                                     gpointer              data,
                                     GError              **error);
gpointer gtx_file_to_thread_pointer (GFile                *file,
                                     const char           *function,
                                     GtxPointerThreadFunc  func,
                                     gpointer              data,
                                     GError              **error);
