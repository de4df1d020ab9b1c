/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "timers.h"

/* Invariant: timers[i] is not later than timers[2i] and timers[2i + 1], and
 * timers[i]->place is i. */

static inline gboolean
is_earlier (const GtxTimer *a,
            const GtxTimer *b)
{
  if (a->deadline != b->deadline)
    return a->deadline < b->deadline;
  return a->sequence < b->sequence;
}

static inline void
put (GtxTimers *timers,
     GtxTimer  *timer,
     gsize      place)
{
  timers->timers[place] = timer;
  timer->place = place;
}

/* Lets @timer rise or sink from the free @place to where it belongs. */
static void
settle (GtxTimers *timers,
        GtxTimer  *timer,
        gsize      place)
{
  for (; place > 1 && is_earlier (timer, timers->timers[place / 2]); place /= 2)
    put (timers, timers->timers[place / 2], place);

  for (;;)
    {
      gsize child = 2 * place;

      if (child > timers->length)
        break;
      if (child < timers->length &&
          is_earlier (timers->timers[child + 1], timers->timers[child]))
        child++;
      if (is_earlier (timer, timers->timers[child]))
        break;
      put (timers, timers->timers[child], place);
      place = child;
    }

  put (timers, timer, place);
}

void
gtx_timers_clear (GtxTimers *timers)
{
  g_free (timers->timers);
  timers->timers = NULL;
  timers->length = timers->room = 0;
}

void
gtx_timers_insert (GtxTimers *timers,
                   GtxTimer  *timer,
                   gint64     deadline)
{
  g_assert (timer->place == 0);

  if (timers->length + 1 >= timers->room)
    {
      timers->room = MAX (64, 2 * timers->room);
      timers->timers = g_renew (GtxTimer *, timers->timers, timers->room);
    }
  timer->deadline = deadline;
  timer->sequence = timers->armed++;
  timers->length++;
  settle (timers, timer, timers->length);
}

void
gtx_timers_remove (GtxTimers *timers,
                   GtxTimer  *timer)
{
  gsize place = timer->place;
  GtxTimer *last = timers->timers[timers->length];

  g_assert (timers->timers[place] == timer);

  timers->length--;
  timer->place = 0;
  if (last != timer)
    settle (timers, last, place);

  /* A crowd that is gone does not keep its room. */
  if (timers->room > 1024 && timers->length < timers->room / 8)
    {
      timers->room /= 2;
      timers->timers = g_renew (GtxTimer *, timers->timers, timers->room);
    }
}
