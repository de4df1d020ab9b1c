/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/programs/check-urls.c against a server whose answer depends on the path. */

#include "spawn.h"

#include <gtask-ext.h>

#include <signal.h>
#include <string.h>

#define PROGRAM "programs/check-urls"

static void
test_arguments (void)
{
  assert_helps (PROGRAM);
  assert_refuses (PROGRAM, "--jobs 0", "--jobs is 0, *");
  assert_refuses (PROGRAM, "--timeout -1", "--timeout is -1, *");
  assert_refuses (PROGRAM, "--timeout inf", "--timeout is inf, *");
  assert_refuses (PROGRAM, "/no/such/file", "there is no file /no/such/file");
  assert_refuses (PROGRAM, "a b", "does not know what to do with \"b\"");
}

/* ---- The server ---- */

typedef struct
{
  GSocketListener *listener;
  char *folder;
  guint16 port;
  GtxTaskGroup *clients;
  GtxEvent *asked_for_slow;
  GtxEvent *answer_slow;
  GtxBarrier *pair;             /* of the clients that request /pair */
  guint n_pair;
  guint most_pair;
} Server;

typedef struct
{
  Server *server;
  GIOStream *stream;
} Client;

static void
client_free (gpointer data)
{
  Client *client = data;

  g_object_unref (client->stream);
  g_free (client);
}

static char *
read_path (GIOStream *stream, GError **error)
{
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (g_io_stream_get_input_stream (stream));
  g_autofree char *line = NULL;
  g_auto (GStrv) words = NULL;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (lines), FALSE);
  g_data_input_stream_read_line_async (lines, G_PRIORITY_DEFAULT, GTX_ASYNC);
  line = g_data_input_stream_read_line_finish (lines, gtx_await_result (), NULL, error);
  if (line == NULL)
    return NULL;
  words = g_strsplit (line, " ", 3);
  g_assert_cmpuint (g_strv_length (words), ==, 3);
  g_assert_cmpstr (words[0], ==, "GET");
  g_assert_cmpstr (words[2], ==, "HTTP/1.1\r");
  return g_strdup (words[1]);
}

static gboolean
send_text (GIOStream *stream, const char *text, GError **error)
{
  g_output_stream_write_all_async (g_io_stream_get_output_stream (stream), text, strlen (text), G_PRIORITY_DEFAULT,
                                   GTX_ASYNC);
  return g_output_stream_write_all_finish (g_io_stream_get_output_stream (stream), gtx_await_result (), NULL, error);
}

