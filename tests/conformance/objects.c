/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "objects.h"

#include <stdlib.h>
#include <string.h>

static GHashTable *objects;     /* of names: GObject */

static int
compare_numbers (gconstpointer a, gconstpointer b, gpointer data)
{
  return *(const int *) a - *(const int *) b;
}

static gpointer
new_object (const char *what, guint size)
{
  if (strcmp (what, "lock") == 0)
    return gtx_lock_new ();
  if (strcmp (what, "event") == 0)
    return gtx_event_new ();
  if (strcmp (what, "condition") == 0)
    return gtx_condition_new (NULL);
  if (strcmp (what, "semaphore") == 0)
    return gtx_semaphore_new (size);
  if (strcmp (what, "bounded_semaphore") == 0)
    return gtx_semaphore_new_bounded (size);
  if (strcmp (what, "barrier") == 0)
    return gtx_barrier_new (size);
  if (strcmp (what, "queue") == 0)
    return gtx_queue_new (size, g_free);
  if (strcmp (what, "lifo_queue") == 0)
    return gtx_queue_new_lifo (size, g_free);
  if (strcmp (what, "priority_queue") == 0)
    return gtx_queue_new_priority (size, g_free, compare_numbers, NULL);
  if (strcmp (what, "future") == 0)
    return gtx_future_new ();
  return NULL;
}

gboolean
declare_object (const Statement *statement)
{
  char **words = statement->words;
  gpointer object = new_object (words[0], words[1] && words[2] ? (guint) atoi (words[2]) : 0);

  if (object == NULL)
    return FALSE;
  if (objects == NULL)
    objects = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  g_hash_table_insert (objects, words[1], object);
  return TRUE;
}

static gpointer
new_number (const char *word)
{
  int value = atoi (word);

  return g_memdup2 (&value, sizeof value);
}

static void
open_object (gpointer name, gpointer object, gpointer data)
{
  if (GTX_IS_CONDITION (object))
    object = gtx_condition_get_lock (object);
  if (GTX_IS_LOCK (object) && gtx_lock_locked (object))
    gtx_lock_release (object);
}

void
open_objects (void)
{
  if (objects)
    g_hash_table_foreach (objects, open_object, NULL);
}

void
clear_objects (void)
{
  g_clear_pointer (&objects, g_hash_table_unref);
}

/* ---- Locks and their kin ---- */

/* The name of a condition stands for its lock. */
static gpointer
find_holdable (const char *name)
{
  gpointer object = g_hash_table_lookup (objects, name);

  return GTX_IS_CONDITION (object) ? gtx_condition_get_lock (object) : object;
}

Flow
acquire_object (const char *name, GError **error)
{
  gpointer object = find_holdable (name);

  return flow (GTX_IS_LOCK (object) ? gtx_lock_acquire (object, error)
                                    : gtx_semaphore_acquire (object, error));
}

Flow
release_object (const char *name, GError **error)
{
  gpointer object = find_holdable (name);

  if (GTX_IS_LOCK (object))
    return gtx_lock_release (object) ? GO_ON : fail_with ("runtime", error);
  return gtx_semaphore_release (object) ? GO_ON : fail_with ("value", error);
}

static Flow
run_with_holdable (const Statement *statement, GError **error)
{
  const char *name = statement->words[1];
  gpointer object = find_holdable (name);

  if (strcmp (statement->words[0], "acquire") == 0)
    return acquire_object (name, error);
  if (strcmp (statement->words[0], "release") == 0)
    return release_object (name, error);
  trace ("%s -> %d", statement->line,
         GTX_IS_LOCK (object) ? gtx_lock_locked (object) : gtx_semaphore_locked (object));
  return GO_ON;
}

static Flow
run_with_event (const Statement *statement, GError **error)
{
  GtxEvent *event = g_hash_table_lookup (objects, statement->words[1]);

  if (strcmp (statement->words[0], "wait_event") == 0)
    return flow (gtx_event_wait (event, error));
  if (strcmp (statement->words[0], "set") == 0)
    gtx_event_set (event);
  else
    gtx_event_clear (event);
  return GO_ON;
}

static Flow
run_with_condition (const Statement *statement, GError **error)
{
  GtxCondition *condition = g_hash_table_lookup (objects, statement->words[1]);

  if (strcmp (statement->words[0], "wait_condition") == 0)
    return flow (gtx_condition_wait (condition, error));
  return gtx_condition_notify (condition, (guint) atoi (statement->words[2])) ? GO_ON
         : fail_with ("runtime", error);
}

