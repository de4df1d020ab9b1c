/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making tasks, and starting them: asyncio's create_task(), and Task(…, eager_start=True). */

#include "task/task-private.h"

/* ---- Making ---- */

static GtxTask *
task_new (const char     *function,
          gpointer        data,
          GDestroyNotify  data_free)
{
  GtxTask *self = (GtxTask *) g_object_new_with_properties (GTX_TYPE_TASK, 0, NULL, NULL);

  self->function = function;
  self->data = data;
  self->data_free = data_free;
  return self;
}

/**
 * gtx_task_new_named: (skip)
 *
 * The function behind gtx_task_new(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_task_new_named (const char     *function,
                    GtxCoroutine    coroutine,
                    gpointer        data,
                    GDestroyNotify  data_free)
{
  GtxTask *self;

  g_return_val_if_fail (coroutine != NULL, NULL);

  self = task_new (function, data, data_free);
  self->coroutine.boolean = coroutine;
  return self;
}

/**
 * gtx_task_new_pointer_named: (skip)
 *
 * The function behind gtx_task_new_pointer(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_task_new_pointer_named (const char          *function,
                            GtxPointerCoroutine  coroutine,
                            gpointer             data,
                            GDestroyNotify       data_free,
                            GDestroyNotify       result_free)
{
  GtxTask *self;

  g_return_val_if_fail (coroutine != NULL, NULL);

  self = task_new (function, data, data_free);
  self->coroutine.pointer = coroutine;
  self->is_pointer = TRUE;
  self->result_free = result_free;
  return self;
}

static void
free_unbegun (GtxHandle *handle)
{
  GtxTask *self = GTX_CONTAINER_OF (handle, GtxTask, step.handle);

  gtx_task_free_data (self);
  gtx_pins_drop (&self->parent_instance.pins, self);
}

/* The function that frees the data may do anything, and the code that starts the task is not ready for
 * that: it runs later, if there is somebody to run it. */
static void
free_unbegun_soon (GtxTask  *self,
                   gboolean  takes_tasks)
{
  GtxScheduler *home = self->parent_instance.home;

  if (!takes_tasks || gtx_scheduler_get_context (home) == NULL)
    {
      free_unbegun (&self->step.handle);
      return;
    }
  self->step.handle.run = free_unbegun;
  gtx_scheduler_call_soon (home, &self->step.handle);
}

/* Makes the task one that is to begin, in its home thread; the caller has pinned it.  @takes_tasks: FALSE
 * if the home refuses messages, since nobody will run it any more.  FALSE if the task has ended without
 * beginning. */
static inline gboolean
enter_registry (GtxTask  *self,
                gboolean  takes_tasks)
{
  /* A task that was cancelled meanwhile is done, and its coroutine does not run. */
  if (gtx_future_done (&self->parent_instance))
    {
      free_unbegun_soon (self, takes_tasks);
      return FALSE;
    }
  if (!takes_tasks || gtx_scheduler_get_context (self->parent_instance.home) == NULL)
    {
      gtx_task_end_homeless (self);
      return FALSE;
    }
  gtx_registry_add (self);
  return TRUE;
}

/* Starts the task in its home thread; the caller has pinned it.  A task that has a waiter already is
 * run elsewhere, and has no step. */
static void
start_at_home (GtxTask  *self,
               gboolean  takes_tasks)
{
  if (enter_registry (self, takes_tasks) && G_LIKELY (self->waiter == NULL))
    gtx_scheduler_call_soon (self->parent_instance.home, &self->step.handle);
}

static void
start_at_home_and_unref (gpointer data)
{
  gtx_pins_add (&((GtxFuture *) data)->pins, data);
  start_at_home (data, TRUE);
  g_object_unref (data);
}

static inline void
prepare (GtxTask *self)
{
  static guint64 n_tasks;

  self->locals = gtx_task_locals_inherit ();
  if (self->name == NULL)
    self->number = __atomic_add_fetch (&n_tasks, 1, __ATOMIC_RELAXED);
}

static void
start_elsewhere (GtxTask *self)
{
  if (gtx_scheduler_post (self->parent_instance.home, start_at_home_and_unref, g_object_ref (self)))
    return;
  g_object_unref (self);
  gtx_pins_add (&self->parent_instance.pins, self);
  start_at_home (self, FALSE);
}

