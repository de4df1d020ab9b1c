/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which code made a request, and whether it is pending, where groups and timeouts are nested and
 * operations ignore their GCancellable. */

#include "request-told.h"

/* ---- An operation that takes no notice of its GCancellable ---- */

/* This operation looks at its GCancellable. */
static void
start_skippable_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_assert_null (under_way);
  under_way = g_task_new (NULL, cancellable, callback, data);
}

/* ---- A task that lends its blocks to the test, which makes requests and lets the task run after
 * each ---- */

static void
ask_task (Lent *lent)
{
  gtx_cancel (lent->task);
  let_run ();
}

static void
expire (Lent *lent)
{
  g_autoptr (GError) failure = NULL;

  gtx_timeout_reschedule (lent->timeout, 0, &failure);
  g_assert_no_error (failure);
  let_run ();
}

/* ---- An operation whose GCancellable is not the task's own ---- */

/* Another GCancellable skips the operation, as a button of a program does, and so the outcome does
 * not answer the request.  The error is the same as for a request, but it tells the task only of
 * the skipping. */
static void
be_skipped (GCancellable *skip, GError **error)
{
  g_autoptr (GCancellable) own = g_object_ref (skip);

  start_skippable_async (own, GTX_CALLBACK);
  g_assert_false (g_task_propagate_boolean (G_TASK (gtx_await_result ()), error));
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
skip_operation (void)
{
  g_cancellable_cancel (g_task_get_cancellable (under_way));
}

static gboolean
go_on_skipped (GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;

  be_skipped (cancellable, &failure);
  note_rest (1);
  return TRUE;
}

static gboolean
check_skipped (GCancellable *cancellable, GError **error)
{
  Lent lent = { 0 };

  lent.task = gtx_create_task (go_on_skipped, cancellable, NULL);
  let_run ();
  ask_task (&lent);
  skip_operation ();
  return end_task (&lent, "cancelled went-on", error);
}

static gboolean
test_skipped (gpointer data, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  return check_skipped (cancellable, error);
}

/* The GCancellable of another task skips the operation as well. */
static gboolean
test_skipped_with_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (sleep_long, NULL, NULL);

  if (!check_skipped (gtx_task_get_cancellable (other), error))
    return FALSE;
  g_assert_false (gtx_await (other, NULL));
  return TRUE;
}

/* The block ends with the error of the skipping, which does not deliver the request from
 * outside. */
static gboolean
skip_in_timeout (Lent *lent, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, GTX_FOREVER);
  lent->timeout = &timeout;
  be_skipped (cancellable, &failure);
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  assert_cancelled (result);
  note_rest (1);
  return TRUE;
}

static gboolean
test_skipped_in_timeout (gpointer data, GError **error)
{
  Lent lent = { 0 };

  begin_task (&lent, skip_in_timeout);
  expire (&lent);
  ask_task (&lent);
  skip_operation ();
  return end_task (&lent, "cancelled went-on", error);
}

/* The group was ended on purpose, and the skipping does not deliver the request from outside. */
static gboolean
skip_in_group (Lent *lent, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_task_group_begin (&group);
  lent->group = &group;
  be_skipped (cancellable, &failure);
  g_assert_false (gtx_task_group_end (&group, &failure, &result));
  assert_cancelled (result);
  note_rest (1);
  return TRUE;
}

static gboolean
test_skipped_in_group (gpointer data, GError **error)
{
  Lent lent = { 0 };

  begin_task (&lent, skip_in_group);
  ask_group (lent.group);
  ask_task (&lent);
  skip_operation ();
  return end_task (&lent, "cancelled went-on", error);
}

/* ---- A timeout's own request, in a block to which another request was delivered ---- */

static gboolean
outlast_timeout (Lent *lent, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, GTX_FOREVER);
  lent->timeout = &timeout;
  be_told ();
  await_operation ();
  if (lent->fails)
    fail ("own", &failure);
  gtx_timeout_end (&timeout, &failure, &result);
  if (lent->fails)
    g_assert_error (result, G_IO_ERROR, G_IO_ERROR_FAILED);
  else
    g_assert_no_error (result);
  g_assert_true (gtx_timeout_expired (&timeout));
  note_rest (1);
  return TRUE;
}

/* The timeout withdraws its request, though no await delivered it. */
static gboolean
check_outlasted (gboolean fails, GError **error)
{
  Lent lent = { .fails = fails };

  begin_task (&lent, outlast_timeout);
  ask_task (&lent);
  expire (&lent);
  return end_task (&lent, "went-on went-on", error);
}

static gboolean
test_timeout_outlasted (gpointer data, GError **error)
{
  return check_outlasted (FALSE, error);
}

static gboolean
test_timeout_outlasted_fails (gpointer data, GError **error)
{
  return check_outlasted (TRUE, error);
}

/* ---- Groups in one another ---- */

/* The first request is delivered in the block.  The others are not delivered, neither by
 * the operation nor by the ends of the groups, which have no children to wait for. */
static void
run_nested_groups (Lent *lent)
{
  g_auto (GtxTaskGroup) outer = GTX_TASK_GROUP_INIT;
  g_auto (GtxTaskGroup) inner = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&outer);
  gtx_task_group_begin (&inner);
  lent->outer = &outer;
  lent->group = &inner;
  be_told ();
  await_operation ();
  gtx_task_group_end (&inner, NULL, &failure);
  g_assert_no_error (failure);
  gtx_task_group_end (&outer, NULL, &failure);
  g_assert_no_error (failure);
}

static gboolean
nest_groups (Lent *lent, GError **error)
{
  run_nested_groups (lent);
  note_rest (1);
  return TRUE;
}

