/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose request it was, and whether it stands: where groups and timeouts are nested, operations
 * take no notice, and requests come while the task runs. */

#include "fixture.h"

/* ---- An operation that takes no notice of its GCancellable ---- */

static GTask *under_way;

static void
start_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_assert_null (under_way);
  under_way = g_task_new (NULL, NULL, callback, data);
}

/* Or one that looks at it. */
static void
start_skippable_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_assert_null (under_way);
  under_way = g_task_new (NULL, cancellable, callback, data);
}

/* What was asked meanwhile stands when it has succeeded. */
static void
await_operation (void)
{
  g_autoptr (GError) failure = NULL;

  start_async (GTX_ASYNC);
  g_assert_true (g_task_propagate_boolean (G_TASK (gtx_await_result ()), &failure));
  g_assert_no_error (failure);
}

/* ---- A task that lends its blocks to the test, which asks, and lets it run after each ---- */

typedef enum
{
  IN_BLOCK,
  BEFORE_BLOCK,
  NEVER
} Told;

typedef struct
{
  GtxTask *task;
  GtxTimeout *timeout;
  GtxTaskGroup *outer;
  GtxTaskGroup *group;          /* the inner one, where there are two */
  Told told;                    /* of a request from outside, and carries on */
  gboolean has_child;
  gboolean fails;               /* its block, for a reason of its own */
  gboolean ends;                /* its group; else that is left early */
} Lent;

typedef gboolean (*Borrower) (Lent *lent, GError **error);

/* Virtual time stands still meanwhile, as it does anyway while an operation is under way. */
static void
let_run (void)
{
  for (int i = 0; i < 5; i++)
    gtx_sleep (0, NULL);
}

static void
begin_task (Lent *lent, Borrower coroutine)
{
  lent->task = gtx_create_task (coroutine, lent, NULL);
  let_run ();
}

static void
ask_task (Lent *lent)
{
  gtx_cancel (lent->task);
  let_run ();
}

static void
ask_group (GtxTaskGroup *group)
{
  gtx_task_group_cancel (group);
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

/* The main loop calls the callback in a turn of its own. */
static void
end_operation (void)
{
  g_autoptr (GTask) ended = g_steal_pointer (&under_way);

  g_assert_nonnull (ended);
  if (!g_task_return_error_if_cancelled (ended))
    g_task_return_boolean (ended, TRUE);
  while (!g_task_get_completed (ended))
    gtx_sleep (0, NULL);
  let_run ();
}

/* The operation's end is what the task waits for. */
static gboolean
end_task (Lent *lent, const char *expected, GError **error)
{
  g_autoptr (GtxTask) task = lent->task;

  end_operation ();
  if (!gtx_await (task, error))
    return FALSE;
  assert_trace (expected);
  return TRUE;
}

/* What comes in the task behind all blocks: a request that stands is told of once. */
static void
note_rest (guint n_requests)
{
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, n_requests);
  for (int i = 0; i < 2; i++)
    note (gtx_sleep (1, NULL) ? "went-on" : "cancelled");
}

static void
be_told (void)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (1000, &failure));
  assert_cancelled (failure);
}

/* ---- An operation whose GCancellable is not the task's own ---- */

/* It is skipped, by whoever pressed a button, and that is no answer to a request: the outcome of
 * both is the same error, which tells the program of the skipping alone. */
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

/* That of another task is as little this one's. */
static gboolean
test_skipped_with_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (sleep_long, NULL, NULL);

  if (!check_skipped (gtx_task_get_cancellable (other), error))
    return FALSE;
  g_assert_false (gtx_await (other, NULL));
  return TRUE;
}

/* The block ends with what the skipping was told by, which is not the other's request. */
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

/* The same, and it is the group that was ended on purpose. */
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

/* ---- A timeout's own request, in a block that was told of another's ---- */

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

/* The timeout takes it back, though no await was told of it. */
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

/* The block is told of the first request.  Nothing is told of the others, neither by the
 * operation nor by the ends, which have no children to wait for. */
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

