/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random programs of operations, run once with GIO's blocking functions and once with those
 * for tasks: both have the same results, errors and bytes.  STREAMS_SEED names a program, and
 * STREAMS_PROGRAMS how many to run from there. */

#define _GNU_SOURCE

#include "stream-sides.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define N_PROGRAMS 400
#define N_OPERATIONS 40
#define MOST_BYTES 6000
#define HANGS_SECONDS 60

static const char *const below_names[] = { "unix", "tcp", "pipes", "memory", "file" };
static const char *const input_names[] = { "plain", "converted", "buffered", "data", "data-converted" };
static const char *const output_names[] = { "plain", "converted", "buffered" };

/* ---- Operations ---- */

typedef enum
{
  PUT, END, LEAVE, RESET, READ, READ_ALL, READ_BYTES, SKIP, FILL, READ_LINE, READ_UPTO, WRITE, WRITE_ALL, WRITEV_ALL,
  FLUSH, SPLICE_IN, SPLICE_OUT, CLOSE_INPUT, CLOSE_OUTPUT, CLOSE, RECEIVE, RECEIVE_FROM, SEND, WAIT, SHUTDOWN_READ,
  SHUTDOWN_WRITE, CLOSE_SOCKET, PENDING_INPUT, PENDING_OUTPUT, NONBLOCKING, N_KINDS_OF_OPERATIONS
} OperationKind;

static const char *const operation_names[] = {
  "put", "end", "leave", "reset", "read", "read-all", "read-bytes", "skip", "fill", "read-line", "read-upto", "write",
  "write-all", "writev-all", "flush", "splice-in", "splice-out", "close-input", "close-output", "close", "receive",
  "receive-from", "send", "wait", "shutdown-read", "shutdown-write", "close-socket", "pending-input",
  "pending-output", "nonblocking",
};

typedef struct
{
  OperationKind kind;
  gsize count;
  guint flags;
} Operation;

static void
log_error (Side *self, GError *error)
{
  if (error)
    g_string_append_printf (self->log, " %s:%d", g_quark_to_string (error->domain), error->code);
  g_clear_error (&error);
}

static void
log_bytes (Side *self, gconstpointer bytes, gssize n)
{
  g_autofree char *sum = n > 0 ? g_compute_checksum_for_data (G_CHECKSUM_MD5, bytes, n) : NULL;

  if (sum)
    g_string_append_printf (self->log, " [%.8s]", sum);
}

static void
log_read (Side *self, gssize result, gconstpointer buffer, gssize n)
{
  g_string_append_printf (self->log, " = %" G_GSSIZE_FORMAT " (%" G_GSSIZE_FORMAT ")", result, n);
  log_bytes (self, buffer, n);
  self->consumed += MAX (n, 0);
}

static void
log_text (Side *self, char *text, gsize length, gboolean is_line)
{
  /* For a file it may be more, because data that is written to it is read as well. */
  gsize consumed = MIN (self->consumed, self->put->len);
  const char *left = (const char *) self->put->data + consumed;
  gsize n_left = self->put->len - consumed;
  gsize n = length;

  if (text == NULL)
    {
      g_string_append (self->log, " = none");
      return;
    }
  g_string_append_printf (self->log, " = %" G_GSIZE_FORMAT, length);
  log_bytes (self, text, length);
  if (is_line && n < n_left && n < length + 1)
    n += left[n] == '\r' && n + 1 < n_left && left[n + 1] == '\n' &&
         self->shape->newline != G_DATA_STREAM_NEWLINE_TYPE_CR ? 2 : 1;
  self->consumed += MIN (n, n_left);
  g_free (text);
}

