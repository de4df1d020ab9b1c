/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scenarios of the kept corpus and of random bytes.  The library must report nothing and leave
 * nothing behind, and a second run in a new main context must have the same trace. */

#include "decode.h"
#include "execute.h"
#include "inputs.h"

#include <stdlib.h>

#define N_RANDOM 4000

static const guint8 *running;
static gsize running_size;

static void
show_scenario (void)
{
  g_autofree char *text = decode (&scenario_language, running, running_size);

  g_printerr ("The scenario:\n%s", text);
}

static void
run_twice (const guint8 *data, gsize size)
{
  GMainContext *fresh = g_main_context_new ();
  char *trace;
  char *again;

  running = data;
  running_size = size;
  trace = execute_scenario (data, size);
  g_main_context_push_thread_default (fresh);
  again = execute_scenario (data, size);
  g_main_context_pop_thread_default (fresh);
  g_main_context_unref (fresh);
  g_assert_cmpstr (again, ==, trace);
  free (again);
  free (trace);
}

static void
test_corpus (void)
{
  show_when_broken (show_scenario);
  each_kept ("corpus", run_twice);
}

static void
test_random (void)
{
  show_when_broken (show_scenario);
  each_random (N_RANDOM, run_twice);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fuzz/corpus", test_corpus);
  g_test_add_func ("/fuzz/random", test_random);
  add_border_tests ();
  return g_test_run ();
}
