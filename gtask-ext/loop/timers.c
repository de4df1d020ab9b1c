/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/timers.h"

/* A timer lies on the stack of the task that waits, whose memory is far away if there are many
 * tasks: so the heap is ordered without a look at any timer.  An entry names a slot, which stays
 * where it is while entries move.  To remove a timer empties its slot.
 *
 * Invariants: an entry is not later than its four children, heap[4i + 1] to heap[4i + 4]; the
 * entries, and those behind them up to the room, name each slot once; slots[timer->slot] names the
 * timer. */

struct _GtxTimerEntry
{
  gint64 deadline;
  guint slot;
};

struct _GtxTimerSlot
{
  GtxTimer *timer;              /* NULL: removed */
  guint64 sequence;             /* the order in which timers were armed */
};

#define FEWEST 64

static inline GtxTimer *
timer_of (const GtxTimers *self,
          gsize            place)
{
  return self->slots[self->heap[place].slot].timer;
}

/* ---- The heap ---- */

static inline gboolean
is_earlier (const GtxTimers *self,
            GtxTimerEntry    a,
            GtxTimerEntry    b)
{
  if (a.deadline != b.deadline)
    return a.deadline < b.deadline;
  return self->slots[a.slot].sequence < self->slots[b.slot].sequence;
}

/* Lets the entry at @place rise to where it belongs. */
static void
rise (GtxTimers *self,
      gsize      place)
{
  GtxTimerEntry entry = self->heap[place];

  for (; place > 0 && is_earlier (self, entry, self->heap[(place - 1) / 4]); place = (place - 1) / 4)
    self->heap[place] = self->heap[(place - 1) / 4];
  self->heap[place] = entry;
}

static inline gsize
earliest_child (const GtxTimers *self,
                gsize            place)
{
  gsize first = 4 * place + 1;
  gsize end = MIN (first + 4, self->n_entries);
  gsize earliest = first;

  for (gsize child = first + 1; child < end; child++)
    if (is_earlier (self, self->heap[child], self->heap[earliest]))
      earliest = child;
  return earliest;
}

/* Lets the entry at @place sink to where it belongs. */
static void
sink (GtxTimers *self,
      gsize      place)
{
  GtxTimerEntry entry = self->heap[place];

  while (4 * place + 1 < self->n_entries)
    {
      gsize child = earliest_child (self, place);

      if (is_earlier (self, entry, self->heap[child]))
        break;
      self->heap[place] = self->heap[child];
      place = child;
    }
  self->heap[place] = entry;
}

static inline void
swap (GtxTimers *self,
      gsize      a,
      gsize      b)
{
  GtxTimerEntry entry = self->heap[a];

  self->heap[a] = self->heap[b];
  self->heap[b] = entry;
}

static void
drop_first_entry (GtxTimers *self)
{
  self->n_entries--;
  swap (self, 0, self->n_entries);
  sink (self, 0);
}

/* ---- Room ---- */

static void
set_room (GtxTimers *self,
          gsize      room)
{
  g_assert (room < G_MAXUINT);
  self->heap = g_renew (GtxTimerEntry, self->heap, room);
  self->slots = g_renew (GtxTimerSlot, self->slots, room + 1);
  for (gsize place = self->room; place < room; place++)
    self->heap[place].slot = (guint) place + 1;
  self->room = room;
}

/* Drops the entries of timers that were removed. */
static void
purge (GtxTimers *self)
{
  gsize n = 0;

  for (gsize place = 0; place < self->n_entries; place++)
    if (timer_of (self, place))
      swap (self, place, n++);
  self->n_entries = n;
  for (gsize n_parents = (n + 2) / 4; n_parents > 0; n_parents--)
    sink (self, n_parents - 1);
}

/* Gives the room of many timers back when they are gone: the timers that are left move to the first
 * slots. */
static void
shrink (GtxTimers *self)
{
  GtxTimerSlot *slots;

  purge (self);
  slots = g_new (GtxTimerSlot, self->n_entries + 1);
  for (gsize place = 0; place < self->n_entries; place++)
    {
      guint slot = (guint) place + 1;

      slots[slot] = self->slots[self->heap[place].slot];
      slots[slot].timer->slot = slot;
      self->heap[place].slot = slot;
    }
  g_free (self->slots);
  self->slots = slots;
  self->room = self->n_entries;
  set_room (self, MAX (FEWEST, 2 * self->n_entries));
}

/* ---- Timers ---- */

void
gtx_timers_clear (GtxTimers *self)
{
  g_clear_pointer (&self->heap, g_free);
  g_clear_pointer (&self->slots, g_free);
  self->n_entries = self->length = self->room = 0;
}

void
gtx_timers_insert (GtxTimers *self,
                   GtxTimer  *timer,
                   gint64     deadline)
{
  GtxTimerEntry *entry;

  g_assert (timer->slot == 0);

  if (self->n_entries == self->room)
    set_room (self, MAX (FEWEST, 2 * self->room));
  entry = &self->heap[self->n_entries];
  entry->deadline = timer->deadline = deadline;
  timer->slot = entry->slot;
  self->slots[entry->slot].timer = timer;
  self->slots[entry->slot].sequence = self->armed++;
  self->length++;
  rise (self, self->n_entries++);
}

/* The entry leaves the heap when it comes first or last, or when most entries are of removed
 * timers, as in asyncio. */
void
gtx_timers_remove (GtxTimers *self,
                   GtxTimer  *timer)
{
  guint slot = timer->slot;

  g_assert (self->slots[slot].timer == timer);

  self->slots[slot].timer = NULL;
  timer->slot = 0;
  self->length--;
  if (self->heap[self->n_entries - 1].slot == slot)
    self->n_entries--;
  if (self->n_entries > FEWEST && self->length < self->n_entries / 2)
    purge (self);
  if (self->room > 16 * FEWEST && self->n_entries < self->room / 8)
    shrink (self);
}

GtxTimer *
gtx_timers_first (GtxTimers *self)
{
  if (self->length == 0)
    self->n_entries = 0;
  while (self->n_entries > 0 && timer_of (self, 0) == NULL)
    drop_first_entry (self);
  return self->n_entries > 0 ? timer_of (self, 0) : NULL;
}
