/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes on around tasks that wait for streams, or read what is always there. */

#define _GNU_SOURCE

#include "stream-ends.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean
read_it (GInputStream *stream, GError **error)
{
  char byte = 0;
  gssize n = gtx_input_stream_read (stream, &byte, 1, error);

  if (n >= 0)
    note (n == 0 ? "end" : byte == 'x' ? "x" : "other");
  return n >= 0;
}

/* ---- What is there ---- */

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

/* Then who waits for this is to go on, and the timeout to expire behind it. */
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

/* Its time is over before the main loop has turned. */
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

/* It lets others run, and so its time be over, only where it has had its own, as a machine that is
 * busy with something else may have it. */
#define MOST_ATTEMPTS 6

static gboolean
is_read_soon (GInputStream *stream, Way way)
{
  for (int i = 0; i < MOST_ATTEMPTS; i++)
    {
      /* Nothing is left of the last request. */
      g_assert_true (gtx_sleep (0, NULL));
      if (read_in_no_time (stream, way))
        return TRUE;
    }
  return FALSE;
}

/* Also after many reads that found nothing, which then wait first. */
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

/* ---- What is always there ---- */

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

/* Others run, and the main loop's other sources. */
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

/* More than is read in that time. */
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

/* A thread keeps it full, until nobody reads it. */
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

/* A terminal says that it has room where it has little, and a write of more blocks; @flag: unless it
 * is set, which it is at first alone. */
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

/* ---- Two that read one stream ---- */

typedef struct
{
  GInputStream *stream;
  gboolean reads_line;
} Reader;

#define N_LINES 2000

static gboolean
read_three (GInputStream *stream, GError **error)
{
  char buffer[3];
  gssize n = gtx_input_stream_read (stream, buffer, 3, error);

  g_assert_true (n < 0 || (n == 3 && memcmp (buffer, "ab\n", 3) == 0));
  return n >= 0;
}

static gboolean
read_two (GInputStream *stream, GError **error)
{
  g_autofree char *line = gtx_data_input_stream_read_line (G_DATA_INPUT_STREAM (stream), NULL, error);

  g_assert_true (line == NULL || g_str_equal (line, "ab"));
  return line != NULL;
}

/* It has had its time when it begins. */
static gboolean
spend_time_and_read (Reader *self, GError **error)
{
  gint64 until = g_get_monotonic_time () + 20000;

  while (g_get_monotonic_time () < until)
    ;
  for (int i = 0; i < N_LINES; i++)
    if (!(self->reads_line ? read_two (self->stream, error) : read_three (self->stream, error)))
      return FALSE;
  return TRUE;
}

static gboolean
fill_more (GInputStream *stream, GError **error)
{
  return gtx_buffered_input_stream_fill (G_BUFFERED_INPUT_STREAM (stream), -1, error) >= 0;
}

/* While the first lets others run, the second begins to wait. */
static void
assert_is_read_by_one (gboolean reads_line)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_DATA);
  Reader reader = { ends->input, reads_line };
  g_autoptr (GError) failure = NULL;
  GtxTask *first, *second;

  g_buffered_input_stream_set_buffer_size (G_BUFFERED_INPUT_STREAM (ends->input), 8 * N_LINES);
  for (int i = 0; i < N_LINES; i++)
    ends_put (ends, "ab\n");
  g_assert_true (fill_more (ends->input, NULL));
  first = gtx_create_task (spend_time_and_read, &reader, NULL);
  second = gtx_create_task (fill_more, ends->input, NULL);
  if (!gtx_await (first, &failure))
    g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_PENDING);
  ends_put (ends, "more");
  assert_succeeds (second);
  g_object_unref (first);
}

static gboolean
test_read_by_two (gpointer data, GError **error)
{
  assert_is_read_by_one (FALSE);
  return TRUE;
}

static gboolean
test_lines_read_by_two (gpointer data, GError **error)
{
  assert_is_read_by_one (TRUE);
  return TRUE;
}

