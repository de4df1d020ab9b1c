/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Children of groups: their names, the tasks that they create, and the moment at which they are
 * freed. */

#include "fixture.h"

static void
assert_one_error (const GError *error, const char *message)
{
  g_assert_error (error, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_cmpuint (gtx_error_get_n_errors (error), ==, 1);
  g_assert_cmpstr (gtx_error_get_error (error, 0)->message, ==, message);
}

/* ---- Names ---- */

static gboolean
note_own_name (gpointer data, GError **error)
{
  note (gtx_task_get_name (gtx_current_task ()));
  return TRUE;
}

static gboolean
test_names (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GtxTask *task = gtx_task_new (note_own_name, NULL, NULL);

  gtx_task_set_name (task, "example");
  gtx_task_group_begin (&group);
  g_assert_true (gtx_task_group_start (&group, task, error) == task);
  g_assert_cmpstr (gtx_task_get_name (task), ==, "example");
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("example");
  return TRUE;
}

/* ---- The moment at which children are freed ---- */

static gboolean
take_a_while (gpointer data, GError **error)
{
  return gtx_sleep (0.3, error);
}

static guint
n_left (gpointer *children, guint n)
{
  guint left = 0;

  for (guint i = 0; i < n; i++)
    left += children[i] != NULL;
  return left;
}

/* A child is freed when it is done, because a group may last for ever. */
static gboolean
test_go_when_done (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  gpointer children[10] = { NULL };

  gtx_task_group_begin (&group);
  for (guint i = 0; i < G_N_ELEMENTS (children); i++)
    {
      g_assert_true (gtx_sleep (0.1, error));
      children[i] = gtx_task_group_create_task (&group, take_a_while, NULL, NULL, error);
      g_object_add_weak_pointer (children[i], &children[i]);
      g_assert_cmpuint (n_left (children, i + 1), <, 5);
    }
  g_assert_true (gtx_sleep (1.35, error));
  g_assert_cmpuint (n_left (children, G_N_ELEMENTS (children)), ==, 0);
  return gtx_task_group_end (&group, NULL, error);
}

/* A child that failed is freed with its group at the latest. */
static gboolean
test_go_when_failed (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  gpointer child;

  gtx_task_group_begin (&group);
  child = gtx_task_group_create_task (&group, fail, "broken", NULL, error);
  g_object_add_weak_pointer (child, &child);
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  g_assert_null (child);
  assert_one_error (failure, "broken");
  return TRUE;
}

/* ---- Tasks that children create ---- */

static gboolean
create_two (GtxTaskGroup *group, GError **error)
{
  return gtx_sleep (0.1, error) &&
         gtx_task_group_create_task (group, sleep_and_note, "100:first", NULL, error) &&
         gtx_task_group_create_task (group, sleep_and_note, "200:second", NULL, error);
}

/* The group waits for the children of its children. */
static gboolean
test_create (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, create_two, &group, NULL, error);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("first second");
  g_assert_cmpfloat_with_epsilon (gtx_get_time (), 0.3, 1e-9);
  return TRUE;
}

static gboolean
create_failing (GtxTaskGroup *group, GError **error)
{
  if (!gtx_task_group_create_task (group, fail, "third", NULL, error))
    return FALSE;
  g_assert_false (gtx_sleep (0, NULL) && gtx_sleep (0, NULL));
  note ("cancelled");
  return TRUE;
}

/* The failure of a task that a child created cancels that child. */
static gboolean
test_create_failing (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, create_failing, &group, NULL, error);
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  assert_one_error (failure, "third");
  assert_trace ("cancelled");
  return gtx_sleep (0, error);
}

static gboolean
create_when_cancelled (GtxTaskGroup *group, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (1, error));
  g_assert_null (gtx_task_group_create_task (group, sleep_long, NULL, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  note ("refused");
  return FALSE;
}

static gboolean
fail_later (const char *message, GError **error)
{
  return gtx_sleep (0.001, error) && fail (message, error);
}

/* A child of a group that is being cancelled cannot create a child. */
static gboolean
test_create_when_cancelled (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, fail_later, "broken", NULL, error);
  gtx_task_group_create_task (&group, create_when_cancelled, &group, NULL, error);
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  assert_one_error (failure, "broken");
  assert_trace ("refused");
  return TRUE;
}

/* ---- Two groups ---- */

/* A child of each group fails in the same round.  After the end of the inner group the outer
 * group's request is pending; after the end of the outer group no request is. */
static gboolean
test_nested_both_fail (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) outer = GTX_TASK_GROUP_INIT;
  g_auto (GtxTaskGroup) inner = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) inner_error = NULL;
  g_autoptr (GError) outer_error = NULL;

  gtx_task_group_begin (&outer);
  gtx_task_group_begin (&inner);
  gtx_task_group_create_task (&inner, fail, "inner", NULL, error);
  gtx_task_group_create_task (&outer, fail, "outer", NULL, error);
  g_assert_false (gtx_task_group_end (&inner, NULL, &inner_error));
  assert_one_error (inner_error, "inner");
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  g_assert_false (gtx_task_group_end (&outer, NULL, &outer_error));
  assert_one_error (outer_error, "outer");
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (0, error);
}

/* ---- Mistakes ---- */

static void
refuse_to_begin (GtxTaskGroup *group)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_group_begin: assertion*");
  gtx_task_group_begin (group);
  g_test_assert_expected_messages ();
}

/* The group is begun again in its block, and after its end. */
static gboolean
test_begun_twice (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  refuse_to_begin (&group);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  refuse_to_begin (&group);
  return TRUE;
}

/* A group that could not begin takes no children. */
static void
test_begun_outside (void)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "gtx_task_group_begin() was called outside a task*");
  gtx_task_group_begin (&group);
  g_test_assert_expected_messages ();
  n_freed = 0;
  g_assert_null (gtx_task_group_create_task (&group, note_and_return, g_strdup ("no"), count_free, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_cmpint (n_freed, ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/group-children/names", test_names);
  add_coroutine ("/group-children/go/when-done", test_go_when_done);
  add_coroutine ("/group-children/go/when-failed", test_go_when_failed);
  add_coroutine ("/group-children/create", test_create);
  add_coroutine ("/group-children/create/failing", test_create_failing);
  add_coroutine ("/group-children/create/when-cancelled", test_create_when_cancelled);
  add_coroutine ("/group-children/nested-both-fail", test_nested_both_fail);
  add_coroutine ("/group-children/begun-twice", test_begun_twice);
  g_test_add_func ("/group-children/begun-outside", test_begun_outside);
  return g_test_run ();
}