static void
run_reading (Side *self, const Operation *operation)
{
  const Functions *f = self->functions;
  g_autofree char *buffer = g_malloc (MIN (operation->count, MOST_BYTES) + 1);
  g_autoptr (GBytes) bytes = NULL;
  GSocketAddress *address = NULL;
  GError *error = NULL;
  gsize count = operation->count;
  gsize length = 0;
  gssize n = 0;
  char *text;

  switch (operation->kind)
    {
    case READ:
      n = f->read (self->input, buffer, count, &error);
      log_read (self, n, buffer, n);
      break;
    case READ_ALL:
      n = f->read_all (self->input, buffer, count, &length, &error);
      log_read (self, n, buffer, length);
      break;
    case READ_BYTES:
      bytes = f->read_bytes (self->input, count, &error);
      log_read (self, bytes != NULL, bytes ? g_bytes_get_data (bytes, NULL) : NULL, bytes ? g_bytes_get_size (bytes) : 0);
      break;
    case SKIP:
      n = f->skip (self->input, count, &error);
      log_read (self, n, NULL, 0);
      self->consumed += MAX (n, 0);
      break;
    case FILL:
      n = f->fill (G_BUFFERED_INPUT_STREAM (self->input), (gssize) count, &error);
      g_string_append_printf (self->log, " = %" G_GSSIZE_FORMAT, n);
      break;
    case READ_LINE:
      text = f->read_line (G_DATA_INPUT_STREAM (self->input), &length, &error);
      log_text (self, text, length, TRUE);
      break;
    case READ_UPTO:
      text = f->read_upto (G_DATA_INPUT_STREAM (self->input), ";k", operation->flags & 1 ? 2 : -1, &length, &error);
      log_text (self, text, length, FALSE);
      break;
    case RECEIVE:
      n = f->receive (self->socket, buffer, count, &error);
      log_read (self, n, buffer, n);
      break;
    case RECEIVE_FROM:
      n = f->receive_from (self->socket, operation->flags & 1 ? &address : NULL, buffer, count, &error);
      log_read (self, n, buffer, n);
      g_string_append_printf (self->log, " from %s", address ? G_OBJECT_TYPE_NAME (address) : "none");
      g_clear_object (&address);
      break;
    default:
      g_assert_not_reached ();
    }
  log_error (self, error);
}

static void
run_splice (Side *self, gboolean is_in, guint flags)
{
  g_autoptr (GOutputStream) target = is_in ? g_memory_output_stream_new_resizable () : g_object_ref (self->output);
  g_autoptr (GInputStream) source = is_in ? g_object_ref (self->input)
                                          : g_memory_input_stream_new_from_data ("some bytes", 10, NULL);
  GMemoryOutputStream *memory = is_in ? G_MEMORY_OUTPUT_STREAM (target) : NULL;
  GError *error = NULL;
  gssize n = self->functions->splice (target, source, (GOutputStreamSpliceFlags) (flags & 3), &error);

  g_string_append_printf (self->log, " = %" G_GSSIZE_FORMAT " %d", n, g_output_stream_is_closed (target));
  if (memory)
    log_read (self, n, g_memory_output_stream_get_data (memory), g_memory_output_stream_get_data_size (memory));
  log_error (self, error);
}

static gboolean
run_writev_all (Side *self, const Operation *operation, const char *bytes, gsize *n, GError **error)
{
  GOutputVector vectors[5];
  guint n_vectors = operation->flags % 6;
  gsize size = operation->count / 5;
  /* GIO's buffers may be flushed by a vector of no bytes. */
  gboolean is_buffered = self->shape->output_top == OUTPUT_BUFFERED;

  if (is_buffered && size == 0)
    n_vectors = 0;
  for (guint i = 0; i < n_vectors; i++)
    vectors[i] = (GOutputVector) { bytes + i * size, is_buffered || ((operation->flags >> (4 + i)) & 1) ? size : 0 };
  return self->functions->writev_all (self->output, vectors, n_vectors, n, error);
}

static void
run_writing (Side *self, const Operation *operation)
{
  const Functions *f = self->functions;
  g_autofree char *bytes = g_malloc (MIN (operation->count, MOST_BYTES) + 1);
  GError *error = NULL;
  gsize written = 0;
  gssize n;

  for (gsize i = 0; i < MIN (operation->count, MOST_BYTES); i++)
    bytes[i] = (char) side_byte_at (i);
  switch (operation->kind)
    {
    case WRITE:
      n = f->write (self->output, bytes, operation->count, &error);
      break;
    case WRITE_ALL:
      n = f->write_all (self->output, bytes, operation->count, &written, &error);
      break;
    case WRITEV_ALL:
      n = run_writev_all (self, operation, bytes, &written, &error);
      break;
    case SEND:
      n = f->send (self->socket, bytes, operation->count, &error);
      break;
    default:
      g_assert_not_reached ();
    }
  g_string_append_printf (self->log, " = %" G_GSSIZE_FORMAT " (%" G_GSIZE_FORMAT ")", n, written);
  log_error (self, error);
  /* The data that no side takes any more has been reported after this wait. */
  if (self->takes < 0)
    side_await_event (self, POLLHUP);
}

