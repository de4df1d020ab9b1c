/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups that end on purpose, beside timeouts and requests to cancel from outside, in all orders.
 * Requests from outside are delivered, and the group's own are not. */

#include "fixture.h"

/* The moment of a request: during the block's first await, during its last await, while the group
 * waits for its children, or never. */
typedef enum
{
  IN_FIRST_AWAIT,
  IN_LAST_AWAIT,
  IN_END,
  NEVER,
  N_MOMENTS
} Moment;

static const double seconds_of[N_MOMENTS] = { 0.5, 1.5, 2.5, 1000 };

/* Requests of the same moment come in each of these orders. */
#define N_ORDERS 6
static const double lag_of[N_ORDERS][3] = {
  { 0, 0.1, 0.2 }, { 0, 0.2, 0.1 }, { 0.1, 0, 0.2 }, { 0.1, 0.2, 0 }, { 0.2, 0, 0.1 }, { 0.2, 0.1, 0 }
};

/* Requests that the block makes before its first await and after its last. */
typedef enum
{
  NOTHING,
  GROUP,
  OUTSIDE,
  GROUP_THEN_OUTSIDE,
  OUTSIDE_THEN_GROUP,
  N_BY_BLOCK
} ByBlock;

typedef struct
{
  double group, timeout, outside; /* seconds */
  ByBlock before, after;
  double clean_up;              /* the time that a cancelled child takes for its clean-up */
  gboolean in_clean_up;         /* in the clean-up of a task that was cancelled before */
  gboolean request_stands;      /* when the block begins */

  GtxTaskGroup *running;
  GtxTask *task;
} Case;

/* ---- Requests ---- */

static void
ask (Case *c, ByBlock what)
{
  if (what == OUTSIDE || what == OUTSIDE_THEN_GROUP)
    gtx_cancel (c->task);
  if (what == GROUP || what == OUTSIDE_THEN_GROUP || what == GROUP_THEN_OUTSIDE)
    gtx_task_group_cancel (c->running);
  if (what == GROUP_THEN_OUTSIDE)
    gtx_cancel (c->task);
}

static gboolean
end_group (Case *c, GError **error)
{
  if (!gtx_sleep (c->group, error))
    return FALSE;
  if (c->running)
    gtx_task_group_cancel (c->running);
  return TRUE;
}

static gboolean
cancel_from_outside (Case *c, GError **error)
{
  if (!gtx_sleep (c->outside, error))
    return FALSE;
  gtx_cancel (c->task);
  return TRUE;
}

/* ---- The block ---- */

