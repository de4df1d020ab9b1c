/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that go on although they were cancelled: after an operation that ignored its GCancellable,
 * and after they dropped the object that they are bound to. */

#include "fixture.h"

/* Takes @task. */
static gboolean
await_it (GtxTask *task, GError **error)
{
  gboolean succeeded = gtx_await (task, error);

  g_object_unref (task);
  return succeeded;
}

/* ---- Functions that ignore requests ---- */

static gint has_begun;
static gint is_over;
static GtxTask *late;           /* the task that goes on */

static gboolean
wait_for_others (gpointer data, GCancellable *cancellable, GError **error)
{
  g_atomic_int_set (&has_begun, TRUE);
  while (!g_atomic_int_get (&is_over))
    g_usleep (100);
  return TRUE;
}

/* A function that has not begun would not be called. */
static gboolean
sleep_until_begun (GError **error)
{
  while (!g_atomic_int_get (&has_begun))
    if (!gtx_sleep (0, error))
      return FALSE;
  return TRUE;
}

/* ---- Groups ---- */

static gboolean
end_group (GtxTaskGroup *group, GError **error)
{
  gboolean succeeded = sleep_until_begun (error);

  gtx_task_group_cancel (group);
  return succeeded;
}

static gboolean
fail_group (GtxTaskGroup *group, GError **error)
{
  if (sleep_until_begun (error))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "child");
  return FALSE;
}

static gboolean
end_when_asked (gpointer data, GError **error)
{
  while (late == NULL || gtx_cancelling (late) == 0)
    if (!gtx_sleep (0, error))
      return FALSE;
  g_atomic_int_set (&is_over, TRUE);
  return TRUE;
}

static gboolean
make_more (GtxTaskGroup *group, GError **error)
{
  late = gtx_current_task ();
  return gtx_to_thread (wait_for_others, NULL, error) &&
         gtx_task_group_create_task (group, sleep_long, NULL, NULL, error);
}

static gboolean
run_group (gboolean (*child) (GtxTaskGroup *group, GError **error), gboolean in_body, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GtxTask *watcher = gtx_create_task (end_when_asked, NULL, NULL);
  GError *failure = NULL;
  gboolean succeeded;

  has_begun = is_over = FALSE;
  late = NULL;
  gtx_task_group_begin (&group);
  g_assert_true (gtx_task_group_create_task (&group, child, &group, NULL, &failure));
  if (in_body)
    g_assert_false (make_more (&group, &failure));
  else
    g_assert_true (gtx_task_group_create_task (&group, make_more, &group, NULL, &failure));
  succeeded = gtx_task_group_end (&group, &failure, error);
  g_assert_true (await_it (watcher, NULL));
  return succeeded;
}

static gboolean
test_group_on_purpose (gpointer data, GError **error)
{
  g_assert_true (run_group (end_group, FALSE, error));
  g_assert_true (run_group (end_group, TRUE, error));
  return gtx_sleep (0, error);
}

