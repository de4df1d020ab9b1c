/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data that a stream already has is read at once.  A stream that always has data lets other tasks
 * run. */

#define _GNU_SOURCE

#include "read-it.h"
#include "stream-ends.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- Data that is already there ---- */

typedef enum { NO_TIME, NO_TIME_INSIDE, COMPUTES, WAITS, N_WAYS } Way;

typedef struct
{
  GtxTimeout timeout;
  GtxFuture *future;
} Hurry;

static gboolean
read_inside (GInputStream *stream, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (read_it, stream, NULL);

  return gtx_await (task, error);
}

/* The future wakes the reading task, and the time is over before the task reads. */
static gboolean
spend_time (Hurry *self, GError **error)
{
  gint64 until = g_get_monotonic_time () + 10;

  g_assert_true (gtx_timeout_reschedule (&self->timeout, 1e-6, error));
  gtx_future_set_result (self->future, NULL, NULL);
  while (g_get_monotonic_time () < until)
    ;
  return TRUE;
}

/* The time is over before the main loop turns. */
static gboolean
read_in_no_time (GInputStream *stream, Way way)
{
  Hurry hurry = { GTX_TIMEOUT_INIT, gtx_future_new () };
  GError *failure = NULL;
  g_autoptr (GError) error = NULL;
  gboolean was_there;

  gtx_timeout_begin (&hurry.timeout, way == COMPUTES || way == WAITS ? GTX_FOREVER : 0);
  if (way == COMPUTES)
    g_assert_true (spend_time (&hurry, NULL));
  else if (way == WAITS)
    {
      g_autoptr (GtxTask) task = gtx_create_task (spend_time, &hurry, NULL);

      g_assert_true (gtx_await (hurry.future, NULL));
      g_assert_true (gtx_future_is_done (task));
    }
  was_there = way == NO_TIME_INSIDE ? read_inside (stream, &failure) : read_it (stream, &failure);
  if (!gtx_timeout_end (&hurry.timeout, &failure, &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  gtx_timeout_clear (&hurry.timeout);
  g_object_unref (hurry.future);
  return was_there;
}

/* A read lets others run if the task has used up its own time, as it may on a busy machine.  The
 * timeout then ends the read, which is tried again. */
#define MOST_ATTEMPTS 6

static gboolean
is_read_soon (GInputStream *stream, Way way)
{
  for (int i = 0; i < MOST_ATTEMPTS; i++)
    {
      /* This await ends the last request. */
      g_assert_true (gtx_sleep (0, NULL));
      if (read_in_no_time (stream, way))
        return TRUE;
    }
  return FALSE;
}

/* The byte is read at once even after reads that found nothing, which wait before they try. */
static void
assert_is_read_at_once (EndsKind kind)
{
  g_autoptr (Ends) ends = ends_new (kind);
  struct pollfd one = { ends_get_fd (ends, FALSE), POLLIN, 0 };

  for (guint i = 0; i < 4 * N_WAYS; i++)
    {
      for (guint j = 0; j < i % 4; j++)
        g_assert_false (read_in_no_time (ends->input, i % N_WAYS));
      ends_put (ends, "x");
      g_assert_cmpint (poll (&one, 1, -1), ==, 1);
      g_assert_true (is_read_soon (ends->input, i % N_WAYS));
    }
}

static gboolean
test_there (gpointer data, GError **error)
{
  for (guint kind = 0; kind < N_KINDS; kind++)
    if (kind != ENDS_ARE_ASYNC)
      assert_is_read_at_once (kind);
  return TRUE;
}

/* ---- Streams that always have data ---- */

typedef struct
{
  GInputStream *stream;
  GOutputStream *output;
  gboolean is_over;
  guint n;
} Endless;

static gboolean
read_endlessly (Endless *self, GError **error)
{
  char buffer[16];

  for (; !self->is_over; self->n++)
    if (gtx_input_stream_read (self->stream, buffer, sizeof buffer, error) <= 0)
      return FALSE;
  return TRUE;
}

static gboolean
write_endlessly (Endless *self, GError **error)
{
  char buffer[16] = { 0 };

  for (; !self->is_over; self->n++)
    if (gtx_output_stream_write (self->output, buffer, sizeof buffer, error) <= 0)
      return FALSE;
  return TRUE;
}

static gboolean
stop_endless (gpointer endless)
{
  ((Endless *) endless)->is_over = TRUE;
  return G_SOURCE_REMOVE;
}

/* Other tasks run, and the other sources of the main loop. */
static void
assert_lets_others_run (GtxCoroutine coroutine, Endless *endless)
{
  GtxTask *task = gtx_create_task_named ("endless", coroutine, endless, NULL);
  guint n;

  for (int i = 0; i < 3; i++)
    g_assert_true (gtx_sleep (0.001, NULL));
  n = endless->n;
  while (endless->n == n)
    g_assert_true (gtx_sleep (0.001, NULL));
  g_timeout_add (1, stop_endless, endless);
  assert_succeeds (task);
}

/* The memory has more bytes than a task reads in that time. */
static gboolean
test_memory (gpointer data, GError **error)
{
  gsize n = 256 * 1024 * 1024;
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (n), n);
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GInputStream) buffered = g_buffered_input_stream_new (stream);
  g_autoptr (GConverter) copier = copier_new ();
  g_autoptr (GInputStream) converted = g_converter_input_stream_new (stream, copier);
  Endless endless = { .stream = stream };
  Endless second = { .stream = buffered };
  Endless third = { .stream = converted };

  assert_lets_others_run ((GtxCoroutine) read_endlessly, &endless);
  assert_lets_others_run ((GtxCoroutine) read_endlessly, &second);
  assert_lets_others_run ((GtxCoroutine) read_endlessly, &third);
  return TRUE;
}