static const char *const answers[][2] = {
  { "/fast", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" },
  { "/slow", "HTTP/1.1 200 OK\r\n\r\n" },
  { "/pair", "HTTP/1.1 200 OK\r\n\r\n" },
  { "/old", "HTTP/1.0 204 No Content\r\nServer: old\r\n\r\n" },
  { "/query?a=b%20c&d", "HTTP/1.1 201 Created\r\n\r\n" },
  { "/404", "HTTP/1.1 404 Not Found\r\n\r\n<html>" },
  { "/500", "HTTP/1.1 500 Oh\r\n\r\n" },
  { "/closes", "" },
  { "/closes-early", "HTTP/1.1 200 OK\r\nServer" },
  { "/garbage", "220 mail.example.org ESMTP\r\n\r\n" },
  { "/no-number", "HTTP/1.1 abc OK\r\n\r\n" },
  { "/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n" },
  { "/1", "HTTP/1.1 301 Moved\r\nlocation:   2\r\n\r\n" },
  { "/2", "HTTP/1.1 302 Found\r\nServer: x\r\nLocation: /3\r\n\r\n" },
  { "/3", "HTTP/1.1 307 Temporary Redirect\r\nLOCATION: /4\r\n\r\n" },
  { "/4", "HTTP/1.1 308 Permanent Redirect\r\nLocation: /5\r\n\r\n" },
  { "/5", "HTTP/1.1 303 See Other\r\nLocation: /fast\r\n\r\n" },
  { "/0", "HTTP/1.1 301 Moved\r\nLocation: /1\r\n\r\n" },
  { "/to-https", "HTTP/1.1 301 Moved\r\nLocation: https://localhost/\r\n\r\n" },
  { "/nowhere", "HTTP/1.1 302 Found\r\n\r\n" },
};

static gboolean
wait_for_second (Server *server, GError **error)
{
  gboolean came;

  server->n_pair++;
  server->most_pair = MAX (server->most_pair, server->n_pair);
  came = gtx_barrier_wait (server->pair, NULL, error);
  server->n_pair--;
  return came;
}

static gboolean
answer (Client *client, GError **error)
{
  Server *server = client->server;
  g_autofree char *path = read_path (client->stream, error);

  if (path == NULL)
    return FALSE;
  if (g_str_equal (path, "/slow"))
    {
      gtx_event_set (server->asked_for_slow);
      if (!gtx_event_wait (server->answer_slow, error))
        return FALSE;
    }
  if (g_str_equal (path, "/pair") && !wait_for_second (server, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    if (g_str_equal (answers[i][0], path))
      return send_text (client->stream, answers[i][1], error);
  g_error ("The server was asked for %s", path);
}

static gboolean
serve (Server *server, GError **error)
{
  for (;;)
    {
      GSocketConnection *connection;
      Client *client;

      g_socket_listener_accept_async (server->listener, GTX_ASYNC);
      connection = g_socket_listener_accept_finish (server->listener, gtx_await_result (), NULL, error);
      if (connection == NULL)
        return FALSE;
      client = g_new (Client, 1);
      *client = (Client) { server, G_IO_STREAM (connection) };
      if (!gtx_task_group_create_task (server->clients, answer, client, client_free, error))
        return FALSE;
    }
}

/* ---- A test: the server, and the program as its client ---- */

typedef gboolean (*Check) (Server *server, GError **error);

static gboolean
run_check (Check *check, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GtxEvent) asked_for_slow = gtx_event_new ();
  g_autoptr (GtxEvent) answer_slow = gtx_event_new ();
  g_autoptr (GtxBarrier) pair = gtx_barrier_new (2);
  g_auto (GtxTaskGroup) clients = GTX_TASK_GROUP_INIT;
  Server server = { listener, NULL, 0, &clients, asked_for_slow, answer_slow, pair, 0, 0 };
  g_autoptr (GError) failure = NULL;

  server.port = g_socket_listener_add_any_inet_port (listener, NULL, error);
  if (server.port == 0)
    return FALSE;
  server.folder = make_folder ();
  gtx_task_group_begin (&clients);
  gtx_task_group_create_task (&clients, serve, &server, NULL, NULL);
  if ((*check) (&server, &failure))
    gtx_task_group_cancel (&clients);
  remove_folder (server.folder);
  return gtx_task_group_end (&clients, &failure, error);
}

static void
test_with_server (gconstpointer data)
{
  Check check = *(const Check *) data;
  g_autoptr (GError) error = NULL;

  gtx_run (run_check, &check, &error);
  g_assert_no_error (error);
}

/* In @urls, PORT stands for the server's port. */
static GSubprocess *
spawn (Server *server, const char *urls, const char *option, const char *value, GError **error)
{
  g_autofree char *program = find_program (PROGRAM);
  g_autofree char *path = g_build_filename (server->folder, "urls", NULL);
  g_autofree char *port = g_strdup_printf ("%u", server->port);
  g_auto (GStrv) parts = g_strsplit (urls, "PORT", -1);
  g_autofree char *list = g_strjoinv (port, parts);
  GSubprocess *process;

  g_assert_true (g_file_set_contents (path, list, -1, NULL));
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, error,
                              program, option, value, path, NULL);
  g_assert_no_error (*error);
  return process;
}

static Outcome *
wait_for (GSubprocess *process, GError **error)
{
  Outcome *outcome = g_new0 (Outcome, 1);

  g_subprocess_communicate_utf8_async (process, NULL, GTX_ASYNC);
  g_subprocess_communicate_utf8_finish (process, gtx_await_result (), &outcome->output, &outcome->errors, error);
  g_assert_no_error (*error);
  outcome->status = g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process)
                                                         : 128 + g_subprocess_get_term_sig (process);
  return outcome;
}

typedef struct
{
  const char *url;              /* the part after the port */
  const char *line;             /* a pattern */
} Expected;

static const Expected expected[] = {
  { "/fast", "200 ?.??? http://*/fast" },
  { "/old", "204 *" },
  { "/query?a=b%20c&d", "201 *" },
  { "/404", "404 ?.??? http://*/404" },
  { "/500", "500 *" },
  { "/closes", "--- *: The server closed without an answer" },
  { "/closes-early", "--- *: The answer is no HTTP/1.1" },
  { "/garbage", "--- *: The answer is no HTTP/1.1" },
  { "/no-number", "--- *: The answer is no HTTP/1.1" },
  { "/loop", "--- *: More than 5 redirects" },
  { "/1", "200 *" },
  { "/0", "--- *: More than 5 redirects" },
  { "/to-https", "--- *: Only http://HOST can be asked, not https://localhost/" },
  { "/nowhere", "302 *" },
};

/* Each URL has a process of its own, so that the test knows which URL a line belongs to. */
static gboolean
check_answers (Server *server, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autofree char *url = g_strdup_printf ("http://127.0.0.1:PORT%s\n", expected[i].url);
      gboolean is_well = expected[i].line[0] == '2';
      g_autofree char *output = g_strdup_printf ("%s\n%d of 1 well, in * seconds\n", expected[i].line, is_well);
      g_autoptr (GSubprocess) process = NULL;
      g_autoptr (Outcome) outcome = NULL;

      process = spawn (server, url, "--timeout", "60", error);
      outcome = wait_for (process, error);
      assert_outcome (outcome, is_well ? 0 : 1, is_well ? "" : "check-urls: 1 of 1 are not well\n", output);
    }
  return TRUE;
}

