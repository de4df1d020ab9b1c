/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs at the border: some are kept as text or as bytes, and others are made from random bytes.
 * The model must permit each outcome, and nothing may be left behind. */

#include "border/run-border.h"
#include "decode.h"
#include "inputs.h"

#define N_RANDOM 300

static const char *running;

static void
show_program (void)
{
  if (running)
    g_printerr ("The program:\n%s", running);
}

/* Every second program runs in a new main context. */
static void
run_text (const char *text, guint microseconds)
{
  static guint n;
  GMainContext *fresh = n++ % 2 ? g_main_context_new () : NULL;

  running = text;
  if (fresh)
    g_main_context_push_thread_default (fresh);
  run_border (text, microseconds);
  if (fresh)
    {
      g_main_context_pop_thread_default (fresh);
      g_main_context_unref (fresh);
    }
  running = NULL;
}

static void
run_bytes (const guint8 *data, gsize size)
{
  g_autofree char *text = decode (&border_language, data, size);

  run_text (text, SHORT_MOMENT);
}

static void
test_cases (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "fuzz", "border", "cases", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) folder = g_dir_open (path, 0, &error);
  const char *name;

  show_when_broken (show_program);
  g_assert_no_error (error);
  while ((name = g_dir_read_name (folder)))
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      g_autofree char *text = NULL;

      g_file_get_contents (file, &text, NULL, &error);
      g_assert_no_error (error);
      run_text (text, LONG_MOMENT);
    }
}

static void
test_corpus (void)
{
  show_when_broken (show_program);
  each_kept ("corpus-border", run_bytes);
}

static void
test_random (void)
{
  show_when_broken (show_program);
  each_random (N_RANDOM, run_bytes);
}

void
add_border_tests (void)
{
  g_test_add_func ("/fuzz/border/cases", test_cases);
  g_test_add_func ("/fuzz/border/corpus", test_corpus);
  g_test_add_func ("/fuzz/border/random", test_random);
}
