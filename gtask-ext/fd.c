/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors: those that are awaited, each once, and the tasks that wait. */

#include "config.h"

#include "fd.h"

#include "gtask-ext/error.h"
#include "gtask-ext/unix.h"

#include <fcntl.h>
#include <glib-unix.h>

#define N_CONDITIONS 16

/* The source of one descriptor, for all tasks of a main context that wait for it.
 * In the context, and in the scheduler's table, while somebody does. */
typedef struct
{
  GSource source;
  GPtrArray *table;
  int fd;
  gpointer tag;
  GIOCondition condition;       /* that it waits for: all of which is wanted */
  guint n_wanting[N_CONDITIONS]; /* each bit of it */
  GtxHandleList waiters;
} Descriptor;

/* A task that waits; in no list once it has what it waits for. */
typedef struct
{
  GtxWaiter waiter;
  GtxHandle link;
  Descriptor *descriptor;
  GIOCondition condition;       /* that it waits for; then: that came */
  const char *what;
  int number;
} DescriptorWaiter;

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  DescriptorWaiter *self = (DescriptorWaiter *) waiter;

  g_string_append_printf (text, "%s %d", self->what, self->number);
}

static const GtxWaiterKind descriptor_kind = { gtx_waiter_cancel, describe, NULL };

/* ---- Who waits for what ---- */

static gboolean descriptor_dispatch (GSource *source, GSourceFunc callback, gpointer data);

static GSourceFuncs descriptor_funcs = { NULL, NULL, descriptor_dispatch, NULL, NULL, NULL };

static Descriptor *
descriptor_new (GtxScheduler *home,
                GPtrArray    *table,
                int           fd,
                GIOCondition  condition)
{
  GSource *source = g_source_new (&descriptor_funcs, sizeof (Descriptor));
  Descriptor *self = (Descriptor *) (void *) source;

  self->table = table;
  self->fd = fd;
  self->condition = condition;
  self->tag = g_source_add_unix_fd (source, fd, condition);
  gtx_handle_list_init (&self->waiters);
  g_source_set_static_name (source, "gtask-ext (await)");
  /* A task that it wakes may run the main loop, in which others wait for it. */
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, gtx_scheduler_get_context (home));
  table->pdata[fd] = self;
  return self;
}

static Descriptor *
descriptor_get (GtxScheduler *home,
                int           fd,
                GIOCondition  condition)
{
  GPtrArray *table = gtx_scheduler_get_descriptors (home);
  Descriptor *self;

  if ((guint) fd >= table->len)
    g_ptr_array_set_size (table, fd + 1);
  self = table->pdata[fd];
  return self ? self : descriptor_new (home, table, fd, condition);
}

static void
count_conditions (Descriptor   *self,
                  GIOCondition  condition,
                  guint         change)
{
  guint left = condition & ((1u << N_CONDITIONS) - 1);

  for (guint i = 0; left > 0; i++, left >>= 1)
    self->n_wanting[i] += change * (left & 1);
}

static void
set_condition (Descriptor   *self,
               GIOCondition  condition)
{
  if (condition == self->condition)
    return;
  self->condition = condition;
  g_source_modify_unix_fd (&self->source, self->tag, condition);
}

/* After waiters left: the source waits for what the others do, or goes. */
static void
descriptor_settle (Descriptor *self)
{
  guint condition = 0;

  if (gtx_handle_list_is_empty (&self->waiters))
    {
      self->table->pdata[self->fd] = NULL;
      g_source_destroy (&self->source);
      g_source_unref (&self->source);
      return;
    }
  for (guint i = 0; i < N_CONDITIONS; i++)
    if (self->n_wanting[i] > 0)
      condition |= 1u << i;
  set_condition (self, (GIOCondition) condition);
}

static void
waiter_join (DescriptorWaiter *self)
{
  gtx_handle_list_append (&self->descriptor->waiters, &self->link);
  count_conditions (self->descriptor, self->condition, 1);
  set_condition (self->descriptor, self->descriptor->condition | self->condition);
}

