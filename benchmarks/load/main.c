/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs everything at once for a long time: does the process hold more and more?  Prints
 * what the process holds after each of a hundred rounds and what was done in them; the
 * status is 1 where a figure grew or anything failed that should not. */

#include "figures.h"
#include "load.h"

#include <glib/gstdio.h>

#define N_ROUNDS 100
/* Objects that are made once, and kept, are made before the beginning. */
#define FIRST_SECONDS 1

static double seconds = 600;
static gint64 operations = 10000000;
static gint64 seed = -1;
static gboolean as_json;

/* A warning of the library is a failure of the soak. */
static GLogWriterOutput
count_and_write (GLogLevelFlags   log_level,
                 const GLogField *fields,
                 gsize            n_fields,
                 gpointer         data)
{
  if (log_level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL))
    complain ("a warning was logged:");
  return g_log_writer_default (log_level, fields, n_fields, data);
}

/* ---- Rounds ---- */

static void
enter_context (void)
{
  g_main_context_push_thread_default (g_main_context_new ());
}

/* The library's objects of the context go with it. */
static void
leave_context (void)
{
  GMainContext *context = g_main_context_ref_thread_default ();

  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_main_context_unref (context);
}

static void
run_first_round (void)
{
  guint n_tasks;

  enter_context ();
  loads_run (FIRST_SECONDS, G_MAXUINT64, &n_tasks);
  leave_context ();
}

static double
seconds_since (gint64 start)
{
  return (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
}

static GArray *
run_rounds (gint64 start)
{
  GArray *samples = g_array_sized_new (FALSE, FALSE, sizeof (Sample), N_ROUNDS);

  enter_context ();
  for (guint i = 1; i <= N_ROUNDS && loads_total () < (guint64) operations; i++)
    {
      Sample sample = { 0 };

      loads_run (seconds * i / N_ROUNDS - seconds_since (start), (guint64) operations, &sample.n_tasks);
      sample.seconds = seconds_since (start);
      figures_take (&sample);
      figures_print (&sample, as_json);
      g_array_append_val (samples, sample);
    }
  leave_context ();
  return samples;
}

/* GIO's threads are idle only half a second after their work, and end then.  The library's end
 * when they were idle for 15 seconds. */
static void
take_at_rest (Sample *sample)
{
  g_usleep (16 * G_USEC_PER_SEC);
  g_thread_pool_stop_unused_threads ();
  g_usleep (G_USEC_PER_SEC / 4);
  figures_take (sample);
}

static gboolean
soak (void)
{
  Sample before = { 0 }, after = { 0 };
  g_autoptr (GArray) samples = NULL;
  gboolean good;
  gint64 start;

  run_first_round ();
  take_at_rest (&before);
  figures_print (&before, as_json);
  start = g_get_monotonic_time ();
  samples = run_rounds (start);
  take_at_rest (&after);
  after.seconds = seconds_since (start);
  figures_print (&after, as_json);
  loads_print (as_json);
  if (after.seconds < seconds)
    g_printerr ("soak: --operations were done before --seconds were over\n");

  good = figures_judge (samples);
  good &= figures_judge_end (&before, &after);
  if (complaints_count () > 0)
    g_printerr ("soak: %u failures that should not be\n", complaints_count ());
  return good && complaints_count () == 0;
}

/* ---- The program ---- */

static gboolean
read_arguments (int      *argc,
                char   ***argv,
                GError  **error)
{
  const GOptionEntry options[] = {
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "How long it lasts (600)", "N" },
    { "operations", 0, 0, G_OPTION_ARG_INT64, &operations,
      "How many pieces of work it does at most (10000000)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Where the random numbers begin; printed otherwise", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print an object a line", NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "Mixed load for a long time; fails where something grows.");
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc == 1 && seconds > 0 && seconds <= 1e6 && operations > 0 && seed >= -1 && seed <= G_MAXUINT32)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "seconds are more than 0 and at most a million, operations at least 1, "
               "a seed is from 0 to %u, and nothing else is taken", G_MAXUINT32);
  return FALSE;
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean good;

  g_set_prgname ("soak");
  if (!read_arguments (&argc, &argv, &error) ||
      !(load_folder = g_dir_make_tmp ("soak-XXXXXX", &error)))
    {
      g_printerr ("soak: %s\n", error->message);
      return 2;
    }
  if (seed < 0)
    seed = g_random_int ();
  g_print (as_json ? "{\"seed\": %" G_GINT64_FORMAT "}\n" : "seed %" G_GINT64_FORMAT "\n", seed);
  random_begin ((guint32) seed);
  g_log_set_writer_func (count_and_write, NULL, NULL);
  if (!as_json)
    figures_print_head ();
  good = soak ();
  if (g_rmdir (load_folder) < 0)
    {
      g_printerr ("soak: files are left in %s\n", load_folder);
      good = FALSE;
    }
  g_free (load_folder);
  return good ? 0 : 1;
}
