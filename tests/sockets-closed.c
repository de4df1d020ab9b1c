/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets are closed while tasks wait for them, by a task or by GIO, and then other files get their
 * numbers. */

#include "socket-ends.h"

#include <sys/socket.h>
#include <unistd.h>

static gboolean
close_both_ways (gboolean by_socket, GError **error)
{
  return by_socket ? g_socket_close (ends->sockets[0], error) : gtx_io_stream_close (ends->connections[0], error);
}

static void
begin_all (GtxTask *tasks[4])
{
  tasks[0] = begin (read_it, ends->input);
  tasks[1] = begin (receive, ends->sockets[0]);
  tasks[2] = begin (wait_for_input, ends->sockets[0]);
  tasks[3] = begin (fill_and_send, ends->sockets[0]);
}

/* All waiting tasks are told at once. */
static gboolean
test_closed (gpointer data, GError **error)
{
  GtxTask *tasks[4];

  begin_all (tasks);
  g_assert_true (close_both_ways (FALSE, error));
  let_loop_rest ();
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_assert_true (gtx_future_is_done (tasks[i]));
      assert_fails (tasks[i], G_IO_ERROR, G_IO_ERROR_CLOSED);
    }
  g_assert_true (close_both_ways (FALSE, error));
  assert_fails (gtx_create_task (receive, ends->sockets[0], NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_fails (gtx_create_task (send_it, ends->sockets[0], NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_fails (gtx_create_task (wait_for_input, ends->sockets[0], NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_fails (gtx_create_task (read_it, ends->input, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_trace ("");
  return TRUE;
}

/* GIO's function closes the socket, and does not tell the library. */
static gboolean
test_closed_by_gio (gpointer data, GError **error)
{
  GtxTask *tasks[4];

  begin_all (tasks);
  g_assert_true (close_both_ways (TRUE, error));
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_assert_true (gtx_sleep (0, error));
      assert_fails (tasks[i], G_IO_ERROR, G_IO_ERROR_CLOSED);
    }
  return TRUE;
}

/* Another socket gets the number, and receives nothing. */
static gboolean
test_number_used_again (gpointer by_gio, GError **error)
{
  GtxTask *task = begin (read_it, ends->input);
  int fd = g_socket_get_fd (ends->sockets[0]);
  g_autoptr (Ends) others = NULL;
  GtxTask *other;

  g_assert_true (close_both_ways (by_gio != NULL, error));
  others = ends_new (ENDS_ARE_SOCKETS);
  g_assert_true (ends_get_fd (others, FALSE) == fd || ends_get_fd (others, TRUE) == fd);
  other = gtx_create_task (read_it, ends_get_fd (others, FALSE) == fd ? others->input
                           : g_io_stream_get_input_stream (others->connections[1]), NULL);
  g_assert_true (gtx_sleep (0, error));
  {
    g_autoptr (GError) failure = NULL;

    g_assert_false (gtx_wait_for (task, 30, &failure));
    g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CLOSED);
    g_object_unref (task);
  }
  g_assert_false (gtx_future_is_done (other));
  for (int i = 0; i < 2; i++)
    g_assert_cmpint (send (g_socket_get_fd (others->sockets[i]), "x", 1, 0), ==, 1);
  assert_succeeds (other);
  assert_trace ("x");
  return TRUE;
}

static gboolean
test_number_used_again_by_gio (gpointer data, GError **error)
{
  return test_number_used_again (GINT_TO_POINTER (TRUE), error);
}

/* A file that no task reads gets the number. */
static gboolean
test_number_taken (gpointer data, GError **error)
{
  GtxTask *task = begin (read_it, ends->input);
  int fd = g_socket_get_fd (ends->sockets[0]);
  int others;

  g_assert_true (close_both_ways (TRUE, error));
  others = dup (1);
  g_assert_cmpint (others, ==, fd);
  {
    g_autoptr (GError) failure = NULL;

    g_assert_false (gtx_wait_for (task, 30, &failure));
    g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CLOSED);
    g_object_unref (task);
  }
  close (others);
  return TRUE;
}

static gboolean
watch (gpointer fd, GError **error)
{
  return gtx_await_fd (GPOINTER_TO_INT (fd), G_IO_PRI, error) != 0;
}

/* The task that waits for the descriptor does not know the socket, and was there first. */
static gboolean
test_number_taken_while_watched (gpointer data, GError **error)
{
  gpointer fd = GINT_TO_POINTER (g_socket_get_fd (ends->sockets[0]));
  g_autoptr (GtxTask) watcher = gtx_create_task (watch, fd, NULL);

  let_loop_rest ();
  g_assert_true (test_number_taken (NULL, error));
  gtx_cancel (watcher);
  gtx_await (watcher, NULL);
  return TRUE;
}

typedef struct
{
  GtxTask *reader;
  int others[2];
} Change;

/* Closes the socket of a task that has a pending request, and withdraws the request. */
static gboolean
change_hands (Change *self, GError **error)
{
  gtx_uncancel (self->reader);
  g_assert_true (g_socket_close (ends->sockets[0], NULL));
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->others), ==, 0);
  for (int i = 0; i < 2; i++)
    g_assert_cmpint (write (self->others[i], "x", 1), ==, 1);
  return TRUE;
}

static gboolean
receive_in_vain (Change *self, GError **error)
{
  self->reader = gtx_current_task ();
  gtx_cancel (self->reader);
  return receive (ends->sockets[0], error);
}

static gboolean
send_in_vain (Change *self, GError **error)
{
  self->reader = gtx_current_task ();
  gtx_cancel (self->reader);
  return gtx_socket_send (ends->sockets[0], "y", 1, error) >= 0;
}

static void
assert_finds_nobody (GtxCoroutine coroutine)
{
  Change change = { NULL, { -1, -1 } };
  int fd = g_socket_get_fd (ends->sockets[0]);
  GtxTask *task = gtx_create_task (coroutine, &change, NULL);
  GtxTask *other = gtx_create_task (change_hands, &change, NULL);
  char bytes[8];

  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_succeeds (other);
  g_assert_true (change.others[0] == fd || change.others[1] == fd);
  for (int i = 0; i < 2; i++)
    g_assert_cmpint (recv (change.others[i], bytes, sizeof bytes, MSG_DONTWAIT), ==, 1);
  for (int i = 0; i < 2; i++)
    close (change.others[i]);
}

/* A task lets others run before it tries.  One of them closes the socket, and another file gets its
 * number. */
static gboolean
test_number_used_before_receive (gpointer data, GError **error)
{
  assert_finds_nobody ((GtxCoroutine) receive_in_vain);
  return TRUE;
}

static gboolean
test_number_used_before_send (gpointer data, GError **error)
{
  assert_finds_nobody ((GtxCoroutine) send_in_vain);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_case ("/sockets-closed/by-task", test_closed);
  add_case ("/sockets-closed/by-gio", test_closed_by_gio);
  add_case ("/sockets-closed/number-used-again", test_number_used_again);
  add_case ("/sockets-closed/number-used-again/by-gio", test_number_used_again_by_gio);
  add_case ("/sockets-closed/number-taken", test_number_taken);
  add_case ("/sockets-closed/number-taken/while-watched", test_number_taken_while_watched);
  add_case ("/sockets-closed/number-used-before/receive", test_number_used_before_receive);
  add_case ("/sockets-closed/number-used-before/send", test_number_used_before_send);
  return g_test_run ();
}