#define N_SHORT 1000
#define N_LONG (20 * 1024 * 1024)

typedef struct
{
  GDataInputStream *stream;
  gboolean is_upto;
  guint n;
} Lines;

static gboolean
read_all_lines (Lines *self, GError **error)
{
  for (;;)
    {
      gsize length;
      g_autofree char *line = self->is_upto ? gtx_data_input_stream_read_upto (self->stream, "\n", 1, &length, error)
                                            : gtx_data_input_stream_read_line (self->stream, &length, error);

      if (line == NULL)
        return *error == NULL;
      g_assert_null (memchr (line, '\n', length));
      if (self->is_upto)
        g_assert_cmpint (g_input_stream_skip (G_INPUT_STREAM (self->stream), 1, NULL, error), ==, 1);
      self->n++;
    }
}

/* Who looks for the end of a long one lets others run, who read some meanwhile. */
static void
assert_read_by_both (gboolean is_upto)
{
  g_autoptr (GString) text = g_string_sized_new (N_LONG + 2 * N_SHORT + 1);
  g_autoptr (GInputStream) memory = NULL;
  g_autoptr (GDataInputStream) stream = NULL;
  Lines lines;
  GtxTask *first, *second;

  g_string_set_size (text, N_LONG);
  memset (text->str, 'x', N_LONG);
  for (int i = 0; i < N_SHORT; i++)
    g_string_append (text, "\ny");
  g_string_append_c (text, '\n');
  memory = g_memory_input_stream_new_from_data (text->str, (gssize) text->len, NULL);
  stream = g_data_input_stream_new (memory);
  lines = (Lines) { stream, is_upto, 0 };
  first = gtx_create_task (read_all_lines, &lines, NULL);
  second = gtx_create_task (read_all_lines, &lines, NULL);
  assert_succeeds (first);
  assert_succeeds (second);
  g_assert_cmpuint (lines.n, ==, N_SHORT + 1);
}

static gboolean
test_lines_of_memory (gpointer data, GError **error)
{
  assert_read_by_both (FALSE);
  assert_read_by_both (TRUE);
  return TRUE;
}

/* ---- Lines ---- */

static gboolean
test_lines (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_DATA);
  GDataInputStream *stream = G_DATA_INPUT_STREAM (ends->input);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *text = NULL;
  g_autofree char *rest = NULL;
  gsize length = 7;

  g_buffered_input_stream_set_buffer_size (G_BUFFERED_INPUT_STREAM (stream), 2);
  ends_put (ends, "a long line\n\nup;to\nno end");
  first = gtx_data_input_stream_read_line (stream, &length, error);
  g_assert_cmpstr (first, ==, "a long line");
  g_assert_cmpuint (length, ==, 11);
  second = gtx_data_input_stream_read_line (stream, NULL, error);
  g_assert_cmpstr (second, ==, "");
  text = gtx_data_input_stream_read_upto (stream, ";", -1, &length, error);
  g_assert_cmpstr (text, ==, "up");
  g_assert_cmpint (gtx_input_stream_skip (ends->input, 4, error), ==, 4);
  ends_finish (ends);
  rest = gtx_data_input_stream_read_line (stream, &length, error);
  g_assert_cmpstr (rest, ==, "no end");
  length = 7;
  g_assert_null (gtx_data_input_stream_read_line (stream, &length, error));
  g_assert_cmpuint (length, ==, 0);
  g_assert_no_error (*error);
  return TRUE;
}

static gboolean
read_line (GDataInputStream *stream, GError **error)
{
  g_autofree char *line = gtx_data_input_stream_read_line (stream, NULL, error);

  if (line)
    note (line);
  return line != NULL;
}

