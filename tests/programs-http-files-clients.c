/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/programs/http-files.c and its clients: slow clients, clients that leave, many clients,
 * other people's clients, and clients that are connected when the server is interrupted. */

#include "http-server.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- Clients that are slow, or go ---- */

static void
test_half (void)
{
  Server *server = server_start_usual ();
  gsize length = strlen (NEXT);

  for (gsize n = 1; n < length; n++)
    {
      g_autofree char *answer = ask_bytes (server, NEXT, n);

      assert_matches ("HTTP/1.1 400 *", answer, "a half");
    }
  server_end (server, SIGINT, "*");
}

static void
test_slow_head (void)
{
  Server *server = server_start ("--timeout", "2");
  g_autoptr (GSocketConnection) silent = connect_to (server);
  g_autoptr (GSocketConnection) slow = connect_to (server);
  g_autoptr (GSocketConnection) idle = connect_to (server);
  g_autofree char *for_silent = NULL;
  g_autofree char *for_slow = NULL;
  g_autofree char *for_idle = NULL;

  say (slow, "GET /a.txt HTTP/1.1\r\n");
  say (idle, "HEAD /empty HTTP/1.1\r\nHost: x\r\n\r\n");
  for_silent = hear_all (silent);
  for_slow = hear_all (slow);
  for_idle = hear_all (idle);
  g_assert_cmpstr (for_silent, ==, "");
  assert_matches ("HTTP/1.1 408 Request Timeout\r\n*\r\nConnection: close\r\n*", for_slow, "slow");
  assert_matches ("HTTP/1.1 200 *\r\n\r\n", for_idle, "idle");
  g_assert_cmpuint (count (for_idle, "HTTP/1.1 "), ==, 1);
  server_end (server, SIGINT, "*");
}

/* The time limit is for the whole head, although single bytes keep coming. */
static void
test_trickle (void)
{
  Server *server = server_start ("--timeout", "2");
  g_autoptr (GSocketConnection) connection = connect_to (server);
  GSocket *socket = g_socket_connection_get_socket (connection);
  g_autofree char *answer = NULL;

  say (connection, "GET /a.txt HTTP/1.1\r\nHost: ");
  while (!g_socket_condition_timed_wait (socket, G_IO_IN, 50000, NULL, NULL))
    say (connection, "x");
  answer = hear_all (connection);
  assert_matches ("HTTP/1.1 408 *", answer, "trickle");
  server_end (server, SIGINT, "*");
}

