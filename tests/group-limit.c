/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A group limits how many of its children run at once.  A task that creates more children waits for
 * a place. */

#include "fail-later.h"

/* ---- A limit ---- */

static guint n_running;
static guint most_running;

static gboolean
count_running (gpointer data, GError **error)
{
  gboolean slept;

  n_running++;
  most_running = MAX (most_running, n_running);
  slept = gtx_sleep (1, error);
  n_running--;
  return slept;
}

static gboolean
test_limit (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  most_running = 0;
  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 3);
  for (int i = 0; i < 10; i++)
    {
      g_assert_nonnull (gtx_task_group_create_task (&group, count_running, NULL, NULL, error));
      g_assert_cmpfloat (gtx_get_time (), ==, i / 3);
    }
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  g_assert_cmpuint (most_running, ==, 3);
  g_assert_cmpfloat (gtx_get_time (), ==, 4);
  return TRUE;
}

static gboolean
fill (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 1);
  gtx_task_group_create_task (&group, sleep_and_note, "9000:first", NULL, &failure);
  g_assert_no_error (failure);
  g_assert_null (gtx_task_group_create_task (&group, sleep_and_note, g_strdup ("1:second"), count_free, &failure));
  assert_cancelled (failure);
  g_assert_cmpint (n_freed, ==, 1);
  return gtx_task_group_end (&group, &failure, error);
}

static gboolean
test_limit_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (fill, NULL, NULL);

  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("first!");
  return TRUE;
}

/* The failure of the group wakes the creator, and the creator gets the reason. */
static gboolean
test_limit_child_fails (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) result = NULL;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 1);
  gtx_task_group_create_task (&group, fail_later, "broken", NULL, error);
  g_assert_null (gtx_task_group_create_task (&group, sleep_long, NULL, NULL, &failure));
  assert_cancelled (failure);
  g_assert_false (gtx_task_group_end (&group, &failure, &result));
  g_assert_cmpstr (result->message, ==, "1 error in a task group: broken");
  return gtx_sleep (1, error);
}

/* ---- Children that create children ---- */

typedef struct
{
  GtxTaskGroup *group;
  gboolean awaits;              /* each child awaits its own children */
  guint n_walked;
  guint n_busy;
  guint most_busy;
} Walk;

typedef struct
{
  Walk *walk;
  int depth;
} Folder;

static GtxTaskLocal group_of_chain = GTX_TASK_LOCAL_INIT (NULL);

static gboolean walk_folder (Folder *folder, GError **error);