static gboolean
work (Case *c, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (gtx_sleep (2.2, &failure))
    return TRUE;
  gtx_sleep (c->clean_up, NULL);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
run_block (Case *c, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  gboolean succeeded;

  gtx_task_group_begin (&group);
  c->running = &group;
  gtx_task_group_create_task (&group, work, c, NULL, NULL);
  /* This await lets the child begin. */
  if (gtx_sleep (0, &failure))
    {
      ask (c, c->before);
      if (gtx_sleep (1, &failure))
        gtx_sleep (1, &failure);
    }
  ask (c, c->after);
  succeeded = gtx_task_group_end (&group, &failure, error);
  c->running = NULL;
  return succeeded;
}

static gboolean
run_in_timeout (Case *c, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, c->timeout);
  if (c->request_stands)
    gtx_cancel (c->task);
  if (run_block (c, &failure))
    gtx_sleep (1, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

static gboolean
run_task (Case *c, GError **error)
{
  g_autoptr (GtxTask) ending = NULL;
  g_autoptr (GtxTask) cancelling = NULL;

  if (c->in_clean_up)
    {
      gtx_cancel (gtx_current_task ());
      g_assert_false (gtx_sleep (0, NULL));
    }
  c->task = gtx_current_task ();
  ending = gtx_create_task (end_group, c, NULL);
  cancelling = gtx_create_task (cancel_from_outside, c, NULL);
  return run_in_timeout (c, error);
}

/* ---- Expected results ---- */

static gboolean
by_block_has (ByBlock what, gboolean group)
{
  return what >= GROUP_THEN_OUTSIDE || what == (group ? GROUP : OUTSIDE);
}

/* Returns the time of the first request that ends the block or its children. */
static double
time_of_first (const Case *c)
{
  double first = MIN (MIN (c->group, c->timeout), c->outside);

  if (c->before != NOTHING || c->request_stands)
    return 0;
  if (c->after != NOTHING)
    first = MIN (first, 2);
  return first;
}

static int
expected (const Case *c)
{
  double first = time_of_first (c);
  double end = first < 2.2 ? first + c->clean_up : 2.2;
  double after = end + 1;

  if (by_block_has (c->before, FALSE) || by_block_has (c->after, FALSE) || c->request_stands || c->outside < end)
    return G_IO_ERROR_CANCELLED;
  if (c->timeout < end)
    return G_IO_ERROR_TIMED_OUT;
  if (MIN (c->outside, c->timeout) > after)
    return -1;
  return c->outside < c->timeout ? G_IO_ERROR_CANCELLED : G_IO_ERROR_TIMED_OUT;
}

static char *
describe (const Case *c)
{
  return g_strdup_printf ("group %g, timeout %g, outside %g, before %d, after %d, clean-up %g, in clean-up %d, stands %d",
                          c->group, c->timeout, c->outside, c->before, c->after, c->clean_up, c->in_clean_up,
                          c->request_stands);
}

static void
check (Case *c)
{
  g_autofree char *what = describe (c);
  g_autoptr (GtxTask) task = gtx_create_task (run_task, c, NULL);
  g_autoptr (GPtrArray) left = NULL;
  g_autoptr (GError) failure = NULL;
  int wanted = expected (c);

  gtx_await (task, &failure);
  if (wanted < 0 ? failure != NULL : !g_error_matches (failure, G_IO_ERROR, wanted))
    g_error ("%s: %s, and %d was wanted", what, failure ? failure->message : "success", wanted);
  left = gtx_all_tasks ();
  for (guint i = 0; i < left->len; i++)
    if (left->pdata[i] != (gpointer) gtx_current_task ())
      {
        gtx_cancel (left->pdata[i]);
        gtx_await (left->pdata[i], NULL);
      }
}

static void
check_moments (Moment group, Moment timeout, Moment outside, const double *lags)
{
  for (guint i = 0; i < N_BY_BLOCK * N_BY_BLOCK; i++)
    for (guint j = 0; j < 8; j++)
      {
        Case c = {
          .group = seconds_of[group] + lags[0],
          .timeout = seconds_of[timeout] + lags[1],
          .outside = seconds_of[outside] + lags[2],
          .before = i % N_BY_BLOCK,
          .after = i / N_BY_BLOCK,
          .clean_up = j & 1 ? 3.05 : 0,
          .in_clean_up = (j & 2) != 0,
          .request_stands = (j & 4) != 0,
        };

        check (&c);
      }
}

static gboolean
test_all_orders (gpointer data, GError **error)
{
  guint step = RUNNING_ON_VALGRIND || UNDER_EMULATOR ? 7 : 1;

  for (guint i = 0; i < N_MOMENTS * N_MOMENTS * N_MOMENTS * N_ORDERS; i += step)
    check_moments (i % N_MOMENTS, i / N_MOMENTS % N_MOMENTS, i / N_MOMENTS / N_MOMENTS % N_MOMENTS,
                   lag_of[i / (N_MOMENTS * N_MOMENTS * N_MOMENTS)]);
  return TRUE;
}

/* ---- Left early ---- */

static gboolean
leave_early (Case *c, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, work, c, NULL, NULL);
  ask (c, c->before);
  return TRUE;
}

static gboolean
leave_and_go_on (Case *c, GError **error)
{
  if (c->in_clean_up)
    {
      gtx_cancel (gtx_current_task ());
      g_assert_false (gtx_sleep (0, NULL));
    }
  c->task = gtx_current_task ();
  /* The task has a GCancellable, which shows the next request. */
  gtx_task_get_cancellable (c->task);
  if (!leave_early (c, error))
    return FALSE;
  g_assert_true (g_cancellable_is_cancelled (GTX_CANCELLABLE) == (c->before == OUTSIDE));
  return gtx_sleep (1, error);
}

static gboolean
test_left_early (gpointer data, GError **error)
{
  for (int outside = FALSE; outside <= TRUE; outside++)
    for (int in_clean_up = FALSE; in_clean_up <= TRUE; in_clean_up++)
      {
        Case c = { .before = outside ? OUTSIDE : NOTHING, .clean_up = 1, .in_clean_up = in_clean_up };
        g_autoptr (GtxTask) task = gtx_create_task (leave_and_go_on, &c, NULL);
        g_autoptr (GError) failure = NULL;

        g_assert_true (gtx_await (task, &failure) == !outside);
        if (outside)
          assert_cancelled (failure);
      }
  return TRUE;
}

/* ---- Caught by the block ---- */

static gboolean
catch_and_end (gpointer fails, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  g_assert_false (gtx_sleep (1, NULL));
  gtx_task_group_cancel (&group);
  if (fails)
    fail ("block", &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* A request that was delivered in the block is not delivered again if the block carried on. */
static gboolean
test_caught (gpointer data, GError **error)
{
  for (int fails = FALSE; fails <= TRUE; fails++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (catch_and_end, GINT_TO_POINTER (fails), NULL);
      g_autoptr (GError) failure = NULL;

      gtx_sleep (0.5, NULL);
      gtx_cancel (task);
      g_assert_true (gtx_await (task, &failure) == !fails);
      if (fails)
        g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
    }
  return TRUE;
}

/* ---- Told of, but not over ---- */

/* The function that the block runs when it is cancelled, and then its group is ended on purpose. */
typedef gboolean (*Where) (GError **error);

static gboolean
clean_up_after_sleep (GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (100, &failure));
  gtx_sleep (10, NULL);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
end_inner_group (GError **error)
{
  Case c = { .clean_up = 10 };
  g_auto (GtxTaskGroup) inner = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&inner);
  gtx_task_group_create_task (&inner, work, &c, NULL, NULL);
  return gtx_task_group_end (&inner, NULL, error);
}

static gboolean
hold_lock (GtxLock *lock, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);

  return holder && gtx_sleep (10, error);
}

static gboolean
wait_for_condition (GError **error)
{
  g_autoptr (GtxLock) lock = gtx_lock_new ();
  g_autoptr (GtxCondition) condition = gtx_condition_new (lock);
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);
  g_autoptr (GtxTask) other = gtx_create_task (hold_lock, lock, NULL);

  return holder && other && gtx_condition_wait (condition, error);
}

