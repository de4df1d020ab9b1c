/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each task has its own copy of the state that C keeps for each thread: errno, and the
 * rounding mode. */

#include "fixture.h"

#include <errno.h>
#include <fenv.h>

/* ---- errno ---- */

static gboolean
scribble_on_errno (gboolean *is_over, GError **error)
{
  do
    errno = EBADF;
  while (!*is_over && gtx_sleep (0, error));
  return TRUE;
}

static gboolean
scribble_from_main_loop (gpointer data)
{
  errno = ENOTTY;
  return G_SOURCE_CONTINUE;
}

static gboolean
wait_in_many_ways (const int *number, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "1:slept", NULL);
  g_autoptr (GFile) file = g_file_new_for_path ("/");
  g_autoptr (GFileInfo) info = NULL;

  errno = *number;
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpint (errno, ==, *number);
  g_assert_true (gtx_sleep (0.001, error));
  g_assert_cmpint (errno, ==, *number);
  g_assert_true (gtx_await (task, error));
  g_assert_cmpint (errno, ==, *number);

  g_file_query_info_async (file, "standard::type", 0, G_PRIORITY_DEFAULT, GTX_ASYNC);
  errno = *number;
  info = g_file_query_info_finish (file, gtx_await_result (), error);
  g_assert_nonnull (info);
  g_assert_cmpint (errno, ==, *number);
  return TRUE;
}

static gboolean
test_errno (gpointer data, GError **error)
{
  static const int numbers[] = { EDOM, ERANGE };
  gboolean is_over = FALSE;
  guint source = g_timeout_add (0, scribble_from_main_loop, NULL);
  g_autoptr (GtxTask) scribbler = gtx_create_task (scribble_on_errno, &is_over, NULL);
  g_autoptr (GtxTask) a = gtx_create_task (wait_in_many_ways, &numbers[0], NULL);
  g_autoptr (GtxTask) b = gtx_create_task (wait_in_many_ways, &numbers[1], NULL);

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  is_over = TRUE;
  g_source_remove (source);
  return gtx_await (scribbler, error);
}

/* ---- Rounding ---- */

static void
assert_rounding (int mode)
{
  volatile double one = 1;
  volatile double three = 3;
  volatile long double one_long = 1;
  volatile long double three_long = 3;
  double third = one / three;
  long double third_long = one_long / three_long;

  g_assert_cmpint (fegetround (), ==, mode);
  if (RUNNING_ON_VALGRIND)
    return; /* Valgrind computes in its own way. */
  /* The omitted part of 0x0.5555… is less than half a unit. */
  g_assert_true ((third > 0x1.5555555555555p-2) == (mode == FE_UPWARD));
  g_assert_true ((third_long * three_long > 1) == (mode == FE_UPWARD));
}

static gboolean
look_at_rounding (gpointer looks)
{
  ++*(guint *) looks;
  assert_rounding (FE_TONEAREST);
  return G_SOURCE_CONTINUE;
}

static gboolean
begin_as_main_loop (gpointer data, GError **error)
{
  assert_rounding (FE_TONEAREST);
  return TRUE;
}

static gboolean
keep_rounding (const int *mode, GError **error)
{
  g_autoptr (GtxTask) child = NULL;

  g_assert_cmpint (fesetround (*mode), ==, 0);
  child = gtx_create_task (begin_as_main_loop, NULL, NULL);
  for (int i = 0; i < 10; i++)
    {
      g_assert_true (gtx_sleep (i % 3 * 0.001, error));
      assert_rounding (*mode);
    }
  return gtx_await (child, error);
}

/* A task begins with the settings of the main loop, not with those of its creator. */
static gboolean
test_rounding (gpointer data, GError **error)
{
  static const int modes[] = { FE_UPWARD, FE_TOWARDZERO, FE_UPWARD };
  guint looks = 0;
  guint source = g_timeout_add (0, look_at_rounding, &looks);
  g_autoptr (GtxTask) a = gtx_create_task (keep_rounding, &modes[0], NULL);
  g_autoptr (GtxTask) b = gtx_create_task (keep_rounding, &modes[1], NULL);
  g_autoptr (GtxTask) c = gtx_create_task (keep_rounding, &modes[2], NULL);

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_rounding (FE_TONEAREST);
  g_assert_cmpuint (looks, >, 0);
  g_source_remove (source);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/environment/errno", test_errno);
  add_real_coroutine ("/environment/rounding", test_rounding);
  return g_test_run ();
}
