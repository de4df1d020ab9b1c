/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fail-later.h"

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
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_note, "9000:sibling", NULL, error);
  gtx_task_group_create_task (&group, fail_later, "broken", NULL, error);
  g_assert_false (gtx_sleep (5, &failure));
  assert_cancelled (failure);

  g_assert_null (gtx_task_group_create_task (&group, sleep_long, NULL, NULL, &result));
  g_assert_error (result, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_clear_error (&result);

  g_assert_false (gtx_task_group_end (&group, &failure, &result));
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
  g_autoptr (GError) failure = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "body");
  g_autoptr (GError) result = NULL;
  g_autoptr (GError) copy = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, fail_later, "first", NULL, error);
  gtx_task_group_create_task (&group, fail_later, "second", NULL, error);
  gtx_sleep (0, error);
  g_assert_false (gtx_task_group_end (&group, &failure, &result));
  g_assert_null (failure);
  /* The block failed before the children did. */
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
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  return TRUE;
}

static gboolean
multiply (GtxTaskGroup *group, GError **error)
{
  static int n = 0;

  if (++n == 10)
    return fail ("enough", error);
  return gtx_sleep (1, error) &&
         gtx_task_group_create_task (group, multiply, group, NULL, error) &&
         gtx_task_group_create_task (group, multiply, group, NULL, error);
}

/* Children create children, until one fails. */
static gboolean
test_child_creates (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) result = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, multiply, &group, NULL, error);
  g_assert_false (gtx_task_group_end (&group, NULL, &result));
  g_assert_cmpstr (gtx_error_get_error (result, 0)->message, ==, "enough");
  return TRUE;
}

/* ---- Cancelling a group ---- */

static gboolean
cancel_group (GtxTaskGroup *group, GError **error)
{
  if (!gtx_sleep (1, error))
    return FALSE;
  gtx_task_group_cancel (group);
  gtx_task_group_cancel (group);
  return TRUE;
}

/* A child has found the result, and ends the group. */
static gboolean
test_cancel_by_child (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_note, "9000:sibling", NULL, error);
  gtx_task_group_create_task (&group, cancel_group, &group, NULL, error);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("sibling!");
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  return gtx_sleep (1, error);
}

static gboolean
test_cancel_block (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) refused = NULL;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, cancel_group, &group, NULL, error);
  g_assert_false (gtx_sleep (9, &failure));
  assert_cancelled (failure);
  g_assert_null (gtx_task_group_create_task (&group, sleep_long, NULL, NULL, &refused));
  g_assert_error (refused, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_true (gtx_task_group_end (&group, &failure, error));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

static gboolean
test_cancel_by_block (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_note, "9000:a", NULL, error);
  g_assert_true (gtx_sleep (1, error));
  gtx_task_group_cancel (&group);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("a!");
  return gtx_sleep (1, error);
}

static gboolean
test_cancel_empty (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_cancel (&group);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  return gtx_sleep (1, error);
}

static gboolean
fail_on_cancel (gpointer data, GError **error)
{
  g_assert_false (gtx_sleep (9, NULL));
  return fail ("clean-up", error);
}

/* The end of the group is no error, but a failed clean-up is. */
static gboolean
test_cancel_and_error (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) result = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, fail_on_cancel, NULL, NULL, error);
  gtx_task_group_create_task (&group, cancel_group, &group, NULL, error);
  g_assert_false (gtx_task_group_end (&group, NULL, &result));
  g_assert_error (result, GTX_ERROR, GTX_ERROR_GROUP);
  return gtx_sleep (1, error);
}

static gboolean
cancelled_group (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, cancel_group, &group, NULL, error);
  gtx_sleep (9, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* A second request, from outside, is not swallowed. */
static gboolean
test_cancel_twice (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (cancelled_group, NULL, NULL);

  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
test_not_begun (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_task_group_create_task (&group, note_and_return, g_strdup ("no"), count_free, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_cmpint (n_freed, ==, 1);
  g_clear_error (&failure);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_group_end: *gtx_task_group_begin()");
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  return TRUE;
}

/* The block's own error is more useful than the error of the group. */
static gboolean
test_not_begun_and_failed (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) own = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "its own");
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_group_end: *gtx_task_group_begin()");
  g_assert_false (gtx_task_group_end (&group, &own, &failure));
  g_test_assert_expected_messages ();
  g_assert_null (own);
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

static gboolean
test_ended (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_group_begin: assertion*");
  gtx_task_group_begin (&group);
  g_test_assert_expected_messages ();
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  g_assert_null (gtx_task_group_create_task (&group, note_and_return, g_strdup ("no"), count_free, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static gboolean
fail_deep_down (gpointer depth, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  if (depth == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "it failed deep down: äöü");
      return FALSE;
    }
  gtx_task_group_begin (&group);
  for (int i = 0; i < 2; i++)
    gtx_task_group_create_task (&group, fail_deep_down, GINT_TO_POINTER (GPOINTER_TO_INT (depth) - 1), NULL, NULL);
  return gtx_task_group_end (&group, NULL, error);
}

/* The length of the message is limited, and the number of errors is not. */
static gboolean
test_error_deep (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const GError *inner;
  guint depth = 0;

  g_assert_false (fail_deep_down (GINT_TO_POINTER (9), &failure));
  g_assert_cmpuint (strlen (failure->message), <, 5000);
  g_assert_true (g_utf8_validate (failure->message, -1, NULL));
  g_assert_nonnull (strstr (failure->message, "it failed deep down: äöü; it failed"));
  for (inner = failure; gtx_error_get_n_errors (inner) == 2; depth++)
    inner = gtx_error_get_error (inner, 1);
  g_assert_cmpuint (depth, ==, 9);
  g_assert_error (inner, G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

/* The program made the error itself, as a test may, or got it over D-Bus. */
static void
test_error_by_hand (void)
{
  g_autoptr (GError) error = g_error_new (GTX_ERROR, GTX_ERROR_GROUP, "mock of a group that failed");
  g_autoptr (GError) copy = g_error_copy (error);

  g_assert_cmpuint (gtx_error_get_n_errors (error), ==, 0);
  g_assert_cmpuint (gtx_error_get_n_errors (copy), ==, 0);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_error_get_error: assertion*");
  g_assert_null (gtx_error_get_error (error, 0));
  g_test_assert_expected_messages ();
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
  add_coroutine ("/group/child-creates", test_child_creates);
  add_coroutine ("/group/cancel/by-child", test_cancel_by_child);
  add_coroutine ("/group/cancel/block", test_cancel_block);
  add_coroutine ("/group/cancel/by-block", test_cancel_by_block);
  add_coroutine ("/group/cancel/empty", test_cancel_empty);
  add_coroutine ("/group/cancel/and-error", test_cancel_and_error);
  add_coroutine ("/group/cancel/twice", test_cancel_twice);
  add_coroutine ("/group/not-begun", test_not_begun);
  add_coroutine ("/group/not-begun/failed", test_not_begun_and_failed);
  add_coroutine ("/group/ended", test_ended);
  g_test_add_func ("/group/outside", test_outside);
  add_coroutine ("/group/error-deep", test_error_deep);
  g_test_add_func ("/group/error-by-hand", test_error_by_hand);
  return g_test_run ();
}
