/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many descriptors at once, and descriptors whose files change. */

#define _GNU_SOURCE

#include "descriptor-pairs.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void
fill (int fd)
{
  char block[4096] = { 0 };

  while (send (fd, block, sizeof block, MSG_DONTWAIT) > 0)
    ;
}

/* ---- Events ---- */

/* Tasks for both directions of a socket that has nothing to read and no room. */
typedef struct
{
  int pair[2];
  Wait reads, writes;
  GtxTask *reader, *writer;
} BothWays;

static void
begin_both_ways (BothWays *self)
{
  open_pair (self->pair);
  fill (self->pair[0]);
  self->reads = (Wait) { self->pair[0], G_IO_IN, 0 };
  self->writes = (Wait) { self->pair[0], G_IO_OUT, 0 };
  self->reader = begin (&self->reads);
  self->writer = begin (&self->writes);
}

static void
end_both_ways (BothWays *self)
{
  let_loop_rest ();
  g_assert_false (gtx_future_is_done (self->writer));
  drain (self->pair[1]);
  g_assert_true (gtx_await (self->writer, NULL));
  g_assert_cmpint (self->writes.came, ==, G_IO_OUT);
  g_object_unref (self->reader);
  g_object_unref (self->writer);
  close_pair (self->pair);
}

static gboolean
test_directions (gpointer data, GError **error)
{
  BothWays ways;
  Wait both;
  g_autoptr (GtxTask) either = NULL;

  begin_both_ways (&ways);
  both = (Wait) { ways.pair[0], G_IO_IN | G_IO_OUT, 0 };
  either = begin (&both);
  write_byte (ways.pair[1]);
  g_assert_true (gtx_await (ways.reader, error));
  g_assert_cmpint (ways.reads.came, ==, G_IO_IN);
  g_assert_true (gtx_await (either, error));
  g_assert_cmpint (both.came, ==, G_IO_IN);
  end_both_ways (&ways);
  return TRUE;
}

/* An event for which only a cancelled task waited wakes no task. */
static gboolean
test_direction_left (gpointer data, GError **error)
{
  BothWays ways;

  begin_both_ways (&ways);
  gtx_cancel (ways.reader);
  g_assert_false (gtx_await (ways.reader, NULL));
  write_byte (ways.pair[1]);
  end_both_ways (&ways);
  return TRUE;
}

/* The data is still there for the next await. */
static gboolean
test_stays (gpointer data, GError **error)
{
  int pair[2];

  open_pair (pair);
  write_byte (pair[1]);
  for (int i = 0; i < 3; i++)
    g_assert_cmpint (gtx_await_fd (pair[0], G_IO_IN, error), ==, G_IO_IN);
  g_assert_cmpint (gtx_await_fd (pair[0], G_IO_IN | G_IO_OUT, error), ==, G_IO_IN | G_IO_OUT);
  close_pair (pair);
  return TRUE;
}

static gboolean
test_half_closed (gpointer data, GError **error)
{
  int pair[2];
  Wait alone;
  g_autoptr (GtxTask) task = NULL;

  open_pair (pair);
  alone = (Wait) { pair[0], 0, 0 };
  task = begin (&alone);
  g_assert_cmpint (shutdown (pair[1], SHUT_WR), ==, 0);
  g_assert_cmpint (gtx_await_fd (pair[0], G_IO_IN, error), ==, G_IO_IN);
  let_loop_rest ();
  g_assert_false (gtx_future_is_done (task));
  close (pair[1]);
  g_assert_true (gtx_await (task, error));
  g_assert_cmpint (alone.came, ==, G_IO_HUP);
  close (pair[0]);
  return TRUE;
}

static gboolean
test_error_alone (gpointer data, GError **error)
{
  int ends[2];
  Wait alone;
  g_autoptr (GtxTask) task = NULL;

  g_assert_cmpint (pipe (ends), ==, 0);
  alone = (Wait) { ends[1], 0, 0 };
  task = begin (&alone);
  close (ends[0]);
  g_assert_true (gtx_await (task, error));
  g_assert_cmpint (alone.came, ==, G_IO_ERR);
  close (ends[1]);
  return TRUE;
}

static void
connect_pair (int pair[2])
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl (INADDR_LOOPBACK) } };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM, 0);

  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (listen (listener, 1), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &length), ==, 0);
  pair[0] = socket (AF_INET, SOCK_STREAM, 0);
  g_assert_cmpint (connect (pair[0], (struct sockaddr *) &address, length), ==, 0);
  pair[1] = accept (listener, NULL, NULL);
  g_assert_cmpint (pair[1], >=, 0);
  close (listener);
}