typedef struct
{
  Where where;
  GtxTaskGroup *group;
  gboolean has_timeout;
} Told;

static gboolean
be_told (Told *told, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, told->has_timeout ? 1 : GTX_FOREVER);
  {
    g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
    g_autoptr (GError) of_block = NULL;

    gtx_task_group_begin (&group);
    told->group = &group;
    told->where (&of_block);
    gtx_task_group_end (&group, &of_block, &failure);
  }
  return gtx_timeout_end (&timeout, &failure, error);
}

/* The timeout or the outsider makes its request after a second, and the group is ended after
 * two. */
static gboolean
test_told_and_not_over (gpointer data, GError **error)
{
  static const Where places[] = { clean_up_after_sleep, end_inner_group, wait_for_condition };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (places); i++)
    {
      Told told = { .where = places[i / 2], .has_timeout = i % 2 };
      g_autoptr (GtxTask) task = gtx_create_task (be_told, &told, NULL);
      g_autoptr (GError) failure = NULL;

      gtx_sleep (1, NULL);
      if (!told.has_timeout)
        gtx_cancel (task);
      gtx_sleep (1, NULL);
      gtx_task_group_cancel (told.group);
      g_assert_false (gtx_await (task, &failure));
      if (told.has_timeout)
        g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      else
        assert_cancelled (failure);
    }
  return TRUE;
}

/* The block's own error is reported, and the next await delivers the request. */
static gboolean
fail_with_request (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) of_group = NULL;

  gtx_cancel (gtx_current_task ());
  gtx_task_group_begin (&group);
  gtx_task_group_cancel (&group);
  fail ("block", &failure);
  g_assert_false (gtx_task_group_end (&group, &failure, &of_group));
  g_assert_error (of_group, GTX_ERROR, GTX_ERROR_GROUP);
  return gtx_sleep (0, error);
}

static gboolean
test_fails_with_request (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (fail_with_request, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

/* ---- A child that is cancelled before it is started ---- */

static gboolean
cancel_later (gpointer task, GError **error)
{
  if (!gtx_sleep (1, error))
    return FALSE;
  gtx_cancel (task);
  return TRUE;
}

static gboolean
test_cancelled_child (gpointer data, GError **error)
{
  for (int while_it_waits = FALSE; while_it_waits <= TRUE; while_it_waits++)
    {
      g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
      g_autoptr (GtxTask) task = gtx_task_new (sleep_long, NULL, NULL);
      g_autoptr (GtxTask) canceller = NULL;

      gtx_task_group_begin (&group);
      gtx_task_group_set_limit (&group, 1);
      if (while_it_waits)
        {
          gtx_task_group_create_task (&group, sleep_and_note, "2000:first", NULL, NULL);
          canceller = gtx_create_task (cancel_later, (gpointer) task, NULL);
        }
      else
        gtx_cancel (task);
      g_assert_true (gtx_task_group_start (&group, g_object_ref (task), error) == task);
      g_assert_true (gtx_task_group_end (&group, NULL, error));
      g_assert_true (gtx_future_is_cancelled (task));
    }
  assert_trace ("first");
  return TRUE;
}

/* ---- Tasks of others ---- */

static gpointer
make_task (gpointer context)
{
  GtxTask *task;

  g_main_context_push_thread_default (context);
  task = gtx_task_new (sleep_long, NULL, NULL);
  g_main_context_pop_thread_default (context);
  return task;
}

static gboolean
test_of_other_context (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  GtxTask *task = g_thread_join (g_thread_new ("other", make_task, context));

  gtx_task_group_begin (&group);
  g_assert_null (gtx_task_group_start (&group, task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (failure->message, "another main context"));
  return gtx_task_group_end (&group, NULL, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/group-requests/all-orders", test_all_orders);
  add_coroutine ("/group-requests/left-early", test_left_early);
  add_coroutine ("/group-requests/caught", test_caught);
  add_coroutine ("/group-requests/told-and-not-over", test_told_and_not_over);
  add_coroutine ("/group-requests/fails-with-request", test_fails_with_request);
  add_coroutine ("/group-requests/cancelled-child", test_cancelled_child);
  add_coroutine ("/group-requests/of-other-context", test_of_other_context);
  return g_test_run ();
}
