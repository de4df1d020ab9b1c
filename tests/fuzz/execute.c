/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "execute.h"

#include "decode.h"
#include "messages.h"
#include "objects.h"
#include "scenario.h"
#include "trace.h"

#include "run/run-private.h"
#include "task/task-private.h"

/* Each deadlock ends a wait of some statement, and a statement may wait several times. */
#define MOST_DEADLOCKS 10000

static guint n_deadlocks;
static gboolean has_ended;

/* ---- A run ---- */

/* asyncio would wait for ever, so the scenario's trace ends here.  The tasks must end all the
 * same. */
static gboolean
on_deadlock (gpointer scheduler, GtxStuck how)
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
  return FALSE;
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
  gtx_run_on (scheduler, context, FALSE, "run_scenario", (GtxCoroutine) run_scenario, program, NULL);
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
  g_autofree char *text = decode (&scenario_language, data, size);
  char *trace = NULL;
  gsize length;
  FILE *file = open_memstream (&trace, &length);

  set_up_messages ();
  n_deadlocks = 0;
  has_ended = FALSE;
  trace_to (file, on_end);
  run (text);
  if (!has_ended)
    fail ("The trace has no end");
  fclose (file);
  return trace;
}
