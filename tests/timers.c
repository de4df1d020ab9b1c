/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heap of timers compared with a list that is searched. */

#include "loop/timers.h"

#define N_TIMERS 500

/* Looks at all timers.  Returns the earliest, and of equal ones the one that was armed first. */
static GtxTimer *
first_of_all (GtxTimer *all, gint64 *armed)
{
  GtxTimer *first = NULL;

  for (guint i = 0; i < N_TIMERS; i++)
    if (armed[i] >= 0 && (first == NULL || all[i].deadline < first->deadline ||
                          (all[i].deadline == first->deadline && armed[i] < armed[first - all])))
      first = &all[i];
  return first;
}

static void
test_random (void)
{
  g_autofree GtxTimer *all = g_new0 (GtxTimer, N_TIMERS);
  gint64 armed[N_TIMERS];
  GtxTimers timers = { 0 };
  gsize length = 0;

  for (guint i = 0; i < N_TIMERS; i++)
    armed[i] = -1;
  for (gint64 step = 0; step < 20000; step++)
    {
      guint i = (guint) g_test_rand_int_range (0, N_TIMERS);

      if (armed[i] < 0)
        {
          gtx_timers_insert (&timers, &all[i], g_test_rand_int_range (0, 50));
          armed[i] = step;
          length++;
        }
      else
        {
          gtx_timers_remove (&timers, &all[i]);
          armed[i] = -1;
          length--;
        }
      g_assert_cmpuint (timers.length, ==, length);
      g_assert_true (gtx_timers_first (&timers) == first_of_all (all, armed));
    }
  gtx_timers_clear (&timers);
}

static void
test_sorts (void)
{
  g_autofree GtxTimer *all = g_new0 (GtxTimer, 5000);
  GtxTimers timers = { 0 };
  GtxTimer *last = NULL;
  GtxTimer *timer;
  guint n = 0;

  for (guint i = 0; i < 5000; i++)
    gtx_timers_insert (&timers, &all[i], g_test_rand_int_range (0, 300));
  for (; (timer = gtx_timers_first (&timers)); last = timer, n++)
    {
      gtx_timers_remove (&timers, timer);
      g_assert_cmpuint (timer->slot, ==, 0);
      g_assert_true (last == NULL || last->deadline < timer->deadline ||
                     (last->deadline == timer->deadline && last < timer));
    }
  g_assert_cmpuint (n, ==, 5000);
  gtx_timers_clear (&timers);
}

/* Takes all remaining timers, and returns how many came in order. */
static guint
take_in_order (GtxTimers *timers)
{
  gint64 last = -1;
  GtxTimer *timer;
  guint n = 0;

  for (; (timer = gtx_timers_first (timers)) && timer->deadline >= last; n++)
    {
      last = timer->deadline;
      gtx_timers_remove (timers, timer);
    }
  return n;
}

/* The entries of removed timers take no more room than there are timers. */
static void
test_burst (void)
{
  g_autofree GtxTimer *all = g_new0 (GtxTimer, 20000);
  GtxTimers timers = { 0 };

  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 0; i < 20000; i++)
        gtx_timers_insert (&timers, &all[i], g_test_rand_int_range (0, 1000000));
      g_assert_cmpuint (timers.room, <, 2 * 20000);
      for (guint i = 0; i < 20000; i++)
        if (i % 200 != 0)
          gtx_timers_remove (&timers, &all[round == 0 ? 19999 - i : i]);
      g_assert_cmpuint (timers.length, ==, 100);
      g_assert_cmpuint (timers.room, <=, 1024);
      g_assert_cmpuint (take_in_order (&timers), ==, 100);
      g_assert_cmpuint (timers.length, ==, 0);
    }
  gtx_timers_clear (&timers);
}

/* A timer that is set and removed again and again needs little room. */
static void
test_taken_back (void)
{
  GtxTimers timers = { 0 };
  GtxTimer late = { 0 };
  GtxTimer timer = { 0 };

  gtx_timers_insert (&timers, &late, 1000);
  for (guint i = 0; i < 10000; i++)
    {
      gtx_timers_insert (&timers, &timer, 2000 + i);
      gtx_timers_remove (&timers, &timer);
    }
  g_assert_cmpuint (timers.room, <=, 128);
  g_assert_true (gtx_timers_first (&timers) == &late);
  gtx_timers_clear (&timers);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/timers/random", test_random);
  g_test_add_func ("/timers/sorts", test_sorts);
  g_test_add_func ("/timers/burst", test_burst);
  g_test_add_func ("/timers/taken-back", test_taken_back);
  return g_test_run ();
}
