/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* This test is for ThreadSanitizer only.  It detects races in tasks and outside, and reports no
 * race for GLib's locks or for switches between tasks. */

#include "fixture.h"

#define N_TIMES 1000

static guint counter;
static GMutex mutex;
static gint bits;

static gpointer
count_unlocked (gpointer data)
{
  for (guint i = 0; i < N_TIMES; i++)
    counter++;
  return NULL;
}

static gpointer
count_with_mutex (gpointer data)
{
  for (guint i = 0; i < N_TIMES; i++)
    {
      g_mutex_lock (&mutex);
      counter++;
      g_mutex_unlock (&mutex);
    }
  return NULL;
}

static gpointer
count_with_bit (gpointer data)
{
  for (guint i = 0; i < N_TIMES; i++)
    {
      g_bit_lock (&bits, 3);
      counter++;
      g_bit_unlock (&bits, 3);
    }
  return NULL;
}

static gboolean
count_and_switch (gpointer data, GError **error)
{
  for (guint i = 0; i < N_TIMES; i++)
    {
      counter++;
      if (!gtx_sleep (0, error))
        return FALSE;
    }
  return TRUE;
}

/* Making an object orders a thread after a thread that made or freed an object of the same type.
 * So the threads count on only after all objects were made.  These accesses do not order the
 * threads. */
static guint n_threads = 2;
static guint n_begun;

static gboolean
wait_for_all_and_count (gpointer data, GError **error)
{
  __atomic_add_fetch (&n_begun, 1, __ATOMIC_RELAXED);
  while (__atomic_load_n (&n_begun, __ATOMIC_RELAXED) < n_threads)
    g_thread_yield ();
  return count_and_switch (NULL, error);
}

static gboolean
count_in_two_tasks (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (wait_for_all_and_count, NULL, NULL);

  return count_and_switch (NULL, error) && gtx_await (other, error);
}

static gpointer
count_in_tasks (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (count_in_two_tasks, NULL, NULL));
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
run_twice (GThreadFunc func)
{
  GThread *first = g_thread_new ("first", func, NULL);
  GThread *second = g_thread_new ("second", func, NULL);

  g_thread_join (first);
  g_thread_join (second);
}

static void
test_seen (gconstpointer func)
{
  if (g_test_subprocess ())
    {
      run_twice (*(const GThreadFunc *) func);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*ThreadSanitizer: data race*");
}

static void
test_none (gconstpointer func)
{
  counter = 0;
  run_twice (*(const GThreadFunc *) func);
  g_assert_cmpuint (counter, ==, 2 * N_TIMES);
}

static void
test_switches (void)
{
  counter = 0;
  n_threads = 1;
  g_thread_join (g_thread_new ("tasks", count_in_tasks, NULL));
  g_assert_cmpuint (counter, ==, 2 * N_TIMES);
}

int
main (int argc, char *argv[])
{
  static const GThreadFunc unlocked = count_unlocked;
  static const GThreadFunc in_tasks = count_in_tasks;
  static const GThreadFunc with_mutex = count_with_mutex;
  static const GThreadFunc with_bit = count_with_bit;

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/race/seen/outside", &unlocked, test_seen);
  g_test_add_data_func ("/race/seen/in-tasks", &in_tasks, test_seen);
  g_test_add_data_func ("/race/none/mutex", &with_mutex, test_none);
  g_test_add_data_func ("/race/none/bit-lock", &with_bit, test_none);
  g_test_add_func ("/race/none/switches", test_switches);
  return g_test_run ();
}
