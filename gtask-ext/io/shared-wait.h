/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of waits that several tasks of a main context share, in gtx_scheduler_get_table (). */

#pragma once

#include <glib.h>

typedef enum
{
  GTX_SHARED_SIGNAL,
  GTX_SHARED_CHILD
} GtxSharedWaitKind;

#define GTX_SHARED_WAIT(kind, number) GSIZE_TO_POINTER ((gsize) (number) * 2 + (kind))