/* What came of it stays. */
static gboolean
test_line_cancelled (gpointer data, GError **error)
{
  static const EndsKind kinds[] = { ENDS_ARE_PIPES, ENDS_ARE_SOCKETS, ENDS_ARE_CONVERTED, ENDS_ARE_ASYNC };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (Ends) ends = ends_new (kinds[i]);
      g_autoptr (GDataInputStream) stream = g_data_input_stream_new (ends->input);
      GtxTask *task;

      ends_put (ends, "half");
      task = begin (read_line, stream);
      assert_fails (gtx_create_task (read_line, stream, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
      gtx_cancel (task);
      assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      task = begin (read_line, stream);
      ends_put (ends, "-line\nnext");
      assert_succeeds (task);
      assert_trace ("half-line");
    }
  return TRUE;
}

/* ---- Around them ---- */

static GString *printed;

static void
keep (const char *text)
{
  g_string_append (printed, text);
}

static void
assert_printed (GtxTask *task, const char *format, int number)
{
  g_autofree char *expected = g_strdup_printf (format, number);
  GPrintFunc old = g_set_printerr_handler (keep);

  printed = g_string_new (NULL);
  gtx_print_tasks ();
  g_set_printerr_handler (old);
  if (strstr (printed->str, expected) == NULL)
    g_test_message ("%s", printed->str);
  g_assert_nonnull (strstr (printed->str, expected));
  g_string_free (g_steal_pointer (&printed), TRUE);
  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static gboolean
write_it (GOutputStream *stream, GError **error)
{
  return gtx_output_stream_write (stream, "x", 1, error) == 1;
}

static gboolean
test_print (gpointer data, GError **error)
{
  g_autoptr (Ends) sockets = ends_new (ENDS_ARE_SOCKETS);
  g_autoptr (Ends) converted = ends_new (ENDS_ARE_CONVERTED);

  assert_printed (begin (read_it, sockets->input), "waits for data from descriptor %d\n", ends_get_fd (sockets, FALSE));
  ends_fill (sockets);
  assert_printed (begin (write_it, sockets->output), "waits for room in descriptor %d\n", ends_get_fd (sockets, TRUE));
  assert_printed (begin (read_it, converted->input), "waits for a stream\n", 0);
  return TRUE;
}

static gboolean
write_later (gpointer fd)
{
  g_assert_cmpint (write (GPOINTER_TO_INT (fd), "x", 1), ==, 1);
  return G_SOURCE_REMOVE;
}

/* Nothing jumps while somebody outside may write. */
static gboolean
test_virtual_time (gpointer data, GError **error)
{
  static const EndsKind kinds[] = { ENDS_ARE_SOCKETS, ENDS_ARE_PIPES, ENDS_ARE_CONVERTED, ENDS_ARE_DATA, ENDS_ARE_ASYNC };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (Ends) ends = ends_new (kinds[i]);
      g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_long, NULL, NULL);

      g_timeout_add (20, write_later, GINT_TO_POINTER (ends_get_fd (ends, TRUE)));
      g_assert_true (read_it (ends->input, error));
      g_assert_false (gtx_future_is_done (sleeper));
      g_assert_cmpfloat (gtx_test_get_time (), <, 1000);
      gtx_cancel (sleeper);
    }
  return TRUE;
}

/* A task runs a main loop, in which others read. */
static gboolean
test_nested (gpointer data, GError **error)
{
  g_autoptr (Ends) sockets = ends_new (ENDS_ARE_SOCKETS);
  g_autoptr (Ends) converted = ends_new (ENDS_ARE_CONVERTED);
  g_autoptr (Ends) woken = ends_new (ENDS_ARE_CONVERTED);
  GtxTask *first = begin (read_it, sockets->input);
  GtxTask *second = begin (read_it, converted->input);

  /* It is such a wait that goes on here. */
  g_timeout_add (1, write_later, GINT_TO_POINTER (ends_get_fd (woken, TRUE)));
  g_assert_true (read_it (woken->input, error));
  ends_put (sockets, "x");
  ends_put (converted, "x");
  while (!gtx_future_is_done (first) || !gtx_future_is_done (second))
    g_main_context_iteration (NULL, TRUE);
  assert_succeeds (first);
  assert_succeeds (second);
  return TRUE;
}

