/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/programs/http-files.c and its clients: those that behave, those that are slow
 * or go, and those that want what is not theirs. */

#include "spawn.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "programs/http-files"
#define BIG (64 * 1024 * 1024)  /* more than the system keeps for a connection */

static void
test_arguments (void)
{
  assert_helps (PROGRAM);
  assert_refuses (PROGRAM, "", "wants FOLDER");
  assert_refuses (PROGRAM, "--port -1 /", "--port is -1, *");
  assert_refuses (PROGRAM, "--max-clients 0 /", "--max-clients is 0, *");
  assert_refuses (PROGRAM, "--timeout 0 /", "--timeout is 0, *");
  assert_refuses (PROGRAM, "/no/such/folder", "there is no folder /no/such/folder");
  assert_refuses (PROGRAM, "/etc/passwd", "there is no folder /etc/passwd");
  assert_refuses (PROGRAM, "/ /", "does not know what to do with \"/\"");
}

/* ---- What is served ---- */

typedef struct
{
  char *folder;                 /* with "served" in it, and what is not to be seen */
  Running *process;
  guint16 port;
} Server;

static char *
path_in (Server *self, const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

static void
write_file (Server *self, const char *name, const char *text)
{
  g_autofree char *path = path_in (self, name);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
make_link (Server *self, const char *target, const char *name)
{
  g_autofree char *path = path_in (self, name);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
make_files (Server *self)
{
  g_autofree char *served = path_in (self, "served");
  g_autofree char *sub = path_in (self, "served/sub");
  g_autofree char *neighbour = path_in (self, "served-not");
  g_autofree char *secret = path_in (self, "secret");
  g_autofree char *big = path_in (self, "served/big");
  g_autofree char *fifo = path_in (self, "served/fifo");

  g_assert_cmpint (g_mkdir (served, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (sub, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (neighbour, 0700), ==, 0);
  write_file (self, "secret", "SECRET\n");
  write_file (self, "served-not/secret", "SECRET\n");
  write_file (self, "served/a.txt", "0123456789");
  write_file (self, "served/empty", "");
  write_file (self, "served/big", "big");
  write_file (self, "served/sub/b c.txt", "in sub\n");
  write_file (self, "served/<i>&\"'?#%41\n.txt", "odd\n");
  g_assert_cmpint (truncate (big, BIG), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  make_link (self, "a.txt", "served/link-inside");
  make_link (self, "../secret", "served/link-outside");
  make_link (self, secret, "served/link-absolute");
  make_link (self, "..", "served/sub/link-up");
  make_link (self, "../..", "served/sub/link-out");
  make_link (self, "../served-not", "served/link-neighbour");
  make_link (self, "link-loop", "served/link-loop");
}

static Server *
server_start (const char *option, const char *value)
{
  Server *self = g_new0 (Server, 1);
  g_autofree char *line = NULL;
  g_autofree char *served = NULL;

  self->folder = make_folder ();
  served = path_in (self, "served");
  make_files (self);
  self->process = start_program (PROGRAM, option, value, served, NULL);
  line = get_line (self->process, "listening on 127.0.0.1:*");
  self->port = (guint16) g_ascii_strtoull (strrchr (line, ':') + 1, NULL, 10);
  return self;
}

static Server *
server_start_usual (void)
{
  return server_start ("--port", "0");
}

/* What it logs matches @log; takes @self. */
static void
server_end (Server *self, int signum, const char *log)
{
  g_autoptr (Outcome) outcome = end_program (self->process, signum);

  assert_outcome (outcome, 130, "", log);
  remove_folder (self->folder);
  g_free (self);
}

/* ---- A client ---- */

static GSocketConnection *
connect_to (Server *server)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection;

  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect_to_host (client, "127.0.0.1", server->port, NULL, &error);
  g_assert_no_error (error);
  g_socket_set_timeout (g_socket_connection_get_socket (connection), 60);
  return connection;
}

static void
say_bytes (GSocketConnection *connection, const char *bytes, gsize length)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), bytes, length, NULL, NULL,
                             &error);
  g_assert_no_error (error);
}

static void
say (GSocketConnection *connection, const char *text)
{
  say_bytes (connection, text, strlen (text));
}

static void
say_no_more (GSocketConnection *connection)
{
  g_autoptr (GError) error = NULL;

  g_socket_shutdown (g_socket_connection_get_socket (connection), FALSE, TRUE, &error);
  g_assert_no_error (error);
}

/* So much of an answer, or less at its end. */
static GString *
hear_bytes (GSocketConnection *connection, gsize most)
{
  g_autofree char *buffer = g_malloc (65536);
  GString *answer = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  gssize n = 1;

  while (answer->len < most && n > 0)
    {
      n = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), buffer,
                               MIN (65536, most - answer->len), NULL, &error);
      g_assert_no_error (error);
      g_string_append_len (answer, buffer, n);
    }
  return answer;
}

