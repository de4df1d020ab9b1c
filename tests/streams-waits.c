/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other events while tasks wait for streams. */

#include "read-it.h"
#include "stream-ends.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Virtual time does not jump while other code may write. */
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
      g_assert_cmpfloat (gtx_get_time (), <, 1000);
      gtx_cancel (sleeper);
    }
  return TRUE;
}

/* A task runs a main loop, in which other tasks read. */
static gboolean
test_nested (gpointer data, GError **error)
{
  g_autoptr (Ends) sockets = ends_new (ENDS_ARE_SOCKETS);
  g_autoptr (Ends) converted = ends_new (ENDS_ARE_CONVERTED);
  g_autoptr (Ends) woken = ends_new (ENDS_ARE_CONVERTED);
  GtxTask *first = begin (read_it, sockets->input);
  GtxTask *second = begin (read_it, converted->input);

  /* The task itself was woken by such a stream. */
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

/* The closed socket still has events as long as its copy is open.  They wake no task. */
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

/* A child inherits the stream and reads the byte that the parent waits for.  The parent's task goes
 * on waiting. */
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

      /* A killed child is not searched for leaks, which memory of the parent's threads would be. */
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

/* One thread reads a socket, and another writes to it. */
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
  /* After the task was told, a thread closes the descriptor that cancels its read. */
  while (count_open () > n)
    g_assert_true (gtx_sleep (0.001, error));
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Code that writes without the library would raise the signal. */
  signal (SIGPIPE, SIG_IGN);
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
