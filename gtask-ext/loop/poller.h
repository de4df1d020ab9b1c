/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for descriptors.  However many there are, the main loop asks and polls one source. */

#pragma once

#include "loop/scheduler.h"

typedef struct _GtxPollWait GtxPollWait;

struct _GtxPollWait
{
  GtxHandle link;               /* among the waits for the descriptor */
  GIOCondition condition;       /* to wait for; when the wait has ended: what of it came */
  guint64 stream;               /* for G_IO_IN: the stream that was found empty, see
                                 * gtx_poller_is_empty (); or 0 */
  /* Whether the file was closed in this process, so that another may have its number; NULL:
   * unknown. */
  gboolean (*is_closed) (GtxPollWait *wait);
  /* Called when the wait has ended: appends to @woken the handle to run.  Runs no handle itself. */
  void (*came) (GtxPollWait   *wait,
                GtxHandleList *woken);
};

/* Adds a wait for @fd, until it leaves or a condition comes: one that it waits for, G_IO_ERR or
 * G_IO_HUP; or G_IO_NVAL if @fd is not open. */
void gtx_poller_join  (GtxScheduler *scheduler,
                       GtxPollWait  *wait,
                       int           fd);
/* Ends a wait for which nothing came. */
void gtx_poller_leave (GtxScheduler *scheduler,
                       GtxPollWait  *wait,
                       int           fd);
/* To be called if @fd may have been closed: ends its waits now, rather than when the poller asks
 * anew. */
void gtx_poller_look  (GtxScheduler *scheduler,
                       int           fd);

/* Some streams, which have numbers that are theirs for good, are followed: the set reports all
 * their news as long as tasks wait for them now and then.  These are TCP's, since a read of TCP
 * returns less than was asked for only if there is no more.  There is no need to read a stream that
 * is known to be empty. */
gboolean gtx_poller_is_empty   (GtxScheduler *scheduler,
                                int           fd,
                                guint64       stream);
/* To be called when all data of the stream was read. */
void     gtx_poller_note_empty (GtxScheduler *scheduler,
                                int           fd,
                                guint64       stream);
