/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions of a task on other tasks.  The main loop or another thread does some of them. */

#include "border.h"

#include <stdlib.h>

typedef enum
{
  HERE,
  LOOP,
  THREAD
} Actor;

/* Notices that a request from another thread has arrived: a second message of that thread arrives
 * after it. */
typedef struct
{
  Task *task;
  GtxFuture *posted;
  guint n_told, n_taken_back, n_indirect;
  gboolean counts;              /* the request counts as one of its own */
} Arrival;

typedef struct
{
  void (*act) (gpointer action);
  Home *home;                   /* the home of the task that runs the statement */
  GtxTask *gtask;
  Task *task;
  GCancellable *cancellable;
  GroupBlock *group;
  Future *future;
  Object *object;
  GtxFuture *posted;
} Action;

static void
action_free (Action *self)
{
  g_clear_object (&self->gtask);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->posted);
  g_free (self);
}

/* ---- Requests ---- */

static void
on_arrived (gpointer posted, gpointer data)
{
  Arrival *arrival = data;
  Task *task = arrival->task;
  gboolean is_as_before = task->n_taken_back == arrival->n_taken_back && !task_is_done (task);

  if (is_as_before && arrival->counts)
    {
      task->least++;
      task->most++;
      task->n_elsewhere_counted++;
    }
  if (is_as_before && !task->awaited &&
      task->n_told == arrival->n_told && task->n_indirect == arrival->n_indirect)
    {
      task->n_elsewhere_told++;
      task->may = TRUE;
      task->request = OWED;
    }
  g_object_unref (posted);
}

static void
expect_arrival (Action *self, gboolean counts)
{
  Arrival *arrival;

  if (self->task->home != self->home)
    return;
  arrival = g_new0 (Arrival, 1);
  arrival->task = self->task;
  arrival->n_told = self->task->n_told;
  arrival->n_taken_back = self->task->n_taken_back;
  arrival->n_indirect = self->task->n_indirect;
  arrival->counts = counts;
  self->posted = gtx_future_new ();
  gtx_future_add_done_callback (g_object_ref (self->posted), on_arrived, arrival, g_free);
}

static void
check_shown (Task *task)
{
  if (task->lent && !g_cancellable_is_cancelled (task->lent))
    broken ("%s: an operation's GCancellable does not show a request", task->coroutine);
}

static void
cancel (gpointer data)
{
  Action *self = data;
  gboolean is_exact = home_here () == self->task->home;
  gboolean is_done = is_exact && task_is_done (self->task);
  gboolean made;

  if (!is_exact)
    book_elsewhere (self->task);
  else if (!is_done)
    book_request (self->task);
  cancelling++;
  made = gtx_cancel (self->gtask);
  cancelling--;
  if (is_exact && made == is_done)
    broken ("%s: gtx_cancel () of a task that is%s done is %d", self->task->coroutine,
            is_done ? "" : " not", made);
  if (is_exact && !is_done)
    check_shown (self->task);
}

static void
cancel_cancellable (gpointer data)
{
  Action *self = data;

  if (self->cancellable)
    book_elsewhere (self->task);
  else
    {
      self->cancellable = g_object_ref (gtx_task_get_cancellable (self->gtask));
      if (!g_cancellable_is_cancelled (self->cancellable) && !task_is_done (self->task))
        book_request (self->task);
    }
  cancelling++;
  g_cancellable_cancel (self->cancellable);
  cancelling--;
}

static void
cancel_group (gpointer data)
{
  Action *self = data;

  if (!self->group->is_open)
    return;
  book_group_cancelled (self->group);
  cancelling++;
  gtx_task_group_cancel (&self->group->group);
  cancelling--;
}

/* ---- Futures ---- */

static const char value[] = "a value";

static void
touch (Future *future)
{
  if (home_here () == NULL || home_here () == border_other_home (NULL))
    mark (&future->touched_elsewhere);
}

static void
set_future (gpointer data)
{
  Action *self = data;

  touch (self->future);
  gtx_future_set_result (self->future->future, (gpointer) value, NULL);
}

