/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All tasks that end with an object see the same error. */

#include "object-job.h"

typedef struct
{
  Job *window;
  GSimpleAction *dialog;
} Application;

static gboolean
await_dialog (GSimpleAction *dialog, GError **error)
{
  return gtx_await_signal (dialog, "activate", error);
}

static gboolean
await_dialog_of (Application *self, GError **error)
{
  return await_dialog (self->dialog, error);
}

static gboolean
await_in_group (Application *self, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, await_dialog, self->dialog, NULL, NULL);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
await_in_groups (Application *self, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, await_in_group, self, NULL, NULL);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
await_in_task (Application *self, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_dialog, self->dialog, NULL);

  return gtx_await (task, error);
}

/* Both objects are gone when the wait begins. */
static gboolean
dispose_and_await (Application *self, GError **error)
{
  gtx_task_bind (gtx_current_task (), self->dialog);
  g_object_run_dispose (G_OBJECT (self->dialog));
  g_object_run_dispose (G_OBJECT (self->window));
  return await_dialog (self->dialog, error);
}

/* The error is the same whichever object is disposed of first, and whatever lies between the task
 * and the wait. */
static gboolean
test_one_error (gpointer data, GError **error)
{
  static const GtxCoroutine coroutines[] = {
    (GtxCoroutine) await_dialog_of, (GtxCoroutine) await_in_group, (GtxCoroutine) await_in_groups,
    (GtxCoroutine) await_in_task, (GtxCoroutine) dispose_and_await,
  };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (coroutines); i++)
    {
      g_autoptr (Job) window = job_new ();
      g_autoptr (GSimpleAction) dialog = action_new ();
      Application application = { window, dialog };
      g_autoptr (GtxTask) task = NULL;
      g_autoptr (GError) failure = NULL;

      task = g_object_ref (gtx_scope_create_task (gtx_object_get_scope (window), coroutines[i / 2],
                                                  (gpointer) &application, NULL));
      g_assert_true (gtx_sleep (0.1, error));
      g_object_run_dispose (i % 2 ? G_OBJECT (window) : G_OBJECT (dialog));
      g_object_run_dispose (i % 2 ? G_OBJECT (dialog) : G_OBJECT (window));
      g_assert_true (gtx_scope_join (gtx_object_get_scope (window), error));
      g_assert_true (gtx_future_is_cancelled (task));
      g_assert_false (gtx_await (task, &failure));
      assert_cancelled (failure);
    }
  return TRUE;
}

/* The dialog goes, and its window lives on. */
static gboolean
test_dialog_gone (gpointer data, GError **error)
{
  g_autoptr (Job) window = job_new ();
  GSimpleAction *dialog = action_new ();
  Application application = { window, dialog };
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GError) failure = NULL;

  task = g_object_ref (gtx_scope_create_task (gtx_object_get_scope (window), await_dialog_of, &application, NULL));
  g_assert_true (gtx_sleep (0.1, error));
  g_object_unref (dialog);
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/scope-error/one", test_one_error);
  add_coroutine ("/scope-error/dialog-gone", test_dialog_gone);
  return g_test_run ();
}