static gboolean
test_group_failed (gpointer data, GError **error)
{
  for (int in_body = 0; in_body < 2; in_body++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_false (run_group (fail_group, in_body, &failure));
      g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
      g_assert_cmpuint (gtx_error_get_n_errors (failure), ==, 1);
      g_assert_error (gtx_error_get_error (failure, 0), G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    }
  return TRUE;
}

/* A task that ended the group itself gets the error that the group starts no more tasks,
 * as in asyncio. */
static gboolean
test_group_own_request (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) refused = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_cancel (&group);
  g_assert_false (gtx_task_group_create_task (&group, sleep_long, NULL, NULL, &refused));
  g_assert_error (refused, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
clean_up (gboolean *cleaned_up, GError **error)
{
  gboolean succeeded = gtx_sleep (100, error);

  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  *cleaned_up = gtx_sleep (2, NULL);
  return succeeded;
}

static gboolean
fail_later (gpointer data, GError **error)
{
  if (gtx_sleep (1, error))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "child");
  return FALSE;
}

static gboolean
leave_group (gboolean *cleaned_up, gboolean on_purpose, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  g_assert_true (gtx_task_group_create_task (&group, clean_up, cleaned_up, NULL, error));
  if (on_purpose && gtx_sleep (1, error))
    gtx_task_group_cancel (&group);
  else
    g_assert_true (gtx_task_group_create_task (&group, fail_later, NULL, NULL, error));
  return gtx_sleep (10, error);
}

/* Children that the group cancelled clean up undisturbed, even if the block is left early. */
static gboolean
test_group_left (gpointer data, GError **error)
{
  for (int on_purpose = 0; on_purpose < 2; on_purpose++)
    {
      gboolean cleaned_up = FALSE;

      if (!on_purpose)
        g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*left before gtx_task_group_end()*child");
      g_assert_false (leave_group (&cleaned_up, on_purpose, error));
      g_test_assert_expected_messages ();
      g_clear_error (error);
      g_assert_true (cleaned_up);
    }
  return TRUE;
}

/* ---- Threads ---- */

static gboolean
count_call (guint *n_calls, GCancellable *cancellable, GError **error)
{
  ++*n_calls;
  return TRUE;
}

static gboolean
call_twice (guint *n_calls, GError **error)
{
  late = gtx_current_task ();
  return gtx_to_thread (wait_for_others, NULL, error) && gtx_to_thread (count_call, n_calls, error);
}

/* No function begins in a thread while a request is pending. */
static gboolean
test_thread (gpointer data, GError **error)
{
  guint n_calls = 0;

  for (int i = 0; i < 20; i++)
    {
      GtxTask *watcher = gtx_create_task (end_when_asked, NULL, NULL);
      GtxTask *task = gtx_create_task (call_twice, &n_calls, NULL);

      has_begun = is_over = FALSE;
      late = NULL;
      g_assert_true (sleep_until_begun (error));
      gtx_cancel (task);
      g_assert_false (await_it (task, error));
      g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (error);
      g_assert_true (await_it (watcher, error));
    }
  g_assert_cmpuint (n_calls, ==, 0);
  return TRUE;
}

/* ---- Timeouts ---- */

static gboolean
expire_timeout (GtxTimeout *timeout, GError **error)
{
  if (!sleep_until_begun (error) || !gtx_timeout_reschedule (timeout, 0, error))
    return FALSE;
  while (!gtx_timeout_expired (timeout))
    if (!gtx_sleep (0, error))
      return FALSE;
  g_atomic_int_set (&is_over, TRUE);
  return TRUE;
}

static gboolean
test_timeout (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  GtxTask *watcher;
  gboolean succeeded;

  has_begun = is_over = FALSE;
  gtx_timeout_begin (&timeout, GTX_FOREVER);
  watcher = gtx_create_task (expire_timeout, &timeout, NULL);
  succeeded = gtx_to_thread (wait_for_others, NULL, &failure);
  g_assert_true (succeeded);
  g_assert_false (gtx_timeout_reschedule (&timeout, 1, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (gtx_timeout_end (&timeout, &failure, error));
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (error);
  g_assert_true (await_it (watcher, NULL));
  return gtx_sleep (0, error);
}

/* ---- Objects ---- */

typedef struct
{
  GObject *object;
  gboolean goes_on;             /* after it dropped the object */
  gboolean is_asked;            /* a request from outside came before */
} Bound;

static gboolean
drop_it (Bound *self, GError **error)
{
  g_autoptr (GObject) object = g_object_ref (self->object);

  if (!gtx_sleep (1, error))
    return FALSE;
  if (self->is_asked)
    gtx_cancel (gtx_current_task ());
  g_clear_object (&object);
  return !self->goes_on || gtx_sleep (1, error);
}

static GtxTask *
begin_bound (Bound *self)
{
  GtxTask *task;

  self->object = g_object_new (G_TYPE_OBJECT, NULL);
  task = gtx_create_task (drop_it, self, NULL);
  gtx_task_bind (task, self->object);
  g_assert_true (gtx_sleep (0.5, NULL));
  g_object_unref (self->object);
  return task;
}

static gboolean
test_bound (gpointer data, GError **error)
{
  Bound ends = { 0 }, goes_on = { .goes_on = TRUE }, is_asked = { .is_asked = TRUE };

  g_assert_false (await_it (begin_bound (&goes_on), error));
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (error);
  g_assert_false (await_it (begin_bound (&is_asked), error));
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (error);
  return await_it (begin_bound (&ends), error);
}

static GObject *object_of_data;

static gpointer
unref_it (gpointer object)
{
  g_object_unref (object);
  return NULL;
}

/* Turns the main loop while another thread drops the last reference of the object. */
static void
free_slowly (gpointer elsewhere)
{
  if (*(gboolean *) elsewhere)
    g_thread_join (g_thread_new ("drops", unref_it, object_of_data));
  else
    g_object_unref (object_of_data);
  g_main_context_iteration (NULL, FALSE);
}

static gboolean
end_at_once (gpointer data, GError **error)
{
  return TRUE;
}

/* A task whose coroutine has returned keeps its outcome. */
static gboolean
test_bound_at_end (gpointer data, GError **error)
{
  for (gboolean elsewhere = FALSE; elsewhere <= TRUE; elsewhere++)
    {
      GtxTask *task;

      object_of_data = g_object_new (G_TYPE_OBJECT, NULL);
      task = gtx_create_task (end_at_once, &elsewhere, free_slowly);
      gtx_task_bind (task, object_of_data);
      g_assert_true (await_it (task, error));
    }
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/late-requests/group/on-purpose", test_group_on_purpose);
  add_coroutine ("/late-requests/group/failed", test_group_failed);
  add_coroutine ("/late-requests/group/own-request", test_group_own_request);
  add_coroutine ("/late-requests/group/left", test_group_left);
  add_coroutine ("/late-requests/thread", test_thread);
  add_coroutine ("/late-requests/timeout", test_timeout);
  add_coroutine ("/late-requests/bound", test_bound);
  add_coroutine ("/late-requests/bound-at-end", test_bound_at_end);
  return g_test_run ();
}
