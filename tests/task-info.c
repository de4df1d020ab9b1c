/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts of tasks: states, what they await, stacks, registers, and what is measured. */

#include "fixture.h"

#include <time.h>

#define assert_state(task, expected)                                           \
  G_STMT_START {                                                               \
    g_autofree char *state_ = gtx_task_describe_state (task);                  \
                                                                               \
    g_assert_cmpstr (state_, ==, (expected));                                  \
  } G_STMT_END

static gboolean
cancel_and_wait (GtxTask *task)
{
  g_autoptr (GError) error = NULL;

  gtx_cancel (task);
  return gtx_await (task, &error);
}

/* ---- States ---- */

static gboolean
let_others_run (gpointer data, GError **error)
{
  return gtx_sleep (0, error);
}

static gboolean
test_states (gpointer data, GError **error)
{
  g_autoptr (GtxTask) unstarted = gtx_task_new (note_and_return, "", NULL);
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) ready = NULL;

  assert_state (gtx_current_task (), "runs");
  assert_state (unstarted, "has not begun");
  assert_state (sleeper, "has not begun");
  g_assert_true (gtx_sleep (0.25, error));
  assert_state (sleeper, "waits for a sleep, 999.750 s left");
  ready = gtx_create_task (let_others_run, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  assert_state (ready, "is ready");
  g_assert_false (cancel_and_wait (sleeper));
  assert_state (sleeper, "has ended");
  return gtx_await (unstarted, error);
}

static gboolean
test_to_be_cancelled (gpointer data, GError **error)
{
  gtx_cancel (gtx_current_task ());
  assert_state (gtx_current_task (), "runs, and is to be cancelled");
  g_assert_cmpuint (gtx_uncancel (gtx_current_task ()), ==, 0);
  return TRUE;
}

/* ---- What they await ---- */

static gboolean
await_both (GPtrArray *tasks, GError **error)
{
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static gboolean
test_awaited (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (let_others_run, NULL, NULL);
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) of_future = gtx_create_task (await_future, future, NULL);
  g_autoptr (GPtrArray) both = g_ptr_array_new ();
  g_autoptr (GtxTask) gatherer = gtx_create_task (await_both, both, NULL);
  g_autoptr (GPtrArray) awaited = NULL;

  g_ptr_array_add (both, first);
  g_ptr_array_add (both, second);
  g_assert_null (gtx_task_list_awaited (gatherer));
  g_assert_true (gtx_sleep (0, error));
  awaited = gtx_task_list_awaited (gatherer);
  g_assert_cmpuint (awaited->len, ==, 2);
  g_assert_true (awaited->pdata[0] == first && awaited->pdata[1] == second);
  g_clear_pointer (&awaited, g_ptr_array_unref);
  g_assert_null (gtx_task_list_awaited (first));

  g_assert_true (gtx_await (second, error));
  awaited = gtx_task_list_awaited (gatherer);
  g_assert_cmpuint (awaited->len, ==, 1);
  g_clear_pointer (&awaited, g_ptr_array_unref);
  awaited = gtx_task_list_awaited (of_future);
  g_assert_cmpuint (awaited->len, ==, 0);
  gtx_future_set_result (future, NULL, NULL);
  g_assert_false (cancel_and_wait (gatherer));
  return gtx_await (of_future, error);
}

/* ---- Stacks ---- */

#define LARGE 20000

static gboolean
sleep_with_large_frame (gpointer data, GError **error)
{
  guint8 frame[LARGE];

  memset (frame, 1, sizeof frame);
  /* No compiler leaves it out. */
  __asm__ volatile ("" : : "r" (frame) : "memory");
  return gtx_sleep (1000, error);
}

static gboolean
test_stack_use (gpointer data, GError **error)
{
  g_autoptr (GtxTask) small = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) large = gtx_task_new (sleep_with_large_frame, NULL, NULL);
  gsize small_use, large_use, use, size;

  g_assert_true (gtx_task_get_stack_use (gtx_current_task (), &use, &size));
  g_assert_cmpuint (use, <, size);
  gtx_task_set_stack_size (large, 256 * 1024);
  gtx_task_start (large);
  g_assert_false (gtx_task_get_stack_use (large, &use, &size));
  g_assert_cmpuint (size, ==, 0);
  g_assert_true (gtx_sleep (0, error));
  if (gtx_task_get_stack_use (small, &small_use, &size))
    {
      g_assert_true (gtx_task_get_stack_use (large, &large_use, &size));
      g_assert_cmpuint (size, ==, 256 * 1024);
      /* AddressSanitizer may keep large variables elsewhere. */
      if (!UNDER_ASAN)
        g_assert_cmpuint (large_use, >=, LARGE);
      g_assert_cmpuint (large_use, <, size);
      g_assert_cmpuint (small_use, <, LARGE);
    }
  else
    g_test_skip ("The stack pointer of a task that is suspended is not known here");
  g_assert_false (cancel_and_wait (small));
  g_assert_false (cancel_and_wait (large));
  g_assert_false (gtx_task_get_stack_use (large, &use, &size));
  return TRUE;
}

#if defined (__x86_64__)
#define STACK_POINTER 7
#define PROGRAM_COUNTER 16
#elif defined (__aarch64__)
#define STACK_POINTER 31
#define PROGRAM_COUNTER 32
#else
#define STACK_POINTER 0
#define PROGRAM_COUNTER 0
#endif

static gboolean
keep_frame (gconstpointer *frame, GError **error)
{
  *frame = __builtin_frame_address (0);
  return gtx_sleep (1000, error);
}

