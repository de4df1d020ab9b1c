/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory of stacks: the memory of a burst goes back to the system, and a steady load keeps its
 * memory.  The test runs the trimmer by hand. */

#include "fixture.h"

#include "fiber/guard.h"
#include "loop/scheduler.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define KIB ((gsize) 1 << 10)

#define MOST_TRIM_MS 7000

static GtxStackPool *
stacks (void)
{
  return gtx_scheduler_get_stacks (gtx_scheduler_get ());
}

/* In kibibytes, with the page tables. */
static gsize
resident (void)
{
  static const char *const names[] = { "VmRSS:", "VmPTE:" };
  g_autofree char *text = NULL;
  gsize sum = 0;

  g_assert_true (g_file_get_contents ("/proc/self/status", &text, NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *at = strstr (text, names[i]);

      g_assert_nonnull (at);
      sum += g_ascii_strtoull (at + strlen (names[i]), NULL, 10);
    }
  return sum;
}

/* The task touches some of its stack, and waits. */
static gboolean
live (GtxFuture *end, GError **error)
{
  guint8 used[8 * 1024];

  memset (used, 1, sizeof used);
  /* For the compiler, this value is used. */
  __asm__ volatile ("" : : "r" (used) : "memory");
  return gtx_await (end, error);
}

static GPtrArray *
start_crowd (guint n, GtxFuture *end)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    {
      GtxTask *task = gtx_task_new (live, end, NULL);

      gtx_task_set_stack_size (task, 64 * KIB);
      g_ptr_array_add (tasks, gtx_task_start (task));
    }
  return tasks;
}

/* Returns the resident memory while all tasks are alive. */
static gsize
have_crowd (guint n)
{
  g_autoptr (GtxFuture) end = gtx_future_new ();
  g_autoptr (GPtrArray) tasks = start_crowd (n, end);
  g_autoptr (GError) error = NULL;
  gsize most;

  gtx_sleep (0, NULL);
  most = resident ();
  /* If guards take mappings, the last tasks may get no stack. */
  gtx_future_set_result (end, NULL, NULL);
  g_assert_true (gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < MIN (n, 10000); i++)
    g_assert_no_error (gtx_future_get_error (tasks->pdata[i]));
  return most;
}

/* At most a twentieth of the memory of 100,000 tasks stays, and the trimmer takes at most seven
 * seconds. */
static gboolean
test_burst (gpointer data, GError **error)
{
  gsize before, most, after;
  guint milliseconds = 0, next;

  have_crowd (100);
  before = resident ();
  most = have_crowd (100000);
  while ((next = gtx_stack_pool_trim (stacks ())) > 0 && milliseconds <= MOST_TRIM_MS)
    milliseconds += next;
  after = resident ();
  g_test_message ("%" G_GSIZE_FORMAT " KiB before, %" G_GSIZE_FORMAT " at most, %" G_GSIZE_FORMAT
                  " after; the trimmer waits %u ms", before, most, after, milliseconds);
  g_assert_cmpuint (most - before, >, 10000 * 8);
  g_assert_cmpuint (after, <, before + (most - before) / 20);
  g_assert_cmpuint (milliseconds, <=, MOST_TRIM_MS);
  return TRUE;
}

static gboolean
is_resident (guint8 *page)
{
  unsigned char flags = 0;

  return mincore (page, gtx_guard_size (), &flags) == 0 && (flags & 1);
}

/* The page stays resident until the trimmer runs. */
static gboolean
tell_page (guint8 **page, GError **error)
{
  volatile guint8 here = 1;

  *page = (guint8 *) ((gsize) &here & ~(gtx_guard_size () - 1));
  return TRUE;
}

/* The task begins and ends first, so its stack is the coldest one of the crowd. */
static gboolean
have_some (guint8 **page, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (tell_page, page, NULL);
  g_autoptr (GtxFuture) end = gtx_future_new ();
  g_autoptr (GPtrArray) tasks = start_crowd (100, end);

  gtx_task_set_stack_size (task, 64 * KIB);
  gtx_task_start (task);
  if (!gtx_await (task, error))
    return FALSE;
  gtx_future_set_result (end, NULL, NULL);
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* Without the test's help the trimmer runs in time, and stops when all is done. */
static void
test_trimmer (void)
{
  g_autoptr (GError) error = NULL;
  GtxScheduler *scheduler = gtx_scheduler_get ();
  guint8 *page = NULL;

  g_assert_true (gtx_run (have_some, &page, &error));
  g_assert_no_error (error);
  g_assert_true (is_resident (page));
  g_assert_nonnull (g_main_context_find_source_by_funcs_user_data (NULL, &g_timeout_funcs, scheduler));
  while (g_main_context_find_source_by_funcs_user_data (NULL, &g_timeout_funcs, scheduler))
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (is_resident (page));
}

/* ---- A steady load ---- */

static gboolean
run_load (guint n_rounds, GError **error)
{
  for (guint i = 0; i < n_rounds; i++)
    {
      g_autoptr (GtxFuture) end = gtx_future_new ();
      g_autoptr (GPtrArray) tasks = start_crowd (64, end);

      if (i % 1000 == 500)
        gtx_stack_pool_trim (stacks ());
      if (!gtx_sleep (0, error))
        return FALSE;
      if (i % 1000 == 999)
        gtx_stack_pool_trim (stacks ());
      gtx_future_set_result (end, NULL, NULL);
      if (!gtx_gather (tasks, GTX_GATHER_NONE, error))
        return FALSE;
    }
  return TRUE;
}

static glong
count_faults (void)
{
  struct rusage usage;

  g_assert_cmpint (getrusage (RUSAGE_SELF, &usage), ==, 0);
  return usage.ru_minflt;
}

/* The stacks stay hot, however often the trimmer runs. */
static gboolean
test_steady (gpointer data, GError **error)
{
  guint n_rounds = g_test_thorough () ? 100000 : 10000;
  glong n_faults;

  if (!run_load (2000, error))
    return FALSE;
  n_faults = count_faults ();
  if (!run_load (n_rounds, error))
    return FALSE;
  n_faults = count_faults () - n_faults;
  g_test_message ("%u times 64 tasks: %ld page faults", n_rounds, n_faults);
  g_assert_cmpint (n_faults, <=, 16);
  return TRUE;
}

static void
skip (void)
{
  g_test_skip ("Sanitizers and Valgrind have memory of their own");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  if (RUNNING_ON_VALGRIND || UNDER_ASAN || UNDER_TSAN)
    {
      g_test_add_func ("/memory/skipped", skip);
      return g_test_run ();
    }
  add_real_coroutine ("/memory/burst", test_burst);
  g_test_add_func ("/memory/trimmer", test_trimmer);
  add_real_coroutine ("/memory/steady", test_steady);
  return g_test_run ();
}
