/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/programs/http-files.c: the files that it serves, requests that are malformed, and
 * requests for files that it does not serve. */

#include "http-server.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Returns a header's value.  With the value in a condition, the server sends the whole file, a part
 * of it, or nothing. */
static char *
get_header (const char *answer, const char *name)
{
  g_autofree char *begin = g_strdup_printf ("\r\n%s: ", name);
  const char *found = strstr (answer, begin);

  g_assert_nonnull (found);
  found += strlen (begin);
  return g_strndup (found, strcspn (found, "\r"));
}

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

  /* The file has changed from here on. */
  g_assert_cmpint (truncate (path, 5), ==, 0);
  check_condition (server, "If-None-Match: %s\r\n", tag, "200");
  again = get (server, "/a.txt", "");
  assert_matches ("*\r\n\r\n01234", again, "/a.txt");
  server_end (server, SIGINT, "*");
}

/* ---- Requests that are wrong ---- */

/* Bytes after a malformed request are not answered, because the server cannot tell where the next
 * request begins. */
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

/* The requests have bytes of all kinds, and one head has a byte that is 0. */
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

/* The answer arrives, however much the client sends after it. */
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
  return g_test_run ();
}
