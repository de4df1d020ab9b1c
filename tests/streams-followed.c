/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TCP connections that the kernel reports on without being asked each time.  Data is read as soon
 * as it comes, also if another task or GIO reads. */

#include "fixture.h"

#include "stream-ends.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  Ends *ends;
  gsize size;
  gssize n;
  char text[64];
} Reading;

/* The socket sends written data at once. */
static Ends *
connection_new (void)
{
  Ends *self = ends_new (ENDS_ARE_TCP);
  int yes = TRUE;

  g_assert_cmpint (setsockopt (g_socket_get_fd (self->sockets[1]), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), ==, 0);
  return self;
}

static int
count_bytes (GSocket *socket, unsigned long which)
{
  int n = -1;

  g_assert_cmpint (ioctl (g_socket_get_fd (socket), which, &n), ==, 0);
  return n;
}

/* Returns when the data has arrived. */
static void
put (Ends *self, const char *text)
{
  int n = count_bytes (self->sockets[0], SIOCINQ) + (int) strlen (text);

  ends_put (self, text);
  while (count_bytes (self->sockets[0], SIOCINQ) < n)
    g_thread_yield ();
}

/* Waits for data that SIOCINQ does not count; this takes longer. */
static void
wait_until_acknowledged (Ends *self)
{
  while (count_bytes (self->sockets[1], SIOCOUTQ) > 0)
    g_usleep (1000);
}

static gboolean
read_some (Reading *self, GError **error)
{
  self->n = gtx_input_stream_read (self->ends->input, self->text, self->size, error);
  return self->n >= 0;
}

static gboolean
receive_some (Reading *self, GError **error)
{
  self->n = gtx_socket_receive (self->ends->sockets[0], self->text, self->size, error);
  return self->n >= 0;
}

/* The task goes on in the main loop's next turns, and not when it polls again. */
static void
assert_ends_with (GtxTask *task, const Reading *reading, const char *expected)
{
  let_loop_rest ();
  g_assert_true (gtx_future_is_done (task));
  assert_succeeds (task);
  g_assert_cmpmem (reading->text, reading->n, expected, strlen (expected));
}

static void
assert_has (Ends *ends, GtxCoroutine coroutine, gsize size, const char *expected)
{
  Reading reading = { .ends = ends, .size = size };

  assert_ends_with (gtx_create_task (coroutine, &reading, NULL), &reading, expected);
}

/* The read waits until @text comes. */
static void
assert_waits_for (Ends *ends, GtxCoroutine coroutine, gsize size, const char *text)
{
  Reading reading = { .ends = ends, .size = size };
  GtxTask *task = begin_named ("waits", coroutine, &reading);

  put (ends, text);
  assert_ends_with (task, &reading, text);
}

#define READ ((GtxCoroutine) read_some)
#define RECEIVE ((GtxCoroutine) receive_some)

static gboolean
test_talk (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();

  for (guint i = 0; i < 5; i++)
    {
      assert_waits_for (ends, READ, 64, "some");
      assert_waits_for (ends, READ, 4, "full");
      assert_waits_for (ends, RECEIVE, 64, "some");
      assert_waits_for (ends, RECEIVE, 4, "full");
    }
  return TRUE;
}

/* Data comes once, and several times. */
static gboolean
test_while_nobody_waits (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  g_autoptr (GString) all = g_string_new (NULL);

  assert_waits_for (ends, READ, 64, "first");
  for (guint n = 1; n < 5; n++)
    {
      g_string_truncate (all, 0);
      for (guint i = 0; i < n; i++)
        {
          put (ends, "unheard");
          g_string_append (all, "unheard");
          let_loop_rest ();
        }
      assert_has (ends, READ, 64, all->str);
      assert_waits_for (ends, READ, 64, "heard");
      put (ends, "here");
      assert_has (ends, READ, 64, "here");
    }
  return TRUE;
}

typedef struct
{
  Reading readings[2];
  GtxTask *tasks[2];
} TwoReaders;

static void
begin_two (TwoReaders *self, Ends *ends, gsize size)
{
  assert_waits_for (ends, READ, 64, "first");
  for (int i = 0; i < 2; i++)
    {
      self->readings[i] = (Reading) { .ends = ends, .size = size };
      self->tasks[i] = begin_named ("reader", i == 0 ? READ : RECEIVE, &self->readings[i]);
    }
}

/* More data is left than one read takes; another task reads the rest, or the next read
 * does. */
static gboolean
test_rest (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  TwoReaders two;

  begin_two (&two, ends, 3);
  put (ends, "abcdefghi");
  assert_ends_with (two.tasks[0], &two.readings[0], "abc");
  assert_ends_with (two.tasks[1], &two.readings[1], "def");
  assert_has (ends, READ, 2, "gh");
  assert_has (ends, RECEIVE, 64, "i");
  assert_waits_for (ends, READ, 64, "next");
  return TRUE;
}

