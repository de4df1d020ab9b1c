/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measures how much of their stacks the tasks use, so that sizes can be chosen. */

#include "gtask-ext/print.h"

#include "debug/debug.h"
#include "fiber/guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  const char *coroutine;
  guint n_tasks;
  gsize largest;
  gsize stack_size;             /* of the task that used most, its guard included */
} Use;

static GMutex mutex;            /* guards uses and living */
static GHashTable *uses;        /* by the coroutine's name; NULL: no census is taken */
static GHashTable *living;      /* by GtxStack: the Use that the stack will count for */

static void
lock (void)
{
  g_mutex_lock (&mutex);
}

static void
unlock (void)
{
  g_mutex_unlock (&mutex);
}

void
gtx_census_take (void)
{
  pthread_atfork (lock, unlock, unlock);
  uses = g_hash_table_new (g_str_hash, g_str_equal);
  living = g_hash_table_new (NULL, NULL);
  atexit (gtx_print_stack_use);
}

static Use *
use_of (const char *coroutine)
{
  Use *use = g_hash_table_lookup (uses, coroutine);

  if (use == NULL)
    {
      use = g_new0 (Use, 1);
      use->coroutine = g_intern_string (coroutine);
      g_hash_table_insert (uses, (gpointer) use->coroutine, use);
    }
  return use;
}

void
gtx_census_begin (GtxStack   *stack,
                  const char *coroutine)
{
  Use *use;

  gtx_stack_clear (stack);
  g_mutex_lock (&mutex);
  use = use_of (coroutine);
  use->n_tasks++;
  g_hash_table_insert (living, stack, use);
  g_mutex_unlock (&mutex);
}

static void
measure (gpointer stack,
         gpointer data,
         gpointer unused)
{
  Use *use = data;
  gsize used = gtx_stack_measure (stack);

  if (used <= use->largest)
    return;
  use->largest = used;
  use->stack_size = ((GtxStack *) stack)->size + gtx_guard_size ();
}

void
gtx_census_end (GtxStack *stack)
{
  gpointer use;

  g_mutex_lock (&mutex);
  g_hash_table_steal_extended (living, stack, NULL, &use);
  measure (stack, use, NULL);
  g_mutex_unlock (&mutex);
}

/* Sorts the coroutine that used most to the front. */
static int
compare (gconstpointer a,
         gconstpointer b)
{
  const Use *first = a;
  const Use *second = b;

  if (first->largest != second->largest)
    return first->largest > second->largest ? -1 : 1;
  return strcmp (first->coroutine, second->coroutine);
}

static char *
make_table (void)
{
  GString *table = g_string_new (NULL);
  g_autoptr (GList) rows = g_list_sort (g_hash_table_get_values (uses), compare);
  int width = (int) strlen ("coroutine");

  for (GList *row = rows; row; row = row->next)
    width = MAX (width, (int) strlen (((const Use *) row->data)->coroutine));
  g_string_append_printf (table, "%-*s %10s %12s %12s\n", width, "coroutine", "tasks", "most bytes", "of stack");
  for (GList *row = rows; row; row = row->next)
    {
      const Use *use = row->data;

      g_string_append_printf (table, "%-*s %10u %12" G_GSIZE_FORMAT " %12" G_GSIZE_FORMAT "\n", width,
                              use->coroutine, use->n_tasks, use->largest, use->stack_size);
    }
  return g_string_free (table, FALSE);
}

/**
 * gtx_print_stack_use:
 *
 * Prints on standard error how many bytes of their stacks the tasks of each
 * coroutine used at most, the largest use first.  Tasks that still run are included.
 *
 * |[
 * coroutine      tasks   most bytes     of stack
 * load              12        28672      1048576
 * main               1         8192      1048576
 * ]|
 *
 * The library measures the use if the environment variable `GTX_DEBUG` has the word
 * `census`, and also prints it when the program exits.  Bytes are those of whole
 * pages; a stack has one page more, which guards it and counts in its size.  Never
 * suspends; may be called in any thread, and by a debugger.
 *
 * Since: 0.1
 */
void
gtx_print_stack_use (void)
{
  g_autofree char *table = NULL;

  if (uses == NULL)
    {
      g_printerr ("Nothing is known of stacks: run the program with GTX_DEBUG=census\n");
      return;
    }
  g_mutex_lock (&mutex);
  g_hash_table_foreach (living, measure, NULL);
  table = make_table ();
  g_mutex_unlock (&mutex);
  g_printerr ("%s", table);
}