static void
fail_future (gpointer data)
{
  Action *self = data;

  touch (self->future);
  gtx_future_set_error (self->future->future, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "As told"));
}

static void
cancel_future (gpointer data)
{
  Action *self = data;

  touch (self->future);
  cancelling++;
  gtx_cancel (self->future->future);
  cancelling--;
}

/* ---- Objects ---- */

static void
emit (gpointer data)
{
  object_emit (((Action *) data)->object);
}

static void
send_signal (gpointer action)
{
  raise (PROCESS_SIGNAL);
}

static void
book_disposal (Object *object)
{
  gboolean is_here = home_here () && home_here () != border_other_home (NULL);

  g_mutex_lock (&object->mutex);
  object->disposed_elsewhere |= !is_here;
  for (guint i = 0; i < object->bound->len; i++)
    {
      Task *task = object->bound->pdata[i];

      if (object->disposed_elsewhere)
        book_elsewhere (task);
      else if (!task_is_done (task))
        book_request (task);
    }
  if (!object->disposed_elsewhere)
    g_ptr_array_set_size (object->bound, 0);
  g_mutex_unlock (&object->mutex);
}

static void
dispose (gpointer data)
{
  Object *object = ((Action *) data)->object;

  book_disposal (object);
  count (&object->n_disposed);
  cancelling++;
  g_object_run_dispose (object->object);
  cancelling--;
}

/* ---- Who acts ---- */

static gboolean
act_in_loop (gpointer data)
{
  Action *self = data;

  self->act (self);
  action_free (self);
  return G_SOURCE_REMOVE;
}

static void
act_in_thread (gpointer data)
{
  Action *self = data;

  self->act (self);
  if (self->posted)
    gtx_future_set_result (self->posted, NULL, NULL);
  action_free (self);
}

static void
start (Action *self, Actor actor)
{
  if (actor == THREAD && self->act == cancel)
    expect_arrival (self, TRUE);
  if (actor == THREAD && self->act == cancel_cancellable)
    {
      self->cancellable = g_object_ref (gtx_task_get_cancellable (self->gtask));
      expect_arrival (self, FALSE);
    }

  if (actor == LOOP)
    do_in_loop (self->home, 0, act_in_loop, self);
  else if (actor == THREAD)
    do_in_thread (act_in_thread, self);
  else
    act_in_loop (self);
}

static const struct
{
  const char *word;
  void (*act) (gpointer action);
} actions[] = {
  { "cancel", cancel }, { "cancel_cancellable", cancel_cancellable }, { "cancel_group", cancel_group },
  { "cancel_outer", cancel_group }, { "set", set_future }, { "fail", fail_future },
  { "cancel_future", cancel_future }, { "emit", emit }, { "dispose", dispose },
  { "kill", send_signal }, { NULL, NULL }
};

static guint
find_action (const char *what)
{
  guint i = 0;

  while (actions[i].word && strcmp (actions[i].word, what) != 0)
    i++;
  return i;
}

gboolean
is_action (const char *what)
{
  return actions[find_action (what)].word != NULL;
}

/* Returns FALSE if the action has no object. */
static gboolean
find_target (Action *self, Task *current, char **words)
{
  if (self->act == cancel || self->act == cancel_cancellable)
    {
      self->gtask = border_find (words[2], &self->task);
      return self->gtask && (self->act == cancel || self->task->home == self->home);
    }
  if (self->act == emit || self->act == dispose)
    self->object = border_object (words[2]);
  else if (self->act == set_future || self->act == fail_future || self->act == cancel_future)
    self->future = border_future (words[2]);
  else if (strcmp (words[0], "cancel_outer") == 0)
    self->group = current->member_of;
  else if (current->groups->len > 0)
    self->group = current->groups->pdata[current->groups->len - 1];
  return self->act != cancel_group || self->group;
}

void
run_action (Task *self, char **words)
{
  static const char *const actors[] = { "here", "loop", "thread", NULL };
  Action *action = g_new0 (Action, 1);

  action->act = actions[find_action (words[0])].act;
  action->home = self->home;
  if (find_target (action, self, words))
    start (action, index_of (words[1], actors));
  else
    action_free (action);
}
