/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints the tasks as a tree, for a person: below each task are the tasks that it waits for. */

#include "gtask-ext/print.h"

#include "task/task-private.h"

/* How deep the tree is printed: nobody reads more, and the stack of the recursion is limited. */
#define DEEPEST 50

/* The text in front of a task, and of the tasks below it. */
typedef struct
{
  const char *branch;
  const char *below_branch;
  const char *last;
  const char *below_last;
  const char *deeper;           /* in place of tasks that are not shown */
} Lines;

static const Lines drawn_lines = { "├─ ", "│  ", "└─ ", "   ", "└─ …" };
/* For locales without those characters, where g_printerr () would print question marks. */
static const Lines plain_lines = { "|- ", "|  ", "`- ", "   ", "`- ..." };

typedef struct
{
  GString *text;
  GHashTable *shown;            /* tasks */
  const Lines *lines;
} Printer;

static void
describe_task (GtxTask *task,
               GString *text)
{
  const char *name = gtx_task_get_name (task);

  g_string_append (text, name);
  if (!g_str_equal (name, task->function))
    g_string_append_printf (text, " (%s)", task->function);
  g_string_append (text, ": ");
  gtx_task_append_state (task, text);
}

static void print_tree (Printer *printer, GtxTask *task, const char *indent,
                        const char *branch, const char *below, guint depth);

static void
print_awaited (Printer    *printer,
               GtxTask    *task,
               const char *indent,
               guint       depth)
{
  g_autoptr (GPtrArray) awaited = gtx_task_get_awaited (task);
  const Lines *lines = printer->lines;

  if (awaited == NULL)
    return;
  if (depth == DEEPEST && awaited->len > 0)
    {
      g_string_append_printf (printer->text, "%s%s\n", indent, lines->deeper);
      return;
    }
  for (guint i = 0; i < awaited->len; i++)
    if (i + 1 < awaited->len)
      print_tree (printer, awaited->pdata[i], indent, lines->branch, lines->below_branch, depth);
    else
      print_tree (printer, awaited->pdata[i], indent, lines->last, lines->below_last, depth);
}

static void
print_tree (Printer    *printer,
            GtxTask    *task,
            const char *indent,
            const char *branch,
            const char *below,
            guint       depth)
{
  gboolean is_new = g_hash_table_add (printer->shown, task);
  g_autofree char *deeper = g_strconcat (indent, below, NULL);

  g_string_append_printf (printer->text, "%s%s", indent, branch);
  if (is_new)
    {
      describe_task (task, printer->text);
      g_string_append_c (printer->text, '\n');
      print_awaited (printer, task, deeper, depth + 1);
    }
  else
    g_string_append_printf (printer->text, "%s (see above)\n", gtx_task_get_name (task));
}

static GHashTable *
all_awaited (GPtrArray *tasks)
{
  GHashTable *all = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < tasks->len; i++)
    {
      g_autoptr (GPtrArray) awaited = gtx_task_get_awaited (tasks->pdata[i]);

      for (guint j = 0; awaited && j < awaited->len; j++)
        g_hash_table_add (all, awaited->pdata[j]);
    }
  return all;
}

void
gtx_scheduler_describe_tasks (GtxScheduler *scheduler,
                              GString      *text)
{
  g_autoptr (GPtrArray) tasks = gtx_scheduler_list_tasks (scheduler);
  g_autoptr (GHashTable) shown = g_hash_table_new (NULL, NULL);
  Printer printer = { text, shown, g_get_charset (NULL) ? &drawn_lines : &plain_lines };
  g_autoptr (GHashTable) awaited = all_awaited (tasks);

  for (guint i = 0; i < tasks->len; i++)
    if (!g_hash_table_contains (awaited, tasks->pdata[i]))
      print_tree (&printer, tasks->pdata[i], "", "", "", 0);
  /* The tasks that are left wait in a ring, or deeper than was shown. */
  for (guint i = 0; i < tasks->len; i++)
    if (!g_hash_table_contains (shown, tasks->pdata[i]))
      print_tree (&printer, tasks->pdata[i], "", "", "", 0);
}

void
gtx_scheduler_log_tasks (GtxScheduler   *scheduler,
                         GLogLevelFlags  level,
                         const char     *format,
                         ...)
{
  g_autoptr (GString) text = g_string_new (NULL);
  va_list arguments;

  va_start (arguments, format);
  g_string_append_vprintf (text, format, arguments);
  va_end (arguments);
  g_string_append (text, ":\n");
  gtx_scheduler_describe_tasks (scheduler, text);
  g_log (G_LOG_DOMAIN, level, "%s", text->str);
}

/**
 * gtx_print_tasks:
 *
 * Prints the tasks of the thread-default main context on standard error:
 * what each task waits for, and below it the tasks that it waits for, as
 * `python -m asyncio pstree` does.
 *
 * |[
 * Task-1 (check_mirrors): waits for a task group
 * ├─ Task-2 (check): waits for a sleep, 0.250 s left
 * └─ Task-3 (check): waits for the operation started at mirrors.c:31
 * Task-4 (log_writer): waits for an item of queue 0x55d0c2f3a8e0
 * ]|
 *
 * A program that has not called setlocale(), or whose locale does not use UTF-8, gets
 * lines of ASCII characters.
 *
 * Never suspends; to be called in the thread that runs that main context, which a
 * debugger may do, too.
 *
 * Since: 0.1
 */
void
gtx_print_tasks (void)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  GtxVisit visit = gtx_scheduler_enter_home (scheduler, G_STRFUNC);
  g_autoptr (GString) text = NULL;

  if (visit == GTX_ELSEWHERE)
    return;
  text = g_string_new (NULL);
  gtx_scheduler_run_messages (scheduler);
  gtx_scheduler_describe_tasks (scheduler, text);
  gtx_scheduler_leave (scheduler, visit);
  g_printerr ("%s", text->len > 0 ? text->str : "There are no tasks.\n");
}
