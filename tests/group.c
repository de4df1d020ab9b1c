/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static gboolean
fail_later (const char *message, GError **error)
{
  return gtx_sleep (1, error) && fail (message, error);
}

static gboolean
test_all_succeed (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  g_assert_nonnull (gtx_task_group_create_task (&group, sleep_and_note, "2:b", NULL, error));
  g_assert_nonnull (gtx_task_group_create_task (&group, sleep_and_note, "1:a", NULL, error));
  assert_trace ("");
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("a b");
  return TRUE;
}

static gboolean
test_empty (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  return gtx_task_group_end (&group, NULL, error);
}

/* A child's failure cancels its siblings and the block. */
static gboolean
test_child_fails (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) result = NULL;
  GError *failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_note, "9000:sibling", NULL, error);
  gtx_task_group_create_task (&group, fail_later, "broken", NULL, error);
  g_assert_false (gtx_sleep (5, &failure));
  assert_cancelled (failure);

  g_assert_null (gtx_task_group_create_task (&group, sleep_long, NULL, NULL, &result));
  g_assert_error (result, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_clear_error (&result);

  g_assert_false (gtx_task_group_end (&group, failure, &result));
  g_assert_error (result, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_cmpuint (gtx_error_get_n_errors (result), ==, 1);
  g_assert_error (gtx_error_get_error (result, 0), G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (result->message, ==, "1 error in a task group: broken");
  assert_trace ("sibling!");
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

static gboolean
test_block_fails (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) result = NULL;
  g_autoptr (GError) copy = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, fail_later, "first", NULL, error);
  gtx_task_group_create_task (&group, fail_later, "second", NULL, error);
  gtx_sleep (0, error);
  g_assert_false (gtx_task_group_end (&group, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "body"), &result));
  /* The block failed before the children could. */
  g_assert_cmpstr (result->message, ==, "1 error in a task group: body");

  copy = g_error_copy (result);
  g_assert_cmpuint (gtx_error_get_n_errors (copy), ==, 1);
  g_assert_error (gtx_error_get_error (copy, 0), G_IO_ERROR, G_IO_ERROR_EXISTS);
  return TRUE;
}

static gboolean
fail_at_once_twice (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, fail, "first", NULL, error);
  gtx_task_group_create_task (&group, fail, "second", NULL, error);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
test_errors_in_order (gpointer data, GError **error)
{
  g_autoptr (GError) result = NULL;

  g_assert_false (fail_at_once_twice (NULL, &result));
  g_assert_cmpuint (gtx_error_get_n_errors (result), ==, 2);
  g_assert_cmpstr (gtx_error_get_error (result, 0)->message, ==, "first");
  g_assert_cmpstr (gtx_error_get_error (result, 1)->message, ==, "second");
  g_assert_cmpstr (result->message, ==, "2 errors in a task group: first; second");
  return TRUE;
}

static gboolean
group_of_sleepers (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_note, "9000:a", NULL, error);
  gtx_task_group_create_task (&group, sleep_and_note, "9000:b", NULL, error);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (group_of_sleepers, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (1, NULL);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  assert_trace ("a! b!");
  return TRUE;
}

static gboolean
leave_early (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_note, "9000:child", NULL, error);
  if (!gtx_sleep (1, error))
    return FALSE;
  note ("leaves");
  return TRUE;
}

static gboolean
test_left_early (gpointer data, GError **error)
{
  g_assert_true (leave_early (NULL, error));
  assert_trace ("leaves child!");
  g_assert_cmpfloat (gtx_test_get_time (), ==, 1);
  return TRUE;
}

static gboolean
test_not_begun (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_task_group_create_task (&group, note_and_return, g_strdup ("no"), count_free, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static void
test_outside (void)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_group_begin() was called outside a task*");
  gtx_task_group_begin (&group);
  g_test_assert_expected_messages ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/group/all-succeed", test_all_succeed);
  add_coroutine ("/group/empty", test_empty);
  add_coroutine ("/group/child-fails", test_child_fails);
  add_coroutine ("/group/block-fails", test_block_fails);
  add_coroutine ("/group/errors-in-order", test_errors_in_order);
  add_coroutine ("/group/cancelled", test_cancelled);
  add_coroutine ("/group/left-early", test_left_early);
  add_coroutine ("/group/not-begun", test_not_begun);
  g_test_add_func ("/group/outside", test_outside);
  return g_test_run ();
}
