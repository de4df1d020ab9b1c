/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tasks that belong to an object. */

#include "scope/patience.h"
#include "scope/scope-private.h"

#include "outside/ties.h"
#include "sync/line.h"
#include "task/done-callback.h"

#include "gtask-ext/error.h"
#include "gtask-ext/object.h"

/* Invariant: members are the tasks whose done callback was not called yet.  Each member, and each
 * task that waits in the line, holds a reference to the scope. */
struct _GtxScope
{
  GObject parent_instance;
  GtxScheduler *home;
  GtxTies *ties;                /* of the object; NULL: the scope has none */
  GtxHandleList members;
  GtxHandleList candidates;     /* the members that the next request is made to */
  guint n_tasks;
  gboolean is_closed;
  GtxLine joining;              /* tasks that wait until there are no members */
};

typedef struct
{
  GtxHandle link;
  GtxCandidate candidate;
  GtxScope *scope;
} Member;

G_DEFINE_FINAL_TYPE (GtxScope, gtx_scope, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_N_TASKS,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

enum
{
  FAILED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
gtx_scope_get_property (GObject    *object,
                        guint       id,
                        GValue     *value,
                        GParamSpec *pspec)
{
  if (id == PROP_N_TASKS)
    g_value_set_uint (value, ((GtxScope *) object)->n_tasks);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gtx_scope_finalize (GObject *object)
{
  GtxScope *self = (GtxScope *) object;

  gtx_line_clear (&self->joining);
  g_clear_pointer (&self->ties, gtx_ties_unref);
  gtx_scheduler_unref (self->home);
  G_OBJECT_CLASS (gtx_scope_parent_class)->finalize (object);
}

static void
gtx_scope_class_init (GtxScopeClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = gtx_scope_get_property;
  object_class->finalize = gtx_scope_finalize;

  /**
   * GtxScope:n-tasks:
   *
   * How many tasks of the scope have not ended: bind a spinner to it.
   *
   * Since: 0.1
   */
  properties[PROP_N_TASKS] =
    g_param_spec_uint ("n-tasks", NULL, NULL, 0, G_MAXUINT, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * GtxScope::failed:
   * @self: a #GtxScope
   * @error: the task's error, which is not %G_IO_ERROR_CANCELLED
   * @task: the task that failed
   *
   * A task of the scope has failed.
   *
   * Connect to it to show the user what went wrong.  While no handler is connected, errors are
   * warned of, as those of other tasks are.  Handlers run on the main loop, and not in a task.
   *
   * Since: 0.1
   */
  signals[FAILED] = g_signal_new ("failed", GTX_TYPE_SCOPE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 2, G_TYPE_ERROR, GTX_TYPE_TASK);
}

static void
gtx_scope_init (GtxScope *self)
{
  self->home = gtx_scheduler_ref (gtx_scheduler_get ());
  gtx_handle_list_init (&self->members);
  gtx_handle_list_init (&self->candidates);
  gtx_line_init (&self->joining);
  self->joining.home = gtx_scheduler_ref (self->home);
}

/* ---- The scope of an object ---- */

static GQuark
scope_quark (void)
{
  static gsize quark;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark, g_quark_from_static_string ("gtask-ext-scope"));
  return (GQuark) quark;
}

/**
 * gtx_object_get_scope:
 * @object: (type GObject.Object): an object
 *
 * Returns the scope of an object, which is made when it is first asked for and lives as long as
 * the object.
 *
 * Its tasks run in the main context that is the thread-default one at the first call.  Never
 * suspends; to be called in the thread of that context.
 *
 * Returns: (transfer none): the scope
 *
 * Since: 0.1
 */
GtxScope *
gtx_object_get_scope (gpointer object)
{
  GtxScope *self;

  g_return_val_if_fail (G_IS_OBJECT (object), NULL);

  self = g_object_get_qdata (object, scope_quark ());
  if (self)
    {
      /* An object that was kept alive by its dispose () is as new. */
      gtx_ties_watch_end (self->ties, object);
      return self;
    }
  self = g_object_new (GTX_TYPE_SCOPE, NULL);
  self->ties = gtx_ties_of (object);
  gtx_ties_watch_end (self->ties, object);
  g_object_set_qdata_full (object, scope_quark (), self, g_object_unref);
  return self;
}

/* ---- Tasks ---- */

static void
set_n_tasks (GtxScope *self,
             guint     n_tasks)
{
  self->n_tasks = n_tasks;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_TASKS]);
}

/* An error that no handler hears of is left to the task, which warns of it. */
static void
tell_error (GtxScope *self,
            GtxTask  *task)
{
  const GError *error;

  /* Another thread may be making the error of a task that was cancelled. */
  if (gtx_future_state (&task->parent_instance) != GTX_FUTURE_FINISHED)
    return;
  error = task->parent_instance.error;
  if (error == NULL)
    return;
  if (gtx_error_is_cancelled (error))
    gtx_future_forgive_error (&task->parent_instance);
  else if (g_signal_has_handler_pending (self, signals[FAILED], 0, FALSE))
    {
      gtx_future_forgive_error (&task->parent_instance);
      g_signal_emit (self, signals[FAILED], 0, error, task);
    }
}

static void
unlink_member (Member *self)
{
  gtx_handle_unlink (&self->link);
  if (gtx_handle_is_linked (&self->candidate.link))
    gtx_handle_unlink (&self->candidate.link);
}

static void
member_free (gpointer data)
{
  Member *self = data;

  /* The main context is gone. */
  if (gtx_handle_is_linked (&self->link))
    {
      unlink_member (self);
      self->scope->n_tasks--;
    }
  g_object_unref (self->candidate.task);
  g_object_unref (self->scope);
  g_free (self);
}

/* Tasks that wait for the end go on when handlers have been told. */
static void
on_task_done (gpointer task,
              gpointer data)
{
  Member *member = data;
  GtxScope *self = member->scope;

  /* The task is a member while handlers run, which may let the main loop turn. */
  tell_error (self, task);
  unlink_member (member);
  set_n_tasks (self, self->n_tasks - 1);
  if (gtx_handle_list_is_empty (&self->members))
    gtx_line_wake (&self->joining, G_MAXUINT);
}

static gboolean
is_of_scope (const GtxScope *self,
             const GtxTask  *task)
{
  /* The tasks that wait for a scope mostly belong to others, and there may be many. */
  if (self->ties && !gtx_ties_are_of_current_owner (self->ties))
    return FALSE;
  for (const GtxHandle *link = self->members.ring.next; link != &self->members.ring; link = link->next)
    if (GTX_CONTAINER_OF (link, Member, link)->candidate.task == task)
      return TRUE;
  return FALSE;
}

static gboolean
spares (gpointer data)
{
  Member *member = data;

  return gtx_spare (&member->candidate, &member->scope->candidates);
}

/* The task is cancelled if the object is disposed, now or later. */
static void
give_to_object (GtxScope *self,
                Member   *member)
{
  g_autoptr (GObject) object = gtx_ties_get_object (self->ties);

  gtx_ties_own (self->ties, member->candidate.task);
  if (object)
    gtx_ties_bind (member->candidate.task, object, spares, member);
}

static void
add (GtxScope *self,
     GtxTask  *task)
{
  Member *member = g_new0 (Member, 1);

  member->scope = g_object_ref (self);
  member->candidate.task = task;
  gtx_handle_list_append (&self->members, &member->link);
  gtx_handle_list_append (&self->candidates, &member->candidate.link);
  if (self->ties)
    give_to_object (self, member);
  gtx_future_call_back (&task->parent_instance, on_task_done, member, member_free, NULL);
}

/* A g_critical () says so. */
static gboolean
is_of_another_context (const GtxScope *self,
                       const GtxTask  *task)
{
  if (task->parent_instance.home == self->home)
    return FALSE;
  g_critical ("A task of another main context cannot belong to a scope: create it where the "
              "scope's main context is the thread-default one");
  return TRUE;
}

/* The reference goes with the callback. */
static void
on_lent_done (gpointer task,
              gpointer data)
{
}

/* Drops a reference of a task that is being returned.  Handlers may have let the main loop turn until the
 * task ended: then it is kept for a turn, in which its creator may use it. */
static void
lend (GtxTask *task)
{
  if (gtx_future_done (&task->parent_instance))
    gtx_future_call_back (&task->parent_instance, on_lent_done, task, g_object_unref, NULL);
  else
    g_object_unref (task);
}

/**
 * gtx_scope_start: (skip)
 * @self: a #GtxScope
 * @task: (transfer full): a task that was not started
 *
 * Starts a task that belongs to the scope: the function behind gtx_scope_create_task(), which
 * see.
 *
 * It is a programmer's mistake if @task belongs to another main context than the scope; then it
 * is dropped.
 *
 * Returns: (transfer none) (nullable): @task
 *
 * Since: 0.1
 */
GtxTask *
gtx_scope_start (GtxScope *self,
                 GtxTask  *task)
{
  g_return_val_if_fail (GTX_IS_SCOPE (self), NULL);
  g_return_val_if_fail (GTX_IS_TASK (task) && !task->is_started, NULL);

  if (is_of_another_context (self, task) || gtx_scope_is_foreign (self, "gtx_scope_create_task"))
    {
      gtx_cancel (task);
      g_object_unref (task);
      return NULL;
    }
  gtx_task_start (task);
  add (self, task);
  if (gtx_scope_is_closed (self))
    gtx_cancel (task);
  g_object_ref (task);
  set_n_tasks (self, self->n_tasks + 1);
  lend (task);
  return task;
}

/**
 * gtx_object_start_task: (skip)
 *
 * The function behind gtx_object_create_task().
 */
GtxTask *
gtx_object_start_task (gpointer      object,
                       const char   *function,
                       GtxCoroutine  coroutine,
                       gpointer      data)
{
  g_return_val_if_fail (G_IS_OBJECT (object), NULL);

  return gtx_scope_start (gtx_object_get_scope (object),
                          gtx_task_new_named (function, coroutine, g_object_ref (data), g_object_unref));
}

/* ---- The end ---- */

gboolean
gtx_scope_is_foreign (GtxScope   *self,
                      const char *function)
{
  if (gtx_scheduler_get () == self->home)
    return gtx_scheduler_is_foreign (self->home, function);
  g_critical ("%s() was called where the scope's main context is not the thread-default one", function);
  return TRUE;
}

/**
 * gtx_scope_cancel:
 * @self: a #GtxScope
 *
 * Cancels the tasks that belong to the scope now; others may be created later.
 *
 * It only makes requests, and runs no task.  A task that was cancelled before has two seconds to
 * clean up, and is cancelled again only then.  A task of the scope that calls it cancels itself as
 * well.  Never suspends; to be called in the thread of the scope's main context.
 *
 * Since: 0.1
 */
void
gtx_scope_cancel (GtxScope *self)
{
  g_return_if_fail (GTX_IS_SCOPE (self));

  if (!gtx_scope_is_foreign (self, G_STRFUNC))
    gtx_cancel_patiently (&self->candidates, self->home, G_STRFUNC);
}

/**
 * gtx_scope_close:
 * @self: a #GtxScope
 *
 * Cancels the tasks of the scope, as gtx_scope_cancel() does, and each task that is created in it
 * from now on, before it begins.
 *
 * A window is closed so while it and its widgets are alive: gtx_scope_join() tells when the last
 * task has cleaned up.  A second call does nothing.  Never suspends; to be called in the thread
 * of the scope's main context.
 *
 * Since: 0.1
 */
void
gtx_scope_close (GtxScope *self)
{
  g_return_if_fail (GTX_IS_SCOPE (self));

  if (self->is_closed || gtx_scope_is_foreign (self, G_STRFUNC))
    return;
  self->is_closed = TRUE;
  gtx_cancel_patiently (&self->candidates, self->home, G_STRFUNC);
}

/**
 * gtx_scope_is_closed:
 * @self: a #GtxScope
 *
 * Tells whether the scope is closed, or its object is disposed, or its main context gone.  Never suspends; to be called in
 * the thread of the scope's main context.
 *
 * Returns: %TRUE if no task can begin in it any more
 *
 * Since: 0.1
 */
gboolean
gtx_scope_is_closed (GtxScope *self)
{
  g_autoptr (GObject) object = NULL;

  g_return_val_if_fail (GTX_IS_SCOPE (self), TRUE);

  if (self->is_closed || gtx_scheduler_get_context (self->home) == NULL)
    return TRUE;
  if (self->ties == NULL)
    return FALSE;
  object = gtx_ties_get_object (self->ties);
  return object == NULL;
}

/**
 * gtx_scope_get_n_tasks:
 * @self: a #GtxScope
 *
 * Returns how many tasks of the scope have not ended.  Never suspends; to be called in the thread
 * of the scope's main context.
 *
 * Returns: the number of tasks
 *
 * Since: 0.1
 */
guint
gtx_scope_get_n_tasks (GtxScope *self)
{
  g_return_val_if_fail (GTX_IS_SCOPE (self), 0);

  return self->n_tasks;
}

/* ---- Waiting for the end ---- */

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append_printf (text, "scope %p", ((GtxLineWaiter *) waiter)->object);
}

