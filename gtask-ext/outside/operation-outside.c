/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that are begun outside of all tasks, by mistake: they get a cancelled
 * GCancellable, and are waited for all the same. */

#include "outside/operation-private.h"

/* How long to wait for the main loop of another thread before the next try to acquire its
 * context. */
#define LOOK_AGAIN_US 20000

/* The operations of the calling thread. */
typedef struct
{
  GtxOperation *begun;          /* the last one, which leads to those that were begun before */
  GAsyncResult *lent;
} Outside;

static void outside_free (gpointer data);

static GPrivate outside_of_thread = G_PRIVATE_INIT (outside_free);

/* Guards the state and the result of all these operations. */
static GMutex mutex;
static GCond arrived;

static void
operation_free (GtxOperation *self)
{
  g_main_context_unref (self->context);
  gtx_operation_free (self);
}

/* An operation that was never awaited may still call back: its callback frees it then. */
static void
outside_free (gpointer data)
{
  Outside *outside = data;
  GtxOperation *operation;

  while ((operation = outside->begun))
    {
      gboolean is_over;

      outside->begun = g_steal_pointer (&operation->outer);
      g_mutex_lock (&mutex);
      is_over = operation->state == GTX_OPERATION_ARRIVED;
      operation->is_set_aside = TRUE;
      g_mutex_unlock (&mutex);
      if (is_over)
        operation_free (operation);
    }
  g_clear_object (&outside->lent);
  g_free (outside);
}

static Outside *
current_outside (void)
{
  Outside *outside = g_private_get (&outside_of_thread);

  if (outside == NULL)
    {
      outside = g_new0 (Outside, 1);
      g_private_set (&outside_of_thread, outside);
    }
  return outside;
}

GCancellable *
gtx_operation_cancelled_cancellable (void)
{
  static GCancellable *cancelled;

  if (g_once_init_enter (&cancelled))
    {
      GCancellable *made = g_cancellable_new ();

      g_cancellable_cancel (made);
      g_once_init_leave (&cancelled, made);
    }
  return cancelled;
}

gpointer
gtx_operation_begin_outside (const char *file,
                             int         line)
{
  Outside *outside = current_outside ();
  GtxOperation *self = gtx_operation_new (NULL);

  g_critical ("GTX_ASYNC was used at %s:%d outside a task, and only a task can wait: the operation is "
              "cancelled; start a task with gtx_create_task() or gtx_run()", file, line);
  self->context = g_main_context_ref_thread_default ();
  self->file = file;
  self->line = line;
  self->state = GTX_OPERATION_BEGUN;
  self->outer = outside->begun;
  outside->begun = self;
  return gtx_token_arm (self->token, file, line);
}

void
gtx_operation_arrive_outside (GtxOperation *self,
                              GAsyncResult *result)
{
  g_autoptr (GMainContext) context = g_main_context_ref (self->context);
  gboolean is_nobodys;

  /* Set before another thread sees the new state, and without the lock: taking a reference may
   * call the program. */
  self->result = g_object_ref (result);
  g_mutex_lock (&mutex);
  self->state = GTX_OPERATION_ARRIVED;
  is_nobodys = self->is_set_aside;
  g_cond_broadcast (&arrived);
  g_mutex_unlock (&mutex);
  if (is_nobodys)
    operation_free (self);
  g_main_context_wakeup (context);
}

/* Runs a turn of the main loop of the operation, or waits while another thread runs that main
 * loop. */
static void
let_main_loop_run (GtxOperation *self)
{
  if (g_main_context_acquire (self->context))
    {
      g_main_context_iteration (self->context, TRUE);
      g_main_context_release (self->context);
      return;
    }
  g_mutex_lock (&mutex);
  if (self->state == GTX_OPERATION_BEGUN)
    g_cond_wait_until (&arrived, &mutex, g_get_monotonic_time () + LOOK_AGAIN_US);
  g_mutex_unlock (&mutex);
}

static gboolean
is_under_way (GtxOperation *self)
{
  gboolean under_way;

  g_mutex_lock (&mutex);
  under_way = self->state == GTX_OPERATION_BEGUN;
  g_mutex_unlock (&mutex);
  return under_way;
}

/* The operation is taken off first: what the main loop runs meanwhile may begin and await other
 * operations. */
GAsyncResult *
gtx_operation_await_outside (void)
{
  Outside *outside = current_outside ();
  GtxOperation *self = outside->begun;
  GAsyncResult *result;

  if (self == NULL)
    return NULL;
  outside->begun = g_steal_pointer (&self->outer);
  while (is_under_way (self))
    let_main_loop_run (self);
  result = g_steal_pointer (&self->result);
  operation_free (self);
  return gtx_operation_lend_outside (result);
}

GAsyncResult *
gtx_operation_lend_outside (GAsyncResult *result)
{
  Outside *outside = current_outside ();

  g_clear_object (&outside->lent);
  outside->lent = result;
  return result;
}
