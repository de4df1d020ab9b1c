/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sync/line.h"

#include "task/references.h"

#include "gtask-ext/error.h"

void
gtx_line_init (GtxLine *self)
{
  gtx_handle_list_init (&self->waiters);
  self->passed = &self->waiters.ring;
  self->n_live = 0;
  self->home = NULL;
  self->n_pins = 0;
  self->kept = FALSE;
}

void
gtx_line_clear (GtxLine *self)
{
  g_assert (gtx_handle_list_is_empty (&self->waiters));
  g_clear_pointer (&self->home, gtx_scheduler_unref);
}

/* ---- The object's life ---- */

void
gtx_line_let_go (GtxLine  *self,
                 gpointer  object)
{
  self->kept = FALSE;
  g_object_unref (object);
}

/* g_object_unref() still uses an object that dispose() has kept.  If another thread
 * called it, the tasks' thread would never know when it may drop the object. */
gboolean
gtx_line_keep (GtxLine *self,
               GObject *object)
{
  /* If there are more references, the caller is g_object_run_dispose(). */
  if (G_LIKELY (self->n_pins == 0) || gtx_n_references (object) > 1)
    return FALSE;
  g_object_ref (object);
  if (gtx_scheduler_is_local (self->home))
    self->kept = TRUE;
  else if (gtx_scheduler_get_context (self->home))
    g_critical ("The last reference of a %s was dropped outside the thread of the tasks that wait for it, so "
                "the object is kept for ever; drop the reference in the tasks' thread", G_OBJECT_TYPE_NAME (object));
  return TRUE;
}

/* ---- Waiting ---- */

/* A line in which no task waits, and whose main context is gone, is free for those of another. */
static gboolean
is_left (const GtxLine *self)
{
  return gtx_scheduler_get_context (self->home) == NULL && self->n_pins == 0 &&
         gtx_handle_list_is_empty (&self->waiters);
}

static inline gboolean
has_home (const GtxLine *self,
          const GtxTask *task)
{
  return self->home == task->parent_instance.home;
}

static void
take_home (GtxLine *self,
           GtxTask *task)
{
  if (self->home && !is_left (self))
    return;
  g_clear_pointer (&self->home, gtx_scheduler_unref);
  self->home = gtx_scheduler_ref (task->parent_instance.home);
}

GtxTask *
gtx_line_begin (GtxLine     *self,
                const char  *function,
                GError     **error)
{
  GtxTask *task = gtx_task_begin_await (function, error);

  if (task == NULL)
    return NULL;
  if (G_LIKELY (has_home (self, task)))
    return task;
  take_home (self, task);
  if (has_home (self, task))
    return task;
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
               "%s() was called in a task of another main context than that of the tasks which use the object",
               function);
  return NULL;
}

static GtxLineWaiter *
waiter_at (GtxHandle *link)
{
  return GTX_CONTAINER_OF (link, GtxLineWaiter, link);
}

static void
enter (GtxLine       *self,
       GtxLineWaiter *waiter)
{
  /* A queue has two lines, and calls gtx_line_begin () for only one of them. */
  if (G_UNLIKELY (!has_home (self, waiter->base.task)))
    take_home (self, waiter->base.task);
  gtx_handle_list_append (&self->waiters, &waiter->link);
  self->n_live++;
}

static void
leave (GtxLine       *self,
       GtxLineWaiter *waiter)
{
  if (self->passed == &waiter->link)
    self->passed = waiter->link.previous;
  gtx_handle_unlink (&waiter->link);
  if (waiter->base.state != GTX_WAITER_CANCELLED)
    self->n_live--;
}

gboolean
gtx_line_cancel (GtxWaiter *waiter)
{
  if (!gtx_waiter_cancel (waiter))
    return FALSE;
  ((GtxLineWaiter *) waiter)->line->n_live--;
  return TRUE;
}

gboolean
gtx_line_wait (GtxLine             *self,
               GtxTask             *task,
               const GtxWaiterKind *kind,
               gpointer             object,
               gboolean            *woken,
               GError             **error)
{
  GtxLineWaiter waiter;
  gboolean succeeded;

  gtx_waiter_init (&waiter.base, task, kind);
  waiter.link.next = NULL;
  waiter.line = self;
  waiter.object = object;
  enter (self, &waiter);
  succeeded = gtx_waiter_wait (&waiter.base, error);
  if (gtx_handle_is_linked (&waiter.link))
    leave (self, &waiter);

  *woken = waiter.base.state == GTX_WAITER_WOKEN;
  return succeeded;
}

/* ---- Waking ---- */

gboolean
gtx_line_may_wake_slowly (GtxLine    *self,
                          const char *function)
{
  GtxVisit visit;

  /* No task uses the line any more: any thread that has the object may change it. */
  if (gtx_handle_list_is_empty (&self->waiters) && gtx_scheduler_is_abandoned (self->home))
    return TRUE;
  visit = gtx_scheduler_enter_home (self->home, function);
  gtx_scheduler_leave (self->home, visit);
  return visit != GTX_ELSEWHERE;
}

void
gtx_line_wake_head (GtxLine *self)
{
  if (!gtx_handle_list_is_empty (&self->waiters))
    gtx_waiter_wake (&waiter_at (self->waiters.ring.next)->base);
}

guint
gtx_line_wake (GtxLine *self,
               guint    n)
{
  guint n_woken = 0;

  while (n_woken < n && self->passed->next != &self->waiters.ring)
    {
      GtxWaiter *waiter;

      self->passed = self->passed->next;
      waiter = &waiter_at (self->passed)->base;
      if (waiter->state != GTX_WAITER_PENDING)
        continue;
      gtx_waiter_wake (waiter);
      n_woken++;
    }
  return n_woken;
}

GtxLineWaiter *
gtx_line_first (GtxLine *self)
{
  while (!gtx_handle_list_is_empty (&self->waiters))
    {
      GtxLineWaiter *waiter = waiter_at (self->waiters.ring.next);

      if (waiter->base.state == GTX_WAITER_PENDING)
        return waiter;
      leave (self, waiter);
    }
  return NULL;
}

guint
gtx_line_call (GtxLine *self,
               guint    n)
{
  guint n_woken = 0;

  while (n_woken < n && !gtx_handle_list_is_empty (&self->waiters))
    {
      GtxLineWaiter *waiter = waiter_at (self->waiters.ring.next);

      leave (self, waiter);
      if (waiter->base.state != GTX_WAITER_PENDING)
        continue;
      gtx_waiter_wake (&waiter->base);
      n_woken++;
    }
  return n_woken;
}
