/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set of descriptors that the kernel watches, behind one that can be polled: epoll, or
 * another system's like of it. */

#pragma once

#include <glib.h>

typedef struct
{
  guint64 token;                /* as it was asked for */
  GIOCondition came;
} GtxPollEvent;

/* That are taken at once. */
#define GTX_POLL_MOST_EVENTS 128

typedef enum
{
  GTX_POLL_ASKED,
  GTX_POLL_ALWAYS_READY,        /* nothing that is waited for, as a regular file is */
  GTX_POLL_NOT_OPEN,
  GTX_POLL_REFUSED              /* there is no set, or no room in it, or it cannot tell of that */
} GtxPollAnswer;

/* Returns a descriptor, to be closed; -1 where there is none to be had. */
int           gtx_pollset_new  (void);
/* Asks once for what of @condition comes, and for G_IO_ERR and G_IO_HUP; in place of
 * what has been asked for @fd.  @follows: for what there is now and whatever is new from then on,
 * and as well, as bits that are none of @condition's, for urgent data and the other side's end. */
GtxPollAnswer gtx_pollset_ask  (int           set,
                                int           fd,
                                GIOCondition  condition,
                                gboolean      follows,
                                guint64       token);
/* Asks for nothing of @fd any more: FALSE if the file is another one, or closed. */
gboolean      gtx_pollset_drop (int           set,
                                int           fd);
/* Takes what has come, without waiting: how many. */
guint         gtx_pollset_take (int           set,
                                GtxPollEvent  events[GTX_POLL_MOST_EVENTS]);
