/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A descriptor that tasks wait for: its waits, and how the kernel is asked about it. */

#pragma once

#include "loop/poller.h"
#include "loop/scheduler-private.h"

typedef struct _GtxPolled GtxPolled;

/* Invariants:
 * - A descriptor is linked exactly while it has waits: among those that the kernel was asked for,
 *   those that are due, or those with a source of their own.
 * - An event with a token that is not the descriptor's last is of a file that had the number
 *   before, or of a condition that is no longer asked for: it wakes no task.
 * - The conditions that the kernel is asked for include those of all waits.
 * - A stream that is followed and has no news is empty, or an event of its data is in the set and
 *   was not taken yet.  So a task may wait for it without asking the kernel. */
struct _GtxPolled
{
  GtxHandle link;
  GtxPoller *poller;
  int fd;
  guint32 asking;               /* the number of the last time that the kernel was asked; in the token */
  GIOCondition wanted;          /* by the waits, and maybe by some that have ended */
  GIOCondition due;             /* conditions that are ready without an event */
  guint64 stream;               /* the stream that all waits are for and found empty; or 0 */
  guint64 followed;             /* the stream of which the set reports all news; or 0 */
  guint64 unfollowed;           /* a stream of which it is no longer known when it is empty; or 0 */
  gboolean has_news;            /* the followed stream, since it was found empty */
  GtxHandleList waits;
  guint n_knowing;              /* of these, those that know when the file is closed */
  GSource *source;              /* the descriptor's own, if it is in no set; or NULL */
  gpointer tag;
  GIOCondition asked;           /* by the descriptor's own source */
};

/* The kernel reports neither that a descriptor was closed while it is asked for, nor that another
 * file has its number then.  So the poller asks for all descriptors anew now and then, and in any
 * case after the last turn of a main loop that comes to rest: without a turn no callback has closed
 * anything. */
struct _GtxPoller
{
  GSource source;
  GtxScheduler *scheduler;
  gboolean is_parents;          /* in the child of a fork (): the set is the parent's */
  int set;                      /* -1: there is none, or none can be had */
  gpointer tag;
  GPtrArray *descriptors;       /* by number */
  GtxHandleList asked;
  GtxHandleList due;
  GtxHandleList apart;          /* descriptors with a source of their own */
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
/* Ends the waits for a file that was closed meanwhile, and asks the kernel for what the others
 * want. */
void       gtx_polled_ask_anew   (GtxPolled     *self);
/* Both end the waits for which @came is, and append to @woken what these want to run.  There may be
 * no wait for an event. */
void       gtx_polled_take       (GtxPolled     *self,
                                  GIOCondition   came,
                                  GtxHandleList *woken);
void       gtx_polled_take_event (GtxPolled     *self,
                                  GIOCondition   came,
                                  GtxHandleList *woken);