static char *
hear_all (GSocketConnection *connection)
{
  return g_string_free (hear_bytes (connection, G_MAXSSIZE), FALSE);
}

/* What comes for these bytes, after which no more do. */
static char *
ask_bytes (Server *server, const char *bytes, gsize length)
{
  g_autoptr (GSocketConnection) connection = connect_to (server);

  say_bytes (connection, bytes, length);
  say_no_more (connection);
  return hear_all (connection);
}

static char *
ask (Server *server, const char *request)
{
  return ask_bytes (server, request, strlen (request));
}

static char *
get (Server *server, const char *target, const char *headers)
{
  g_autofree char *request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target, headers);

  return ask (server, request);
}

static void
assert_matches (const char *pattern, const char *answer, const char *what)
{
  if (!g_pattern_match_simple (pattern, answer))
    g_error ("%s: not \"%s\" but \"%s\"", what, pattern, answer);
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;

  while ((text = strstr (text, part)))
    {
      n++;
      text += strlen (part);
    }
  return n;
}

static char *
get_header (const char *answer, const char *name)
{
  g_autofree char *begin = g_strdup_printf ("\r\n%s: ", name);
  const char *found = strstr (answer, begin);

  g_assert_nonnull (found);
  found += strlen (begin);
  return g_strndup (found, strcspn (found, "\r"));
}

/* ---- Files ---- */

typedef struct
{
  const char *target;
  const char *headers;
  const char *answer;           /* a pattern */
} Get;

static void
check_gets (Server *server, const Get *gets, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *answer = get (server, gets[i].target, gets[i].headers);

      assert_matches (gets[i].answer, answer, gets[i].target);
      g_assert_cmpuint (count (answer, "HTTP/1.1 "), ==, 1);
      g_assert_null (strstr (answer, "SECRET"));
    }
}