/* Both requests are taken back, and the one from outside was told of. */
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
  /* The rest of the block. */
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

/* The timeout's end is told that the group is over, which is not its own request. */
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

static void
run_group (Lent *lent)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  lent->group = &group;
  if (lent->has_child)
    gtx_task_group_create_task (&group, sleep_long, NULL, NULL, NULL);
  if (lent->told == IN_BLOCK)
    be_told ();
  await_operation ();
  if (lent->ends)
    gtx_task_group_end (&group, NULL, &failure);
  g_assert_no_error (failure);
}

static gboolean
be_told_and_run_group (Lent *lent, GError **error)
{
  if (lent->told == BEFORE_BLOCK)
    be_told ();
  run_group (lent);
  note_rest (1);
  return TRUE;
}

/* However it is left, it takes its request back. */
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

/* ---- Requests from where the task does not wait ---- */

typedef struct
{
  GtxTask *task;
  GCancellable *cancellable;    /* NULL: gtx_cancel () */
  GMainLoop *loop;
} Request;

static void
make_request (Request *request)
{
  if (request->cancellable)
    g_cancellable_cancel (request->cancellable);
  else
    gtx_cancel (request->task);
}

static gpointer
make_in_thread (gpointer request)
{
  make_request (request);
  return NULL;
}

static void
ask_in_thread (Request *request)
{
  g_thread_join (g_thread_new ("asks", make_in_thread, request));
}

static gboolean
make_in_callback (gpointer data)
{
  Request *request = data;

  make_request (request);
  g_main_loop_quit (request->loop);
  return G_SOURCE_REMOVE;
}

typedef enum
{
  IN_CALLBACK = 1 << 0,         /* of a loop that the task itself runs; else in a thread */
  BY_CANCELLABLE = 1 << 1,
  LOOKS = 1 << 2                /* the task, at who there is, which has it know what threads have sent */
} How;

/* The current task, while it runs. */
static void
be_asked (How how)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_object_ref (GTX_CANCELLABLE);
  Request request = { gtx_current_task (), how & BY_CANCELLABLE ? cancellable : NULL, loop };

  if (how & IN_CALLBACK)
    {
      g_idle_add (make_in_callback, &request);
      g_main_loop_run (loop);
    }
  else
    ask_in_thread (&request);
  if (how & LOOKS)
    g_ptr_array_unref (gtx_all_tasks ());
}

/* ---- Before a timeout begins, or inside it ---- */

/* Timed out in the clean-up: the first request is told of all the same. */
static gboolean
be_asked_near_timeout (gpointer inside, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  if (inside == NULL)
    be_asked (BY_CANCELLABLE);
  gtx_timeout_begin (&timeout, 1);
  if (inside)
    be_asked (BY_CANCELLABLE);
  be_told ();
  g_assert_false (gtx_sleep (10, &failure));
  assert_cancelled (failure);
  g_assert_cmpfloat (gtx_test_get_time (), ==, 1);
  return gtx_timeout_end (&timeout, &failure, error);
}