static void
test_slow_reader (void)
{
  Server *server = server_start ("--timeout", "2");
  g_autoptr (GSocketConnection) connection = connect_to (server);

  say (connection, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  await_line (server->process, "\"GET /big HTTP/1.1\" 200 *: Timed out");
  server_end (server, SIGINT, "");
}

static void
test_goes (void)
{
  Server *server = server_start_usual ();
  GSocketConnection *connection = connect_to (server);
  g_autofree char *answer = NULL;

  say (connection, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  g_string_free (hear_bytes (connection, 100000), TRUE);
  g_object_unref (connection);
  await_line (server->process, "\"GET /big HTTP/1.1\" 200 *: *");
  answer = get (server, "/a.txt", "");
  assert_matches ("HTTP/1.1 200 *", answer, "/a.txt");
  server_end (server, SIGINT, "\"GET /a.txt HTTP/1.1\" 200 10\n");
}

/* The server cannot correct this, and the client sees that bytes are missing. */
static void
test_shrinks (void)
{
  Server *server = server_start_usual ();
  g_autoptr (GSocketConnection) connection = connect_to (server);
  g_autofree char *path = path_in (server, "served/big");
  g_autoptr (GString) begin = NULL;
  g_autoptr (GString) rest = NULL;

  say (connection, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n" NEXT);
  begin = hear_bytes (connection, 1000);
  g_assert_cmpint (truncate (path, 1000), ==, 0);
  rest = hear_bytes (connection, G_MAXSSIZE);
  g_assert_cmpuint (begin->len + rest->len, <, BIG);
  await_line (server->process, "\"GET /big HTTP/1.1\" 200 *: The file has become shorter");
  server_end (server, SIGINT, "");
}

/* ---- Many requests, many clients ---- */

static void
test_pipelined (void)
{
  const char *requests = "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\nHEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"
                         "GET /none HTTP/1.1\r\nHost: x\r\n\r\nGET /sub/b%20c.txt HTTP/1.1\r\nHost: x\r\n\r\n";
  const char *answers = "HTTP/1.1 200 *\r\n\r\n0123456789HTTP/1.1 200 *\r\n\r\nHTTP/1.1 404 *\r\n\r\n404 Not Found\n"
                        "HTTP/1.1 200 *\r\n\r\nin sub\n";
  Server *server = server_start_usual ();
  g_autoptr (GSocketConnection) slow = connect_to (server);
  g_autofree char *at_once = ask (server, requests);
  g_autofree char *byte_by_byte = NULL;

  assert_matches (answers, at_once, "at once");
  g_assert_cmpuint (count (at_once, "HTTP/1.1 "), ==, 4);
  g_socket_set_option (g_socket_connection_get_socket (slow), 6, 1, TRUE, NULL); /* TCP_NODELAY */
  for (const char *byte = requests; *byte; byte++)
    say_bytes (slow, byte, 1);
  say_no_more (slow);
  byte_by_byte = hear_all (slow);
  assert_matches (answers, byte_by_byte, "byte by byte");
  server_end (server, SIGINT, "*");
}

/* The connection ends after the thousandth request, so that other clients have their turn. */
static void
test_most_requests (void)
{
  g_autoptr (GString) requests = g_string_new (NULL);
  Server *server = server_start_usual ();
  g_autofree char *answers = NULL;

  for (guint i = 0; i < 1001; i++)
    g_string_append (requests, "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
  answers = ask (server, requests->str);
  g_assert_cmpuint (count (answers, "HTTP/1.1 404 "), ==, 1000);
  g_assert_cmpuint (count (answers, "Connection: close"), ==, 1);
  server_end (server, SIGINT, "*");
}

static void
test_many_clients (void)
{
  GSocketConnection *clients[200];
  Server *server = server_start ("--max-clients", "200");

  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    clients[i] = connect_to (server);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    say (clients[i], NEXT);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      g_autofree char *answer = NULL;

      say_no_more (clients[i]);
      answer = hear_all (clients[i]);
      assert_matches ("HTTP/1.1 200 *\r\n\r\n0123456789", answer, "one of many");
      g_object_unref (clients[i]);
    }
  server_end (server, SIGINT, "*");
}

/* The second client is served when the first has gone. */
static void
test_max_clients (void)
{
  Server *server = server_start ("--max-clients", "1");
  g_autoptr (GSocketConnection) first = connect_to (server);
  g_autoptr (GSocketConnection) second = connect_to (server);
  g_autofree char *answer = NULL;

  say (second, NEXT);
  say_no_more (second);
  say (first, "HEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\n");
  await_line (server->process, "\"HEAD *");
  say_no_more (first);
  answer = hear_all (second);
  assert_matches ("HTTP/1.1 200 *\r\n\r\n0123456789", answer, "second");
  server_end (server, SIGINT, "\"GET /a.txt HTTP/1.1\" 200 10\n");
}

/* ---- Interruption ---- */

/* One client has begun to receive a big file, which takes as long as the client likes.  An idle
 * client shows that the server was interrupted. */
static GSocketConnection *
interrupt_in_answer (Server *server)
{
  GSocketConnection *connection = connect_to (server);
  g_autoptr (GSocketConnection) idle = connect_to (server);
  g_autofree char *rest = NULL;

  say (idle, "HEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\n");
  await_line (server->process, "\"HEAD *");
  say (connection, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n" NEXT);
  g_string_free (hear_bytes (connection, 9), TRUE);
  g_subprocess_send_signal (running_get_process (server->process), SIGINT);
  rest = hear_all (idle);
  assert_matches ("HTTP/1.1 200 *\r\n\r\n", rest, "idle");
  return connection;
}

static void
test_interrupted (void)
{
  Server *server = server_start_usual ();
  g_autoptr (GSocketConnection) connection = interrupt_in_answer (server);
  g_autoptr (GString) rest = hear_bytes (connection, G_MAXSSIZE);
  const char *body = strstr (rest->str, "\r\n\r\n");

  assert_matches ("200 OK\r\n*", rest->str, "big");
  g_assert_cmpuint (rest->len - (gsize) (body + strlen ("\r\n\r\n") - rest->str), ==, BIG);
  server_end (server, 0, "\"GET /big HTTP/1.1\" 200 67108864\n");
}

static void
test_interrupted_twice (void)
{
  Server *server = server_start_usual ();
  GSocketConnection *connection = interrupt_in_answer (server);

  server_end (server, SIGINT, "");
  g_object_unref (connection);
}

static void
test_interrupted_idle (void)
{
  Server *server = server_start_usual ();
  GSocketConnection *silent = connect_to (server);
  GSocketConnection *half = connect_to (server);

  say (half, "GET /");
  g_free (get (server, "/a.txt", ""));
  server_end (server, SIGINT, "\"GET /a.txt HTTP/1.1\" 200 10\n");
  g_object_unref (silent);
  g_object_unref (half);
}

/* ---- Other people's clients ---- */

static Outcome *
run_client (Server *server, const char *command)
{
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u", server->port);
  g_autofree char *served = path_in (server, "served");

  return run_program (NULL, "sh", "-c", command, url, served, NULL);
}

static gboolean
is_installed (const char *name)
{
  g_autofree char *path = g_find_program_in_path (name);

  if (path == NULL)
    g_test_skip ("It is not installed");
  return path != NULL;
}

static void
test_curl (void)
{
  static const char *const commands[][2] = {
    { "curl -s $0/a.txt", "0123456789" },
    { "curl -s $0/a.txt $0/a.txt -w ' %{num_connects}\\n'", "0123456789 1\n0123456789 0\n" },
    { "curl -s $0/big | cmp - \"$1/big\"", "" },
    { "curl -s -r 3-5 $0/a.txt", "345" },
    { "printf 012 >\"$1/../part\"; curl -s -C - -o \"$1/../part\" $0/a.txt; cat \"$1/../part\"", "0123456789" },
    { "curl -s -I $0/a.txt", "HTTP/1.1 200 OK\r\n*" },
    { "curl -s -L -o /dev/null -w '%{http_code} %{url_effective}' $0/sub", "200 http://127.0.0.1:*/sub/" },
    { "curl -s -o \"$1/../x\" -R $0/a.txt; curl -s -z \"$1/../x\" -w '%{http_code}' $0/a.txt", "304" },
    { "curl -s --etag-save \"$1/../tag\" -o /dev/null $0/a.txt; "
      "curl -s --etag-compare \"$1/../tag\" -w '%{http_code}' $0/a.txt", "304" },
    { "curl -s -o /dev/null -w '%{http_code}' -d x $0/a.txt", "405" },
    { "head -c 3000000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' -T - $0/a.txt", "405" },
    { "curl -s -o /dev/null -w '%{http_code}' --path-as-is $0/../secret", "400" },
    { "curl -s -0 $0/a.txt", "0123456789" },
  };
  Server *server;

  if (!is_installed ("curl"))
    return;
  server = server_start_usual ();
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_autoptr (Outcome) outcome = run_client (server, commands[i][0]);

      assert_matches (commands[i][1], outcome->output, commands[i][0]);
    }
  server_end (server, SIGINT, "*");
}

static gpointer
run_wrk (gpointer server)
{
  Outcome *outcome = run_client (server, "exec wrk -t 1 -c 50 -d 1 $0/sub/");

  g_free (get (server, "/end", ""));
  return outcome;
}

/* All requests are answered; wrk reports the others.  The test reads the server's log at the same
 * time. */
static void
test_wrk (void)
{
  g_autoptr (Outcome) outcome = NULL;
  Server *server;
  GThread *thread;

  if (!is_installed ("wrk"))
    return;
  server = server_start_usual ();
  thread = g_thread_new ("wrk", run_wrk, server);
  await_line (server->process, "\"GET /end *");
  outcome = g_thread_join (thread);
  if (outcome->status != 0 || strstr (outcome->output, "Non-2xx") || strstr (outcome->output, "Socket errors"))
    g_error ("wrk ended with %d: %s%s", outcome->status, outcome->output, outcome->errors);
  server_end (server, SIGINT, "*");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/programs/http-files-clients/half", test_half);
  g_test_add_func ("/programs/http-files-clients/slow-head", test_slow_head);
  g_test_add_func ("/programs/http-files-clients/trickle", test_trickle);
  g_test_add_func ("/programs/http-files-clients/slow-reader", test_slow_reader);
  g_test_add_func ("/programs/http-files-clients/goes", test_goes);
  g_test_add_func ("/programs/http-files-clients/shrinks", test_shrinks);
  g_test_add_func ("/programs/http-files-clients/pipelined", test_pipelined);
  g_test_add_func ("/programs/http-files-clients/most-requests", test_most_requests);
  g_test_add_func ("/programs/http-files-clients/many-clients", test_many_clients);
  g_test_add_func ("/programs/http-files-clients/max-clients", test_max_clients);
  g_test_add_func ("/programs/http-files-clients/interrupted", test_interrupted);
  g_test_add_func ("/programs/http-files-clients/interrupted-twice", test_interrupted_twice);
  g_test_add_func ("/programs/http-files-clients/interrupted-idle", test_interrupted_idle);
  g_test_add_func ("/programs/http-files-clients/curl", test_curl);
  g_test_add_func ("/programs/http-files-clients/wrk", test_wrk);
  return g_test_run ();
}
