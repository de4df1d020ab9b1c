/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An operation like GIO's, whose callback comes in the next turn of the loop. */

#pragma once

#include <gio/gio.h>

static inline void
next_turn_async (GCancellable        *cancellable,
                 GAsyncReadyCallback  callback,
                 gpointer             data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, data);

  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static inline gboolean
next_turn_finish (GAsyncResult  *result,
                  GError       **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