static gboolean
walk_below (Folder *folder, GError **error)
{
  for (int i = 0; i < 2 && folder->depth > 1; i++)
    {
      Folder *below = g_new (Folder, 1);
      g_autoptr (GtxTask) task = NULL;

      *below = (Folder) { folder->walk, folder->depth - 1 };
      g_set_object (&task, gtx_task_group_create_task (folder->walk->group, walk_folder, below, g_free, error));
      if (task == NULL || (folder->walk->awaits && !gtx_await (task, error)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
walk_folder (Folder *folder, GError **error)
{
  Walk *walk = folder->walk;
  gboolean succeeded;

  walk->n_walked++;
  walk->n_busy++;
  walk->most_busy = MAX (walk->most_busy, walk->n_busy);
  succeeded = gtx_sleep (0.01, error);
  walk->n_busy--;
  return succeeded && walk_below (folder, error);
}

static guint
walk_tree (guint limit, gboolean awaits, guint *most_busy, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  Walk walk = { &group, awaits, 0, 0, 0 };
  Folder *top = g_new (Folder, 1);

  *top = (Folder) { &walk, 5 };
  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, limit);
  g_assert_nonnull (gtx_task_group_create_task (&group, walk_folder, top, g_free, error));
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  *most_busy = walk.most_busy;
  return walk.n_walked;
}

/* The walk ends with each limit, and the limit is kept. */
static gboolean
test_limit_tree (gpointer data, GError **error)
{
  for (guint limit = 1; limit <= 8; limit++)
    for (int awaits = 0; awaits < 2; awaits++)
      {
        guint most_busy;

        g_assert_cmpuint (walk_tree (limit, awaits, &most_busy, error), ==, 31);
        g_assert_cmpuint (most_busy, <=, limit);
      }
  return TRUE;
}

/* The creator is a child of a child's group. */
static gboolean
create_by_grandchild (GtxTaskGroup *outer, GError **error)
{
  for (int i = 0; i < 3; i++)
    if (!gtx_task_group_create_task (outer, sleep_and_note, "10:leaf", NULL, error))
      return FALSE;
  return TRUE;
}

static gboolean
create_group_inside (GtxTaskGroup *outer, GError **error)
{
  g_auto (GtxTaskGroup) inner = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&inner);
  gtx_task_group_set_limit (&inner, 1);
  gtx_task_group_create_task (&inner, create_by_grandchild, outer, NULL, NULL);
  gtx_task_group_create_task (&inner, create_by_grandchild, outer, NULL, NULL);
  return gtx_task_group_end (&inner, NULL, error);
}

static gboolean
test_limit_grandchildren (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 1);
  g_assert_nonnull (gtx_task_group_create_task (&group, create_group_inside, &group, NULL, error));
  /* The block and the grandchildren wait for a place. */
  g_assert_nonnull (gtx_task_group_create_task (&group, sleep_and_note, "10:block", NULL, error));
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("leaf block leaf leaf leaf leaf leaf");
  return TRUE;
}

/* One child creates the work for the others.  Exactly the permitted number work at once. */
static gboolean
find_work (GtxTaskGroup *group, GError **error)
{
  for (int i = 0; i < 10; i++)
    if (!gtx_task_group_create_task (group, count_running, NULL, NULL, error))
      return FALSE;
  return TRUE;
}

static gboolean
test_limit_finder (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  most_running = 0;
  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 3);
  g_assert_nonnull (gtx_task_group_create_task (&group, find_work, &group, NULL, error));
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  g_assert_cmpuint (most_running, ==, 3);
  g_assert_cmpfloat (gtx_get_time (), ==, 4);
  return TRUE;
}

/* Each child creates the next one, many times. */
static gboolean
create_next (int *n_left, GError **error)
{
  GtxTaskGroup *group = gtx_task_local_get (&group_of_chain);

  return --*n_left == 0 || gtx_task_group_create_task (group, create_next, n_left, NULL, error);
}

static gboolean
test_limit_chain (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  int n_left = 10000;

  gtx_task_local_set (&group_of_chain, &group);
  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 2);
  g_assert_nonnull (gtx_task_group_create_task (&group, create_next, &n_left, NULL, error));
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  g_assert_cmpint (n_left, ==, 0);
  return TRUE;
}

static gboolean
create_from_outside (GtxTaskGroup *group, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (gtx_task_group_create_task (group, sleep_and_note, "1000:third", NULL, &failure))
    note ("created");
  else
    note ("refused");
  return TRUE;
}

/* The group does not end while a task waits to create a child. */
static gboolean
test_limit_creator_waits (gpointer data, GError **error)
{
  g_autoptr (GtxTask) creator = NULL;
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 1);
  gtx_task_group_create_task (&group, sleep_and_note, "1000:first", NULL, error);
  creator = gtx_create_task (create_from_outside, &group, NULL);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  assert_trace ("first created third");
  return gtx_await (creator, error);
}

static gboolean
test_limit_creator_refused (gpointer data, GError **error)
{
  g_autoptr (GtxTask) creator = NULL;
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) result = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 1);
  gtx_task_group_create_task (&group, fail_later, "broken", NULL, error);
  creator = gtx_create_task (create_from_outside, &group, NULL);
  g_assert_false (gtx_task_group_end (&group, NULL, &result));
  assert_trace ("refused");
  return gtx_await (creator, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/group-limit/at-once", test_limit);
  add_coroutine ("/group-limit/cancelled", test_limit_cancelled);
  add_coroutine ("/group-limit/child-fails", test_limit_child_fails);
  add_coroutine ("/group-limit/creator-waits", test_limit_creator_waits);
  add_coroutine ("/group-limit/creator-refused", test_limit_creator_refused);
  add_coroutine ("/group-limit/tree", test_limit_tree);
  add_coroutine ("/group-limit/grandchildren", test_limit_grandchildren);
  add_coroutine ("/group-limit/finder", test_limit_finder);
  add_coroutine ("/group-limit/chain", test_limit_chain);
  return g_test_run ();
}