/* ---- Copies ---- */

/* Its events, which come as long as the copy is open, find nobody. */
static gboolean
test_copied (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_SOCKETS);
  g_autoptr (Ends) others = NULL;
  GtxTask *task = begin (read_it, ends->input);
  int copy = dup (ends_get_fd (ends, FALSE));

  g_assert_true (gtx_io_stream_close (ends->connections[0], error));
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CLOSED);
  others = ends_new (ENDS_ARE_SOCKETS);
  task = begin (read_it, others->input);
  ends_put (ends, "x");
  let_loop_rest ();
  g_assert_false (gtx_future_is_done (task));
  ends_put (others, "x");
  assert_succeeds (task);
  assert_trace ("x");
  close (copy);
  return TRUE;
}

/* A child that inherits it reads what the parent waits for: that waits on. */
static gboolean
test_inherited (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_PIPES);
  GtxTask *task = begin (read_it, ends->input);
  int fd = ends_get_fd (ends, FALSE);
  int status;
  pid_t child = fork ();

  if (child == 0)
    {
      char byte = 0;

      /* Nobody looks then for what the parent's threads leave in it. */
      if (read (fd, &byte, 1) == 1)
        raise (SIGKILL);
      _exit (1);
    }
  ends_put (ends, "y");
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  let_loop_rest ();
  g_assert_false (gtx_future_is_done (task));
  ends_put (ends, "x");
  assert_succeeds (task);
  assert_trace ("x");
  return TRUE;
}

/* ---- Threads ---- */

#define N_IN_THREAD 300000

static gboolean
write_all_of_it (GOutputStream *stream, GError **error)
{
  g_autofree char *bytes = g_malloc0 (N_IN_THREAD);

  return gtx_output_stream_write_all (stream, bytes, N_IN_THREAD, NULL, error);
}

static gboolean
read_all_of_it (GInputStream *stream, GError **error)
{
  g_autofree char *bytes = g_malloc0 (N_IN_THREAD);
  gsize n;

  return gtx_input_stream_read_all (stream, bytes, N_IN_THREAD, &n, error) && n == N_IN_THREAD;
}

static gpointer
echo_in_thread (gpointer connection)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean succeeded;

  g_main_context_push_thread_default (context);
  succeeded = gtx_run (read_all_of_it, g_io_stream_get_input_stream (connection), NULL) &&
              gtx_run (write_all_of_it, g_io_stream_get_output_stream (connection), NULL);
  g_main_context_pop_thread_default (context);
  return GINT_TO_POINTER (succeeded);
}

static gpointer
write_in_thread (gpointer connection)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean succeeded;

  g_main_context_push_thread_default (context);
  succeeded = gtx_run (write_all_of_it, g_io_stream_get_output_stream (connection), NULL);
  g_main_context_pop_thread_default (context);
  return GINT_TO_POINTER (succeeded);
}

/* One socket, which one thread reads, while another writes to it. */
static gboolean
test_two_contexts (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_SOCKETS);
  GThread *echo = g_thread_new (NULL, echo_in_thread, ends->connections[1]);
  GThread *writer = g_thread_new (NULL, write_in_thread, ends->connections[0]);

  g_assert_true (read_all_of_it (ends->input, error));
  g_assert_true (GPOINTER_TO_INT (g_thread_join (echo)));
  g_assert_true (GPOINTER_TO_INT (g_thread_join (writer)));
  return TRUE;
}

/* ---- Many ---- */

#define N_MANY 4000

static guint
most_connections (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
  getrlimit (RLIMIT_NOFILE, &limit);
  return (guint) MIN (RUNNING_ON_VALGRIND || UNDER_EMULATOR ? N_MANY / 20 : N_MANY, (limit.rlim_cur - 100) / 2);
}

static gboolean
answer (GIOStream *connection, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (connection);
  char buffer[8];
  gssize n;

  while ((n = gtx_input_stream_read (input, buffer, sizeof buffer, error)) > 0)
    if (!gtx_output_stream_write_all (g_io_stream_get_output_stream (connection), buffer, n, NULL, error))
      return FALSE;
  return n == 0 && gtx_io_stream_close (connection, error);
}