static void
test_files (void)
{
  static const Get gets[] = {
    { "/a.txt", "", "HTTP/1.1 200 OK\r\nDate: *, * GMT\r\n*\r\nContent-Length: 10\r\n\r\n0123456789" },
    { "/a.txt?query", "", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/%61%2etxt", "", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "http://x/a.txt", "", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "//a.txt", "", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/./sub/./b%20c.txt", "", "HTTP/1.1 200 *\r\n\r\nin sub\n" },
    { "/link-inside", "", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/sub/link-up/a.txt", "", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/empty", "", "HTTP/1.1 200 *\r\nContent-Length: 0\r\n\r\n" },
    { "/%3Ci%3E&%22'%3F%23%2541%0A.txt", "", "HTTP/1.1 200 *\r\n\r\nodd\n" },
    { "/a.txt/", "", "HTTP/1.1 404 *" },
    { "/none", "", "HTTP/1.1 404 *\r\n\r\n404 Not Found\n" },
    { "/a.txt/none", "", "HTTP/1.1 404 *" },
    { "/fifo", "", "HTTP/1.1 404 *" },
    { "/link-loop", "", "HTTP/1.1 404 *" },
  };
  g_autofree char *head = NULL;
  Server *server = server_start_usual ();

  check_gets (server, gets, G_N_ELEMENTS (gets));
  head = ask (server, "HEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\nHEAD /none HTTP/1.1\r\nHost: x\r\n\r\n"
              "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  assert_matches ("HTTP/1.1 200 *\r\nContent-Length: 10\r\n\r\nHTTP/1.1 404 *\r\nContent-Length: 14\r\n\r\n"
                  "HTTP/1.1 200 *\r\nContent-Length: ???\r\n\r\n", head, "HEAD");
  server_end (server, SIGINT, "\"GET /a.txt HTTP/1.1\" 200 10\n*\"HEAD / HTTP/1.1\" 200 0\n");
}

static void
test_not_readable (void)
{
  g_autofree char *path = NULL;
  g_autofree char *answer = NULL;
  Server *server;

  if (geteuid () == 0)
    {
      g_test_skip ("root may read everything");
      return;
    }
  server = server_start_usual ();
  path = path_in (server, "served/a.txt");
  g_assert_cmpint (chmod (path, 0), ==, 0);
  answer = get (server, "/a.txt", "");
  assert_matches ("HTTP/1.1 403 *\r\nContent-Length: 14\r\n\r\n403 Forbidden\n", answer, "/a.txt");
  g_assert_cmpuint (count (answer, "Content-Length"), ==, 1);
  server_end (server, SIGINT, "*");
}

static void
test_listing (void)
{
  static const Get gets[] = {
    { "/", "", "HTTP/1.1 200 OK\r\n*Content-Type: text/html; charset=utf-8\r\n*<h1>/</h1>\n<ul>\n"
      "<li><a href=\"%3Ci%3E%26%22%27%3F%23%2541%0A.txt\">&lt;i&gt;&amp;&quot;&apos;?#%41*.txt</a>\n"
      "<li><a href=\"a.txt\">a.txt</a>\n<li><a href=\"big\">big</a>\n*<li><a href=\"sub/\">sub/</a>\n</ul>\n" },
    { "http://x", "", "HTTP/1.1 200 *<h1>/</h1>*" },
    { "http://x?y", "", "HTTP/1.1 200 *<h1>/</h1>*" },
    { "/sub/", "", "HTTP/1.1 200 *<h1>/sub/</h1>*<a href=\"b%20c.txt\">b c.txt</a>*" },
    { "/sub", "", "HTTP/1.1 301 *\r\nLocation: /sub/\r\n*" },
    { "//sub", "", "HTTP/1.1 301 *\r\nLocation: /sub/\r\n*" },
    { "//x%0d%0aY:/../sub", "", "HTTP/1.1 400 *" },
  };
  Server *server = server_start_usual ();

  check_gets (server, gets, G_N_ELEMENTS (gets));
  server_end (server, SIGINT, "*");
}

static void
test_outside (void)
{
  static const char *const targets[] = {
    "/../secret", "/sub/../../secret", "/..", "/../", "/sub/../a.txt", "/%2e%2e/secret", "/%2E./secret", "/.%2e/secret",
    "/..%2fsecret", "/..%2Fsecret", "/%2e%2e%2fsecret", "/sub%2f..%2f..%2fsecret", "/..;/secret", "/..\\secret",
    "/..%5csecret", "/..%00/secret", "/a.txt%00.html", "/%00", "/%c0%ae%c0%ae/secret", "/%252e%252e/secret",
    "/...//secret", "/link-outside", "/link-absolute", "/sub/link-out", "/sub/link-out/", "/sub/link-out/secret",
    "/link-neighbour", "/link-neighbour/", "/link-neighbour/secret", "//etc/passwd", "/etc/passwd", "///etc/passwd",
    "etc/passwd", "../secret", "file:///etc/passwd", "http://x/../secret", "http://x/../../../../../../etc/passwd",
    "/%", "/%4", "/%zz", "*", "\\..\\secret", "/\xc3\xa4", "/served-not/secret",
    "/../served-not/secret", "/../served/a.txt",
    "/proc/self/root/etc/passwd", "/sub/link-up/../secret", "/sub/link-up/link-outside",
  };
  Server *server = server_start_usual ();

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      g_autofree char *answer = get (server, targets[i], "");

      if (!g_str_has_prefix (answer, "HTTP/1.1 400 ") && !g_str_has_prefix (answer, "HTTP/1.1 404 "))
        g_error ("%s: %s", targets[i], answer);
      g_assert_null (strstr (answer, "SECRET"));
      g_assert_null (strstr (answer, "served"));
      g_assert_null (strstr (answer, "root:"));
    }
  server_end (server, SIGINT, "*");
}

