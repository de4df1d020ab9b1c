/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A descriptor that is waited for: who waits, and how the kernel is asked. */

#pragma once

#include "loop/poller.h"
#include "loop/scheduler-private.h"

typedef struct _GtxPolled GtxPolled;

/* Invariants:
 * - A descriptor is linked exactly while somebody waits for it: among those that are asked for,
 *   those that are due, or those with a source of their own.
 * - An event that carries another token than the descriptor's last is of a file that had
 *   its number before, or of what is asked for no more: it finds nobody.
 * - What is asked for includes what all who wait for it want.
 * - A stream that is followed and has no news is empty, or an event of what it has is in the
 *   set and was not taken yet.  So it may be waited for without asking. */
struct _GtxPolled
{
  GtxHandle link;
  GtxPoller *poller;
  int fd;
  guint32 asking;               /* the number of the last time; in its token */
  GIOCondition wanted;          /* by those who wait, and maybe by who did */
  GIOCondition due;             /* came without an event */
  guint64 stream;               /* that all wait for and found empty; or 0 */
  guint64 followed;             /* whose every news the set tells; or 0 */
  guint64 unfollowed;           /* that did what makes its emptiness unknown; or 0 */
  gboolean has_news;            /* what is followed, since it was found empty */
  GtxHandleList waits;
  guint n_knowing;              /* of these: when the file is closed */
  GSource *source;              /* its own, where it is in no set; or NULL */
  gpointer tag;
  GIOCondition asked;           /* by that source */
};

/* The kernel does not tell of a descriptor that is closed while it is asked for, nor of
 * another file that has its number then.  So all are asked for anew now and then, and in
 * any case after the last turn of a main loop that comes to rest: in a turn that did not
 * happen nobody closed anything. */
struct _GtxPoller
{
  GSource source;
  GtxScheduler *scheduler;
  gboolean is_parents;          /* the set, in the child of a fork () */
  int set;                      /* -1: could not be had */
  gpointer tag;
  GPtrArray *descriptors;       /* by number */
  GtxHandleList asked;
  GtxHandleList due;
  GtxHandleList apart;          /* with a source of their own */
  guint32 n_asked;
  guint n_stale;
  gint64 ask_anew_at;
};

void       gtx_poller_open_set   (GtxPoller     *self);

GtxPolled *gtx_polled_new        (GtxPoller     *poller,
                                  int            fd);
void       gtx_polled_free       (GtxPolled     *self);

static inline guint64
gtx_polled_token (const GtxPolled *self)
{
  return (guint64) self->asking << 32 | (guint32) self->fd;
}

static inline gboolean
gtx_polled_is_awaited (const GtxPolled *self)
{
  return !gtx_handle_list_is_empty (&self->waits);
}

void       gtx_polled_join       (GtxPolled     *self,
                                  GtxPollWait   *wait);
void       gtx_polled_leave      (GtxPolled     *self,
                                  GtxPollWait   *wait);
/* Looks who waits for a file that is closed by now, and asks for what the others want. */
void       gtx_polled_ask_anew   (GtxPolled     *self);
/* These add to @woken who has waited.  An event may be one for which nobody waits. */
void       gtx_polled_take       (GtxPolled     *self,
                                  GIOCondition   came,
                                  GtxHandleList *woken);
void       gtx_polled_take_event (GtxPolled     *self,
                                  GIOCondition   came,
                                  GtxHandleList *woken);