static void
start (GtxTask *self)
{
  GtxScheduler *home = self->parent_instance.home;
  GtxVisit visit;

  prepare (self);
  visit = gtx_scheduler_enter (home);
  if (G_LIKELY (visit))
    {
      gtx_pins_add (&self->parent_instance.pins, self);
      start_at_home (self, TRUE);
      gtx_scheduler_leave (home, visit);
    }
  else
    start_elsewhere (self);
}

/* The coroutine, which runs inside this, may drop the caller's reference. */
static void
start_eagerly (GtxTask *self)
{
  GtxScheduler *home = self->parent_instance.home;
  GtxVisit visit;

  prepare (self);
  visit = gtx_scheduler_enter (home);
  if (!visit)
    {
      start_elsewhere (self);
      return;
    }
  g_object_ref (self);
  gtx_pins_add (&self->parent_instance.pins, self);
  if (enter_registry (self, TRUE))
    gtx_scheduler_begin_eagerly (home, &self->step);
  gtx_scheduler_leave (home, visit);
  g_object_unref (self);
}

void
gtx_task_start_waiting (GtxTask   *self,
                        GtxWaiter *waiter)
{
  self->waiter = waiter;
  start (self);
}

void
gtx_task_start_in_place_of (GtxTask    *self,
                            const char *name,
                            guint64     number,
                            GPtrArray  *locals)
{
  self->is_started = TRUE;
  self->name = g_strdup (name);
  self->number = number;
  self->locals = locals;
  gtx_pins_add (&self->parent_instance.pins, self);
  start_at_home (self, TRUE);
}

static void
start_new (GtxTask *self)
{
  self->is_started = TRUE;
  start (self);
}

/**
 * gtx_create_task_named: (skip)
 *
 * The function behind gtx_create_task(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_create_task_named (const char     *function,
                       GtxCoroutine    coroutine,
                       gpointer        data,
                       GDestroyNotify  data_free)
{
  GtxTask *self = gtx_task_new_named (function, coroutine, data, data_free);

  if (self)
    start_new (self);
  return self;
}

/**
 * gtx_create_task_pointer_named: (skip)
 *
 * The function behind gtx_create_task_pointer(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_create_task_pointer_named (const char          *function,
                               GtxPointerCoroutine  coroutine,
                               gpointer             data,
                               GDestroyNotify       data_free,
                               GDestroyNotify       result_free)
{
  GtxTask *self = gtx_task_new_pointer_named (function, coroutine, data, data_free, result_free);

  if (self)
    start_new (self);
  return self;
}

static GtxTask *
start_new_eagerly (GtxTask *self)
{
  if (self)
    {
      self->is_started = TRUE;
      start_eagerly (self);
    }
  return self;
}

/**
 * gtx_create_task_eager_named: (skip)
 *
 * The function behind gtx_create_task_eager(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_create_task_eager_named (const char     *function,
                             GtxCoroutine    coroutine,
                             gpointer        data,
                             GDestroyNotify  data_free)
{
  return start_new_eagerly (gtx_task_new_named (function, coroutine, data, data_free));
}

/**
 * gtx_create_task_pointer_eager_named: (skip)
 *
 * The function behind gtx_create_task_pointer_eager(), with the name of its coroutine as an argument, static or
 * interned.
 */
GtxTask *
gtx_create_task_pointer_eager_named (const char          *function,
                                     GtxPointerCoroutine  coroutine,
                                     gpointer             data,
                                     GDestroyNotify       data_free,
                                     GDestroyNotify       result_free)
{
  return start_new_eagerly (gtx_task_new_pointer_named (function, coroutine, data, data_free, result_free));
}

static GtxTask *
start_in (GtxTask      *self,
          GMainContext *context)
{
  return self ? gtx_task_start_in (self, context) : NULL;
}

