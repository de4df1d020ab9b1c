/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of gtx_scheduler_get_table (), which are all here, so that no two are the same. */

#pragma once

#include <glib.h>

typedef enum
{
  GTX_TABLE_SIGNAL,             /* by its number: the wait that its tasks share */
  GTX_TABLE_CHILD,              /* by its process: the same */
  GTX_TABLE_RETURNING,          /* how many GTasks of gtx_gtask_run () are to call back */
  GTX_N_TABLE_KINDS
} GtxTableKind;

#define GTX_TABLE_KEY(kind, number) GSIZE_TO_POINTER ((gsize) (number) * GTX_N_TABLE_KINDS + (kind))
