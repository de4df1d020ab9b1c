/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "messages.h"

#include <gtask-ext.h>

#include <stdlib.h>

#define STACK_SIZE ((gsize) 128 << 10)

void
fail (const char *why)
{
  g_printerr ("%s\n", why);
  abort ();
}

static gboolean
is_expected (const char *message)
{
  static const char *const expected[] = {
    "gtx_lock_release: the lock is not locked;",
    "gtx_semaphore_release: released more often than it was acquired",
    "gtx_condition_notify: the condition's lock is not locked;",
    "gtx_queue_task_done: called more often than items were put",
    "run_call: its error was never retrieved:",
    "run_task: its error was never retrieved:",
    "A GtxFuture: its error was never retrieved:",
  };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    if (g_str_has_prefix (message, expected[i]))
      return TRUE;
  return FALSE;
}

static void
on_message (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  if ((level & G_LOG_LEVEL_MASK) > G_LOG_LEVEL_WARNING)
    g_log_default_handler (domain, level, message, data);
  else if (!is_expected (message))
    fail (message);
}

void
set_up_messages (void)
{
  static gboolean is_set_up;

  if (is_set_up)
    return;
  /* This code decides which messages are fatal, in a test, too. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_default_handler (on_message, NULL);
  /* AddressSanitizer looks at each byte of a stack that is used, so stacks are small. */
  gtx_set_default_stack_size (STACK_SIZE);
  is_set_up = TRUE;
}
