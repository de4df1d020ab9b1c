/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers of a GCancellable that a request cancels.  A handler may run anything, even a main loop
 * in which other tasks with requests go on. */

#include "fixture.h"

static gboolean may_return;

static void
iterate (GCancellable *cancellable, gpointer data)
{
  note ("handler");
  for (may_return = FALSE; !may_return;)
    g_main_context_iteration (NULL, FALSE);
}

static gboolean
sleep_with_handler (void (*handler) (GCancellable *cancellable, gpointer data), GError **error)
{
  g_signal_connect (gtx_task_get_cancellable (gtx_current_task ()), "cancelled", G_CALLBACK (handler), NULL);
  return gtx_sleep (1000, error);
}

static gboolean
sleep_and_iterate (gpointer data, GError **error)
{
  return sleep_with_handler (iterate, error);
}

/* ---- A group that ends meanwhile ---- */

static gboolean
cancel_group (gpointer group)
{
  gtx_task_group_cancel (group);
  return G_SOURCE_REMOVE;
}

static gboolean
fail_soon (gpointer data, GError **error)
{
  return gtx_sleep (0, error) && fail ("child", error);
}

/* All children of the group have ended when the handler returns, so the group may have ended,
 * too. */
static void
run_group (gboolean fails, gboolean is_kept)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_iterate, NULL, NULL, NULL);
  if (fails)
    gtx_task_group_create_task (&group, fail_soon, NULL, NULL, NULL);
  else
    g_idle_add (cancel_group, &group);
  g_assert_true (gtx_task_group_end (&group, NULL, &failure) == !fails);
  if (fails)
    g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
  may_return = is_kept;
  if (is_kept)
    g_assert_true (gtx_sleep (0.01, NULL));
}

static gboolean
check_group (gboolean fails)
{
  for (int is_kept = FALSE; is_kept <= TRUE; is_kept++)
    {
      run_group (fails, is_kept);
      may_return = TRUE;
      g_assert_true (gtx_sleep (0.01, NULL));
      g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
      assert_trace ("handler");
    }
  return TRUE;
}

static gboolean
test_group_cancelled (gpointer data, GError **error)
{
  return check_group (FALSE);
}

static gboolean
test_group_fails (gpointer data, GError **error)
{
  return check_group (TRUE);
}

/* ---- A handler of the future that a task is about to await ---- */

static void
await_in_handler (GCancellable *cancellable, gpointer data)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (0.001, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  note ("handler");
}

static gboolean
sleep_and_await (gpointer data, GError **error)
{
  return sleep_with_handler (await_in_handler, error);
}

/* The next await passes a pending request on.  The handler runs outside of the task, which waits by
 * then. */
static gboolean
pass_on (GtxTask *awaited, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return gtx_await (awaited, error);
}

static gboolean
gather_on (GtxTask *awaited, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return gtx_gather_list (GTX_GATHER_NONE, error, awaited, NULL);
}

static gboolean
check_passed_on (gboolean (*coroutine) (GtxTask *awaited, GError **error))
{
  g_autoptr (GtxTask) awaited = gtx_create_task (sleep_and_await, NULL, NULL);
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, NULL));
  task = gtx_create_task (coroutine, awaited, NULL);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_sleep (0, NULL));
  assert_trace ("handler");
  return TRUE;
}

static gboolean
test_passed_on (gpointer data, GError **error)
{
  return check_passed_on (pass_on);
}

static gboolean
test_gathering_passed_on (gpointer data, GError **error)
{
  return check_passed_on (gather_on);
}

/* ---- Requests that a task makes ---- */

/* The operation that is under way. */
static GTask *clean_up;

static void
clean_up_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  clean_up = g_task_new (NULL, cancellable, callback, data);
}

static gboolean
end_clean_up (gpointer data)
{
  g_task_return_boolean (clean_up, TRUE);
  g_clear_object (&clean_up);
  return G_SOURCE_REMOVE;
}

/* Each function makes a request to a task whose handler awaits, and goes on after the handler. */
static void
cancel_a_task (void)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_await, NULL, NULL);

  g_assert_true (gtx_sleep (0, NULL));
  gtx_cancel (task);
  assert_trace ("handler");
  g_assert_false (gtx_await (task, NULL));
}

static void
cancel_a_group (void)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_await, NULL, NULL, NULL);
  g_assert_true (gtx_sleep (0, NULL));
  gtx_task_group_cancel (&group);
  assert_trace ("handler");
  gtx_task_group_end (&group, NULL, &failure);
  g_assert_no_error (failure);
}

static void
dispose_of_what_is_bound (void)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_await, NULL, NULL);
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);

  gtx_task_bind (task, object);
  g_assert_true (gtx_sleep (0, NULL));
  g_object_unref (object);
  assert_trace ("handler");
  g_assert_false (gtx_await (task, NULL));
}

static void
cancel_an_operation (void)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();

  clean_up_async (GTX_ASYNC_FUTURE (future));
  g_signal_connect (g_task_get_cancellable (clean_up), "cancelled", G_CALLBACK (await_in_handler), NULL);
  gtx_cancel (future);
  assert_trace ("handler");
  end_clean_up (NULL);
  g_assert_false (gtx_await (future, NULL));
}