static void
run_other (Side *self, const Operation *operation)
{
  GError *error = NULL;
  gboolean succeeded = TRUE;

  switch (operation->kind)
    {
    case PUT:
      side_put (self, operation->count);
      break;
    case END:
      side_end_feeding (self);
      break;
    case LEAVE:
    case RESET:
      side_leave (self, operation->kind == RESET);
      break;
    case FLUSH:
      succeeded = self->functions->flush (self->output, &error);
      break;
    case CLOSE_INPUT:
      succeeded = self->functions->close_input (self->input, &error);
      break;
    case CLOSE_OUTPUT:
      succeeded = self->functions->close_output (self->output, &error);
      break;
    case CLOSE:
      succeeded = self->functions->close (self->connection, &error);
      break;
    case WAIT:
      succeeded = self->functions->wait (self->socket, operation->flags & 1 ? G_IO_IN | G_IO_OUT : G_IO_OUT, &error);
      break;
    case SHUTDOWN_READ:
    case SHUTDOWN_WRITE:
      self->is_at_end |= operation->kind == SHUTDOWN_READ;
      succeeded = g_socket_shutdown (self->socket, operation->kind == SHUTDOWN_READ, operation->kind == SHUTDOWN_WRITE,
                                     &error);
      break;
    case CLOSE_SOCKET:
      succeeded = g_socket_close (self->socket, &error);
      break;
    case NONBLOCKING:
      g_socket_set_blocking (self->socket, !g_socket_get_blocking (self->socket));
      break;
    case PENDING_INPUT:
      if (g_input_stream_has_pending (self->input))
        g_input_stream_clear_pending (self->input);
      else
        succeeded = g_input_stream_set_pending (self->input, &error);
      break;
    case PENDING_OUTPUT:
      if (g_output_stream_has_pending (self->output))
        g_output_stream_clear_pending (self->output);
      else
        succeeded = g_output_stream_set_pending (self->output, &error);
      break;
    default:
      g_assert_not_reached ();
    }
  g_string_append_printf (self->log, " = %d", succeeded);
  log_error (self, error);
}

static void
run_operation (Side *self, const Operation *operation)
{
  g_string_append_printf (self->log, "%s %" G_GSIZE_FORMAT " %u", operation_names[operation->kind], operation->count,
                          operation->flags);
  if ((operation->kind >= READ && operation->kind <= READ_UPTO) || operation->kind == RECEIVE ||
      operation->kind == RECEIVE_FROM)
    run_reading (self, operation);
  else if ((operation->kind >= WRITE && operation->kind <= WRITEV_ALL) || operation->kind == SEND)
    run_writing (self, operation);
  else if (operation->kind == SPLICE_IN || operation->kind == SPLICE_OUT)
    run_splice (self, operation->kind == SPLICE_IN, operation->flags);
  else
    run_other (self, operation);
  side_take (self);
  g_string_append_printf (self->log, " | %d%d %d%d", g_input_stream_is_closed (self->input),
                          g_input_stream_has_pending (self->input), g_output_stream_is_closed (self->output),
                          g_output_stream_has_pending (self->output));
  if (self->shape->below != BELOW_TCP)
    g_string_append_printf (self->log, " taken %u", self->taken->len);
  if (G_IS_BUFFERED_INPUT_STREAM (self->input))
    g_string_append_printf (self->log, " buffered %" G_GSIZE_FORMAT,
                            g_buffered_input_stream_get_available (G_BUFFERED_INPUT_STREAM (self->input)));
  g_string_append_c (self->log, '\n');
}

/* Logs all bytes that were written. */
static void
log_end (Side *self)
{
  gsize size = 0;
  g_autofree char *contents = NULL;

  g_object_run_dispose (G_OBJECT (self->output));
  /* Closing a socket that has unread data resets the connection, and data that was sent
   * may be lost. */
  if (self->shape->below == BELOW_TCP && g_socket_is_closed (self->socket))
    return;
  if (self->socket)
    g_socket_shutdown (self->socket, FALSE, TRUE, NULL);
  if (self->takes >= 0 && self->shape->below == BELOW_TCP)
    side_take_to_end (self);
  side_take (self);
  g_string_append_printf (self->log, "taken %u", self->taken->len);
  log_bytes (self, self->taken->data, self->taken->len);
  if (self->path && g_file_get_contents (self->path, &contents, &size, NULL))
    log_bytes (self, contents, size);
  g_string_append_c (self->log, '\n');
}

/* ---- Possible operations ---- */

static gsize
n_unread (Side *self)
{
  return self->put->len - MIN (self->consumed, self->put->len);
}

static gboolean
has_line (Side *self)
{
  const char *left = (const char *) self->put->data + MIN (self->consumed, self->put->len);
  gsize n = n_unread (self);

  if (n == 0)
    return FALSE;
  if (self->shape->newline == G_DATA_STREAM_NEWLINE_TYPE_CR)
    return memchr (left, '\r', n) != NULL;
  if (self->shape->newline == G_DATA_STREAM_NEWLINE_TYPE_CR_LF)
    return memmem (left, n, "\r\n", 2) != NULL;
  return memchr (left, '\n', n) != NULL;
}