static void
talk_to_all (GPtrArray *all, int round)
{
  char text[8] = "";

  for (guint i = 0; i < all->len; i++)
    ends_put (all->pdata[(i * 7919) % all->len], round == 0 ? "ping" : "pong");
  for (guint i = 0; i < all->len; i++)
    {
      Ends *ends = all->pdata[i];

      g_assert_true (gtx_input_stream_read_all (g_io_stream_get_input_stream (ends->connections[1]), text, 4, NULL, NULL));
      g_assert_cmpstr (text, ==, round == 0 ? "ping" : "pong");
    }
}

static gboolean
test_many (gpointer data, GError **error)
{
  guint n = most_connections ();
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) ends_free);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    {
      Ends *ends = ends_new (ENDS_ARE_SOCKETS);

      g_ptr_array_add (all, ends);
      g_ptr_array_add (tasks, gtx_create_task (answer, ends->connections[0], NULL));
    }
  for (int round = 0; round < 2; round++)
    talk_to_all (all, round);
  for (guint i = 0; i < n; i++)
    ends_finish (all->pdata[i]);
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* ---- Nothing is left ---- */

static gboolean
use_each_kind (gpointer data, GError **error)
{
  for (guint i = 0; i < N_KINDS; i++)
    {
      g_autoptr (Ends) ends = ends_new ((EndsKind) i);
      gpointer input = ends->input;
      GtxTask *task = begin (read_it, ends->input);

      gtx_cancel (task);
      assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      ends_put (ends, "x");
      g_assert_true (read_it (ends->input, error));
      g_assert_true (gtx_output_stream_close (ends->output, error));
      g_object_add_weak_pointer (input, &input);
      g_clear_pointer (&ends, ends_free);
      g_assert_null (input);
    }
  return TRUE;
}

static gboolean
test_nothing_left (gpointer data, GError **error)
{
  guint n;

  g_assert_true (use_each_kind (NULL, error));
  n = count_open ();
  g_assert_true (use_each_kind (NULL, error));
  /* A thread closes what it cancels its read with after the task was told. */
  while (count_open () > n)
    g_assert_true (gtx_sleep (0.001, error));
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* For what writes without the library. */
  signal (SIGPIPE, SIG_IGN);
  add_real_coroutine ("/streams-waits/there", test_there);
  add_real_coroutine ("/streams-waits/memory", test_memory);
  add_real_coroutine ("/streams-waits/memory-written", test_memory_written);
  add_real_coroutine ("/streams-waits/zero", test_zero);
  add_real_coroutine ("/streams-waits/full-pipe", test_full_pipe);
  add_real_coroutine ("/streams-waits/full-terminal", test_full_terminal);
  add_real_coroutine ("/streams-waits/full-terminal-later", test_full_terminal_later);
  add_real_coroutine ("/streams-waits/read-by-two", test_read_by_two);
  add_real_coroutine ("/streams-waits/lines-read-by-two", test_lines_read_by_two);
  add_real_coroutine ("/streams-waits/lines-of-memory-read-by-two", test_lines_of_memory);
  add_coroutine ("/streams-waits/lines", test_lines);
  add_coroutine ("/streams-waits/line-cancelled", test_line_cancelled);
  add_coroutine ("/streams-waits/print", test_print);
  add_coroutine ("/streams-waits/virtual-time", test_virtual_time);
  add_coroutine ("/streams-waits/nested", test_nested);
  add_coroutine ("/streams-waits/copied", test_copied);
  add_coroutine ("/streams-waits/inherited", test_inherited);
  add_real_coroutine ("/streams-waits/two-contexts", test_two_contexts);
  add_real_coroutine ("/streams-waits/many", test_many);
  add_coroutine ("/streams-waits/nothing-left", test_nothing_left);
  return g_test_run ();
}
