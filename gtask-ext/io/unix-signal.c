/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unix signals: the sources of those that tasks wait for, and the tasks that wait. */

#include "gtask-ext/unix.h"

#include "task/table.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"

#include <glib-unix.h>

/* The source of one signal, for all tasks of a main context that ever waited for it.  It is in the
 * table of shared waits, and in the context, which has the only reference, until the last of these
 * tasks has ended, or the context goes.  GLib's handler is there as long. */
typedef struct
{
  GSource *source;
  GHashTable *table;
  int signum;
  GtxHandleList interests;
  GtxHandleList waiters;
} Signal;

/* What a task that has waited for a signal keeps until its end. */
typedef struct
{
  GtxTaskEnd end;
  GtxHandle link;
  Signal *signal;
  gboolean is_pending;          /* the signal came while the task did something else */
} Interest;

/* A task that waits for a signal; in no list once the signal came. */
typedef struct
{
  GtxWaiter waiter;
  GtxHandle link;
  Interest *interest;
} SignalWaiter;

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append_printf (text, "Unix signal %d", ((SignalWaiter *) waiter)->interest->signal->signum);
}

static const GtxWaiterKind signal_kind = { "Unix signal", gtx_waiter_cancel, describe, NULL, NULL };

/* ---- Signals ---- */

/* No task runs in here, since GLib does not hear of a signal that comes before this returns. */
static gboolean
on_signal (gpointer data)
{
  Signal *self = data;
  GtxHandle *link;

  for (link = self->interests.ring.next; link != &self->interests.ring; link = link->next)
    GTX_CONTAINER_OF (link, Interest, link)->is_pending = TRUE;
  while ((link = gtx_handle_list_pop (&self->waiters)))
    {
      SignalWaiter *waiter = GTX_CONTAINER_OF (link, SignalWaiter, link);

      /* A task that was cancelled does not get the signal. */
      if (waiter->waiter.state == GTX_WAITER_PENDING)
        waiter->interest->is_pending = FALSE;
      gtx_waiter_wake (&waiter->waiter);
    }
  return G_SOURCE_CONTINUE;
}

static Signal *
signal_new (GtxScheduler *home,
            GHashTable   *table,
            int           signum)
{
  Signal *self = g_new0 (Signal, 1);

  self->table = table;
  self->signum = signum;
  gtx_handle_list_init (&self->interests);
  gtx_handle_list_init (&self->waiters);
  self->source = g_unix_signal_source_new (signum);
  g_source_set_callback (self->source, on_signal, self, NULL);
  g_source_set_static_name (self->source, "gtask-ext (await)");
  g_source_attach (self->source, gtx_scheduler_get_context (home));
  g_source_unref (self->source);
  g_hash_table_insert (table, GTX_TABLE_KEY (GTX_TABLE_SIGNAL, signum), self);
  return self;
}

static void
signal_free (Signal *self)
{
  g_hash_table_remove (self->table, GTX_TABLE_KEY (GTX_TABLE_SIGNAL, self->signum));
  g_source_destroy (self->source);
  g_free (self);
}

/* ---- Interests ---- */

/* The task has ended. */
static void
end_interest (GtxTaskEnd *end)
{
  Interest *self = GTX_CONTAINER_OF (end, Interest, end);

  gtx_handle_unlink (&self->link);
  if (gtx_handle_list_is_empty (&self->signal->interests))
    signal_free (self->signal);
  g_free (self);
}

static Interest *
interest_new (GtxTask *task,
              int      signum)
{
  GtxScheduler *home = task->parent_instance.home;
  GHashTable *table = gtx_scheduler_get_table (home);
  Signal *signal = g_hash_table_lookup (table, GTX_TABLE_KEY (GTX_TABLE_SIGNAL, signum));
  Interest *self = g_new0 (Interest, 1);

  self->signal = signal ? signal : signal_new (home, table, signum);
  gtx_handle_list_append (&self->signal->interests, &self->link);
  self->end.run = end_interest;
  self->end.next = task->ends;
  task->ends = &self->end;
  return self;
}

static Interest *
interest_get (GtxTask *task,
              int      signum)
{
  for (GtxTaskEnd *end = task->ends; end; end = end->next)
    if (end->run == end_interest && GTX_CONTAINER_OF (end, Interest, end)->signal->signum == signum)
      return GTX_CONTAINER_OF (end, Interest, end);
  return interest_new (task, signum);
}

/* ---- The public side ---- */

static gboolean
may_be_awaited (int signum)
{
  return signum == SIGHUP || signum == SIGINT || signum == SIGTERM ||
         signum == SIGUSR1 || signum == SIGUSR2 || signum == SIGWINCH;
}

static gboolean
await_interest (GtxTask   *task,
                Interest  *interest,
                GError            **error)
{
  GtxScheduler *home = task->parent_instance.home;
  SignalWaiter self = { .interest = interest };
  gboolean woken;

  if (interest->is_pending)
    {
      interest->is_pending = FALSE;
      return TRUE;
    }
  gtx_waiter_init (&self.waiter, task, &signal_kind);
  gtx_handle_list_append (&interest->signal->waiters, &self.link);
  gtx_scheduler_open_to_system (home);
  woken = gtx_waiter_wait (&self.waiter, error);
  gtx_scheduler_close_to_system (home);
  if (gtx_handle_is_linked (&self.link))
    gtx_handle_unlink (&self.link);
  /* The signal came, and a request to cancel as well: the next wait gets the signal. */
  if (!woken && self.waiter.state == GTX_WAITER_WOKEN)
    interest->is_pending = TRUE;
  return woken;
}

/**
 * gtx_await_unix_signal:
 * @signum: SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2 or SIGWINCH
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until the process gets a signal: asyncio's
 * `add_signal_handler()`.
 *
 * From its first call on, a task gets the signal until it ends, so that a task that
 * waits for it again and again misses none: if the signal came between two calls, the
 * second returns at once, without suspending; however often it came, it counts as one.
 * When all tasks that ever waited for the signal have ended, and no
 * g_unix_signal_add() waits for it, the default action of the signal applies again.
 * If a second SIGINT should kill the program, wait for the first in a task that ends
 * then.  A task that was awaited without being started runs inside the task that
 * awaits it, and counts as that one.
 *
 * During the wait virtual time does not jump, but passes as real time does.  Sets
 * %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_NOT_IN_TASK outside a
 * task, and %GTX_ERROR_INVALID_ARGUMENT for any other signal.
 *
 * Returns: %TRUE when the signal came, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_await_unix_signal (int      signum,
                       GError **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);

  if (task == NULL)
    return FALSE;
  if (may_be_awaited (signum))
    return await_interest (task, interest_get (task, signum), error);
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
               "Signal %d cannot be awaited; await one of SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2 and SIGWINCH",
               signum);
  return FALSE;
}
