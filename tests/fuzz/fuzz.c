/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scenarios of the kept corpus, and of random bytes: the library has nothing to
 * complain of, leaves nothing behind, and does the same again in a main context
 * that is new. */

#include "decode.h"
#include "execute.h"

#include "runtime/announce.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define N_RANDOM 4000
#define LONGEST 400             /* bytes */

/* A tool that is this slow sees a part of them. */
static guint
step (void)
{
  return RUNNING_ON_VALGRIND ? 20 : 1;
}

static const guint8 *running;
static gsize running_size;

static void
show_scenario (void)
{
  g_autofree char *text = decode_scenario (running, running_size);

  g_printerr ("The scenario:\n%s", text);
}

static void
on_abort (int signal)
{
  show_scenario ();
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
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "fuzz", "corpus", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  guint n;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  n = g_strv_length (lines);
  g_assert_cmpuint (n, >, 100);
  for (guint i = 0; i < n; i += step ())
    {
      gsize size;
      g_autofree guint8 *data = g_base64_decode (lines[i], &size);

      run_twice (data, size);
    }
}

/* Always the same ones. */
static void
test_random (void)
{
  for (guint seed = 0; seed < N_RANDOM; seed += step ())
    {
      g_autoptr (GRand) random = g_rand_new_with_seed (seed);
      guint8 data[LONGEST];
      gsize size = (gsize) g_rand_int_range (random, 0, LONGEST + 1);

      for (gsize i = 0; i < size; i++)
        data[i] = (guint8) g_rand_int (random);
      run_twice (data, size);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGABRT, on_abort);
#ifdef GTX_ASAN
  __sanitizer_set_death_callback (show_scenario);
#endif
  g_test_add_func ("/fuzz/corpus", test_corpus);
  g_test_add_func ("/fuzz/random", test_random);
  return g_test_run ();
}
