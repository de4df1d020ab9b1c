/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that wait for descriptors. */

#include "io/descriptor.h"

#include "gtask-ext/error.h"
#include "gtask-ext/unix.h"
#include "loop/deadline.h"
#include "loop/poller.h"

#include <fcntl.h>

/* A task that waits for a descriptor. */
typedef struct
{
  GtxWaiter waiter;
  GtxPollWait wait;
  GtxTimer timer;
  const GtxDescriptorWait *wanted;
} DescriptorWaiter;

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  DescriptorWaiter *self = (DescriptorWaiter *) waiter;

  g_string_append_printf (text, "%s %d", self->wanted->what, self->wanted->number);
  gtx_timer_describe (&self->timer, waiter->task->parent_instance.home, text);
}

static const GtxWaiterKind descriptor_kind = { "descriptor", gtx_waiter_cancel, describe, NULL, NULL };

static void
on_came (GtxPollWait   *wait,
         GtxHandleList *woken)
{
  gtx_waiter_wake_into (&GTX_CONTAINER_OF (wait, DescriptorWaiter, wait)->waiter, woken);
}

static gboolean
is_closed (GtxPollWait *wait)
{
  const GtxDescriptorWait *wanted = GTX_CONTAINER_OF (wait, DescriptorWaiter, wait)->wanted;

  return g_socket_get_fd (wanted->socket) != wanted->fd;
}

static void
leave (DescriptorWaiter *self)
{
  if (gtx_handle_is_linked (&self->wait.link))
    gtx_poller_leave (self->waiter.task->parent_instance.home, &self->wait, self->wanted->fd);
}

static void
on_time (GtxHandle *handle)
{
  DescriptorWaiter *self = GTX_CONTAINER_OF (handle, DescriptorWaiter, timer.handle);

  if (self->waiter.state != GTX_WAITER_PENDING)
    return;
  leave (self);
  self->wait.condition = GTX_IO_TIMED_OUT;
  gtx_waiter_wake (&self->waiter);
}

GIOCondition
gtx_descriptor_wait (GtxTask                 *task,
                     const GtxDescriptorWait *wanted,
                     GError                 **error)
{
  GtxScheduler *home = task->parent_instance.home;
  DescriptorWaiter self = {
    .wait = { .condition = wanted->condition, .stream = wanted->stream, .came = on_came },
    .timer.handle.run = on_time, .wanted = wanted,
  };
  gboolean woken;

  if (wanted->socket)
    self.wait.is_closed = is_closed;
  gtx_waiter_init (&self.waiter, task, &descriptor_kind);
  self.waiter.stands = wanted->stands;
  gtx_poller_join (home, &self.wait, wanted->fd);
  if (wanted->deadline != GTX_NEVER)
    gtx_scheduler_call_at (home, &self.timer, wanted->deadline);

  gtx_scheduler_hold (home);
  woken = gtx_waiter_wait (&self.waiter, error);
  gtx_scheduler_release (home);
  if (wanted->deadline != GTX_NEVER)
    gtx_scheduler_cancel_timer (home, &self.timer);
  leave (&self);
  return woken ? self.wait.condition : 0;
}

/* ---- The public side ---- */

static void
set_closed_error (int      fd,
                  GError **error)
{
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
               "Descriptor %d is not open; keep it open while a task awaits it", fd);
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
 * Always suspends.  Any number of tasks may wait for one descriptor, each for its own
 * condition: all of them go on, in the order in which they began to wait.  Sets
 * %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_NOT_IN_TASK outside a task,
 * and %GTX_ERROR_INVALID_ARGUMENT if @fd is not open, or is closed while the task waits;
 * if its number is given to another file meanwhile, the task waits for that file.  As a
 * rule, the library notices within a quarter of a second that a file was closed or
 * replaced, when the main loop has turned.
 *
 * Tasks that wait for descriptors cost nothing while nothing comes, however many there
 * are: the main loop asks for all descriptors at once if the system has epoll.  A
 * regular file is always ready.
 *
 * Returns: the conditions that are met, of @condition, and %G_IO_ERR or %G_IO_HUP, which
 *   need not be asked for; 0 with @error set
 *
 * Since: 0.1
 */
GIOCondition
gtx_await_fd (int            fd,
              GIOCondition   condition,
              GError       **error)
{
  GtxDescriptorWait wanted = {
    .fd = fd, .condition = condition, .deadline = GTX_NEVER, .what = "descriptor", .number = fd,
  };
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  GIOCondition came;

  if (task == NULL)
    return 0;
  if (fcntl (fd, F_GETFD) < 0)
    {
      set_closed_error (fd, error);
      return 0;
    }
  came = gtx_descriptor_wait (task, &wanted, error);
  if ((came & G_IO_NVAL) == 0)
    return came;
  set_closed_error (fd, error);
  return 0;
}
