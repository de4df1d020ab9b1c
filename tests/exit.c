/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The library's messages about tasks that have not ended when the process exits. */

#include "fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#define WARNING "*The program exits, and * not ended*"

static gboolean
exit_inside (gpointer data, GError **error)
{
  exit (0);
}

static void
iterate (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static gpointer
iterate_in_thread (gpointer data)
{
  iterate ();
  return NULL;
}

static void
leave_suspended (void)
{
  g_object_unref (gtx_create_task (sleep_long, NULL, NULL));
  iterate ();
}

static void
leave_unbegun (void)
{
  for (int i = 0; i < 2; i++)
    g_object_unref (gtx_create_task (sleep_long, NULL, NULL));
}

static void
leave_ended (void)
{
  leave_suspended ();
  gtx_cancel_all ();
}

static void
leave_in_task (void)
{
  gtx_run (exit_inside, NULL, NULL);
}

static void
leave_in_eager_part (void)
{
  g_object_unref (gtx_create_task_eager (exit_inside, NULL, NULL));
}

/* No main loop has run. */
static void
leave_eager (void)
{
  g_object_unref (gtx_create_task_eager (sleep_long, NULL, NULL));
}

static void
leave_to_thread (void)
{
  g_object_unref (gtx_create_task (sleep_long, NULL, NULL));
  g_thread_join (g_thread_new ("loop", iterate_in_thread, NULL));
}

static void
leave_in_child (void)
{
  pid_t pid;
  int status;

  leave_suspended ();
  pid = fork ();
  if (pid == 0)
    exit (0);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  gtx_cancel_all ();
}

typedef struct
{
  const char *path;
  void (*leave) (void);
  const char *printed;          /* NULL: nothing */
} Case;

static const Case cases[] = {
  { "/exit/suspended", leave_suspended, WARNING "sleep_long): waits for a sleep*" },
  { "/exit/unbegun", leave_unbegun, "*2 of its tasks have not ended*sleep_long): has not begun*" },
  { "/exit/ended", leave_ended, NULL },
  { "/exit/in-task", leave_in_task, NULL },
  { "/exit/in-eager-part", leave_in_eager_part, NULL },
  { "/exit/eager", leave_eager, WARNING "sleep_long): waits for a sleep*" },
  { "/exit/other-thread", leave_to_thread, NULL },
  { "/exit/child", leave_in_child, NULL },
};

static void
test_exit (gconstpointer data)
{
  const Case *this = data;

  if (g_test_subprocess ())
    {
      g_log_set_always_fatal (0);
      g_log_set_fatal_mask ("gtask-ext", 0);
      this->leave ();
      exit (0);
    }
  /* A leak checker does not look at the main stack of a process that exits in a task. */
  if (this->leave == leave_in_task || this->leave == leave_in_eager_part)
    g_setenv ("ASAN_OPTIONS", "detect_leaks=0", TRUE);
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  if (this->printed)
    g_test_trap_assert_stderr (this->printed);
  else
    g_test_trap_assert_stderr_unmatched (WARNING);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (cases[i].path, &cases[i], test_exit);
  return g_test_run ();
}