static gboolean
test_memory_written (gpointer data, GError **error)
{
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
  Endless endless = { .output = stream };

  assert_lets_others_run ((GtxCoroutine) write_endlessly, &endless);
  return TRUE;
}

static gboolean
test_zero (gpointer data, GError **error)
{
  g_autoptr (GInputStream) stream = g_unix_input_stream_new (open ("/dev/zero", O_RDONLY | O_CLOEXEC), TRUE);
  Endless endless = { .stream = stream };

  assert_lets_others_run ((GtxCoroutine) read_endlessly, &endless);
  return TRUE;
}

/* A thread keeps the pipe full until its other end is closed. */
static gpointer
keep_full (gpointer fd)
{
  char block[65536] = { 0 };

  while (write (GPOINTER_TO_INT (fd), block, sizeof block) > 0)
    ;
  close (GPOINTER_TO_INT (fd));
  return NULL;
}

#define PIECE 3000
#define MUCH (20 * PIECE)

static gboolean
write_much (GOutputStream *stream, GError **error)
{
  char piece[PIECE] = { 0 };

  for (guint i = 0; i < MUCH / PIECE; i++)
    if (!gtx_output_stream_write_all (stream, piece, PIECE, NULL, error))
      return FALSE;
  return TRUE;
}

/* A terminal reports room even if it has little, and a longer write blocks unless the descriptor is
 * non-blocking.  @flag is set for the first write only. */
static gboolean
fill_terminal (int flag, GError **error)
{
  int master = posix_openpt (O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  int slave;
  g_autoptr (GOutputStream) stream = NULL;
  g_autoptr (GtxTask) task = NULL;
  char block[4096];
  gsize n_read = 0;
  gssize n;

  if (master < 0 || grantpt (master) != 0 || unlockpt (master) != 0)
    {
      g_test_skip ("there are no terminals");
      return TRUE;
    }
  slave = open (ptsname (master), O_RDWR | O_NOCTTY | O_CLOEXEC | flag);
  stream = g_unix_output_stream_new (slave, TRUE);
  g_assert_cmpint (gtx_output_stream_write (stream, "x", 1, error), ==, 1);
  g_assert_cmpint (fcntl (slave, F_SETFL, fcntl (slave, F_GETFL) & ~flag), ==, 0);
  task = gtx_create_task (write_much, stream, NULL);
  while (n_read < MUCH + 1)
    {
      g_assert_true (gtx_sleep (0.001, error));
      while ((n = read (master, block, sizeof block)) > 0)
        n_read += (gsize) n;
    }
  g_assert_true (gtx_await (task, error));
  close (master);
  return TRUE;
}

static gboolean
test_full_terminal (gpointer data, GError **error)
{
  return fill_terminal (0, error);
}

static gboolean
test_full_terminal_later (gpointer data, GError **error)
{
  return fill_terminal (O_NONBLOCK, error);
}

static gboolean
test_full_pipe (gpointer data, GError **error)
{
  g_autoptr (GInputStream) stream = NULL;
  Endless endless = { 0 };
  GThread *thread;
  int fds[2];

  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  stream = endless.stream = g_unix_input_stream_new (fds[0], TRUE);
  thread = g_thread_new (NULL, keep_full, GINT_TO_POINTER (fds[1]));
  assert_lets_others_run ((GtxCoroutine) read_endlessly, &endless);
  g_assert_true (gtx_input_stream_close (stream, error));
  g_thread_join (thread);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Code that writes without the library would raise the signal. */
  signal (SIGPIPE, SIG_IGN);
  add_real_coroutine ("/streams-ready/there", test_there);
  add_real_coroutine ("/streams-ready/memory", test_memory);
  add_real_coroutine ("/streams-ready/memory-written", test_memory_written);
  add_real_coroutine ("/streams-ready/zero", test_zero);
  add_real_coroutine ("/streams-ready/full-pipe", test_full_pipe);
  add_real_coroutine ("/streams-ready/full-terminal", test_full_terminal);
  add_real_coroutine ("/streams-ready/full-terminal-later", test_full_terminal_later);
  return g_test_run ();
}