static void
waiter_leave (DescriptorWaiter *self)
{
  gtx_handle_unlink (&self->link);
  count_conditions (self->descriptor, self->condition, -1u);
}

/* ---- What came ---- */

static void
take_ready (Descriptor    *self,
            GIOCondition   came,
            GtxHandleList *ready)
{
  GtxHandle *next;

  for (GtxHandle *link = self->waiters.ring.next; link != &self->waiters.ring; link = next)
    {
      DescriptorWaiter *waiter = GTX_CONTAINER_OF (link, DescriptorWaiter, link);
      GIOCondition its = came & (waiter->condition | G_IO_ERR | G_IO_HUP | G_IO_NVAL);

      next = link->next;
      if (its == 0)
        continue;
      waiter_leave (waiter);
      waiter->condition = its;
      gtx_handle_list_append (ready, link);
    }
}

/* The tasks run when the last one is woken, and may wait for the descriptor again:
 * by then nothing of it is used any more. */
static gboolean
descriptor_dispatch (GSource     *source,
                     GSourceFunc  callback,
                     gpointer     data)
{
  Descriptor *self = (Descriptor *) (void *) source;
  GtxHandleList ready;
  GtxHandle *link;

  (void) callback;
  (void) data;
  gtx_handle_list_init (&ready);
  take_ready (self, g_source_query_unix_fd (source, self->tag), &ready);
  descriptor_settle (self);
  while ((link = gtx_handle_list_pop (&ready)))
    {
      DescriptorWaiter *waiter = GTX_CONTAINER_OF (link, DescriptorWaiter, link);

      if (gtx_handle_list_is_empty (&ready))
        gtx_waiter_wake_now (&waiter->waiter);
      else
        gtx_waiter_wake (&waiter->waiter);
    }
  return G_SOURCE_CONTINUE;
}

GIOCondition
gtx_fd_wait (GtxTask      *task,
             int           fd,
             GIOCondition  condition,
             const char   *what,
             int           number)
{
  GtxScheduler *home = task->parent_instance.home;
  Descriptor *descriptor = descriptor_get (home, fd, condition);
  DescriptorWaiter self = {
    .descriptor = descriptor, .condition = condition, .what = what, .number = number,
  };
  gboolean woken;

  gtx_waiter_init (&self.waiter, task, &descriptor_kind);
  waiter_join (&self);

  gtx_scheduler_hold (home);
  woken = gtx_waiter_wait (&self.waiter);
  gtx_scheduler_release (home);
  if (gtx_handle_is_linked (&self.link))
    {
      waiter_leave (&self);
      descriptor_settle (descriptor);
    }
  return woken ? self.condition : 0;
}

/* ---- The public side ---- */

static void
set_closed_error (int      fd,
                  GError **error)
{
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "There is no open descriptor %d", fd);
}

/**
 * gtx_await_fd:
 * @fd: an open descriptor
 * @condition: what to wait for, such as %G_IO_IN
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until a descriptor is ready: asyncio's
 * `add_reader()` and `add_writer()`.
 *
 * Always suspends.  Any number of tasks may wait for one descriptor, each for what
 * it likes: all go on, in the order in which they came.  Sets
 * %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_NOT_IN_TASK outside a
 * task, and %GTX_ERROR_INVALID_ARGUMENT if @fd is not open, or is closed while it
 * is awaited; where its number is given to another file before the main loop looks
 * again, that one is awaited.
 *
 * Returns: what of @condition is the case, and %G_IO_ERR or %G_IO_HUP, which
 *   need not be asked for; 0 with @error set
 *
 * Since: 0.1
 */
GIOCondition
gtx_await_fd (int            fd,
              GIOCondition   condition,
              GError       **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  GIOCondition came;

  if (task == NULL)
    return 0;
  if (fcntl (fd, F_GETFD) < 0)
    {
      set_closed_error (fd, error);
      return 0;
    }
  came = gtx_fd_wait (task, fd, condition, "descriptor", fd);
  if (came == 0)
    gtx_set_cancelled_error (error);
  if ((came & G_IO_NVAL) == 0)
    return came;
  set_closed_error (fd, error);
  return 0;
}
