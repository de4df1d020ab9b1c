/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that drop the last reference to an object that they are bound to.  The drop loses neither
 * the task's result nor a request from outside. */

#include "fixture.h"

typedef struct
{
  GObject *objects[2];
  gboolean asks;                /* a thread cancels the task's GCancellable before the drop */
  gboolean on_main_stack;
  gboolean in_thread;
} Hold;

static Hold
hold (guint n)
{
  Hold self = { { NULL }, FALSE, FALSE, FALSE };

  for (guint i = 0; i < n; i++)
    self.objects[i] = g_object_new (G_TYPE_OBJECT, NULL);
  return self;
}

static gpointer
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static gboolean
drop (Hold *self, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->objects); i++)
    g_clear_object (&self->objects[i]);
  return TRUE;
}

static gpointer
drop_in_thread (gpointer self)
{
  drop (self, NULL);
  return NULL;
}

static void
run_in_thread (GThreadFunc func, gpointer data)
{
  g_thread_join (g_thread_new ("other", func, data));
}

static char *
let_go (Hold *self, GError **error)
{
  if (!gtx_sleep (1, error))
    return NULL;
  if (self->asks)
    run_in_thread (cancel, gtx_task_get_cancellable (gtx_current_task ()));
  if (self->on_main_stack)
    gtx_call_on_main_stack (drop, self, NULL);
  else if (self->in_thread)
    run_in_thread (drop_in_thread, self);
  else
    drop (self, NULL);
  /* The requests of other threads arrive now. */
  if (self->in_thread)
    g_ptr_array_unref (gtx_all_tasks ());
  return g_strdup ("result");
}

/* Awaits a task that is bound to all objects of @self, and notes its outcome. */
static void
note_outcome (Hold self, gboolean is_started, guint n_times)
{
  g_autoptr (GtxTask) task = gtx_task_new_pointer (let_go, &self, NULL, g_free);
  g_autoptr (GError) failure = NULL;
  g_autofree char *result = NULL;

  if (is_started)
    gtx_task_start (task);
  for (guint i = 0; i < n_times * G_N_ELEMENTS (self.objects); i++)
    if (self.objects[i / n_times])
      gtx_task_bind (task, self.objects[i / n_times]);
  result = gtx_await_pointer (task, &failure);
  if (failure)
    assert_cancelled (failure);
  note (result ? result : "cancelled");
  /* The caller is not bound to an object, and so it is not cancelled. */
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  g_assert_true (gtx_sleep (1, NULL));
}

static gboolean
test_one (gpointer data, GError **error)
{
  note_outcome (hold (1), TRUE, 1);
  note_outcome (hold (1), FALSE, 1);
  assert_trace ("result result");
  return TRUE;
}

static gboolean
test_two (gpointer data, GError **error)
{
  note_outcome (hold (2), TRUE, 1);
  note_outcome (hold (2), FALSE, 1);
  note_outcome (hold (1), TRUE, 2);
  note_outcome (hold (1), FALSE, 2);
  assert_trace ("result result result result");
  return TRUE;
}

static gboolean
test_main_stack (gpointer data, GError **error)
{
  Hold self = hold (2);

  self.on_main_stack = TRUE;
  note_outcome (self, TRUE, 1);
  assert_trace ("result");
  return TRUE;
}

static gboolean
test_asked_before (gpointer data, GError **error)
{
  Hold self = hold (1);

  self.asks = TRUE;
  note_outcome (self, TRUE, 1);
  assert_trace ("cancelled");
  return TRUE;
}

static gboolean
test_in_thread (gpointer data, GError **error)
{
  Hold self = hold (1);

  self.in_thread = TRUE;
  note_outcome (self, TRUE, 1);
  assert_trace ("cancelled");
  return TRUE;
}

static gint has_begun, may_end;

static gboolean
take_no_notice (gpointer data, GCancellable *cancellable, GError **error)
{
  g_atomic_int_set (&has_begun, TRUE);
  while (!g_atomic_int_get (&may_end))
    g_usleep (100);
  return TRUE;
}

static gboolean
go_to_thread (GObject *object, GError **error)
{
  return gtx_to_thread (take_no_notice, NULL, error);
}

/* A request is pending when the task's data, which has the last reference, is freed. */
static gboolean
test_by_data (gpointer data, GError **error)
{
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GtxTask) task = gtx_create_task (go_to_thread, object, g_object_unref);
  g_autoptr (GError) failure = NULL;

  gtx_task_bind (task, object);
  while (!g_atomic_int_get (&has_begun))
    g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  g_atomic_int_set (&may_end, TRUE);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

/* The caller's object goes while the caller waits for a task that runs inside it.  The caller's
 * next await is cancelled. */
static gboolean
drop_of_caller (GObject **object, GError **error)
{
  g_clear_object (object);
  return TRUE;
}

static gboolean
run_inside (gpointer data, GError **error)
{
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GtxTask) task = gtx_task_new (drop_of_caller, &object, NULL);

  gtx_task_bind (gtx_current_task (), object);
  g_assert_true (gtx_await (task, NULL));
  return gtx_sleep (1, error);
}

static gboolean
test_of_caller (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (run_inside, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/object-let-go/one", test_one);
  add_coroutine ("/object-let-go/two", test_two);
  add_coroutine ("/object-let-go/main-stack", test_main_stack);
  add_coroutine ("/object-let-go/asked-before", test_asked_before);
  add_coroutine ("/object-let-go/in-thread", test_in_thread);
  add_real_coroutine ("/object-let-go/by-data", test_by_data);
  add_coroutine ("/object-let-go/of-caller", test_of_caller);
  return g_test_run ();
}
