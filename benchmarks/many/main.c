/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grow: names the cases.  grow CASE WAY N [SECONDS]: prints the least nanoseconds of
 * processor time that the work took, of as many runs as fit into SECONDS. */

#include "cases.h"

#include <stdlib.h>
#include <string.h>

#define SMALL_STACK (32 * 1024)

static void
print_cases (void)
{
  g_autoptr (GPtrArray) cases = list_cases ();

  for (guint i = 0; i < cases->len; i++)
    for (Way way = WOKEN; way < N_WAYS; way++)
      if (((const Case *) cases->pdata[i])->ways & WAY (way))
        g_print ("%s %s\n", ((const Case *) cases->pdata[i])->name, way_name (way));
}

static gint64
measure (const Case *that, Way way, guint n, double seconds)
{
  gint64 end = g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);
  gint64 least = G_MAXINT64;

  /* At least twice: the first use of memory costs more. */
  for (guint i = 0; i < 2 || g_get_monotonic_time () < end; i++)
    {
      gint64 time;

      take_time ();
      run_case (that, way, n, FALSE);
      time = take_time ();
      least = MIN (least, time);
    }
  return least;
}

int
main (int argc, char *argv[])
{
  const Case *that = argc > 2 ? find_case (argv[1]) : NULL;
  Way way = WOKEN;

  if (argc == 1)
    {
      print_cases ();
      return 0;
    }
  while (that && way < N_WAYS && strcmp (way_name (way), argv[2]) != 0)
    way++;
  if (argc < 4 || that == NULL || !(that->ways & WAY (way)))
    {
      g_printerr ("usage: grow [CASE WAY N [SECONDS]]; without arguments it names the cases\n");
      return 2;
    }
  gtx_set_default_stack_size (SMALL_STACK);
  g_print ("%" G_GINT64_FORMAT "\n",
           measure (that, way, (guint) atoi (argv[3]), argc > 4 ? g_ascii_strtod (argv[4], NULL) : 0));
  return 0;
}