static gboolean
test_out_of_band (gpointer data, GError **error)
{
  int pair[2];
  Wait urgent;
  g_autoptr (GtxTask) task = NULL;

  connect_pair (pair);
  urgent = (Wait) { pair[0], G_IO_PRI, 0 };
  task = begin (&urgent);
  write_byte (pair[1]);
  g_assert_cmpint (gtx_await_fd (pair[0], G_IO_IN, error), ==, G_IO_IN);
  g_assert_false (gtx_future_is_done (task));
  g_assert_cmpint (send (pair[1], "!", 1, MSG_OOB), ==, 1);
  g_assert_true (gtx_await (task, error));
  g_assert_cmpint (urgent.came, ==, G_IO_PRI);
  close_pair (pair);
  return TRUE;
}

/* The file is always ready, and yet other tasks run first. */
static gboolean
test_regular_file (gpointer data, GError **error)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp (NULL, &path, error);
  Wait wait = { fd, G_IO_IN | G_IO_OUT, 0 };
  g_autoptr (GtxTask) task = NULL;

  g_assert_cmpint (fd, >=, 0);
  task = gtx_create_task (await_it, &wait, NULL);
  g_assert_true (gtx_await (task, error));
  g_assert_cmpint (wait.came, ==, G_IO_IN | G_IO_OUT);
  g_assert_cmpint (gtx_await_fd (fd, G_IO_IN, error), ==, G_IO_IN);
  close (fd);
  g_unlink (path);
  return TRUE;
}

/* ---- Descriptors that change their files ---- */

/* Gives the number of @before's first descriptor to the file of @after's first. */
static void
give_number_away (int before[2], int after[2])
{
  close (before[0]);
  g_assert_cmpint (dup (after[0]), ==, before[0]);
}

static void
open_two (int before[2], int after[2])
{
  open_pair (before);
  open_pair (after);
}

static void
close_two (int before[2], int after[2])
{
  close_pair (before);
  close_pair (after);
}

static gboolean
test_used_again (gpointer data, GError **error)
{
  int before[2], after[2];
  Wait wait;
  g_autoptr (GtxTask) task = NULL;

  open_two (before, after);
  wait = (Wait) { before[0], G_IO_IN, 0 };
  task = begin (&wait);
  give_number_away (before, after);
  write_byte (after[1]);
  g_assert_true (gtx_await (task, error));
  g_assert_cmpint (wait.came, ==, G_IO_IN);
  close_two (before, after);
  return TRUE;
}

/* A copy keeps the file open, and the file's number belongs to another file now. */
static gboolean
test_copied (gpointer data, GError **error)
{
  int before[2], after[2], copy;
  Wait wait;
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;

  open_two (before, after);
  wait = (Wait) { before[0], G_IO_IN, 0 };
  first = begin (&wait);
  gtx_cancel (first);
  g_assert_false (gtx_await (first, NULL));
  copy = dup (before[0]);
  give_number_away (before, after);

  second = begin (&wait);
  write_byte (before[1]);
  let_loop_rest ();
  g_assert_false (gtx_future_is_done (second));
  write_byte (after[1]);
  g_assert_true (gtx_await (second, error));
  g_assert_cmpint (gtx_await_fd (copy, G_IO_IN, error), ==, G_IO_IN);
  close (copy);
  close_two (before, after);
  return TRUE;
}

/* The task that waited for the earlier file is cancelled, and has not gone on yet. */
static gboolean
test_used_again_at_once (gpointer data, GError **error)
{
  int before[2], after[2], copy;
  Wait wait;
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;

  open_two (before, after);
  wait = (Wait) { before[0], G_IO_IN, 0 };
  first = begin (&wait);
  copy = dup (before[0]);
  gtx_cancel (first);
  give_number_away (before, after);
  second = gtx_task_new (await_it, &wait, NULL);
  write_byte (before[1]);
  g_assert_false (gtx_wait_for (second, 0.01, NULL));

  write_byte (after[1]);
  g_assert_cmpint (gtx_await_fd (before[0], G_IO_IN, error), ==, G_IO_IN);
  g_assert_false (gtx_await (first, NULL));
  close (copy);
  close_two (before, after);
  return TRUE;
}

