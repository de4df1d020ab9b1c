/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inputs.h"

#include "fiber/announce.h"

#include <signal.h>
#include <string.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define LONGEST 400             /* bytes */

/* A slow tool runs a part of the inputs. */
static guint
step (void)
{
  return RUNNING_ON_VALGRIND ? 20 : 1;
}

void
each_kept (const char *file, RunBytes run)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "fuzz", file, NULL);
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

      run (data, size);
    }
}

void
each_random (guint n, RunBytes run)
{
  for (guint seed = 0; seed < n; seed += step ())
    {
      g_autoptr (GRand) random = g_rand_new_with_seed (seed);
      guint8 data[LONGEST];
      gsize size = (gsize) g_rand_int_range (random, 0, LONGEST + 1);

      for (gsize i = 0; i < size; i++)
        data[i] = (guint8) g_rand_int (random);
      run (data, size);
    }
}

static void (*shows) (void);

static void
on_abort (int signal)
{
  shows ();
}

void
show_when_broken (void (*show) (void))
{
  shows = show;
  signal (SIGABRT, on_abort);
#ifdef GTX_ASAN
  __sanitizer_set_death_callback (show);
#endif
}
