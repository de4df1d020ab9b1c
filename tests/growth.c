/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work on four times as many objects costs four times as much: counted in instructions,
 * under Valgrind's callgrind.  benchmarks/growth takes the time of the same work. */

#include "cases.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#define FEW 500
#define MANY (4 * FEW)
/* The permitted growth beyond four times: heaps and trees have logarithms, and memory is
 * allocated. */
#define MOST 1.15

#define SMALL_STACK (32 * 1024)

static GHashTable *counts;      /* numbers of instructions as doubles, by case, way and n; NULL: nothing was counted */

static char *
make_key (const Case *that, Way way, guint n)
{
  return g_strdup_printf ("%s %s %u", that->name, way_name (way), n);
}

/* ---- Under the tool ---- */

static void
count (const Case *that, Way way, guint n)
{
  g_autofree char *key = make_key (that, way, n);

  CALLGRIND_ZERO_STATS;
  run_case (that, way, n, TRUE);
  CALLGRIND_DUMP_STATS_AT (key);
}

/* This part runs by itself, under callgrind. */
static int
work (void)
{
  g_autoptr (GPtrArray) cases = list_cases ();

  gtx_set_default_stack_size (SMALL_STACK);
  for (guint i = 0; i < cases->len; i++)
    for (Way way = WOKEN; way < N_WAYS; way++)
      {
        const Case *that = cases->pdata[i];

        if (that->is_threaded || !(that->ways & WAY (way)))
          continue;
        count (that, way, FEW);
        count (that, way, MANY);
      }
  return 0;
}

/* ---- The results of callgrind ---- */

#define KEY "Trigger: Client Request: "
#define TOTAL "\ntotals: "

static void
read_count (const char *path)
{
  g_autofree char *text = NULL;
  const char *key, *total;
  double count;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  key = strstr (text, KEY);
  total = strstr (text, TOTAL);
  if (key == NULL || total == NULL)
    return;
  key += strlen (KEY);
  count = g_ascii_strtod (total + strlen (TOTAL), NULL);
  g_hash_table_insert (counts, g_strndup (key, strcspn (key, "\n")), g_memdup2 (&count, sizeof count));
}

/* Removes the files, too. */
static void
read_counts (const char *folder)
{
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (files)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      read_count (path);
      g_unlink (path);
    }
}

/* Returns whether the tool succeeded.  Nothing is counted if it is not installed or not
 * permitted. */
static gboolean
count_all (const char *program)
{
  g_autofree char *folder = g_dir_make_tmp ("growth-XXXXXX", NULL);
  g_autofree char *command = g_strdup_printf ("valgrind -q --tool=callgrind --callgrind-out-file=%s/out "
                                              "%s --work", folder, program);
  int status;

  counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!g_spawn_command_line_sync (command, NULL, NULL, &status, NULL))
    status = -1;
  read_counts (folder);
  g_rmdir (folder);
  return status == 0;
}

static double
count_of (const Case *that, Way way, guint n)
{
  g_autofree char *key = make_key (that, way, n);
  const double *found = g_hash_table_lookup (counts, key);

  g_assert_nonnull (found);
  return *found;
}

typedef struct
{
  const Case *that;
  Way way;
} Point;

static void
test_growth (gconstpointer data)
{
  const Point *point = data;
  double few = count_of (point->that, point->way, FEW);
  double many = count_of (point->that, point->way, MANY);

  g_test_message ("%s, %s: %.0f instructions each of %u, %.0f each of %u: %.2f times", point->that->name,
                  way_name (point->way), few / FEW, FEW, many / MANY, MANY, many / few / 4);
  g_assert_cmpfloat (many, <, few * 4 * MOST);
}

static void
skip (void)
{
  g_test_skip ("Valgrind is not there, or not permitted");
}

static void
add_points (void)
{
  g_autoptr (GPtrArray) cases = list_cases ();

  for (guint i = 0; i < cases->len; i++)
    for (Way way = WOKEN; way < N_WAYS; way++)
      {
        Point point = { cases->pdata[i], way };
        g_autofree char *path = g_strdup_printf ("/growth/%s/%s", point.that->name, way_name (way));

        if (!point.that->is_threaded && point.that->ways & WAY (way))
          g_test_add_data_func_full (path, g_memdup2 (&point, sizeof point), test_growth, g_free);
      }
}

int
main (int argc, char *argv[])
{
  gboolean succeeded;

  if (argc == 2 && strcmp (argv[1], "--work") == 0)
    return work ();

  g_test_init (&argc, &argv, NULL);
  /* The work uses the usual allocator. */
  g_unsetenv ("G_SLICE");
  g_unsetenv ("G_DEBUG");
  g_unsetenv ("MALLOC_PERTURB_");
  succeeded = !RUNNING_ON_VALGRIND && count_all (argv[0]);
  if (counts == NULL || g_hash_table_size (counts) == 0)
    {
      g_test_add_func ("/growth/skipped", skip);
      return g_test_run ();
    }
  /* All failures are reported, and not only the first. */
  g_test_set_nonfatal_assertions ();
  add_points ();
  return g_test_run () || !succeeded;
}