/* The one that is woken first takes all, and the other goes on waiting. */
static gboolean
test_for_one (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  TwoReaders two;

  begin_two (&two, ends, 64);
  put (ends, "one");
  assert_ends_with (two.tasks[0], &two.readings[0], "one");
  g_assert_false (gtx_future_is_done (two.tasks[1]));
  put (ends, "two");
  assert_ends_with (two.tasks[1], &two.readings[1], "two");
  return TRUE;
}

/* GIO's own function can read a followed connection as well. */
static gboolean
test_beside_gio (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  char text[64];

  assert_waits_for (ends, READ, 64, "first");
  put (ends, "abcdef");
  let_loop_rest ();
  g_assert_cmpint (g_socket_receive (ends->sockets[0], text, 3, NULL, error), ==, 3);
  assert_has (ends, READ, 64, "def");
  put (ends, "all");
  g_assert_cmpint (g_socket_receive (ends->sockets[0], text, 64, NULL, error), ==, 3);
  let_loop_rest ();
  assert_waits_for (ends, READ, 64, "next");
  return TRUE;
}

static gboolean
wait_for_room (GSocket *socket, GError **error)
{
  return gtx_socket_condition_wait (socket, G_IO_OUT, error);
}

/* During the reads another task waits for room, which it asks for once. */
static gboolean
test_both_directions (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  GtxTask *writer;
  char block[65536] = { 0 };

  assert_waits_for (ends, READ, 64, "first");
  while (send (g_socket_get_fd (ends->sockets[0]), block, sizeof block, MSG_DONTWAIT) > 0)
    g_usleep (10000);
  writer = begin (wait_for_room, ends->sockets[0]);
  for (guint i = 0; i < 3; i++)
    assert_waits_for (ends, READ, 64, "meanwhile");
  g_assert_false (gtx_future_is_done (writer));
  while (recv (g_socket_get_fd (ends->sockets[1]), block, sizeof block, MSG_DONTWAIT) > 0)
    g_usleep (10000);
  assert_succeeds (writer);
  for (guint i = 0; i < 3; i++)
    assert_waits_for (ends, READ, 64, "after");
  return TRUE;
}

/* A cancelled read does not change the stream. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  Reading reading = { .ends = ends, .size = 64 };

  assert_waits_for (ends, READ, 64, "first");
  for (guint i = 0; i < 3; i++)
    {
      GtxTask *task = begin_named ("cancelled", READ, &reading);

      gtx_cancel (task);
      put (ends, "kept");
      assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      assert_has (ends, READ, 64, "kept");
      assert_waits_for (ends, READ, 64, "next");
    }
  return TRUE;
}

/* ---- Data after which the poller cannot know that the stream is empty ---- */

/* A read ends at the urgent byte, and there is more data. */
static void
put_urgent (Ends *ends, const char *before, const char *after)
{
  int fd = g_socket_get_fd (ends->sockets[1]);
  int length = (int) strlen (before);

  g_assert_cmpint (send (fd, before, length, 0), ==, length);
  g_assert_cmpint (send (fd, "!", 1, MSG_OOB), ==, 1);
  length = (int) strlen (after);
  g_assert_cmpint (send (fd, after, length, 0), ==, length);
  wait_until_acknowledged (ends);
}

static gboolean
test_urgent_while_waiting (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  Reading reading = { .ends = ends, .size = 64 };
  GtxTask *task;

  assert_waits_for (ends, READ, 64, "first");
  task = begin_named ("waits", READ, &reading);
  put_urgent (ends, "before", "after");
  assert_ends_with (task, &reading, "before");
  assert_has (ends, READ, 64, "after");
  assert_waits_for (ends, READ, 64, "next");
  return TRUE;
}

static gboolean
test_urgent_unheard (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();

  assert_waits_for (ends, READ, 64, "first");
  put_urgent (ends, "before", "after");
  let_loop_rest ();
  assert_has (ends, READ, 64, "before");
  assert_has (ends, READ, 64, "after");
  assert_waits_for (ends, READ, 64, "next");
  return TRUE;
}

/* The event is reported after the data was read. */
static gboolean
test_urgent_read_first (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();

  put (ends, "first");
  assert_has (ends, READ, 64, "first");
  put_urgent (ends, "before", "after");
  assert_has (ends, READ, 64, "before");
  assert_has (ends, READ, 64, "after");
  assert_waits_for (ends, READ, 64, "next");
  return TRUE;
}

/* An urgent byte alone does not wake the reading task. */
static gboolean
test_urgent_alone (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  Reading reading = { .ends = ends, .size = 64 };
  GtxTask *task;

  assert_waits_for (ends, READ, 64, "first");
  task = begin_named ("waits", READ, &reading);
  g_assert_cmpint (send (g_socket_get_fd (ends->sockets[1]), "!", 1, MSG_OOB), ==, 1);
  wait_until_acknowledged (ends);
  let_loop_rest ();
  g_assert_false (gtx_future_is_done (task));
  ends_put (ends, "text");
  wait_until_acknowledged (ends);
  assert_ends_with (task, &reading, "text");
  return TRUE;
}