/**
 * gtx_create_task_in_named: (skip)
 *
 * The function behind gtx_create_task_in(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_create_task_in_named (GMainContext   *context,
                          const char     *function,
                          GtxCoroutine    coroutine,
                          gpointer        data,
                          GDestroyNotify  data_free)
{
  return start_in (gtx_task_new_named (function, coroutine, data, data_free), context);
}

/**
 * gtx_create_task_pointer_in_named: (skip)
 *
 * The function behind gtx_create_task_pointer_in(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_create_task_pointer_in_named (GMainContext        *context,
                                  const char          *function,
                                  GtxPointerCoroutine  coroutine,
                                  gpointer             data,
                                  GDestroyNotify       data_free,
                                  GDestroyNotify       result_free)
{
  return start_in (gtx_task_new_pointer_named (function, coroutine, data, data_free, result_free), context);
}

static gboolean
claim_start (GtxTask    *self,
             const char *function)
{
  if (gtx_task_claim_start (self))
    return TRUE;
  g_critical ("%s: the task of %s was started or awaited before; a task runs once", function, self->function);
  return FALSE;
}

/**
 * gtx_task_start:
 * @self: a #GtxTask that was not started
 *
 * Starts a task that gtx_task_new() made: asyncio's `create_task()` of a
 * coroutine object.
 *
 * A task without a name is given one now, `Task-N`.  Starting a task twice, or one
 * that was awaited, is a mistake, which a g_critical() reports.  Never suspends;
 * may be called in any thread.
 *
 * Returns: (transfer none): @self
 *
 * Since: 0.1
 */
GtxTask *
gtx_task_start (GtxTask *self)
{
  g_return_val_if_fail (GTX_IS_TASK (self), self);

  if (claim_start (self, G_STRFUNC))
    start (self);
  return self;
}

/**
 * gtx_task_start_eager:
 * @self: a #GtxTask that was not started
 *
 * Starts a task that gtx_task_new() made, and runs its coroutine at once, inside this call, until
 * it suspends first or ends: asyncio's `Task (coroutine, eager_start=True)`.
 *
 * The task is the current one meanwhile, and its caller is again when this returns.  The caller may
 * be a task, which does not suspend here, or any other code of the thread of the task's home: a
 * callback of the main loop, or code that runs before the main loop does.  A task that has ended by
 * then is done when this returns; its done callbacks run later, as always.
 *
 * Outside the thread of its home, the task starts as gtx_task_start() starts it.  The same happens where
 * no stack can be had at that moment.  The coroutine of a task that was cancelled before never begins.
 *
 * The coroutine has a stack of its own, so that eager tasks may start others one inside the other as
 * deep as there is memory.  It begins with the rounding mode and the trapped floating-point exceptions
 * of its caller.  The main context of its home is the thread-default one for it.
 *
 * If the coroutine suspends before any thread has run the main context, the calling thread has to run it:
 * a stack does not go to another thread.
 *
 * A request to cancel that the coroutine makes for itself or for its caller is delivered at the next
 * await of that task which suspends, as always.  Starting a task twice, or one that was awaited, is a
 * mistake, which a g_critical() reports.  Never suspends the caller; may be called in any thread.
 *
 * Returns: (transfer none): @self
 *
 * Since: 0.1
 */
GtxTask *
gtx_task_start_eager (GtxTask *self)
{
  g_return_val_if_fail (GTX_IS_TASK (self), self);

  if (claim_start (self, G_STRFUNC))
    start_eagerly (self);
  return self;
}

/**
 * gtx_task_start_in:
 * @self: a #GtxTask that was not started
 * @context: (nullable): the main context in which the task will run; %NULL: the default
 *   one
 *
 * Starts a task that gtx_task_new() made in another main context, as
 * gtx_create_task_in() does.
 *
 * Before this call, do not await or bind the task or get its #GCancellable, and do not
 * cancel it outside the thread of the main context in which it was made.  No other thread
 * may have the task yet.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none): @self
 *
 * Since: 0.1
 */
GtxTask *
gtx_task_start_in (GtxTask      *self,
                   GMainContext *context)
{
  GtxFuture *future = &self->parent_instance;

  g_return_val_if_fail (GTX_IS_TASK (self), self);
  if (g_atomic_int_get (&future->is_watched) || self->cancellable)
    {
      g_critical ("%s: the task of %s was bound or cancelled, or a caller has added a done callback or got its "
                  "GCancellable, in the main context in which it was made: do this after it has been started",
                  G_STRFUNC, self->function);
      return self;
    }

  if (!self->is_started)
    gtx_future_set_home (future, gtx_scheduler_for_context (context));
  return gtx_task_start (self);
}

void
gtx_task_start_unless_started (GtxTask *self)
{
  if (gtx_task_claim_start (self))
    start (self);
}