static gboolean
test_nested_and_outside (gpointer data, GError **error)
{
  Lent lent = { 0 };

  begin_task (&lent, nest_groups);
  ask_group (lent.group);
  ask_group (lent.outer);
  ask_task (&lent);
  return end_task (&lent, "cancelled went-on", error);
}

/* Both requests are withdrawn, and the one from outside was delivered. */
static gboolean
test_nested_after_outside (gpointer data, GError **error)
{
  Lent lent = { 0 };

  begin_task (&lent, nest_groups);
  ask_task (&lent);
  ask_group (lent.group);
  ask_group (lent.outer);
  return end_task (&lent, "went-on went-on", error);
}

static gboolean
nest_groups_in_timeout (Lent *lent, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, GTX_FOREVER);
  lent->timeout = &timeout;
  run_nested_groups (lent);
  /* This await is the rest of the block. */
  g_assert_false (gtx_sleep (1000, &failure));
  assert_cancelled (failure);
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  g_assert_error (result, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  note_rest (0);
  return TRUE;
}

static gboolean
test_nested_in_timeout (gpointer data, GError **error)
{
  Lent lent = { 0 };

  begin_task (&lent, nest_groups_in_timeout);
  ask_group (lent.group);
  ask_group (lent.outer);
  expire (&lent);
  return end_task (&lent, "went-on went-on", error);
}

/* ---- A timeout in a group ---- */

/* The end of the timeout gets the group's request, which is not its own. */
static void
clean_up_in_timeout (Lent *lent)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, GTX_FOREVER);
  lent->timeout = &timeout;
  g_assert_false (gtx_sleep (1000, &failure));
  await_operation ();
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  assert_cancelled (result);
}

static gboolean
run_timeout_in_group (Lent *lent, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  lent->group = &group;
  clean_up_in_timeout (lent);
  await_operation ();
  if (!gtx_task_group_end (&group, NULL, error))
    return FALSE;
  note_rest (1);
  return TRUE;
}

static gboolean
test_timeout_in_group (gpointer data, GError **error)
{
  Lent lent = { 0 };

  begin_task (&lent, run_timeout_in_group);
  expire (&lent);
  ask_group (lent.group);
  end_operation ();
  ask_task (&lent);
  return end_task (&lent, "cancelled went-on", error);
}

/* ---- A group that ends on purpose, behind an operation ---- */

/* The group withdraws its request, however it is left. */
static gboolean
check_group (Lent lent, GError **error)
{
  begin_task (&lent, be_told_and_run_group);
  ask_task (&lent);
  ask_group (lent.group);
  return end_task (&lent, "went-on went-on", error);
}

static gboolean
test_left_in_clean_up (gpointer data, GError **error)
{
  return check_group ((Lent) { .told = BEFORE_BLOCK }, error);
}

static gboolean
test_left_with_child (gpointer data, GError **error)
{
  return check_group ((Lent) { .has_child = TRUE }, error);
}

static gboolean
test_left_without_child (gpointer data, GError **error)
{
  return check_group ((Lent) { 0 }, error);
}

static gboolean
test_ended (gpointer data, GError **error)
{
  return check_group ((Lent) { .ends = TRUE }, error);
}

/* ---- Down a chain ---- */

/* The task cleans up, which would take long. */
static gboolean
be_told_twice (gpointer data, GError **error)
{
  be_told ();
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  be_told ();
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  return TRUE;
}

static gboolean
await_below (GtxTask *below, GError **error)
{
  return gtx_await (below, error);
}

/* The chain is longer than the number of tasks for which the library counts requests until one of
 * them goes on. */
#define N_LINKS 12

/* Other code has withdrawn the first request at the task at the bottom.  The second request is new
 * there, and must reach the task. */
static gboolean
test_taken_back_at_bottom (gpointer data, GError **error)
{
  g_autoptr (GtxTask) bottom = gtx_create_task (be_told_twice, NULL, NULL);
  GtxTask *below = g_object_ref (bottom);
  g_autoptr (GtxTask) top = NULL;

  for (guint i = 0; i < N_LINKS; i++)
    below = gtx_create_task (await_below, below, g_object_unref);
  top = below;
  gtx_sleep (1, NULL);
  gtx_cancel (top);
  g_assert_cmpuint (gtx_uncancel (bottom), ==, 0);
  gtx_sleep (1, NULL);
  gtx_cancel (top);
  g_assert_true (gtx_await (top, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 2);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/requests/skipped/outside", test_skipped);
  add_coroutine ("/requests/skipped/with-task", test_skipped_with_task);
  add_coroutine ("/requests/skipped/in-timeout", test_skipped_in_timeout);
  add_coroutine ("/requests/skipped/in-group", test_skipped_in_group);
  add_coroutine ("/requests/timeout/outlasted", test_timeout_outlasted);
  add_coroutine ("/requests/timeout/outlasted-and-fails", test_timeout_outlasted_fails);
  add_coroutine ("/requests/timeout/in-group", test_timeout_in_group);
  add_coroutine ("/requests/nested-groups/and-outside", test_nested_and_outside);
  add_coroutine ("/requests/nested-groups/after-outside", test_nested_after_outside);
  add_coroutine ("/requests/nested-groups/in-timeout", test_nested_in_timeout);
  add_coroutine ("/requests/group/left-in-clean-up", test_left_in_clean_up);
  add_coroutine ("/requests/group/left-with-child", test_left_with_child);
  add_coroutine ("/requests/group/left-without-child", test_left_without_child);
  add_coroutine ("/requests/group/ended", test_ended);
  add_coroutine ("/requests/chain/taken-back-at-bottom", test_taken_back_at_bottom);
  return g_test_run ();
}