static Flow
run_with_barrier (const Statement *statement, GError **error)
{
  GtxBarrier *barrier = g_hash_table_lookup (objects, statement->words[1]);
  guint index;

  if (strcmp (statement->words[0], "abort_barrier") == 0)
    return flow (gtx_barrier_abort (barrier, error));
  if (!gtx_barrier_wait (barrier, &index, error))
    return FAIL;
  trace ("%s -> %u", statement->line, index);
  return GO_ON;
}

/* ---- Queues ---- */

static Flow
trace_item (const Statement *statement, int *item)
{
  if (item == NULL)
    return FAIL;
  trace ("%s -> %d", statement->line, *item);
  g_free (item);
  return GO_ON;
}

static Flow
run_with_queue (const Statement *statement, GError **error)
{
  char **words = statement->words;
  const char *what = words[0];
  GtxQueue *queue = g_hash_table_lookup (objects, words[1]);

  if (strcmp (what, "put") == 0)
    return flow (gtx_queue_put (queue, new_number (words[2]), error));
  if (strcmp (what, "put_nowait") == 0)
    return flow (gtx_queue_put_nowait (queue, new_number (words[2]), error));
  if (strcmp (what, "get") == 0)
    return trace_item (statement, gtx_queue_get (queue, error));
  if (strcmp (what, "get_nowait") == 0)
    return trace_item (statement, gtx_queue_get_nowait (queue, error));
  if (strcmp (what, "join") == 0)
    return flow (gtx_queue_join (queue, error));
  if (strcmp (what, "task_done") == 0)
    return gtx_queue_task_done (queue) ? GO_ON : fail_with ("value", error);
  if (strcmp (what, "size") == 0)
    trace ("%s -> %u", statement->line, gtx_queue_get_size (queue));
  else
    gtx_queue_shutdown (queue, strcmp (what, "shutdown") == 0 ? GTX_SHUTDOWN_DRAIN : GTX_SHUTDOWN_IMMEDIATE);
  return GO_ON;
}

/* ---- Futures ---- */

static Flow
run_with_future (const Statement *statement, GError **error)
{
  const char *what = statement->words[0];
  gboolean limited = strcmp (what, "wait_for_future") == 0;
  GtxFuture *future = g_hash_table_lookup (objects, statement->words[limited ? 2 : 1]);
  gboolean set;

  if (limited)
    return trace_value (statement->line, future, gtx_wait_for (future, seconds_of (statement->words[1]), error));
  if (strcmp (what, "await_future") == 0)
    return trace_value (statement->line, future, gtx_await (future, error));
  if (strcmp (what, "cancel_future") == 0)
    {
      trace ("%s -> %d", statement->line, gtx_cancel (future));
      return GO_ON;
    }
  if (strcmp (what, "resolve") == 0)
    set = gtx_future_set_result (future, new_number (statement->words[2]), g_free);
  else
    {
      g_autofree char *kind = g_strconcat ("error:", statement->words[2], NULL);
      GError *reason = NULL;

      fail_with (kind, &reason);
      set = gtx_future_set_error (future, reason);
    }
  return set ? GO_ON : fail_with ("invalid", error);
}

/* ---- All of them ---- */

static const struct
{
  Flow (*run) (const Statement *statement, GError **error);
  const char *const *statements;
} kinds[] = {
  { run_with_holdable, (const char *const[]) { "acquire", "release", "locked", NULL } },
  { run_with_event, (const char *const[]) { "set", "clear", "wait_event", NULL } },
  { run_with_condition, (const char *const[]) { "wait_condition", "notify", NULL } },
  { run_with_barrier, (const char *const[]) { "wait_barrier", "abort_barrier", NULL } },
  { run_with_queue, (const char *const[]) { "put", "get", "put_nowait", "get_nowait", "task_done",
                                            "join", "size", "shutdown", "shutdown_now", NULL } },
  { run_with_future, (const char *const[]) { "resolve", "reject", "cancel_future", "await_future",
                                             "wait_for_future", NULL } },
};

gboolean
is_of_object (const char *what)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (is_word (what, kinds[i].statements))
      return TRUE;
  return FALSE;
}

Flow
run_with_object (const Statement *statement, GError **error)
{
  guint i = 0;

  while (!is_word (statement->words[0], kinds[i].statements))
    i++;
  return kinds[i].run (statement, error);
}
