/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gtask-ext.h>

static gboolean
sleeper (gpointer data, GError **error)
{
  g_assert_true (gtx_sleep (1000, error));
  g_assert_cmpfloat (gtx_test_get_time (), ==, 1000);
  return TRUE;
}

static void
test_virtual (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_test_run (sleeper, NULL, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sleep/virtual", test_virtual);
  return g_test_run ();
}