static gboolean
has_stop (Side *self)
{
  const char *left = (const char *) self->put->data + MIN (self->consumed, self->put->len);

  return n_unread (self) > 0 &&
         (memchr (left, ';', n_unread (self)) || memchr (left, 'k', n_unread (self)));
}

static gsize
in_buffer (Side *self)
{
  return G_IS_BUFFERED_INPUT_STREAM (self->input)
         ? g_buffered_input_stream_get_available (G_BUFFERED_INPUT_STREAM (self->input)) : 0;
}

/* Returns whether the streams have the operation, and whether the blocking one would end at
 * once. */
static gboolean
is_possible (Side *self, const Operation *operation)
{
  InputTop top = self->shape->input_top;
  gboolean is_plain = top == INPUT_PLAIN && self->shape->output_top == OUTPUT_PLAIN;
  gboolean ends = self->is_at_end || g_input_stream_is_closed (self->input) ||
                  g_input_stream_has_pending (self->input);
  /* GIO warns if it finds a line in the buffer, and may not read it. */
  gboolean is_refused = in_buffer (self) > 0 &&
                        (g_input_stream_is_closed (self->input) || g_input_stream_has_pending (self->input));
  gsize n = n_unread (self);

  switch (operation->kind)
    {
    case READ:
    case READ_BYTES:
      return ends || operation->count > G_MAXSSIZE || (top == INPUT_PLAIN || top == INPUT_CONVERTED ? n > 0 : n >= operation->count);
    case READ_ALL:
    case SKIP:
      /* GIO's function skips bytes below the converter, not bytes that it returns. */
      if (operation->kind == SKIP && (top == INPUT_CONVERTED || top == INPUT_DATA_CONVERTED))
        return FALSE;
      return ends || operation->count > G_MAXSSIZE || n >= operation->count;
    case FILL:
      return top >= INPUT_BUFFERED && (ends || n > in_buffer (self));
    case READ_LINE:
      return top >= INPUT_DATA && !is_refused && (ends || has_line (self));
    case READ_UPTO:
      return top >= INPUT_DATA && !is_refused && (ends || has_stop (self));
    case SPLICE_IN:
      return ends;
    case RECEIVE:
    case RECEIVE_FROM:
      return self->socket && is_plain &&
             (self->is_at_end || n > 0 || g_socket_is_closed (self->socket) || !g_socket_get_blocking (self->socket));
    case SEND:
    case NONBLOCKING:
      return self->socket && is_plain;
    case WAIT:
    case SHUTDOWN_READ:
    case SHUTDOWN_WRITE:
    case CLOSE_SOCKET:
    case CLOSE:
      return self->socket != NULL;
    default:
      return TRUE;
    }
}

static gsize
random_count (GRand *rand, const Shape *shape, OperationKind kind)
{
  gboolean may_be_wrong = kind == READ || kind == READ_ALL || kind == SKIP || kind == WRITE;
  gsize most = shape->below == BELOW_PIPES && kind == WRITE ? 4096 : MOST_BYTES;

  /* A socket has room for this number of small pieces. */
  if (shape->output_top == OUTPUT_BUFFERED && kind >= WRITE && kind <= WRITEV_ALL)
    most = MIN (most, 50 * shape->buffer_size);

  if (kind == FILL)
    return g_rand_int_range (rand, 0, 4) == 0 ? (gsize) -1 : (gsize) g_rand_int_range (rand, 0, 100);
  switch (g_rand_int_range (rand, 0, 12))
    {
    case 0: return kind == READ_BYTES ? 1 : 0;
    case 1: return may_be_wrong ? (gsize) G_MAXSSIZE + 1 : 1;
    case 2: return g_rand_int_range (rand, 1, (gint32) most + 1);
    default: return g_rand_int_range (rand, 1, 80);
    }
}

static Operation
random_operation (GRand *rand, const Shape *shape)
{
  static const OperationKind rare[] = {
    END, LEAVE, RESET, CLOSE_INPUT, CLOSE_OUTPUT, CLOSE, SHUTDOWN_READ, SHUTDOWN_WRITE, CLOSE_SOCKET, PENDING_INPUT,
    PENDING_OUTPUT, NONBLOCKING, SPLICE_IN,
  };
  static const OperationKind often[] = {
    PUT, PUT, READ, READ, READ_ALL, READ_BYTES, SKIP, FILL, FILL, READ_LINE, READ_LINE, READ_UPTO, WRITE, WRITE,
    WRITE_ALL, WRITEV_ALL, FLUSH, SPLICE_OUT, RECEIVE, RECEIVE_FROM, SEND, WAIT,
  };
  Operation operation;

  operation.kind = g_rand_int_range (rand, 0, 12) == 0 ? rare[g_rand_int_range (rand, 0, G_N_ELEMENTS (rare))]
                                                       : often[g_rand_int_range (rand, 0, G_N_ELEMENTS (often))];
  operation.count = random_count (rand, shape, operation.kind);
  operation.flags = g_rand_int_range (rand, 0, 1 << 9);
  return operation;
}

