/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many tasks that live at once: as many as each tool and each kernel allows. */

#include "fixture.h"
#include "guards.h"

#include "fiber/stack.h"

static guint
guard_budget (void)
{
  g_autofree char *text = NULL;

  if (!guards_take_mappings ())
    return G_MAXUINT;
  g_assert_true (g_file_get_contents ("/proc/sys/vm/max_map_count", &text, NULL, NULL));
  return (guint) (g_ascii_strtoull (text, NULL, 10) / 4) - 16;
}

static guint
crowd_size (void)
{
  guint wanted = RUNNING_ON_VALGRIND || UNDER_ASAN || UNDER_TSAN ? 2000 : 100000;
  gsize with_address_space = G_MAXSIZE / 4 / gtx_stack_default_size ();

  return (guint) MIN (MIN (wanted, guard_budget ()), with_address_space);
}

static guint n_alive;
static guint n_most;

static gboolean
live (GtxFuture *end, GError **error)
{
  gboolean succeeded;

  n_alive++;
  n_most = MAX (n_most, n_alive);
  succeeded = gtx_await (end, error) && gtx_sleep (g_random_double (), error);
  n_alive--;
  return succeeded;
}

static GPtrArray *
gather_crowd (GtxFuture *end)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);
  guint n = crowd_size ();

  n_alive = n_most = 0;
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (tasks, gtx_create_task (live, end, NULL));
  gtx_sleep (0, NULL);
  g_assert_cmpuint (n_alive, ==, n);
  g_test_message ("%u tasks", n);
  return tasks;
}

static gboolean
test_end (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) end = gtx_future_new ();
  g_autoptr (GPtrArray) tasks = gather_crowd (end);

  gtx_future_set_result (end, NULL, NULL);
  g_assert_true (gtx_gather (tasks, 0, error));
  g_assert_cmpuint (n_alive, ==, 0);
  g_assert_cmpuint (n_most, ==, tasks->len);
  return TRUE;
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) end = gtx_future_new ();
  g_autoptr (GPtrArray) tasks = gather_crowd (end);

  for (guint i = 0; i < tasks->len; i++)
    g_assert_true (gtx_cancel (tasks->pdata[i]));
  g_assert_true (gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, error));
  g_assert_cmpuint (n_alive, ==, 0);
  for (guint i = 0; i < tasks->len; i++)
    g_assert_true (gtx_future_is_cancelled (tasks->pdata[i]));
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/crowd/end", test_end);
  add_coroutine ("/crowd/cancelled", test_cancelled);
  return g_test_run ();
}
