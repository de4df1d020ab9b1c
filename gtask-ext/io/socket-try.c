/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io/socket-try.h"

#include "io/ready.h"
#include "loop/poller.h"
#include "many/timeout-private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

struct _GtxSocketNotes
{
  guint64 stream;               /* the socket's number for the poller; or 0 */
  GtxFirstTries reads;          /* for a socket without a number */
};

/* ---- Notes ---- */

/* Whether a socket is TCP and nothing else.  It is not if its protocol only presents itself as TCP,
 * as several paths for one connection do, nor if there is a layer between TCP and the program, such
 * as encryption in the kernel, which returns a record at a time. */
static gboolean
is_plain_tcp (int fd)
{
  int protocol = 0;
  socklen_t length = sizeof protocol;
  char between[16];
  socklen_t between_length = sizeof between;

  return getsockopt (fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == IPPROTO_TCP &&
         (getsockopt (fd, IPPROTO_TCP, TCP_ULP, between, &between_length) != 0 || between_length == 0);
}

static guint64
next_number (void)
{
  static guint64 n;

  return __atomic_add_fetch (&n, 1, __ATOMIC_RELAXED);
}

static gpointer
notes_new (gpointer socket)
{
  GtxSocketNotes *self = g_new0 (GtxSocketNotes, 1);

  self->stream = is_plain_tcp (g_socket_get_fd (socket)) ? next_number () : 0;
  return self;
}

GtxSocketNotes *
gtx_socket_get_notes (GSocket *socket)
{
  static gsize quark;

  return gtx_ready_get_notes (socket, &quark, "gtask-ext-socket-notes", notes_new);
}

/* ---- Trying ---- */

gssize
gtx_socket_receive_once (int           fd,
                         GtxSocketTry *self)
{
  return recv (fd, self->buffer, self->size, MSG_DONTWAIT);
}

gssize
gtx_socket_send_once (int           fd,
                      GtxSocketTry *self)
{
  return sendto (fd, self->data, self->size, MSG_NOSIGNAL | MSG_DONTWAIT, self->to, self->to_length);
}

static gssize
try_once (GtxSocketTry  *self,
          int            fd,
          gboolean      *would_block,
          GError       **error)
{
  gssize n;
  int number;

  *would_block = FALSE;
  do
    n = self->once (fd, self);
  while (n < 0 && errno == EINTR);
  if (n >= 0)
    return n;
  number = errno;
  *would_block = (number == EAGAIN || number == EWOULDBLOCK) && self->waits;
  /* The descriptor of a closed socket is -1; if another thread is about to close the socket, GIO has
   * closed the descriptor already. */
  if (number == EBADF)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The socket is closed");
  else if (!*would_block)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (number), "The socket failed: %s", g_strerror (number));
  return -1;
}

/* Whether to make the first try, rather than to leave it out. */
static gboolean
is_first_worth_it (GtxTask       *task,
                   int            fd,
                   guint64        stream,
                   GtxFirstTries *tries)
{
  if (tries)
    return gtx_first_tries_is_worth_it (tries, task);
  return !gtx_poller_is_empty (task->parent_instance.home, fd, stream) || gtx_task_is_out_of_time (task);
}

gssize
gtx_socket_try (GtxTask         *task,
                GSocket         *socket,
                GtxSocketNotes  *notes,
                GtxSocketTry    *self,
                GError         **error)
{
  gboolean waits_for_data = self->condition == G_IO_IN && self->waits;
  guint64 stream = waits_for_data ? notes->stream : 0;
  GtxFirstTries *tries = waits_for_data && stream == 0 ? &notes->reads : NULL;
  gboolean is_first = TRUE;
  gboolean would_block = TRUE;
  gssize n = -1;
  int fd = -1;

  if (!gtx_ready_begin_next_try (task, self->delivers, error))
    return -1;
  for (;;)
    {
      /* Asked for only now: other tasks may have run and closed the socket, or the poller may have
       * news of it. */
      fd = g_socket_get_fd (socket);
      if (!is_first || is_first_worth_it (task, fd, stream, tries))
        {
          n = try_once (self, fd, &would_block, error);
          if (tries)
            gtx_first_tries_note (tries, would_block);
        }
      if (n >= 0 || !would_block ||
          !gtx_ready_await_socket (task, socket, fd, stream, self->condition, self->delivers, error))
        break;
      is_first = FALSE;
      tries = NULL;
    }
  if (stream != 0 && n > 0 && (gsize) n < self->size)
    gtx_poller_note_empty (task->parent_instance.home, fd, stream);
  return n;
}