static Shape
random_shape (GRand *rand)
{
  Shape shape = {
    .below = (Below) g_rand_int_range (rand, 0, N_BELOW),
    .input_top = (InputTop) g_rand_int_range (rand, 0, N_INPUTS),
    .output_top = (OutputTop) g_rand_int_range (rand, 0, N_OUTPUTS),
    .newline = (GDataStreamNewlineType) g_rand_int_range (rand, 0, 4),
    .buffer_size = g_rand_int_range (rand, 1, 100),
    .n_memory = g_rand_int_range (rand, 0, 2000),
    .is_fixed = g_rand_boolean (rand),
  };

  return shape;
}

/* ---- Programs ---- */

typedef struct
{
  Side side;
  GArray *operations;
} Program;

static gboolean
run_again (Program *program, GError **error)
{
  for (guint i = 0; i < program->operations->len; i++)
    run_operation (&program->side, &g_array_index (program->operations, Operation, i));
  return TRUE;
}

static gboolean
run_in_time (Program *program, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (run_again, program, NULL);

  return gtx_wait_for (task, HANGS_SECONDS, error);
}

static void
choose_and_run (Side *side, GRand *rand, GArray *operations)
{
  for (guint i = 0; i < N_OPERATIONS; i++)
    {
      Operation operation = random_operation (rand, side->shape);

      if (!is_possible (side, &operation))
        continue;
      g_array_append_val (operations, operation);
      run_operation (side, &operation);
    }
}

static char running[64];

static void
on_alarm (int signum)
{
  if (write (STDERR_FILENO, running, strlen (running)) < 0)
    _exit (2);
  abort ();
}

static void
run_program (guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  Shape shape = random_shape (rand);
  Program program;
  Side other;
  g_autoptr (GError) error = NULL;

  program.operations = g_array_new (FALSE, FALSE, sizeof (Operation));
  g_snprintf (running, sizeof running, "STREAMS_SEED=%u does not end\n", seed);
  alarm (2 * HANGS_SECONDS);
  side_open (&other, &shape, &blocking);
  choose_and_run (&other, rand, program.operations);
  log_end (&other);
  side_open (&program.side, &shape, &suspending);
  gtx_run (run_in_time, &program, &error);
  log_end (&program.side);
  alarm (0);
  if (error || !g_str_equal (other.log->str, program.side.log->str))
    {
      g_test_message ("STREAMS_SEED=%u: %s, %s, %s, newline %d, buffer %" G_GSIZE_FORMAT "\n%s-- tasks: %s\n%s", seed,
                      below_names[shape.below], input_names[shape.input_top], output_names[shape.output_top],
                      shape.newline, shape.buffer_size, other.log->str, error ? error->message : "",
                      program.side.log->str);
      g_test_fail ();
    }
  side_close (&other);
  side_close (&program.side);
  g_array_unref (program.operations);
}

static void
test_programs (void)
{
  const char *seed = g_getenv ("STREAMS_SEED");
  const char *programs = g_getenv ("STREAMS_PROGRAMS");
  guint n = programs ? (guint) g_ascii_strtoull (programs, NULL, 10)
                     : RUNNING_ON_VALGRIND || UNDER_EMULATOR ? N_PROGRAMS / 20 : N_PROGRAMS;

  guint32 first = seed ? (guint32) g_ascii_strtoull (seed, NULL, 10) : 1;

  if (seed && programs == NULL)
    n = 1;
  for (guint i = 0; i < n && !g_test_failed (); i++)
    run_program (first + i);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* GIO's function for several vectors warns of its own result if the first vector was written and
   * the next fails. */
  g_log_set_always_fatal ((GLogLevelFlags) (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
  /* GIO's class of sockets ignores SIGPIPE once it exists, as in a program that has used a
   * socket. */
  g_type_class_unref (g_type_class_ref (G_TYPE_SOCKET));
  signal (SIGALRM, on_alarm);
  g_test_add_func ("/streams-random/programs", test_programs);
  return g_test_run ();
}
