/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups that are left early.  A request that comes while the group waits for its children is
 * delivered once, by the next await, and keeps its origin. */

#include "fixture.h"

/* Takes a second to clean up. */
static gboolean
work_long (gpointer data, GError **error)
{
  if (gtx_sleep (1000, error))
    return TRUE;
  gtx_sleep (1, NULL);
  return FALSE;
}

typedef struct
{
  double timeout;               /* of the timeout around the group, in seconds */
  double outside;               /* the time of the request from outside */
  double block;                 /* the duration of the group's block */
  gboolean in_clean_up;         /* in the clean-up of a task that was cancelled before */
  gboolean on_purpose;          /* the block ends the group */
  int outcome;                  /* of the timeout, an error of GIO; -1: success */
  guint n_requests;             /* the requests that are left after the timeout */
  gboolean stands;              /* a request is pending after the timeout */
} Case;

static gboolean
ask_later (GtxTask *task, GError **error)
{
  gtx_cancel (task);
  return TRUE;
}

static gboolean
leave_group (const Case *c, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  gboolean succeeded;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, work_long, NULL, NULL, NULL);
  succeeded = gtx_sleep (c->block, error);
  if (c->on_purpose)
    gtx_task_group_cancel (&group);
  return succeeded;
}

static void
be_told (void)
{
  gtx_cancel (gtx_current_task ());
  g_assert_false (gtx_sleep (0, NULL));
}

static void
check_outcome (const Case *c, const GError *result)
{
  if (c->outcome < 0)
    g_assert_no_error (result);
  else
    g_assert_error (result, G_IO_ERROR, c->outcome);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, c->n_requests);
}

static gboolean
leave_group_in_timeout (const Case *c, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  if (c->in_clean_up)
    be_told ();
  gtx_timeout_begin (&timeout, c->timeout);
  leave_group (c, &failure);
  gtx_timeout_end (&timeout, &failure, &result);
  check_outcome (c, result);
  note (gtx_sleep (1, NULL) ? "went-on" : "cancelled");
  note (gtx_sleep (1, NULL) ? "went-on" : "cancelled");
  return TRUE;
}

static gboolean
check (Case c, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (leave_group_in_timeout, &c, NULL);
  g_autoptr (GtxTask) asks = NULL;

  if (gtx_sleep (c.outside, error))
    asks = gtx_create_task (ask_later, task, NULL);
  if (!gtx_await (task, error))
    return FALSE;
  assert_trace (c.stands ? "cancelled went-on" : "went-on went-on");
  return gtx_await (asks, error);
}

#define NEVER 100

/* The timeout withdraws its request. */
static gboolean
test_timeout (gpointer data, GError **error)
{
  return check ((Case) { .timeout = 0.5, .outside = NEVER, .outcome = -1 }, error);
}

static gboolean
test_timeout_in_clean_up (gpointer data, GError **error)
{
  return check ((Case) { .timeout = 0.5, .outside = NEVER, .in_clean_up = TRUE, .outcome = -1, .n_requests = 1 },
                error);
}

/* The request from outside is delivered in the block, and the end of the timeout delivers no
 * other. */
static gboolean
test_told_in_block (gpointer data, GError **error)
{
  return check ((Case) { .timeout = 0.7, .outside = 0.5, .block = 10, .outcome = G_IO_ERROR_CANCELLED,
                         .n_requests = 1 }, error);
}

/* The block ends its group, too. */
static gboolean
test_on_purpose (gpointer data, GError **error)
{
  return check ((Case) { .timeout = NEVER, .outside = 0.5, .block = 10, .on_purpose = TRUE,
                         .outcome = G_IO_ERROR_CANCELLED, .n_requests = 1 }, error);
}

static gboolean
test_outside (gpointer data, GError **error)
{
  return check ((Case) { .timeout = NEVER, .outside = 0.5, .outcome = -1, .n_requests = 1, .stands = TRUE }, error);
}

static gboolean
test_outside_and_timeout (gpointer data, GError **error)
{
  return check ((Case) { .timeout = 0.7, .outside = 0.5, .outcome = -1, .n_requests = 1, .stands = TRUE }, error) &&
         check ((Case) { .timeout = 0.5, .outside = 0.7, .outcome = -1, .n_requests = 1, .stands = TRUE }, error);
}

/* ---- A timeout that begins when a request stands ---- */

static gboolean
leave_group_and_begin_timeout (gpointer data, GError **error)
{
  Case c = { 0 };
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  leave_group (&c, NULL);
  gtx_timeout_begin (&timeout, 0);
  gtx_sleep (0, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

/* The timeout is over at once, and its block still gets the request from outside. */
static gboolean
test_then_timeout (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (leave_group_and_begin_timeout, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0.5, NULL);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/group-left/timeout", test_timeout);
  add_coroutine ("/group-left/timeout/in-clean-up", test_timeout_in_clean_up);
  add_coroutine ("/group-left/told-in-block", test_told_in_block);
  add_coroutine ("/group-left/on-purpose", test_on_purpose);
  add_coroutine ("/group-left/outside", test_outside);
  add_coroutine ("/group-left/outside-and-timeout", test_outside_and_timeout);
  add_coroutine ("/group-left/then-timeout", test_then_timeout);
  return g_test_run ();
}
