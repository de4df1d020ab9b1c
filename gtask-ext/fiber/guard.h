/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page below a stack that faults when the stack overflows. */

#pragma once

#include <glib.h>

/* Bytes of one guard: a page. */
gsize    gtx_guard_size    (void);

/* Makes the page at @page fault.  FALSE if no more guards can be had.  When the page of a guard
 * that takes mappings is unmapped, gtx_guard_forget_mappings () is to be called. */
gboolean gtx_guard_install         (void     *page,
                                    gboolean *takes_mappings);
void     gtx_guard_forget_mappings (void);
