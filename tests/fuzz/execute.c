/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "execute.h"

#include "decode.h"
#include "objects.h"
#include "scenario.h"
#include "trace.h"

#include "run-private.h"
#include "task-private.h"

#include <stdlib.h>
#include <string.h>

/* Each deadlock ends something that a statement waits for; one statement may
 * wait several times. */
#define MOST_DEADLOCKS 10000

#define STACK_SIZE ((gsize) 128 << 10)

static guint n_deadlocks;
static gboolean has_ended;

static void
fail (const char *why)
{
  g_printerr ("%s\n", why);
  abort ();
}

/* ---- What the library says ---- */

/* Mistakes that a scenario makes. */
static gboolean
is_expected (const char *message)
{
  static const char *const expected[] = {
    "gtx_lock_release: the lock is not locked;",
    "gtx_semaphore_release: released more often than it was acquired",
    "gtx_condition_notify: the condition's lock is not locked;",
    "gtx_queue_task_done: called more often than items were put",
    "run_call: its error was never retrieved:",
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

static void
set_up (void)
{
  static gboolean is_set_up;

  if (is_set_up)
    return;
  /* It is judged here what is fatal, in a test too. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_default_handler (on_message, NULL);
  /* AddressSanitizer looks at each byte of a stack that is taken. */
  gtx_set_default_stack_size (STACK_SIZE);
  is_set_up = TRUE;
}

/* ---- A run ---- */

/* asyncio would wait for ever, and so does the scenario's trace end here; but
 * what was begun is to come to an end. */
static void
on_deadlock (gpointer scheduler, gboolean again)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  if (n_deadlocks++ == 0)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      gtx_scheduler_describe_tasks (scheduler, text);
    }
  else if (n_deadlocks > MOST_DEADLOCKS)
    fail ("Tasks that are cancelled again and again do not end");
  end ("DEADLOCK");
  open_objects ();
  for (guint i = 0; i < tasks->len; i++)
    gtx_cancel (tasks->pdata[i]);
}

static void
check_nothing_is_left (GtxScheduler *scheduler)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  if (tasks->len > 0)
    fail ("Tasks are left after the run");
  if (gtx_stack_pool_n_used (gtx_scheduler_get_stacks (scheduler)) > 0)
    fail ("Stacks are in use after the run");
}

static void
run (const char *text)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (GPtrArray) program = parse_program (text);

  g_assert_true (gtx_run_may_begin (scheduler, context, NULL));
  gtx_scheduler_set_virtual (scheduler, on_deadlock, scheduler);
  gtx_run_on (scheduler, context, "run_scenario", (GtxCoroutine) run_scenario, program, NULL);
  gtx_scheduler_set_real (scheduler);
  while (g_main_context_iteration (context, FALSE))
    ;
  check_nothing_is_left (scheduler);
  if (clear_scenario () > 0)
    fail ("Data of tasks was not freed");
}

static void
on_end (void)
{
  has_ended = TRUE;
}

char *
execute_scenario (const guint8 *data, gsize size)
{
  g_autofree char *text = decode_scenario (data, size);
  char *trace = NULL;
  gsize length;
  FILE *file = open_memstream (&trace, &length);

  set_up ();
  n_deadlocks = 0;
  has_ended = FALSE;
  trace_to (file, on_end);
  run (text);
  if (!has_ended)
    fail ("The trace has no end");
  fclose (file);
  return trace;
}
