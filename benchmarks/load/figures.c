/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "figures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_MALLINFO2
#include <malloc.h>
#endif

/* How much a figure may grow.  GIO's threads come and go, and with each its stack, two
 * mappings, and what malloc keeps for it; crowds are of any size, and the largest comes
 * late. */
typedef struct
{
  const char *name;
  const char *unit;
  double may_grow;
  double may_remain;            /* in the end; negative: not checked */
} Limit;

/* In less, pools and caches still fill. */
#define JUDGED_SECONDS 60

static const Limit limits[N_FIGURES] = {
  [FIGURE_MEMORY] = { "memory", "KiB", 4096, -1 },
  [FIGURE_HEAP] = { "heap", "KiB", 64, -1 },
  [FIGURE_TABLES] = { "page tables", "KiB", 256, -1 },
  [FIGURE_DESCRIPTORS] = { "descriptors", "", 2, 0 },
  [FIGURE_MAPPINGS] = { "mappings", "", 24, 24 },
  [FIGURE_THREADS] = { "threads", "", 8, 0 },
};

/* ---- Taking ---- */

static void
read_status (gint64 *values)
{
  g_autofree char *status = NULL;
  const struct { const char *field; Figure figure; } fields[] = {
    { "\nVmRSS:", FIGURE_MEMORY }, { "\nVmPTE:", FIGURE_TABLES }, { "\nThreads:", FIGURE_THREADS }
  };

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    g_error ("There is no /proc/self/status: this needs Linux");
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      const char *line = strstr (status, fields[i].field);

      if (line == NULL)
        g_error ("/proc/self/status tells no %s", fields[i].field + 1);
      values[fields[i].figure] = g_ascii_strtoll (line + strlen (fields[i].field), NULL, 10);
    }
}

static gint64
count_descriptors (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  gint64 n = -1;                /* its own */

  if (dir == NULL)
    g_error ("/proc/self/fd cannot be read: %s", g_strerror (errno));
  while (g_dir_read_name (dir))
    n++;
  g_dir_close (dir);
  return n;
}

static gint64
count_mappings (void)
{
  g_autofree char *maps = NULL;
  gint64 n = 0;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    g_error ("/proc/self/maps cannot be read");
  for (const char *at = strchr (maps, '\n'); at; at = strchr (at + 1, '\n'))
    n++;
  return n;
}

/* The memory that malloc has allocated, without what it keeps free. */
static gint64
count_heap (void)
{
#ifdef HAVE_MALLINFO2
  struct mallinfo2 info = mallinfo2 ();

  return (gint64) ((info.uordblks + info.hblkhd) / 1024);
#else
  return 0;
#endif
}

void
figures_take (Sample *sample)
{
  sample->values[FIGURE_HEAP] = count_heap ();
  sample->values[FIGURE_DESCRIPTORS] = count_descriptors ();
  sample->values[FIGURE_MAPPINGS] = count_mappings ();
  read_status (sample->values);
}

/* ---- Printing ---- */

void
figures_print_head (void)
{
  g_print ("%8s", "seconds");
  for (Figure i = 0; i < N_FIGURES; i++)
    g_print ("  %s%s%s", limits[i].name, *limits[i].unit ? " " : "", limits[i].unit);
  g_print ("  tasks\n");
}

static int
width_of (const Limit *limit)
{
  return (int) (strlen (limit->name) + strlen (limit->unit) + (*limit->unit ? 3 : 2));
}

void
figures_print (const Sample *sample,
               gboolean      as_json)
{
  g_print (as_json ? "{\"seconds\": %.2f" : "%8.1f", sample->seconds);
  for (Figure i = 0; i < N_FIGURES; i++)
    if (as_json)
      g_print (", \"%s\": %" G_GINT64_FORMAT, limits[i].name, sample->values[i]);
    else
      g_print ("%*" G_GINT64_FORMAT, width_of (&limits[i]), sample->values[i]);
  g_print (as_json ? ", \"tasks\": %u}\n" : "%7u\n", sample->n_tasks);
}

/* ---- Judging ---- */

static int
compare_values (const void *a,
                const void *b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static gint64
median (GArray *samples,
        guint   first,
        guint   n,
        Figure  figure)
{
  g_autofree gint64 *values = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    values[i] = g_array_index (samples, Sample, first + i).values[figure];
  qsort (values, n, sizeof *values, compare_values);
  return values[n / 2];
}

static gboolean
is_within (const Limit *limit,
           const char  *when,
           gint64       before,
           gint64       after,
           double       may_be_more)
{
  if ((double) (after - before) <= may_be_more)
    return TRUE;
  g_printerr ("soak: %s: %s grew from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "%s%s; %.0f more are tolerated\n",
              when, limit->name, before, after, *limit->unit ? " " : "", limit->unit, may_be_more);
  return FALSE;
}

gboolean
figures_judge (GArray *samples)
{
  guint tenth = samples->len / 10;
  gboolean good = TRUE;

  if (tenth == 0 || g_array_index (samples, Sample, samples->len - 1).seconds < JUDGED_SECONDS)
    {
      g_printerr ("soak: it was too short to tell what grows\n");
      return TRUE;
    }
  for (Figure i = 0; i < N_FIGURES; i++)
    {
      gint64 before = median (samples, tenth, tenth, i);
      gint64 after = median (samples, samples->len - tenth, tenth, i);

      good &= is_within (&limits[i], "the last tenth beside the second", before, after, limits[i].may_grow);
    }
  return good;
}

gboolean
figures_judge_end (const Sample *start,
                   const Sample *end)
{
  gboolean good = TRUE;

  for (Figure i = 0; i < N_FIGURES; i++)
    if (limits[i].may_remain >= 0)
      good &= is_within (&limits[i], "the end beside the beginning", start->values[i], end->values[i],
                         limits[i].may_remain);
  return good;
}
