/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set of descriptors by Linux's epoll. */

#include "loop/pollset.h"

#include <errno.h>
#include <sys/epoll.h>

/* epoll's conditions have the bits of poll ()'s, and its flags are above these. */
#define CONDITIONS 0xffff

G_STATIC_ASSERT (EPOLLIN == (int) G_IO_IN && EPOLLOUT == (int) G_IO_OUT && EPOLLPRI == (int) G_IO_PRI &&
                 EPOLLERR == (int) G_IO_ERR && EPOLLHUP == (int) G_IO_HUP);

int
gtx_pollset_new (void)
{
  return epoll_create1 (EPOLL_CLOEXEC);
}

GtxPollAnswer
gtx_pollset_ask (int          set,
                 int          fd,
                 GIOCondition condition,
                 gboolean     follows,
                 guint64      token)
{
  guint flags = follows ? EPOLLET | EPOLLPRI | EPOLLRDHUP : EPOLLONESHOT;
  struct epoll_event event = { .events = ((guint) condition & CONDITIONS) | flags, .data.u64 = token };

  /* Some files report a change once, to the first that asks, such as those for mounts and for
   * pressure.  The main loop's poll would ask them through the set, and then the set would ask
   * again. */
  if ((condition & G_IO_PRI) != 0 || (condition & (G_IO_IN | G_IO_OUT)) == 0)
    return GTX_POLL_REFUSED;
  /* Closing a file takes it out of the set, so that another file with the same number is not in. */
  if (epoll_ctl (set, EPOLL_CTL_MOD, fd, &event) == 0 ||
      (errno == ENOENT && epoll_ctl (set, EPOLL_CTL_ADD, fd, &event) == 0))
    return GTX_POLL_ASKED;
  if (errno == EPERM)
    return GTX_POLL_ALWAYS_READY;
  return errno == EBADF && set >= 0 ? GTX_POLL_NOT_OPEN : GTX_POLL_REFUSED;
}

gboolean
gtx_pollset_drop (int set,
                  int fd)
{
  return epoll_ctl (set, EPOLL_CTL_DEL, fd, NULL) == 0;
}

guint
gtx_pollset_take (int          set,
                  GtxPollEvent events[GTX_POLL_MOST_EVENTS])
{
  struct epoll_event taken[GTX_POLL_MOST_EVENTS];
  int n = epoll_wait (set, taken, GTX_POLL_MOST_EVENTS, 0);

  for (int i = 0; i < n; i++)
    events[i] = (GtxPollEvent) { taken[i].data.u64, (GIOCondition) (taken[i].events & CONDITIONS) };
  return (guint) MAX (n, 0);
}
