/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A native file is worked on in a thread, by GIO's functions that block, in one visit: GIO's
 * own operations take several for most of what they do, each with its way back.  What is no
 * native file may have better operations than those. */

#pragma once

#include "outside/operation-private.h"

#include "gtask-ext/to-thread.h"

/* What gtx_to_thread() and gtx_to_thread_pointer() do, for the library's @function.  @file is
 * kept meanwhile, as GIO's operations keep theirs. */
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
