/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For a system that has no such set, or a build that wants none: each descriptor that a task waits
 * for has a source of its own. */

#include "loop/pollset.h"

int
gtx_pollset_new (void)
{
  return -1;
}

GtxPollAnswer
gtx_pollset_ask (int          set,
                 int          fd,
                 GIOCondition condition,
                 gboolean     follows,
                 guint64      token)
{
  return GTX_POLL_REFUSED;
}

gboolean
gtx_pollset_drop (int set,
                  int fd)
{
  return FALSE;
}

guint
gtx_pollset_take (int          set,
                  GtxPollEvent events[GTX_POLL_MOST_EVENTS])
{
  return 0;
}
