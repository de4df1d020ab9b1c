/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/log.h"

#include "gtask-ext/task.h"

#include <stdio.h>
#include <string.h>

/* Puts @name in front of the message, unless that goes to the journal, which shows fields. */
static char *
name_in_message (GLogField  *fields,
                 gsize       n_fields,
                 const char *name)
{
  if (g_log_writer_is_journald (fileno (stderr)))
    return NULL;
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0)
      {
        int length = fields[i].length < 0 ? (int) strlen (fields[i].value) : (int) fields[i].length;
        char *message = g_strdup_printf ("[%s] %.*s", name, length, (const char *) fields[i].value);

        fields[i].value = message;
        fields[i].length = -1;
        return message;
      }
  return NULL;
}

/**
 * gtx_log_writer_default:
 * @log_level: the level of the message
 * @fields: (array length=n_fields): the message's fields
 * @n_fields: the number of fields
 * @data: (nullable): ignored
 *
 * Writes a message as g_log_writer_default() does, with the name of the task
 * that it came from: for g_log_set_writer_func().
 *
 * The field `GTX_TASK` has the name.  If the message does not go to the journal,
 * which shows fields, the text begins with the name, too.
 *
 * A writer of your own that calls this must not await anything: GLib counts for each
 * thread the depth of calls of g_log(), and while a task waits inside one, the next
 * message of any other task counts as recursion, which ends the program.  A writer
 * that sends messages elsewhere gives them to a task, by a #GtxQueue.
 *
 * Never suspends; may be called in any thread.
 *
 * Returns: what g_log_writer_default() returned
 *
 * Since: 0.1
 */
GLogWriterOutput
gtx_log_writer_default (GLogLevelFlags   log_level,
                        const GLogField *fields,
                        gsize            n_fields,
                        gpointer         data)
{
  GtxTask *task = gtx_current_task ();
  g_autofree GLogField *more = NULL;
  g_autofree char *message = NULL;
  const char *name;

  if (task == NULL)
    return g_log_writer_default (log_level, fields, n_fields, data);

  name = gtx_task_get_name (task);
  more = g_new (GLogField, n_fields + 1);
  memcpy (more, fields, n_fields * sizeof *fields);
  message = name_in_message (more, n_fields, name);
  more[n_fields] = (GLogField) { "GTX_TASK", name, -1 };
  return g_log_writer_default (log_level, more, n_fields + 1, data);
}
