/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups whose children fail alone: gtx_task_group_set_error_func (). */

#include "fail-later.h"

static void
note_error (GtxTask *task, const GError *error, gpointer data)
{
  g_assert_null (gtx_current_task ());
  g_assert_true (gtx_future_is_done (task));
  g_assert_true (gtx_future_get_error (task) == error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  note (error->message);
}

/* Begins a group whose errors note_error () gets. */
static void
begin_noting (GtxTaskGroup *group)
{
  gtx_task_group_begin (group);
  gtx_task_group_set_error_func (group, note_error, NULL);
}

static void
add (GtxTaskGroup *group, GtxCoroutine coroutine, const char *what)
{
  g_assert_nonnull (gtx_task_group_start (group, gtx_task_new_named ("child", coroutine, (gpointer) what, NULL), NULL));
}

#define ADD(group, coroutine, what) add ((group), (GtxCoroutine) (coroutine), (what))

/* Fails in its clean-up, which takes a second. */
static gboolean
fail_when_cancelled (const char *message, GError **error)
{
  g_assert_false (gtx_sleep (1000, NULL));
  g_assert_true (gtx_sleep (1, NULL));
  return fail (message, error);
}

/* ---- The group goes on ---- */

static gboolean
test_goes_on (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  begin_noting (&group);
  ADD (&group, fail, "first");
  ADD (&group, sleep_and_note, "1500:sibling");
  ADD (&group, fail_later, "second");
  g_assert_true (gtx_sleep (1.2, error));
  assert_trace ("first second");
  ADD (&group, fail_later, "third");
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("sibling third");
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

/* The function has been told of the last error when the end returns. */
static gboolean
test_all_fail (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  begin_noting (&group);
  ADD (&group, fail, "a");
  ADD (&group, fail, "b");
  ADD (&group, fail, "c");
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("a b c");
  return TRUE;
}

static gboolean
test_child_is_cancelled (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GtxTask *child;

  begin_noting (&group);
  child = gtx_task_group_create_task (&group, sleep_long, NULL, NULL, error);
  ADD (&group, fail_later, "other");
  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (child);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("other");
  return TRUE;
}

/* A child that fails gives back its place. */
static gboolean
test_limit (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  begin_noting (&group);
  gtx_task_group_set_limit (&group, 1);
  ADD (&group, fail_later, "a");
  ADD (&group, fail_later, "b");
  ADD (&group, note_and_return, "c");
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("a b c");
  g_assert_cmpfloat (gtx_get_time (), ==, 2);
  return TRUE;
}

/* Without the function errors count again: the child that fails next ends the group. */
static gboolean
test_taken_back (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  begin_noting (&group);
  ADD (&group, fail, "told");
  g_assert_true (gtx_sleep (0.5, error));
  gtx_task_group_set_error_func (&group, NULL, NULL);
  ADD (&group, fail_later, "counts");
  ADD (&group, sleep_and_note, "9000:sibling");
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  g_assert_cmpuint (gtx_error_get_n_errors (failure), ==, 1);
  g_assert_cmpstr (gtx_error_get_error (failure, 0)->message, ==, "counts");
  assert_trace ("told sibling!");
  return TRUE;
}

/* ---- The group ends ---- */

static gboolean
test_block_fails (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "block");
  g_autoptr (GError) result = NULL;

  begin_noting (&group);
  ADD (&group, fail_when_cancelled, "in clean-up");
  ADD (&group, sleep_and_note, "9000:sibling");
  gtx_sleep (0, NULL);
  g_assert_false (gtx_task_group_end (&group, &failure, &result));
  g_assert_cmpuint (gtx_error_get_n_errors (result), ==, 1);
  g_assert_error (gtx_error_get_error (result, 0), G_IO_ERROR, G_IO_ERROR_EXISTS);
  assert_trace ("sibling! in clean-up");
  return TRUE;
}

static gboolean
have_group (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  begin_noting (&group);
  ADD (&group, fail_when_cancelled, "in clean-up");
  ADD (&group, fail_later, "before");
  if (data)
    gtx_sleep (1000, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* Cancelled in the block, and at its end. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (have_group, GUINT_TO_POINTER (i), NULL);

      g_assert_true (gtx_sleep (5, error));
      gtx_cancel (task);
      assert_ends_cancelled (task);
      assert_trace ("before in clean-up");
    }
  return TRUE;
}

static gboolean
leave_early (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  begin_noting (&group);
  ADD (&group, fail_when_cancelled, "in clean-up");
  return gtx_sleep (1, error);
}

/* There is no warning, for the function was told. */
static gboolean
test_left (gpointer data, GError **error)
{
  g_assert_true (leave_early (NULL, error));
  assert_trace ("in clean-up");
  return gtx_sleep (1, error);
}

/* ---- What the function may do ---- */

static void
cancel_group (GtxTask *task, const GError *error, gpointer group)
{
  note (error->message);
  gtx_task_group_cancel (group);
}

/* The first error ends the group, in the block and at its end; errors that come later are told, too. */
static gboolean
test_cancels_group (gpointer data, GError **error)
{
  for (guint i = 0; i < 2; i++)
    {
      g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
      g_autoptr (GError) failure = NULL;

      gtx_task_group_begin (&group);
      gtx_task_group_set_error_func (&group, cancel_group, &group);
      ADD (&group, fail_when_cancelled, "in clean-up");
      ADD (&group, fail_later, "first");
      if (i == 1)
        g_assert_false (gtx_sleep (1000, &failure));
      g_assert_true (gtx_task_group_end (&group, &failure, error));
      assert_trace ("first in clean-up");
      g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
    }
  return gtx_sleep (1, error);
}

static void
start_another (GtxTask *task, const GError *error, gpointer group)
{
  note (error->message);
  if (g_str_equal (error->message, "first"))
    ADD (group, fail_later, "again");
}

/* The group's task waits for its last child, which the function replaces. */
static gboolean
test_starts_child (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_set_error_func (&group, start_another, &group);
  ADD (&group, fail_later, "first");
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("first again");
  g_assert_cmpfloat (gtx_get_time (), ==, 2);
  return TRUE;
}

static void
cancel_task (GtxTask *task, const GError *error, gpointer other)
{
  gtx_cancel (other);
}

static gboolean
test_cancels_task (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_error_func (&group, cancel_task, gtx_current_task ());
  ADD (&group, fail_later, "broken");
  ADD (&group, sleep_and_note, "9000:sibling");
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  assert_cancelled (failure);
  assert_trace ("sibling!");
  g_assert_cmpuint (gtx_uncancel (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

/* Runs a main loop until the other child has ended. */
static void
run_main_loop (GtxTask *task, const GError *error, gpointer other)
{
  while (!gtx_future_is_done (*(GtxTask **) other))
    g_main_context_iteration (NULL, TRUE);
  for (int i = 0; i < 3; i++)
    g_main_context_iteration (NULL, FALSE);
  note ("told");
}

static gboolean
await_event (GtxEvent *event, GError **error)
{
  return gtx_event_wait (event, error);
}

static gboolean
set_event (GtxEvent *event, GError **error)
{
  gtx_event_set (event);
  return TRUE;
}

/* The group does not end while the function runs. */
static gboolean
test_main_loop (gpointer data, GError **error)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxTask) setter = NULL;
  GtxTask *other;
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_set_error_func (&group, run_main_loop, &other);
  other = gtx_task_group_create_task (&group, await_event, event, NULL, error);
  g_object_ref (other);
  ADD (&group, fail, "broken");
  setter = gtx_create_task (set_event, event, NULL);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("told");
  g_object_unref (other);
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
test_not_begun (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*assertion*state != NULL*");
  gtx_task_group_set_error_func (&group, note_error, NULL);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gpointer
set_elsewhere (gpointer group)
{
  gtx_task_group_set_error_func (group, NULL, NULL);
  return NULL;
}

static gboolean
test_other_thread (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  begin_noting (&group);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*gtx_task_group_set_error_func*thread*");
  g_thread_join (g_thread_new ("other", set_elsewhere, &group));
  g_test_assert_expected_messages ();
  ADD (&group, fail, "told");
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("told");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/group-errors/goes-on", test_goes_on);
  add_coroutine ("/group-errors/all-fail", test_all_fail);
  add_coroutine ("/group-errors/child-is-cancelled", test_child_is_cancelled);
  add_coroutine ("/group-errors/limit", test_limit);
  add_coroutine ("/group-errors/taken-back", test_taken_back);
  add_coroutine ("/group-errors/block-fails", test_block_fails);
  add_coroutine ("/group-errors/cancelled", test_cancelled);
  add_coroutine ("/group-errors/left", test_left);
  add_coroutine ("/group-errors/cancels-group", test_cancels_group);
  add_coroutine ("/group-errors/starts-child", test_starts_child);
  add_coroutine ("/group-errors/cancels-task", test_cancels_task);
  add_coroutine ("/group-errors/main-loop", test_main_loop);
  add_coroutine ("/group-errors/not-begun", test_not_begun);
  add_coroutine ("/group-errors/other-thread", test_other_thread);
  return g_test_run ();
}
