/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who waits for descriptors.  However many there are, the main loop asks and polls one
 * source. */

#pragma once

#include "loop/scheduler.h"

typedef struct _GtxPollWait GtxPollWait;

struct _GtxPollWait
{
  GtxHandle link;               /* among those who wait for the descriptor */
  GIOCondition condition;       /* that is waited for; then: what of it came */
  guint64 stream;               /* G_IO_IN of one that was found empty, see below; or 0 */
  /* Whether the file was closed here, so that another may have its number; NULL: nobody knows. */
  gboolean (*is_closed) (GtxPollWait *wait);
  /* The wait has ended: adds to @woken what is to run.  Runs nothing itself. */
  void (*came) (GtxPollWait   *wait,
                GtxHandleList *woken);
};

/* Waits for @fd, until something comes or it leaves: what of its condition is the case,
 * G_IO_ERR or G_IO_HUP; G_IO_NVAL if it is not open. */
void gtx_poller_join  (GtxScheduler *scheduler,
                       GtxPollWait  *wait,
                       int           fd);
/* Ends a wait for which nothing came. */
void gtx_poller_leave (GtxScheduler *scheduler,
                       GtxPollWait  *wait,
                       int           fd);
/* Somebody may have closed @fd: who waits for it is told now, and not in a while. */
void gtx_poller_look  (GtxScheduler *scheduler,
                       int           fd);

/* Of some streams, which have numbers that are theirs for good, the set tells whatever is new as
 * long as they are waited for now and then: TCP's, of which less is read than was asked for only
 * where there is no more.  While one is known to be empty there is no need to try to read it. */
gboolean gtx_poller_is_empty   (GtxScheduler *scheduler,
                                int           fd,
                                guint64       stream);
/* All that it had was read. */
void     gtx_poller_note_empty (GtxScheduler *scheduler,
                                int           fd,
                                guint64       stream);
