/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls of a task that is suspended. */

#pragma once

#include <gtask-ext/task.h>

typedef struct
{
  char *function;               /* NULL: unknown */
  char *place;                  /* the module, and where in it; NULL: unknown */
} GtxInspectorFrame;

/* Returns the frames of @task's calls, the innermost first, without those that belong to the library
 * itself; the frames stay for ever.  If there are none, returns NULL and sets @reason to the reason,
 * for a person. */
GPtrArray *gtx_inspector_list_frames (GtxTask     *task,
                                      const char **reason) G_GNUC_WARN_UNUSED_RESULT;
