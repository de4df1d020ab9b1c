/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Crowds that wait for futures, and for time. */

#include "cases.h"

static gpointer
make_future (guint n)
{
  return gtx_future_new ();
}

static void
set_future (gpointer future, guint n)
{
  gtx_future_set_result (future, NULL, NULL);
}

/* A future for each. */
static gpointer
make_futures (guint n)
{
  GPtrArray *futures = array_of_objects ();

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (futures, gtx_future_new ());
  return futures;
}

static void
set_futures (gpointer futures, guint n)
{
  for (guint i = 0; i < n; i++)
    gtx_future_set_result (g_ptr_array_index ((GPtrArray *) futures, i), NULL, NULL);
}

static void
free_array (gpointer futures)
{
  g_ptr_array_unref (futures);
}

static gpointer
make_nothing (guint n)
{
  return NULL;
}

static GtxFuture *
own_future (Member *member)
{
  return g_ptr_array_index ((GPtrArray *) member->thing, member->index);
}

static GPtrArray *
array_of (gpointer future)
{
  GPtrArray *futures = g_ptr_array_new ();

  g_ptr_array_add (futures, future);
  return futures;
}

/* ---- Awaiting ---- */

static gboolean
await_shared (Member *member, GError **error)
{
  return gtx_await (member->thing, error);
}

static gboolean
await_own (Member *member, GError **error)
{
  return gtx_await (own_future (member), error);
}

static gboolean
await_previous (Member *member, GError **error)
{
  return gtx_await (member->index == 0 ? member->thing : member->tasks->pdata[member->index - 1], error);
}

static gboolean
gather_shared (Member *member, GError **error)
{
  return gtx_gather_list (GTX_GATHER_NONE, error, member->thing, NULL);
}

static gboolean
gather_previous (Member *member, GError **error)
{
  return gtx_gather_list (GTX_GATHER_NONE, error,
                          member->index == 0 ? member->thing : member->tasks->pdata[member->index - 1], NULL);
}

static gboolean
wait_shared (Member *member, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of (member->thing);

  return gtx_wait (futures, GTX_FIRST_COMPLETED, 1000, error);
}

static gboolean
race_shared (Member *member, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of (member->thing);

  return gtx_race (futures, error) != NULL;
}

static gboolean
take_shared (Member *member, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of (member->thing);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (futures, 1000, error);

  return gtx_as_completed_next (each, error) != NULL;
}

static gboolean
wait_for_own (Member *member, GError **error)
{
  return gtx_wait_for (own_future (member), 1000, error);
}

static gboolean
wait_for_own_in_vain (Member *member, GError **error)
{
  return gtx_wait_for (own_future (member), 0.001 * (member->index % 10), error);
}

static gboolean
shield_shared (Member *member, GError **error)
{
  g_autoptr (GtxFuture) shielded = gtx_shield (member->thing);

  return gtx_await (shielded, error);
}

static gboolean
shield_shared_in_vain (Member *member, GError **error)
{
  g_autoptr (GtxFuture) shielded = gtx_shield (member->thing);

  return gtx_wait_for (shielded, 0.01, error);
}

static gboolean
await_data (GtxFuture *future, GError **error)
{
  return gtx_await (future, error);
}

static gboolean
have_group (Member *member, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GError *failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, await_data, own_future (member), NULL, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* ---- Time ---- */

static gboolean
sleep_at_random (Member *member, GError **error)
{
  return gtx_sleep (0.02 * ((member->index * 7919) % member->n) / member->n, error);
}

static gboolean
sleep_reversed (Member *member, GError **error)
{
  return gtx_sleep (0.02 * (member->n - member->index) / member->n, error);
}

static gboolean
have_timeout (Member *member, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  GError *failure = NULL;

  gtx_timeout_begin (&timeout, 1000);
  gtx_await (own_future (member), &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

static gboolean
run_out_of_time (Member *member, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  GError *failure = NULL;

  gtx_timeout_begin (&timeout, 0.001 * (member->index % 10));
  gtx_await (own_future (member), &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

#define CROWD_OF_ONE(wait) { make_future, (wait), set_future, g_object_unref, FALSE }
#define CROWD_OF_EACH(wait) { make_futures, (wait), set_futures, free_array, FALSE }

static const Crowd awaiting = CROWD_OF_ONE (await_shared);
static const Crowd awaiting_own = CROWD_OF_EACH (await_own);
static const Crowd chain = CROWD_OF_ONE (await_previous);
static const Crowd gathering = CROWD_OF_ONE (gather_shared);
static const Crowd gathering_chain = CROWD_OF_ONE (gather_previous);
static const Crowd waiting = CROWD_OF_ONE (wait_shared);
static const Crowd racing = CROWD_OF_ONE (race_shared);
static const Crowd taking = CROWD_OF_ONE (take_shared);
static const Crowd waiting_for = CROWD_OF_EACH (wait_for_own);
static const Crowd waiting_in_vain = { make_futures, wait_for_own_in_vain, NULL, free_array, TRUE };
static const Crowd shielding = CROWD_OF_ONE (shield_shared);
static const Crowd shielding_in_vain = { make_future, shield_shared_in_vain, NULL, g_object_unref, TRUE };
static const Crowd groups = CROWD_OF_EACH (have_group);
static const Crowd sleeping = { make_nothing, sleep_at_random, NULL, NULL, FALSE };
static const Crowd sleeping_reversed = { make_nothing, sleep_reversed, NULL, NULL, FALSE };
static const Crowd timeouts = CROWD_OF_EACH (have_timeout);
static const Crowd timeouts_over = { make_futures, run_out_of_time, NULL, free_array, TRUE };

const Case future_cases[] = {
  { "await", ALL_WAYS, &awaiting, NULL, FALSE },
  { "await-each", ALL_WAYS, &awaiting_own, NULL, FALSE },
  { "chain", ALL_WAYS, &chain, NULL, FALSE },
  { "gather", ALL_WAYS, &gathering, NULL, FALSE },
  { "gather-chain", ALL_WAYS, &gathering_chain, NULL, FALSE },
  { "wait", ALL_WAYS, &waiting, NULL, FALSE },
  { "race", ALL_WAYS, &racing, NULL, FALSE },
  { "as-completed", ALL_WAYS, &taking, NULL, FALSE },
  { "wait-for", ALL_WAYS, &waiting_for, NULL, FALSE },
  { "wait-for-in-vain", WAY (WOKEN), &waiting_in_vain, NULL, FALSE },
  { "shield", ALL_WAYS, &shielding, NULL, FALSE },
  { "shield-in-vain", WAY (WOKEN), &shielding_in_vain, NULL, FALSE },
  { "group", ALL_WAYS, &groups, NULL, FALSE },
  { "sleep", ALL_WAYS, &sleeping, NULL, FALSE },
  { "sleep-reversed", ALL_WAYS, &sleeping_reversed, NULL, FALSE },
  { "timeout", ALL_WAYS, &timeouts, NULL, FALSE },
  { "timeout-in-vain", WAY (WOKEN), &timeouts_over, NULL, FALSE },
  { 0 }
};