/* A child inherits the descriptor, and reads from it. */
static gboolean
test_inherited (gpointer data, GError **error)
{
  int pair[2];
  Wait wait;
  g_autoptr (GtxTask) task = NULL;
  pid_t child;
  int status;

  open_pair (pair);
  wait = (Wait) { pair[0], G_IO_IN, 0 };
  task = begin (&wait);
  child = fork ();
  if (child == 0)
    {
      char byte;

      _exit (read (pair[0], &byte, 1) == 1 && byte == 'x' ? 0 : 1);
    }
  write_byte (pair[1]);
  g_assert_true (gtx_await_child (child, &status, error));
  g_assert_cmpint (status, ==, 0);
  if (gtx_future_is_done (task))
    g_assert_cmpint (wait.came, ==, G_IO_IN);
  write_byte (pair[1]);
  g_assert_true (gtx_await (task, error));
  close_pair (pair);
  return TRUE;
}

/* ---- Events that are reported once ---- */

static gboolean
await_new_name (int *file, GError **error)
{
  Wait wait = { *file, G_IO_PRI, 0 };
  g_autoptr (GtxTask) task = begin (&wait);

  g_assert_cmpint (sethostname ("another", strlen ("another")), ==, 0);
  g_assert_true (gtx_wait_for (task, 10, error));
  g_assert_cmpint (wait.came, ==, G_IO_PRI | G_IO_ERR);
  return TRUE;
}

#define NOT_PERMITTED 77

/* The process changes its host name. */
static int
await_in_process (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  char name[256];
  int file;

  if (unshare (CLONE_NEWUSER | CLONE_NEWUTS) != 0 || sethostname ("one", strlen ("one")) != 0)
    return NOT_PERMITTED;
  file = open ("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC);
  if (file < 0 || read (file, name, sizeof name) <= 0)
    return NOT_PERMITTED;
  g_main_context_push_thread_default (context);
  return gtx_run (await_new_name, &file, NULL) ? 0 : 1;
}

/* The kernel reports a change of this file once, to the first caller that asks. */
static void
test_told_once (void)
{
  pid_t child = fork ();
  int status;

  if (child == 0)
    _exit (await_in_process ());
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFEXITED (status) && WEXITSTATUS (status) == NOT_PERMITTED)
    g_test_skip ("A process cannot have a host name of its own here");
  else
    g_assert_cmpint (status, ==, 0);
}

/* ---- Many ---- */

#define MOST_PAIRS 2000

static guint
most_pairs (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
  getrlimit (RLIMIT_NOFILE, &limit);
  return (guint) MIN (MOST_PAIRS, (limit.rlim_cur - 50) / 2);
}

typedef struct
{
  int pair[2];
  GtxTask *task;
} Talk;

#define N_ROUNDS 3

static gboolean
answer (Talk *talk, GError **error)
{
  char byte;

  for (int i = 0; i < N_ROUNDS; i++)
    {
      if (gtx_await_fd (talk->pair[0], G_IO_IN, error) != G_IO_IN)
        return FALSE;
      g_assert_cmpint (read (talk->pair[0], &byte, 1), ==, 1);
      write_byte (talk->pair[0]);
    }
  return TRUE;
}

static gboolean
test_many (gpointer data, GError **error)
{
  guint n = most_pairs ();
  g_autofree Talk *talks = g_new (Talk, n);
  char byte;

  for (guint i = 0; i < n; i++)
    {
      open_pair (talks[i].pair);
      talks[i].task = gtx_create_task (answer, &talks[i], NULL);
    }
  for (int round = 0; round < N_ROUNDS; round++)
    {
      for (guint i = 0; i < n; i++)
        write_byte (talks[(i * 7919) % n].pair[1]);
      for (guint i = 0; i < n; i++)
        {
          g_assert_cmpint (gtx_await_fd (talks[i].pair[1], G_IO_IN, error), ==, G_IO_IN);
          g_assert_cmpint (read (talks[i].pair[1], &byte, 1), ==, 1);
        }
    }
  for (guint i = 0; i < n; i++)
    {
      g_assert_true (gtx_await (talks[i].task, error));
      g_object_unref (talks[i].task);
      close_pair (talks[i].pair);
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/descriptors/directions", test_directions);
  add_coroutine ("/descriptors/direction-left", test_direction_left);
  add_coroutine ("/descriptors/stays", test_stays);
  add_coroutine ("/descriptors/half-closed", test_half_closed);
  add_coroutine ("/descriptors/error-alone", test_error_alone);
  add_coroutine ("/descriptors/out-of-band", test_out_of_band);
  add_coroutine ("/descriptors/regular-file", test_regular_file);
  add_coroutine ("/descriptors/used-again", test_used_again);
  add_coroutine ("/descriptors/copied", test_copied);
  add_real_coroutine ("/descriptors/used-again/at-once", test_used_again_at_once);
  add_coroutine ("/descriptors/inherited", test_inherited);
  g_test_add_func ("/descriptors/told-once", test_told_once);
  add_coroutine ("/descriptors/many", test_many);
  return g_test_run ();
}
