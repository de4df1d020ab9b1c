/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which code made a request, and whether it is pending, if it comes while the task runs, from a
 * thread, or after the end of the block. */

#include "request-told.h"

/* ---- Requests that come while the task does not wait ---- */

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
  IN_CALLBACK = 1 << 0,         /* from a callback of a main loop that the task runs; otherwise from a thread */
  BY_CANCELLABLE = 1 << 1,
  LOOKS = 1 << 2                /* the task calls gtx_all_tasks (), and so handles the messages of other threads */
} How;

/* Makes a request to the current task while it runs. */
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

/* The time is over during the clean-up.  The first request is still delivered. */
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
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
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

/* The awaited task takes longer to clean up than the limit. */
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

/* A request comes while a group waits for its children, and a child fails.  The group's error does
 * not tell of the request, so the group makes the request again. */
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

/* If another group fails before the request is delivered, the time is not over either. */
static gboolean
await_with_limit_after_groups (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) of_group = NULL;

  be_asked_by_group ();
  gtx_timeout_begin (&timeout, 0);
  gtx_task_group_begin (&group);
  fail ("block", &failure);
  g_assert_false (gtx_task_group_end (&group, &failure, &of_group));
  gtx_sleep (10, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

static gboolean
test_limit_groups_fail (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_with_limit_after_groups, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

/* The request was delivered in the block, which carries on.  Then the time is over, as in
 * asyncio. */
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

/* The GCancellable shows that the time is over, and cannot be cancelled a second time. */
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

/* The task learns of the thread's request a turn later.  The request was made before the group's in
 * any case. */
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

/* The group withdrew its own request at its first end.  The request after that comes from other
 * code. */
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

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/requests/timeout/asked-before", test_before_timeout);
  add_coroutine ("/requests/timeout/asked-inside", test_inside_timeout);
  add_coroutine ("/requests/group/after-thread", test_thread_then_group);
  add_coroutine ("/requests/group/turn-after-thread", test_thread_then_group_later);
  add_coroutine ("/requests/limit/thread-cancellable", test_limit_thread_cancellable);
  add_coroutine ("/requests/limit/thread-task", test_limit_thread_task);
  add_coroutine ("/requests/limit/thread-looks", test_limit_thread_looks);
  add_coroutine ("/requests/limit/callback-task", test_limit_callback_task);
  add_coroutine ("/requests/limit/callback-cancellable", test_limit_callback_cancellable);
  add_coroutine ("/requests/limit/is-shown", test_limit_is_shown);
  add_coroutine ("/requests/limit/group-fails", test_limit_group_fails);
  add_coroutine ("/requests/limit/groups-fail", test_limit_groups_fail);
  add_coroutine ("/requests/limit/group-fails/told", test_limit_group_fails_told);
  add_coroutine ("/requests/group/ended-twice", test_group_ended_twice);
  add_coroutine ("/requests/timeout/ended-twice", test_timeout_ended_twice);
  return g_test_run ();
}
