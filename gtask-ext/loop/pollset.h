/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set of descriptors that the kernel watches, and that is itself a descriptor which can be
 * polled: epoll, or the like of another system. */

#pragma once

#include <glib.h>

typedef struct
{
  guint64 token;                /* the token that gtx_pollset_ask () was given */
  GIOCondition came;
} GtxPollEvent;

/* How many events gtx_pollset_take () takes at most. */
#define GTX_POLL_MOST_EVENTS 128

typedef enum
{
  GTX_POLL_ASKED,
  GTX_POLL_ALWAYS_READY,        /* the file cannot be waited for, such as a regular one */
  GTX_POLL_NOT_OPEN,
  GTX_POLL_REFUSED              /* there is no set, or no room in it, or it cannot report the condition */
} GtxPollAnswer;

/* Returns the descriptor of a new set, to be closed; -1 if none can be had. */
int           gtx_pollset_new  (void);
/* Asks for one event of @fd: for what comes of @condition, and for G_IO_ERR and G_IO_HUP.  Replaces
 * what was asked for @fd before.  @follows: asks for what there is now and for all news from then
 * on, and also for urgent data and the other side's end, which are reported as bits that are not in
 * @condition. */
GtxPollAnswer gtx_pollset_ask  (int           set,
                                int           fd,
                                GIOCondition  condition,
                                gboolean      follows,
                                guint64       token);
/* Takes @fd out of the set.  FALSE if the file was closed, or is another one. */
gboolean      gtx_pollset_drop (int           set,
                                int           fd);
/* Takes the events that have come, without waiting.  Returns how many. */
guint         gtx_pollset_take (int           set,
                                GtxPollEvent  events[GTX_POLL_MOST_EVENTS]);