/* The task awaits something else by mistake, so the operation is cancelled. */
static void
await_something_else (void)
{
  clean_up_async (GTX_ASYNC);
  g_signal_connect (g_task_get_cancellable (clean_up), "cancelled", G_CALLBACK (await_in_handler), NULL);
  g_timeout_add (1, end_clean_up, NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*awaits something else before the operation*");
  g_assert_true (gtx_sleep (0, NULL));
  g_test_assert_expected_messages ();
  assert_trace ("handler");
}

/* No handler suspends the task that makes the request.  Otherwise code that disconnects the handler
 * would wait for ever. */
static gboolean
test_asked_by_task (gpointer data, GError **error)
{
  static void (*const ways[]) (void) = {
    cancel_a_task, cancel_a_group, dispose_of_what_is_bound, cancel_an_operation, await_something_else
  };

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      ways[i] ();
      g_assert_true (gtx_current_task () != NULL);
    }
  return TRUE;
}

/* ---- Of a task that was told, and cleans up by an operation, before its own handlers are ---- */

static void
count_handler (GCancellable *cancellable, guint *n)
{
  ++*n;
}

static gboolean
sleep_and_clean_up (guint *n_shown, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_signal_connect (gtx_task_get_cancellable (gtx_current_task ()), "cancelled", G_CALLBACK (count_handler),
                    n_shown);
  g_assert_false (gtx_sleep (1000, &failure));
  assert_cancelled (failure);
  g_timeout_add (10, end_clean_up, NULL);
  clean_up_async (GTX_ASYNC);
  may_return = TRUE;
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

static gboolean
await_and_iterate (GtxTask *awaited, GError **error)
{
  g_signal_connect (gtx_task_get_cancellable (gtx_current_task ()), "cancelled", G_CALLBACK (iterate), NULL);
  return gtx_await (awaited, error);
}

/* The first handler turns the main loop.  In it the lower task gets the request and begins an
 * operation, which the request no longer cancels. */
static gboolean
test_told_before_shown (gpointer data, GError **error)
{
  guint n_shown = 0;
  g_autoptr (GtxTask) below = gtx_create_task (sleep_and_clean_up, &n_shown, NULL);
  g_autoptr (GtxTask) above = gtx_create_task (await_and_iterate, below, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (above);
  g_assert_nonnull (clean_up);
  g_assert_false (g_cancellable_is_cancelled (g_task_get_cancellable (clean_up)));
  g_assert_cmpuint (n_shown, ==, 1);
  assert_trace ("handler");
  return gtx_await (below, error);
}

/* ---- A task of another context, whose handler makes a request that comes back to it ---- */

typedef struct
{
  GMainContext *context;        /* the context of the other thread */
  GMainLoop *loop;
  GtxTask *distant;             /* in the other context */
  GtxTask *waits;               /* in this context; awaits distant */
  GtxTask *asked;               /* in the other context; awaits a task of this context, which awaits waits */
  gint has_ended;               /* whether distant has ended */
} Distance;

static gpointer
run_other (gpointer data)
{
  Distance *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
ask_other (GCancellable *cancellable, Distance *self)
{
  gtx_cancel (self->asked);
}

static gboolean
clean_up_there (Distance *self, GError **error)
{
  g_signal_connect (gtx_task_get_cancellable (gtx_current_task ()), "cancelled", G_CALLBACK (ask_other), self);
  g_assert_false (gtx_sleep (1000, error));
  gtx_sleep (0.05, NULL);
  g_atomic_int_set (&self->has_ended, TRUE);
  return FALSE;
}

static gboolean
wait_for_distant (Distance *self, GError **error)
{
  gboolean succeeded = gtx_await (self->distant, error);

  g_assert_true (g_atomic_int_get (&self->has_ended));
  return succeeded;
}

static gboolean
await_task (GtxTask *task, GError **error)
{
  return gtx_await (task, error);
}

/* The handler's request comes to a task that already waits.  That is no ring, because the task has
 * not passed the request on. */
static gboolean
test_distant (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  Distance self = { .context = context, .loop = loop };
  GThread *thread = g_thread_new ("other", run_other, &self);
  g_autoptr (GtxTask) distant = gtx_create_task_in (context, clean_up_there, &self, NULL);
  g_autoptr (GtxTask) waits = NULL;
  g_autoptr (GtxTask) between = NULL;
  g_autoptr (GtxTask) asked = NULL;

  self.distant = distant;
  self.waits = waits = gtx_create_task (wait_for_distant, &self, NULL);
  between = gtx_create_task (await_task, waits, NULL);
  self.asked = asked = gtx_create_task_in (context, await_task, between, NULL);
  g_assert_true (gtx_sleep (0.02, error));
  gtx_cancel (waits);
  g_assert_false (gtx_await (waits, NULL));
  g_assert_false (gtx_await (between, NULL));
  g_assert_false (gtx_await (asked, NULL));
  g_main_loop_quit (loop);
  g_thread_join (thread);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/cancelled-handlers/group/cancelled", test_group_cancelled);
  add_real_coroutine ("/cancelled-handlers/group/fails", test_group_fails);
  add_real_coroutine ("/cancelled-handlers/passed-on", test_passed_on);
  add_real_coroutine ("/cancelled-handlers/passed-on/gathering", test_gathering_passed_on);
  add_real_coroutine ("/cancelled-handlers/asked-by-task", test_asked_by_task);
  add_real_coroutine ("/cancelled-handlers/told-before-shown", test_told_before_shown);
  add_real_coroutine ("/cancelled-handlers/distant", test_distant);
  return g_test_run ();
}