static gboolean
check_cancelled (GtxCoroutine coroutine, gpointer data)
{
  g_autoptr (GtxTask) task = gtx_create_task (coroutine, data, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  return TRUE;
}

static gboolean
test_before_timeout (gpointer data, GError **error)
{
  return check_cancelled (be_asked_near_timeout, GINT_TO_POINTER (FALSE));
}

static gboolean
test_inside_timeout (gpointer data, GError **error)
{
  return check_cancelled (be_asked_near_timeout, GINT_TO_POINTER (TRUE));
}

/* ---- Before an await with a limit ---- */

static gboolean
work_and_clean_up (gpointer data, GError **error)
{
  if (gtx_sleep (10, error))
    return TRUE;
  gtx_sleep (5, NULL);
  return FALSE;
}

/* What is awaited takes longer to clean up than the limit is. */
static gboolean
await_with_limit (gpointer how, GError **error)
{
  g_autoptr (GtxTask) awaited = gtx_create_task (work_and_clean_up, NULL, NULL);

  let_run ();
  be_asked (GPOINTER_TO_INT (how));
  return gtx_wait_for (awaited, 1, error);
}

static gboolean
test_limit_thread_task (gpointer data, GError **error)
{
  return check_cancelled (await_with_limit, GINT_TO_POINTER (0));
}

static gboolean
test_limit_thread_cancellable (gpointer data, GError **error)
{
  return check_cancelled (await_with_limit, GINT_TO_POINTER (BY_CANCELLABLE));
}

static gboolean
test_limit_thread_looks (gpointer data, GError **error)
{
  return check_cancelled (await_with_limit, GINT_TO_POINTER (LOOKS)) &&
         check_cancelled (await_with_limit, GINT_TO_POINTER (LOOKS | BY_CANCELLABLE));
}

static gboolean
test_limit_callback_task (gpointer data, GError **error)
{
  return check_cancelled (await_with_limit, GINT_TO_POINTER (IN_CALLBACK));
}

static gboolean
test_limit_callback_cancellable (gpointer data, GError **error)
{
  return check_cancelled (await_with_limit, GINT_TO_POINTER (IN_CALLBACK | BY_CANCELLABLE));
}

/* A group that fails makes a request anew that came while it waited, and which its error does not
 * tell of. */
static gboolean
ask_and_fail (GtxTask *parent, GError **error)
{
  gtx_cancel (parent);
  return fail ("child", error);
}

static void
be_asked_by_group (void)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, ask_and_fail, gtx_current_task (), NULL, NULL);
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
}

static gboolean
await_with_limit_after_group (gpointer data, GError **error)
{
  g_autoptr (GtxTask) awaited = gtx_create_task (work_and_clean_up, NULL, NULL);

  be_asked_by_group ();
  return gtx_wait_for (awaited, 1, error);
}

static gboolean
test_limit_group_fails (gpointer data, GError **error)
{
  return check_cancelled (await_with_limit_after_group, NULL);
}