static void
list_members (GtxWaiter *waiter,
              GPtrArray *futures)
{
  GtxScope *self = ((GtxLineWaiter *) waiter)->object;

  for (GtxHandle *link = self->members.ring.next; link != &self->members.ring; link = link->next)
    g_ptr_array_add (futures, GTX_CONTAINER_OF (link, Member, link)->candidate.task);
}

static const GtxWaiterKind scope_kind = { "scope", gtx_line_cancel, describe, list_members, NULL };

static gboolean
wait_for_members (GtxScope  *self,
                  GtxTask   *task,
                  GError   **error)
{
  gboolean woken;

  while (!gtx_handle_list_is_empty (&self->members))
    if (!gtx_line_wait (&self->joining, task, &scope_kind, self, &woken, error))
      return FALSE;
  return TRUE;
}

/**
 * gtx_scope_join:
 * @self: a #GtxScope
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until no task of the scope is left, those that are created meanwhile
 * included.
 *
 * Does not suspend if there is none.  The errors of the tasks are told by #GtxScope::failed
 * before.  Sets %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_AWAITS_ITSELF if it
 * belongs to the scope, %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT
 * in a task of another main context.
 *
 * Returns: %TRUE when all tasks have ended, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_scope_join (GtxScope  *self,
                GError   **error)
{
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (GTX_IS_SCOPE (self), FALSE);

  task = gtx_line_begin (&self->joining, G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  if (is_of_scope (self, task))
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF,
                           "The task belongs to the scope that it waits for: wait in a task that does not");
      return FALSE;
    }
  g_object_ref (self);
  succeeded = wait_for_members (self, task, error);
  g_object_unref (self);
  return succeeded;
}

/* ---- For what comes after the end ---- */

GtxScheduler *
gtx_scope_get_home (GtxScope *self)
{
  return self->home;
}

GObject *
gtx_scope_dup_object (GtxScope *self)
{
  return self->ties ? gtx_ties_get_object (self->ties) : NULL;
}
