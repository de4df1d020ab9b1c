/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that are awaited in several main contexts: in a child, in a nested loop, in another
 * thread, and in a context that ends or goes. */

#include "descriptor-pairs.h"

#include <sys/wait.h>

/* ---- In a child ---- */

static gboolean
await_byte (int *pair, GError **error)
{
  write_byte (pair[1]);
  return gtx_await_fd (pair[0], G_IO_IN, error) == G_IO_IN;
}

/* No task is alive in the main context when the child begins and goes on with it.  Descriptors that
 * the parent waits for later are not the child's. */
static void
test_in_child (void)
{
  int mine[2], childs[2];
  pid_t child;
  int status;

  open_pair (mine);
  open_pair (childs);
  g_assert_true (gtx_run (await_byte, mine, NULL));
  child = fork ();
  if (child == 0)
    _exit (gtx_run (await_byte, childs, NULL) && gtx_run (await_byte, childs, NULL) ? 0 : 1);
  for (int i = 0; i < 100; i++)
    {
      drain (mine[0]);
      g_assert_true (gtx_run (await_byte, mine, NULL));
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  close_pair (mine);
  close_pair (childs);
}

/* ---- Main contexts ---- */

static gboolean
run_nested (int *pair, GError **error)
{
  Wait inner = { pair[0], G_IO_IN, 0 };
  g_autoptr (GtxTask) task = gtx_create_task (await_it, &inner, NULL);

  write_byte (pair[1]);
  while (!gtx_future_is_done (task))
    g_main_context_iteration (NULL, TRUE);
  return gtx_await (task, error);
}

/* One of the tasks is woken and runs the main loop, in which the descriptors of the others become
 * ready. */
static gboolean
test_nested (gpointer data, GError **error)
{
  int outer[2], inner[2];
  Wait waits[2];
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  open_pair (outer);
  open_pair (inner);
  waits[0] = waits[1] = (Wait) { outer[0], G_IO_IN, 0 };
  a = begin (&waits[0]);
  b = begin (&waits[1]);
  write_byte (outer[1]);
  g_assert_cmpint (gtx_await_fd (outer[0], G_IO_IN, error), ==, G_IO_IN);
  g_assert_true (run_nested (inner, error));
  g_assert_true (gtx_await (a, error));
  g_assert_true (gtx_await (b, error));
  close_pair (outer);
  close_pair (inner);
  return TRUE;
}

static gpointer
await_in_thread (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean succeeded;

  g_main_context_push_thread_default (context);
  succeeded = gtx_run (await_it, data, NULL);
  g_main_context_pop_thread_default (context);
  return GINT_TO_POINTER (succeeded);
}

static gboolean
test_two_contexts (gpointer data, GError **error)
{
  int pair[2];
  Wait here, there;
  g_autoptr (GtxTask) task = NULL;
  GThread *thread;

  open_pair (pair);
  here = there = (Wait) { pair[0], G_IO_IN, 0 };
  task = begin (&here);
  thread = g_thread_new (NULL, await_in_thread, &there);
  write_byte (pair[1]);
  g_assert_true (gtx_await (task, error));
  g_assert_true (GPOINTER_TO_INT (g_thread_join (thread)));
  g_assert_cmpint (here.came, ==, G_IO_IN);
  g_assert_cmpint (there.came, ==, G_IO_IN);
  close_pair (pair);
  return TRUE;
}

static gboolean
read_on (int *pair, GError **error)
{
  char byte;

  while (gtx_await_fd (pair[0], G_IO_IN, error) != 0)
    {
      g_assert_cmpint (read (pair[0], &byte, 1), ==, 1);
      note ("read");
    }
  return FALSE;
}

static gboolean
write_and_end (int pairs[2][2], GError **error)
{
  g_object_unref (gtx_create_task (read_on, pairs[0], NULL));
  let_loop_rest ();
  if (!await_byte (pairs[1], error))
    return FALSE;
  write_byte (pairs[0][1]);
  return TRUE;
}

/* An event that comes after the end of a run wakes no task, as in asyncio: the waiting task is
 * cancelled. */
static void
test_end_of_run (void)
{
  int pairs[2][2];

  trace = g_string_new (NULL);
  open_pair (pairs[0]);
  open_pair (pairs[1]);
  g_assert_true (gtx_run (write_and_end, pairs, NULL));
  assert_trace ("");
  close_pair (pairs[0]);
  close_pair (pairs[1]);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static guint
count_open (void)
{
  g_autoptr (GDir) open = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (open))
    n++;
  return n;
}

static gboolean
await_task (GtxTask *task, GError **error)
{
  return gtx_await (task, error);
}

/* A task that is still referenced keeps no descriptor of a main context that is gone. */
static void
test_context_gone (void)
{
  GtxTask *kept[4];
  guint before = 0;
  int pair[2];
  Wait wait;

  open_pair (pair);
  write_byte (pair[1]);
  wait = (Wait) { pair[0], G_IO_IN, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      GMainContext *context = g_main_context_new ();

      g_main_context_push_thread_default (context);
      kept[i] = gtx_task_new (await_it, &wait, NULL);
      g_assert_true (gtx_run (await_task, kept[i], NULL));
      g_main_context_pop_thread_default (context);
      g_main_context_unref (context);
      /* The first run opens a pipe for Ctrl-C, which stays. */
      if (i == 0)
        before = count_open ();
    }
  g_assert_cmpuint (count_open (), ==, before);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    g_object_unref (kept[i]);
  close_pair (pair);
}

static gboolean
wait_for_ever (GtxFuture *future, GError **error)
{
  return gtx_await (future, error);
}

/* A descriptor that is no longer awaited does not hide a deadlock. */
static void
test_deadlock (void)
{
  if (g_test_subprocess ())
    {
      int pair[2];

      open_pair (pair);
      gtx_test_run (await_byte, pair, NULL);
      gtx_test_run (wait_for_ever, gtx_future_new (), NULL);
      return;
    }
  g_test_trap_subprocess (NULL, 10 * G_USEC_PER_SEC, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*Deadlock*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* This test comes first, before threads watch children: the child would lose the memory on the
   * stacks of those threads. */
  g_test_add_func ("/descriptors-contexts/in-child", test_in_child);
  g_test_add_func ("/descriptors-contexts/end-of-run", test_end_of_run);
  g_test_add_func ("/descriptors-contexts/context-gone", test_context_gone);
  add_coroutine ("/descriptors-contexts/nested", test_nested);
  add_coroutine ("/descriptors-contexts/two-contexts", test_two_contexts);
  g_test_add_func ("/descriptors-contexts/deadlock", test_deadlock);
  return g_test_run ();
}