/* Where the block was told of it, and carries on, the time is over as in asyncio. */
static gboolean
be_told_with_limit_after_group (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  be_asked_by_group ();
  gtx_timeout_begin (&timeout, 1);
  be_told ();
  g_assert_false (gtx_sleep (10, &failure));
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  g_assert_error (result, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  note_rest (1);
  return TRUE;
}

static gboolean
test_limit_group_fails_told (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (be_told_with_limit_after_group, NULL, NULL);

  if (!gtx_await (task, error))
    return FALSE;
  assert_trace ("went-on went-on");
  return TRUE;
}

static gboolean
await_within_limit (GtxTask *awaited, GError **error)
{
  return gtx_wait_for (awaited, 1, error);
}

/* The GCancellable shows that the time is over, and can be cancelled no more. */
static gboolean
test_limit_is_shown (gpointer data, GError **error)
{
  g_autoptr (GtxTask) awaited = gtx_create_task (work_and_clean_up, NULL, NULL);
  g_autoptr (GtxTask) task = gtx_create_task (await_within_limit, awaited, NULL);
  g_autoptr (GCancellable) cancellable = g_object_ref (gtx_task_get_cancellable (task));
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (2, error));
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_cancellable_cancel (cancellable);
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  gtx_cancel (task);
  g_assert_cmpuint (gtx_cancelling (task), ==, 2);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

/* ---- A thread's request, and then the group's own ---- */

/* The thread's is known to the task a turn later, and was made before in any case. */
static gboolean
check_thread_then_group (gboolean in_later_turn, GError **error)
{
  Lent lent = { .told = NEVER, .ends = TRUE };
  Request request = { 0 };

  begin_task (&lent, be_told_and_run_group);
  request.cancellable = gtx_task_get_cancellable (lent.task);
  ask_in_thread (&request);
  if (in_later_turn)
    let_run ();
  ask_group (lent.group);
  return end_task (&lent, "cancelled went-on", error);
}

static gboolean
test_thread_then_group (gpointer data, GError **error)
{
  return check_thread_then_group (FALSE, error);
}

static gboolean
test_thread_then_group_later (gpointer data, GError **error)
{
  return check_thread_then_group (TRUE, error);
}

/* ---- Blocks that are ended again ---- */

static gboolean
fail_at_once (gpointer data, GError **error)
{
  return fail ("child", error);
}

/* The group took its own request back the first time, and the one that comes then is another's. */
static gboolean
end_group_twice (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, fail_at_once, NULL, NULL, NULL);
  be_told ();
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
  g_clear_error (&failure);

  gtx_cancel (gtx_current_task ());
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_group_end: *once*");
  g_assert_false (gtx_task_group_end (&group, NULL, &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  return gtx_sleep (1, error);
}

static gboolean
test_group_ended_twice (gpointer data, GError **error)
{
  return check_cancelled (end_group_twice, NULL);
}

static gboolean
end_timeout_twice (gpointer is_over, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, is_over ? 0 : 10);
  gtx_sleep (1, &failure);
  g_assert_true (gtx_timeout_end (&timeout, &failure, &result) == !is_over);
  g_clear_error (&result);

  gtx_cancel (gtx_current_task ());
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_timeout_end: *once*");
  g_assert_false (gtx_timeout_end (&timeout, NULL, &result));
  g_test_assert_expected_messages ();
  g_assert_error (result, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  return gtx_sleep (1, error);
}

static gboolean
test_timeout_ended_twice (gpointer data, GError **error)
{
  return check_cancelled (end_timeout_twice, GINT_TO_POINTER (FALSE)) &&
         check_cancelled (end_timeout_twice, GINT_TO_POINTER (TRUE));
}

/* ---- Down a chain ---- */

/* It cleans up, and would take its time. */
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

/* Longer than requests are counted where nobody has gone on. */
#define N_LINKS 12

/* An outsider has taken back what the task at the bottom was asked first: the second request
 * is no repetition there, and has to reach it. */
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
  g_assert_cmpfloat (gtx_test_get_time (), ==, 2);
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
  add_coroutine ("/requests/timeout/asked-before", test_before_timeout);
  add_coroutine ("/requests/timeout/asked-inside", test_inside_timeout);
  add_coroutine ("/requests/nested-groups/and-outside", test_nested_and_outside);
  add_coroutine ("/requests/nested-groups/after-outside", test_nested_after_outside);
  add_coroutine ("/requests/nested-groups/in-timeout", test_nested_in_timeout);
  add_coroutine ("/requests/group/left-in-clean-up", test_left_in_clean_up);
  add_coroutine ("/requests/group/left-with-child", test_left_with_child);
  add_coroutine ("/requests/group/left-without-child", test_left_without_child);
  add_coroutine ("/requests/group/ended", test_ended);
  add_coroutine ("/requests/group/after-thread", test_thread_then_group);
  add_coroutine ("/requests/group/turn-after-thread", test_thread_then_group_later);
  add_coroutine ("/requests/limit/thread-cancellable", test_limit_thread_cancellable);
  add_coroutine ("/requests/limit/thread-task", test_limit_thread_task);
  add_coroutine ("/requests/limit/thread-looks", test_limit_thread_looks);
  add_coroutine ("/requests/limit/callback-task", test_limit_callback_task);
  add_coroutine ("/requests/limit/callback-cancellable", test_limit_callback_cancellable);
  add_coroutine ("/requests/limit/is-shown", test_limit_is_shown);
  add_coroutine ("/requests/limit/group-fails", test_limit_group_fails);
  add_coroutine ("/requests/limit/group-fails/told", test_limit_group_fails_told);
  add_coroutine ("/requests/group/ended-twice", test_group_ended_twice);
  add_coroutine ("/requests/timeout/ended-twice", test_timeout_ended_twice);
  add_coroutine ("/requests/chain/taken-back-at-bottom", test_taken_back_at_bottom);
  return g_test_run ();
}