static void
test_ranges (void)
{
  static const Get gets[] = {
    { "/a.txt", "Range: bytes=0-0\r\n", "HTTP/1.1 206 *bytes 0-0/10\r\n*\r\nContent-Length: 1\r\n\r\n0" },
    { "/a.txt", "Range: bytes=2-4\r\n", "HTTP/1.1 206 *bytes 2-4/10\r\n*\r\nContent-Length: 3\r\n\r\n234" },
    { "/a.txt", "Range: bytes=7-\r\n", "HTTP/1.1 206 *\r\nContent-Range: bytes 7-9/10\r\n*\r\n\r\n789" },
    { "/a.txt", "Range: bytes=0-\r\n", "HTTP/1.1 206 *\r\nContent-Range: bytes 0-9/10\r\n*\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=-3\r\n", "HTTP/1.1 206 *\r\nContent-Range: bytes 7-9/10\r\n*\r\n\r\n789" },
    { "/a.txt", "Range: bytes=-99\r\n", "HTTP/1.1 206 *\r\nContent-Range: bytes 0-9/10\r\n*\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=9-99999999999999999999\r\n", "HTTP/1.1 206 *bytes 9-9/10\r\n*\r\n\r\n9" },
    { "/a.txt", "Range: bytes=0-18446744073709551615\r\n", "HTTP/1.1 206 *bytes 0-9/10\r\n*\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=10-\r\n", "HTTP/1.1 416 *\r\nContent-Range: bytes */10\r\n*" },
    { "/a.txt", "Range: bytes=99999999999999999999-\r\n", "HTTP/1.1 416 *" },
    { "/a.txt", "Range: bytes=18446744073709551615-18446744073709551615\r\n", "HTTP/1.1 416 *" },
    { "/a.txt", "Range: bytes=-0\r\n", "HTTP/1.1 416 *" },
    { "/empty", "Range: bytes=0-\r\n", "HTTP/1.1 416 *bytes */0\r\n*" },
    { "/empty", "Range: bytes=0-5\r\n", "HTTP/1.1 416 *" },
    { "/empty", "Range: bytes=-5\r\n", "HTTP/1.1 416 *" },
    { "/a.txt", "Range: bytes=4-2\r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=0-1,3-4\r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=0-1\r\nRange: bytes=3-4\r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=-\r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=--1\r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=+1-2\r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/a.txt", "Range: bytes=1-2x\r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/a.txt", "Range: lines=1-2\r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
    { "/a.txt", "Range: \r\n", "HTTP/1.1 200 *\r\n\r\n0123456789" },
  };
  g_autofree char *head = NULL;
  Server *server = server_start_usual ();

  check_gets (server, gets, G_N_ELEMENTS (gets));
  head = ask (server, "HEAD /a.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\n\r\n");
  assert_matches ("HTTP/1.1 200 *\r\nContent-Length: 10\r\n\r\n", head, "HEAD");
  server_end (server, SIGINT, "*");
}

/* A header with a value, after which the whole comes, a part of it, or nothing. */
static void
check_condition (Server *server, const char *format, const char *value, const char *begin)
{
  g_autofree char *headers = g_strdup_printf (format, value);
  g_autofree char *answer = get (server, "/a.txt", headers);
  g_autofree char *pattern = g_strdup_printf ("HTTP/1.1 %s *", begin);

  assert_matches (pattern, answer, headers);
  if (g_str_equal (begin, "304"))
    g_assert_true (g_str_has_suffix (answer, "\r\n\r\n"));
}

static void
test_conditions (void)
{
  Server *server = server_start_usual ();
  g_autofree char *first = get (server, "/a.txt", "");
  g_autofree char *tag = get_header (first, "ETag");
  g_autofree char *date = get_header (first, "Last-Modified");
  g_autofree char *again = NULL;
  g_autofree char *path = path_in (server, "served/a.txt");

  check_condition (server, "If-None-Match: %s\r\n", tag, "304");
  check_condition (server, "If-None-Match: W/%s\r\n", tag, "304");
  check_condition (server, "If-None-Match: \"x\", %s\r\n", tag, "304");
  check_condition (server, "If-None-Match: \"x\"\r\nIf-None-Match: %s\r\n", tag, "304");
  check_condition (server, "If-None-Match: *%.0s\r\n", tag, "304");
  check_condition (server, "If-None-Match: \"x%s\"\r\n", tag + 1, "200");
  check_condition (server, "If-None-Match: \"x\"\r\nIf-Modified-Since: %s\r\n", date, "200");
  check_condition (server, "If-Modified-Since: %s\r\n", date, "304");
  check_condition (server, "If-Modified-Since: %s\r\n", "Thu, 01 Jan 1970 00:00:00 GMT", "200");
  check_condition (server, "If-Modified-Since: %s\r\n", "yesterday", "200");
  check_condition (server, "Range: bytes=1-2\r\nIf-Range: %s\r\n", tag, "206");
  check_condition (server, "Range: bytes=1-2\r\nIf-Range: %s\r\n", date, "206");
  check_condition (server, "Range: bytes=1-2\r\nIf-Range: W/%s\r\n", tag, "200");
  check_condition (server, "Range: bytes=1-2\r\nIf-Range: %s\r\n", "\"x\"", "200");
  check_condition (server, "Range: bytes=1-2\r\nIf-None-Match: %s\r\n", tag, "304");

  /* Then it is another one. */
  g_assert_cmpint (truncate (path, 5), ==, 0);
  check_condition (server, "If-None-Match: %s\r\n", tag, "200");
  again = get (server, "/a.txt", "");
  assert_matches ("*\r\n\r\n01234", again, "/a.txt");
  server_end (server, SIGINT, "*");
}

/* ---- Requests that are wrong ---- */

#define NEXT "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"

/* What may come after it is not answered, for nobody knows where it begins. */
static void
test_malformed (void)
{
  static const char *const requests[][2] = {
    { "\r\n\r\n", "400" },
    { " \r\n\r\n", "400" },
    { "GET\r\n\r\n", "400" },
    { "GET /a.txt\r\n\r\n", "400" },
    { "GET  /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1 \r\nHost: x\r\n\r\n", "400" },
    { "GET /a.txt\tHTTP/1.1\r\nHost: x\r\n\r\n", "400" },
    { "GET /a.txt SMTP/1.1\r\nHost: x\r\n\r\n", "400" },
    { "GET /a.txt HTTP/2.0\r\nHost: x\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.10\r\nHost: x\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost : x\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: b\nContent-Length: 5\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\nHost: x\n\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: \x1b[2J\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 00\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\nContent-Length: 0\r\n\r\n", "400" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\ncOnTeNt-LeNgTh: 5\r\n\r\nhello", "400" },
    { "HEAD /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "400" },
    { "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "405" },
    { "POST /a.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "405" },
    { "BREW /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "501" },
    { "GET /a.txt HTTP/1.0\r\n\r\n", "200" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200" },
    { "GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: te, Close\r\n\r\n", "200" },
  };
  Server *server = server_start_usual ();

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      g_autofree char *both = g_strconcat (requests[i][0], NEXT, NULL);
      g_autofree char *pattern = g_strdup_printf ("HTTP/1.1 %s *\r\nConnection: close\r\n*", requests[i][1]);
      g_autofree char *answer = ask (server, both);

      assert_matches (pattern, answer, requests[i][0]);
      g_assert_cmpuint (count (answer, "HTTP/1.1 "), ==, 1);
    }
  server_end (server, SIGINT, "*");
}

static void
test_methods (void)
{
  static const char *const methods[] = { "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
                                         "BREW", "get" };
  Server *server = server_start_usual ();

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      g_autofree char *both = g_strdup_printf ("%s /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" NEXT,
                                               methods[i]);
      g_autofree char *answer = ask (server, both);

      assert_matches (i < 7 ? "HTTP/1.1 405 *\r\nAllow: GET, HEAD\r\n*HTTP/1.1 200 *\r\n\r\n0123456789"
                            : "HTTP/1.1 501 *HTTP/1.1 200 *\r\n\r\n0123456789", answer, methods[i]);
    }
  server_end (server, SIGINT, "*");
}

/* Bytes of all kinds, and a head with one of them that is 0. */
static void
test_garbage (void)
{
  static const char tls[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
  static const char zero[] = "GET /a.txt HTTP/1.1\r\nHost: x\r\nA: \0\r\nContent-Length: 5\r\n\r\nhello";
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  Server *server = server_start_usual ();
  g_autofree char *for_tls = ask_bytes (server, tls, sizeof tls - 1);
  g_autofree char *for_zero = ask_bytes (server, zero, sizeof zero - 1);
  g_autofree char *for_nothing = ask (server, "");

  assert_matches ("HTTP/1.1 400 *", for_tls, "TLS");
  assert_matches ("HTTP/1.1 400 *", for_zero, "zero");
  g_assert_cmpuint (count (for_zero, "HTTP/1.1 "), ==, 1);
  g_assert_cmpstr (for_nothing, ==, "");
  for (guint i = 0; i < 50; i++)
    {
      char bytes[1000];
      g_autofree char *answer = NULL;

      for (gsize j = 0; j < sizeof bytes; j++)
        bytes[j] = (char) g_rand_int_range (rand, i % 2, 256);
      memcpy (bytes, "GET /", 5);
      answer = ask_bytes (server, bytes, sizeof bytes);
      assert_matches ("HTTP/1.1 400 *", answer, "garbage");
    }
  server_end (server, SIGINT, "*");
}

/* The answer arrives, however much is said after it was given. */
static void
test_huge_head (void)
{
  g_autoptr (GString) head = g_string_new ("GET /a.txt HTTP/1.1\r\nHost: x\r\n");
  g_autofree char *fits = NULL;
  g_autofree char *too_long = NULL;
  g_autofree char *endless = NULL;
  Server *server = server_start_usual ();

  g_string_append_printf (head, "A: %0*d\r\n\r\n", (int) (8192 - head->len - strlen ("A: \r\n\r\n")), 0);
  g_assert_cmpuint (head->len, ==, 8192);
  fits = ask (server, head->str);
  assert_matches ("HTTP/1.1 200 *\r\n\r\n0123456789", fits, "8192 bytes");
  g_string_insert (head, 4, "/");
  too_long = ask (server, head->str);
  assert_matches ("HTTP/1.1 431 *\r\nConnection: close\r\n*", too_long, "8193 bytes");
  while (head->len < 4000000)
    g_string_append (head, "GET / HTTP/1.1 ");
  memset (head->str, 'x', head->len);
  endless = ask (server, head->str);
  assert_matches ("HTTP/1.1 431 *", endless, "no end");
  server_end (server, SIGINT, "*\n\"\" 431 *");
}

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

/* Time runs for the head as a whole, though now and then a byte comes. */
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

/* It cannot be mended: the client sees that bytes are missing. */
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

/* The thousandth is the last, so that others have their turn. */
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

/* The second is served when the first has gone. */
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

/* One client has begun to get a big file, which takes as long as the client likes; that the server
 * was interrupted is seen at an idle one. */
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

/* All are answered; wrk tells of others.  Meanwhile somebody has to read what is logged. */
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
  g_test_add_func ("/programs/http-files/arguments", test_arguments);
  g_test_add_func ("/programs/http-files/files", test_files);
  g_test_add_func ("/programs/http-files/not-readable", test_not_readable);
  g_test_add_func ("/programs/http-files/listing", test_listing);
  g_test_add_func ("/programs/http-files/outside", test_outside);
  g_test_add_func ("/programs/http-files/ranges", test_ranges);
  g_test_add_func ("/programs/http-files/conditions", test_conditions);
  g_test_add_func ("/programs/http-files/malformed", test_malformed);
  g_test_add_func ("/programs/http-files/methods", test_methods);
  g_test_add_func ("/programs/http-files/garbage", test_garbage);
  g_test_add_func ("/programs/http-files/huge-head", test_huge_head);
  g_test_add_func ("/programs/http-files/half", test_half);
  g_test_add_func ("/programs/http-files/slow-head", test_slow_head);
  g_test_add_func ("/programs/http-files/trickle", test_trickle);
  g_test_add_func ("/programs/http-files/slow-reader", test_slow_reader);
  g_test_add_func ("/programs/http-files/goes", test_goes);
  g_test_add_func ("/programs/http-files/shrinks", test_shrinks);
  g_test_add_func ("/programs/http-files/pipelined", test_pipelined);
  g_test_add_func ("/programs/http-files/most-requests", test_most_requests);
  g_test_add_func ("/programs/http-files/many-clients", test_many_clients);
  g_test_add_func ("/programs/http-files/max-clients", test_max_clients);
  g_test_add_func ("/programs/http-files/interrupted", test_interrupted);
  g_test_add_func ("/programs/http-files/interrupted-twice", test_interrupted_twice);
  g_test_add_func ("/programs/http-files/interrupted-idle", test_interrupted_idle);
  g_test_add_func ("/programs/http-files/curl", test_curl);
  g_test_add_func ("/programs/http-files/wrk", test_wrk);
  return g_test_run ();
}
