/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/task-local.h"

#include "task/caller.h"
#include "task/task-private.h"

/* The values of a task are an array that is never changed, so that starting a
 * task costs no more than a reference to it. */
typedef struct
{
  GtxTaskLocal *local;
  gpointer value;
} Binding;

/* Most programs have no values, and need not look for what a new task inherits. */
static gint has_values;

static GPrivate of_thread = G_PRIVATE_INIT ((GDestroyNotify) g_ptr_array_unref);

static void
binding_clear (gpointer data)
{
  Binding *binding = data;

  if (binding->local->destroy)
    binding->local->destroy (binding->value);
}

static void
binding_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, binding_clear);
}

/* Returns the values of the code that runs, or NULL. */
static GPtrArray *
current_values (void)
{
  GtxTask *task = gtx_task_current ();

  return task ? task->locals : g_private_get (&of_thread);
}

gboolean
gtx_task_locals_are_used (void)
{
  return g_atomic_int_get (&has_values);
}

GPtrArray *
gtx_task_locals_inherit (void)
{
  GPtrArray *values = gtx_task_locals_are_used () ? current_values () : NULL;

  return values ? g_ptr_array_ref (values) : NULL;
}

/* At least as many rounds as POSIX requires when a thread ends. */
enum { MAX_ROUNDS = 16 };

#define ENDS_ENDLESSLY                                                         \
  "ends, and the functions that destroy its task-local values set new values again and again, so the last " \
  "values are leaked: do not set values in such a function"

static void
leak_values (GPtrArray *values)
{
  g_ptr_array_set_free_func (values, g_atomic_rc_box_release);
  g_ptr_array_unref (values);
}

void
gtx_task_locals_clear (GtxTask *task)
{
  for (int i = 0; task->locals && i < MAX_ROUNDS; i++)
    g_clear_pointer (&task->locals, g_ptr_array_unref);
  if (task->locals == NULL)
    return;

  g_critical ("The task of %s " ENDS_ENDLESSLY, task->function);
  g_clear_pointer (&task->locals, leak_values);
}

/* Destroys the thread's values, and values that are set meanwhile.  Returns whether there is an end
 * to that; if not, the last values are leaked. */
static gboolean
clear_of_thread (void)
{
  GPtrArray *values = gtx_task_locals_exchange_of_thread (NULL);

  for (int i = 0; values && i < MAX_ROUNDS; i++)
    {
      g_ptr_array_unref (values);
      values = gtx_task_locals_exchange_of_thread (NULL);
    }
  if (values == NULL)
    return TRUE;
  leak_values (values);
  return FALSE;
}

void
gtx_task_locals_clear_of_thread (const char *file,
                                 int         line)
{
  g_autofree char *caller = NULL;

  if (clear_of_thread ())
    return;
  caller = gtx_caller_describe ("at", "for", file, line);
  g_critical ("The function that gtx_to_thread() ran %s " ENDS_ENDLESSLY, caller);
}

void
gtx_task_locals_end_of_callback (GPtrArray *of_thread)
{
  if (!clear_of_thread ())
    g_critical ("A done callback " ENDS_ENDLESSLY);
  gtx_task_locals_exchange_of_thread (of_thread);
}

void
gtx_task_locals_set_of_thread (GPtrArray *values)
{
  g_private_replace (&of_thread, values);
}

GPtrArray *
gtx_task_locals_exchange_of_thread (GPtrArray *values)
{
  GPtrArray *old = g_private_get (&of_thread);

  g_private_set (&of_thread, values);
  return old;
}

/**
 * gtx_task_local_get: (skip)
 * @self: a #GtxTaskLocal
 *
 * Lends the current task's value, or outside of all tasks the thread's:
 * Python's `ContextVar.get()`.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none) (nullable): the value, valid until it is set anew;
 *   %NULL if none was set
 *
 * Since: 0.1
 */
gpointer
gtx_task_local_get (GtxTaskLocal *self)
{
  GPtrArray *values = current_values ();

  g_return_val_if_fail (self != NULL, NULL);

  for (guint i = 0; values && i < values->len; i++)
    {
      const Binding *binding = values->pdata[i];

      if (binding->local == self)
        return binding->value;
    }
  return NULL;
}

/* Copies all bindings except that of @self. */
static GPtrArray *
copy_without (GPtrArray          *values,
              const GtxTaskLocal *self)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func (binding_unref);

  for (guint i = 0; values && i < values->len; i++)
    if (((const Binding *) values->pdata[i])->local != self)
      g_ptr_array_add (copy, g_atomic_rc_box_acquire (values->pdata[i]));
  return copy;
}

/* Takes @value. */
static GPtrArray *
copy_with (GPtrArray    *values,
           GtxTaskLocal *self,
           gpointer      value)
{
  GPtrArray *copy = copy_without (values, self);

  g_atomic_int_set (&has_values, TRUE);
  if (value)
    {
      Binding *binding = g_atomic_rc_box_new (Binding);

      binding->local = self;
      binding->value = value;
      g_ptr_array_add (copy, binding);
    }
  return copy;
}

void
gtx_task_locals_bind (GtxTask      *task,
                      GtxTaskLocal *local,
                      gpointer      value)
{
  GPtrArray *old = task->locals;

  task->locals = copy_with (old, local, value);
  g_clear_pointer (&old, g_ptr_array_unref);
}

/**
 * gtx_task_local_set: (skip)
 * @self: a #GtxTaskLocal
 * @value: (transfer full) (nullable): the value; %NULL: none
 *
 * Sets the current task's value, or outside of all tasks the thread's:
 * Python's `ContextVar.set()`.
 *
 * Tasks that were started before keep their values.  A value is destroyed when the last
 * task that has it has ended or set another one.  When a task or a function of
 * gtx_to_thread() has ended and its values are destroyed, a value that is set meanwhile
 * is destroyed next.  Setting a value takes longer the more locals the task has, so
 * that starting a task costs nothing: a task may well have some dozens.  Never
 * suspends; may be called in any thread.
 *
 * Since: 0.1
 */
void
gtx_task_local_set (GtxTaskLocal *self,
                    gpointer      value)
{
  GtxTask *task = gtx_task_current ();
  GPtrArray *old = current_values ();
  GPtrArray *values;

  g_return_if_fail (self != NULL);

  values = copy_with (old, self, value);
  if (task == NULL)
    {
      g_private_replace (&of_thread, values);
      return;
    }
  task->locals = values;
  g_clear_pointer (&old, g_ptr_array_unref);
}
