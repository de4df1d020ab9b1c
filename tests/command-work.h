/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A command whose work the trace shows. */

#pragma once

#include "object-job.h"

/* Notes "N" when it begins, and "N." after a second; or "N!" if it is cancelled before. */
static inline gboolean
work (Job *self, GVariant *parameter, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%d", g_variant_get_int32 (parameter));
  g_autofree char *done = g_strconcat (name, ".", NULL);
  g_autofree char *cancelled = g_strconcat (name, "!", NULL);
  gboolean succeeded;

  note (name);
  succeeded = gtx_sleep (1, error);
  note (succeeded ? done : cancelled);
  return succeeded;
}

static inline GtxCommand *
command_new (Job *job, GtxCommandMode mode)
{
  GtxCommand *self = gtx_command_new ("work", G_VARIANT_TYPE_INT32, work, job);

  gtx_command_set_mode (self, mode);
  return self;
}

static inline void
activate (GtxCommand *command, int number)
{
  g_action_activate (G_ACTION (command), g_variant_new_int32 (number));
}

static inline gboolean
join (Job *job, GError **error)
{
  return gtx_scope_join (gtx_object_get_scope (job), error);
}
