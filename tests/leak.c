/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Under AddressSanitizer only: leaks are detected, also of GLib's slices, outside and in
 * tasks, in a test and in a program that a test starts. */

#include "fixture.h"
#include "spawn.h"

#define N_TIMES 100

static const char *program;

/* After this function, no register and no stack has the addresses. */
static G_GNUC_NO_INLINE void
leak_slices (void)
{
  for (guint i = 0; i < N_TIMES; i++)
    memset (g_slice_alloc (48), 0, 48);
}

static gboolean
leak_slices_and_sleep (gpointer data, GError **error)
{
  leak_slices ();
  return gtx_sleep (0, error);
}

static gboolean
free_slices (gpointer data, GError **error)
{
  for (guint i = 0; i < N_TIMES; i++)
    {
      gpointer slice = g_slice_alloc (48);

      if (!gtx_sleep (0, error))
        return FALSE;
      g_slice_free1 (48, slice);
    }
  return TRUE;
}

static int
work (const char *name)
{
  if (strcmp (name, "outside") == 0)
    leak_slices ();
  else if (strcmp (name, "in-tasks") == 0)
    gtx_run (leak_slices_and_sleep, NULL, NULL);
  else
    gtx_run (free_slices, NULL, NULL);
  return 0;
}

static void
test_test (gconstpointer name)
{
  if (g_test_subprocess ())
    {
      work (name);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*LeakSanitizer: detected memory leaks*100 object*");
}

static void
test_program (gconstpointer name)
{
  g_autoptr (Outcome) outcome = run_program (NULL, program, "--work", name, NULL);

  g_assert_cmpint (outcome->status, !=, 0);
  g_assert_nonnull (strstr (outcome->errors, "LeakSanitizer: detected memory leaks"));
}

static void
test_none (void)
{
  g_autoptr (Outcome) outcome = run_program (NULL, program, "--work", "none", NULL);

  assert_outcome (outcome, 0, "", "");
}

int
main (int argc, char *argv[])
{
  if (argc == 3 && strcmp (argv[1], "--work") == 0)
    return work (argv[2]);

  g_test_init (&argc, &argv, NULL);
  program = argv[0];
  g_test_add_data_func ("/leak/seen/outside", "outside", test_test);
  g_test_add_data_func ("/leak/seen/in-tasks", "in-tasks", test_test);
  g_test_add_data_func ("/leak/seen/in-a-program", "outside", test_program);
  g_test_add_data_func ("/leak/seen/in-tasks-of-a-program", "in-tasks", test_program);
  g_test_add_func ("/leak/none", test_none);
  return g_test_run ();
}