static gboolean
test_end (gpointer data, GError **error)
{
  for (int is_heard = FALSE; is_heard <= TRUE; is_heard++)
    {
      g_autoptr (Ends) ends = connection_new ();
      Reading reading = { .ends = ends, .size = 64 };
      GtxTask *task;

      assert_waits_for (ends, READ, 64, "first");
      task = is_heard ? begin_named ("waits", READ, &reading) : NULL;
      put (ends, "last words");
      ends_finish (ends);
      if (task)
        assert_ends_with (task, &reading, "last words");
      else
        assert_has (ends, READ, 64, "last words");
      assert_has (ends, READ, 64, "");
      assert_has (ends, RECEIVE, 64, "");
    }
  return TRUE;
}

static gboolean
test_end_alone (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  Reading reading = { .ends = ends, .size = 64 };
  GtxTask *task;

  assert_waits_for (ends, READ, 64, "first");
  task = begin_named ("waits", READ, &reading);
  ends_finish (ends);
  assert_ends_with (task, &reading, "");
  assert_has (ends, READ, 64, "");
  return TRUE;
}

/* ---- Descriptors that have the same number as an earlier one ---- */

/* The new stream's memory may be that of the old one, too. */
static gboolean
test_number_again (gpointer data, GError **error)
{
  int fd = -1;

  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (Ends) ends = connection_new ();

      if (fd >= 0)
        g_assert_cmpint (g_socket_get_fd (ends->sockets[0]), ==, fd);
      fd = g_socket_get_fd (ends->sockets[0]);
      assert_waits_for (ends, READ, 64, "first");
      put (ends, "left");
      if (i % 2 == 0)
        let_loop_rest ();
    }
  return TRUE;
}

/* Returns the number of descriptors in the process's sets. */
static guint
count_watched (void)
{
  g_autoptr (GDir) infos = g_dir_open ("/proc/self/fdinfo", 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (infos)))
    {
      g_autofree char *path = g_build_filename ("/proc/self/fdinfo", name, NULL);
      g_autofree char *text = NULL;

      if (g_file_get_contents (path, &text, NULL, NULL))
        for (const char *at = text; (at = strstr (at, "tfd:")); at++)
          n++;
    }
  return n;
}

/* A descriptor stays in the set after it was closed if a child or a duplicate has the file open.
 * The library removes it from the set after a number of events. */
static gboolean
test_open_elsewhere (gpointer data, GError **error)
{
  Ends *ends = connection_new ();
  int writes;
  int kept;
  guint n;

  assert_waits_for (ends, READ, 64, "first");
  n = count_watched ();
  if (n == 0)
    {
      ends_free (ends);
      g_test_skip ("Each descriptor has a source of its own here");
      return TRUE;
    }
  kept = dup (g_socket_get_fd (ends->sockets[0]));
  writes = dup (g_socket_get_fd (ends->sockets[1]));
  ends_free (ends);
  ends = connection_new ();
  assert_waits_for (ends, READ, 64, "another");
  g_assert_cmpuint (count_watched (), ==, n + 1);
  while (count_watched () > n)
    {
      g_assert_cmpint (send (writes, "x", 1, 0), ==, 1);
      let_loop_rest ();
      assert_waits_for (ends, READ, 64, "another");
    }
  assert_waits_for (ends, READ, 64, "another");
  ends_free (ends);
  close (kept);
  close (writes);
  return TRUE;
}

/* Data that no task reads is reported only once. */
static gboolean
test_unheard_for_long (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = connection_new ();
  g_autoptr (Ends) other = connection_new ();
  guint before;

  assert_waits_for (other, READ, 64, "first");
  before = count_watched ();
  assert_waits_for (ends, READ, 64, "first");
  for (guint i = 0; i < 5; i++)
    {
      put (ends, "unheard");
      let_loop_rest ();
    }
  g_assert_cmpuint (count_watched (), ==, before);
  assert_has (ends, READ, 7, "unheard");
  assert_waits_for (other, READ, 64, "next");
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/streams-followed/talk", test_talk);
  add_coroutine ("/streams-followed/while-nobody-waits", test_while_nobody_waits);
  add_coroutine ("/streams-followed/rest", test_rest);
  add_coroutine ("/streams-followed/for-one", test_for_one);
  add_coroutine ("/streams-followed/beside-gio", test_beside_gio);
  add_coroutine ("/streams-followed/both-directions", test_both_directions);
  add_coroutine ("/streams-followed/cancelled", test_cancelled);
  add_coroutine ("/streams-followed/urgent-while-waiting", test_urgent_while_waiting);
  add_coroutine ("/streams-followed/urgent-unheard", test_urgent_unheard);
  add_coroutine ("/streams-followed/urgent-read-first", test_urgent_read_first);
  add_coroutine ("/streams-followed/urgent-alone", test_urgent_alone);
  add_coroutine ("/streams-followed/end", test_end);
  add_coroutine ("/streams-followed/end-alone", test_end_alone);
  add_coroutine ("/streams-followed/number-again", test_number_again);
  add_coroutine ("/streams-followed/open-elsewhere", test_open_elsewhere);
  add_coroutine ("/streams-followed/unheard-for-long", test_unheard_for_long);
  return g_test_run ();
}