/* URLs that never get to a server. */
static gboolean
check_refused (Server *server, GError **error)
{
  g_autoptr (GSocketListener) closed = g_socket_listener_new ();
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (Outcome) outcome = NULL;

  server->port = g_socket_listener_add_any_inet_port (closed, NULL, error);
  g_socket_listener_close (closed);
  process = spawn (server, "\n# a comment\nhttp://127.0.0.1:PORT/\n  ftp://localhost/ \nno-url\nhttp:///path\n",
                   "--jobs", "1", error);
  outcome = wait_for (process, error);
  assert_outcome (outcome, 1, "check-urls: 4 of 4 are not well\n",
                  "--- ?.??? http://127.0.0.1:*/: *refused\n"
                  "--- ?.??? ftp://localhost/: Only http://HOST can be asked, not ftp://localhost/\n"
                  "--- ?.??? no-url: *\n"
                  "--- ?.??? http:///path: *\n"
                  "0 of 4 well, in * seconds\n");
  return TRUE;
}

static gboolean
check_time_out (Server *server, GError **error)
{
  g_autoptr (GSubprocess) process = spawn (server, "http://127.0.0.1:PORT/slow\n", "--timeout", "0.5", error);
  g_autoptr (Outcome) outcome = wait_for (process, error);

  assert_outcome (outcome, 1, "check-urls: 1 of 1 are not well\n",
                  "--- ?.??? http://*/slow: Timed out\n0 of 1 well, in * seconds\n");
  return TRUE;
}

static char *
read_line (GDataInputStream *lines, GError **error)
{
  g_data_input_stream_read_line_async (lines, G_PRIORITY_DEFAULT, GTX_ASYNC);
  return g_data_input_stream_read_line_finish (lines, gtx_await_result (), NULL, error);
}

/* The slow URL comes first.  The server answers it after the line of the fast URL was printed. */
static gboolean
check_order (Server *server, GError **error)
{
  g_autoptr (GSubprocess) process =
    spawn (server, "http://127.0.0.1:PORT/slow\nhttp://127.0.0.1:PORT/fast\n", "--timeout", "60", error);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  g_autofree char *first = read_line (lines, error);
  g_autofree char *second = NULL;
  g_autoptr (Outcome) outcome = NULL;

  g_assert_true (g_pattern_match_simple ("200 *fast", first));
  gtx_event_set (server->answer_slow);
  second = read_line (lines, error);
  g_assert_true (g_pattern_match_simple ("200 *slow", second));
  outcome = wait_for (process, error);
  assert_outcome (outcome, 0, "", "*");
  return TRUE;
}

/* Each request waits at the server for a second one.  Two run at a time, and no more. */
static gboolean
check_jobs (Server *server, GError **error)
{
  g_autoptr (GSubprocess) process =
    spawn (server, "http://127.0.0.1:PORT/pair\nhttp://127.0.0.1:PORT/pair\nhttp://127.0.0.1:PORT/pair\n"
           "http://127.0.0.1:PORT/pair\nhttp://127.0.0.1:PORT/pair\nhttp://127.0.0.1:PORT/pair\n", "--jobs", "2", error);
  g_autoptr (Outcome) outcome = wait_for (process, error);

  assert_outcome (outcome, 0, "", "*6 of 6 well, in * seconds\n");
  g_assert_cmpuint (server->most_pair, ==, 2);
  return TRUE;
}

static gboolean
check_interrupted (Server *server, GError **error)
{
  g_autoptr (GSubprocess) process =
    spawn (server, "http://127.0.0.1:PORT/slow\nhttp://127.0.0.1:PORT/slow\n", "--jobs", "1", error);
  g_autoptr (Outcome) outcome = NULL;

  if (!gtx_event_wait (server->asked_for_slow, error))
    return FALSE;
  g_subprocess_send_signal (process, SIGINT);
  outcome = wait_for (process, error);
  assert_outcome (outcome, 130, "", "");
  return TRUE;
}

static void
test_input (void)
{
  g_autoptr (Outcome) none = run_program ("# none\n", PROGRAM, NULL);
  g_autoptr (Outcome) one = run_program ("https://localhost/", PROGRAM, NULL);

  assert_outcome (none, 0, "", "0 of 0 well, in * seconds\n");
  assert_outcome (one, 1, "*1 of 1 are not well\n", "--- ?.??? https://localhost/: Only http://*");
}

int
main (int argc, char *argv[])
{
  static const Check answers = check_answers;
  static const Check refused = check_refused;
  static const Check time_out = check_time_out;
  static const Check order = check_order;
  static const Check jobs = check_jobs;
  static const Check interrupted = check_interrupted;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/programs/check-urls/arguments", test_arguments);
  g_test_add_func ("/programs/check-urls/input", test_input);
  g_test_add_data_func ("/programs/check-urls/answers", &answers, test_with_server);
  g_test_add_data_func ("/programs/check-urls/refused", &refused, test_with_server);
  g_test_add_data_func ("/programs/check-urls/time-out", &time_out, test_with_server);
  g_test_add_data_func ("/programs/check-urls/order", &order, test_with_server);
  g_test_add_data_func ("/programs/check-urls/jobs", &jobs, test_with_server);
  g_test_add_data_func ("/programs/check-urls/interrupted", &interrupted, test_with_server);
  return g_test_run ();
}