static gboolean
test_registers (gpointer data, GError **error)
{
  gconstpointer frame = NULL;
  g_autoptr (GtxTask) task = gtx_create_task (keep_frame, &frame, NULL);
  guintptr registers[GTX_TASK_MAX_REGISTERS];
  guint n;

  g_assert_cmpuint (gtx_task_get_registers (task, registers), ==, 0);
  g_assert_cmpuint (gtx_task_get_registers (gtx_current_task (), registers), ==, 0);
  g_assert_true (gtx_sleep (0, error));
  n = gtx_task_get_registers (task, registers);
  if (n > 0)
    {
      g_assert_cmpuint (n, ==, PROGRAM_COUNTER + 1);
      g_assert_cmpuint (registers[PROGRAM_COUNTER], !=, 0);
      g_assert_cmpuint (registers[STACK_POINTER], <, (guintptr) frame);
      g_assert_cmpuint (registers[STACK_POINTER], >, (guintptr) frame - 8192);
    }
  else
    g_test_skip ("The registers of a task that is suspended are not known here");
  g_assert_false (cancel_and_wait (task));
  g_assert_cmpuint (gtx_task_get_registers (task, registers), ==, 0);
  return TRUE;
}

/* ---- Measuring ---- */

static double
get_processor_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void
work_for (double seconds)
{
  double end = get_processor_time () + seconds;

  while (get_processor_time () < end)
    ;
}

static gboolean
work_and_sleep (gpointer data, GError **error)
{
  work_for (0.02);
  return gtx_sleep (1000, error);
}

static gboolean
test_measured (gpointer data, GError **error)
{
  g_autoptr (GtxTask) before = gtx_create_task (work_and_sleep, NULL, NULL);
  g_autoptr (GtxTask) task = NULL;
  double waited;

  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpfloat (gtx_task_get_processor_time (before), ==, -1);
  gtx_measure_tasks (TRUE);
  task = gtx_create_task (work_and_sleep, NULL, NULL);
  g_assert_cmpfloat (gtx_task_get_waiting_time (task), ==, -1);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpfloat (gtx_task_get_processor_time (before), ==, -1);
  g_assert_cmpfloat (gtx_task_get_waiting_time (before), ==, -1);
  g_assert_cmpfloat (gtx_task_get_processor_time (task), >=, 0.02);
  waited = gtx_task_get_waiting_time (task);
  g_assert_cmpfloat (waited, >=, 0);
  work_for (0.001);
  g_assert_cmpfloat (gtx_task_get_waiting_time (task), >, waited);
  g_assert_cmpfloat (gtx_task_get_waiting_time (gtx_current_task ()), ==, 0);
  g_assert_false (cancel_and_wait (task));
  g_assert_cmpfloat (gtx_task_get_processor_time (task), ==, -1);
  gtx_measure_tasks (FALSE);
  g_assert_false (cancel_and_wait (before));
  return TRUE;
}

/* What was measured in one period does not show in the next. */
static gboolean
test_measured_again (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = NULL;

  gtx_measure_tasks (TRUE);
  gtx_measure_tasks (TRUE);
  task = gtx_create_task (work_and_sleep, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_measure_tasks (FALSE);
  g_assert_cmpfloat (gtx_task_get_processor_time (task), >=, 0.02);
  gtx_measure_tasks (FALSE);
  g_assert_cmpfloat (gtx_task_get_processor_time (task), ==, -1);
  gtx_measure_tasks (TRUE);
  g_assert_cmpfloat (gtx_task_get_processor_time (task), ==, -1);
  gtx_measure_tasks (FALSE);
  g_assert_false (cancel_and_wait (task));

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*more often*");
  gtx_measure_tasks (FALSE);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
work_long (gpointer data, GError **error)
{
  work_for (0.1);
  return TRUE;
}

/* The time of the tasks that a task's own main loop runs is theirs. */
static gboolean
test_measured_nested (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = NULL;

  gtx_measure_tasks (TRUE);
  g_assert_true (gtx_sleep (0, error));
  work_for (0.02);
  inner = gtx_create_task (work_long, NULL, NULL);
  while (!gtx_future_is_done (inner))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpfloat (gtx_task_get_processor_time (gtx_current_task ()), >=, 0.02);
  g_assert_cmpfloat (gtx_task_get_processor_time (gtx_current_task ()), <, 0.1);
  gtx_measure_tasks (FALSE);
  return TRUE;
}

static gpointer
toggle (gpointer done)
{
  while (!g_atomic_int_get ((gint *) done))
    {
      gtx_measure_tasks (TRUE);
      gtx_measure_tasks (FALSE);
    }
  return NULL;
}

/* Another thread may begin and end it at any moment. */
static gboolean
test_measured_elsewhere (gpointer data, GError **error)
{
  gint done = FALSE;
  GThread *thread = g_thread_new (NULL, toggle, &done);

  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (let_others_run, NULL, NULL);

      g_assert_true (gtx_await (task, error));
    }
  g_atomic_int_set (&done, TRUE);
  g_thread_join (thread);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/task-info/states", test_states);
  add_coroutine ("/task-info/to-be-cancelled", test_to_be_cancelled);
  add_coroutine ("/task-info/awaited", test_awaited);
  add_coroutine ("/task-info/stack-use", test_stack_use);
  add_coroutine ("/task-info/registers", test_registers);
  add_coroutine ("/task-info/measured", test_measured);
  add_coroutine ("/task-info/measured-again", test_measured_again);
  add_real_coroutine ("/task-info/measured-nested", test_measured_nested);
  add_coroutine ("/task-info/measured-elsewhere", test_measured_elsewhere);
  return g_test_run ();
}
