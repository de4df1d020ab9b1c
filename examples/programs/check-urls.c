/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: as_completed(), timeout(), Semaphore, open_connection()
 *
 * Asks web servers for pages, many at a time, and prints each answer as soon as it has
 * come. */

#include "program.h"

#include <gio/gunixinputstream.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_REDIRECTS 5
#define MOST_HEAD 65536         /* bytes of a status line and headers */

typedef struct
{
  GSocketClient *client;
  GtxSemaphore *places;         /* limits how many are asked at once */
  GPtrArray *checks;            /* of Check */
  guint n_well;
} Checker;

/* A URL, and how its server answered. */
typedef struct
{
  Checker *checker;
  char *url;
  int status;                   /* 0: no answer, for this reason */
  char *reason;
  double seconds;
} Check;

static int n_at_once = 16;
static double seconds = 10;

static Check *
check_new (Checker *checker, char *url)
{
  Check *check = g_new0 (Check, 1);

  check->checker = checker;
  check->url = url;
  return check;
}

static void
check_free (gpointer data)
{
  Check *check = data;

  g_free (check->url);
  g_free (check->reason);
  g_free (check);
}

/* ---- One request ---- */

static char *
build_request (GUri *uri)
{
  g_autofree char *port = NULL;
  const char *path = g_uri_get_path (uri);
  const char *query = g_uri_get_query (uri);
  gboolean is_ipv6 = strchr (g_uri_get_host (uri), ':') != NULL;

  if (g_uri_get_port (uri) > 0)
    port = g_strdup_printf (":%d", g_uri_get_port (uri));
  return g_strdup_printf ("GET %s%s%s HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: check-urls\r\n"
                          "Accept: */*\r\nConnection: close\r\n\r\n",
                          *path ? path : "/", query ? "?" : "", query ? query : "",
                          is_ipv6 ? "[" : "", g_uri_get_host (uri), is_ipv6 ? "]" : "", port ? port : "");
}

/* Up to the empty line, or to the end of the data. */
static char *
read_head (GInputStream *input, GError **error)
{
  g_autofree char *head = g_malloc0 (MOST_HEAD + 1);
  gsize length = 0;

  while (length < MOST_HEAD && strstr (head, "\r\n\r\n") == NULL)
    {
      gssize n = gtx_input_stream_read (input, head + length, MOST_HEAD - length, error);

      if (n < 0)
        return NULL;
      if (n == 0)
        break;
      length += (gsize) n;
    }
  return g_steal_pointer (&head);
}

/* The head of the server's answer, or NULL. */
static char *
request (GSocketClient *client, GUri *uri, GError **error)
{
  guint16 port = (guint16) (g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : 80);
  g_autoptr (GSocketConnectable) server = g_network_address_new (g_uri_get_host (uri), port);
  g_autoptr (GSocketConnection) connection = gtx_socket_client_connect (client, server, error);
  g_autofree char *text = build_request (uri);

  if (connection == NULL ||
      !gtx_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), text, strlen (text),
                                    NULL, error))
    return NULL;
  return read_head (g_io_stream_get_input_stream (G_IO_STREAM (connection)), error);
}

/* ---- What it says ---- */

static int
parse_status (const char *head, GError **error)
{
  const char *code = head;

  if (*head == '\0')
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "The server closed without an answer");
      return 0;
    }
  if (g_str_has_prefix (head, "HTTP/1.0 ") || g_str_has_prefix (head, "HTTP/1.1 "))
    code += strlen ("HTTP/1.1 ");
  if (code > head && g_ascii_isdigit (code[0]) && code[0] != '0' && g_ascii_isdigit (code[1]) &&
      g_ascii_isdigit (code[2]) && !g_ascii_isdigit (code[3]) && strstr (head, "\r\n\r\n"))
    return atoi (code);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "The answer is no HTTP/1.1");
  return 0;
}

static char *
find_header (const char *head, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);

  for (char **line = lines; *line && **line; line++)
    {
      char *colon = strchr (*line, ':');

      if (colon && (gsize) (colon - *line) == strlen (name) && g_ascii_strncasecmp (*line, name, strlen (name)) == 0)
        return g_strstrip (g_strdup (colon + 1));
    }
  return NULL;
}

static GUri *
parse_url (GUri *base, const char *url, GError **error)
{
  g_autoptr (GUri) uri = base ? g_uri_parse_relative (base, url, G_URI_FLAGS_ENCODED, error)
                              : g_uri_parse (url, G_URI_FLAGS_ENCODED, error);

  if (uri == NULL)
    return NULL;
  if (g_str_equal (g_uri_get_scheme (uri), "http") && g_uri_get_host (uri) && *g_uri_get_host (uri))
    return g_steal_pointer (&uri);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "Only http://HOST can be asked, not %s", url);
  return NULL;
}

/* The status of the last answer. */
static int
follow (GSocketClient *client, const char *url, GError **error)
{
  g_autoptr (GUri) uri = parse_url (NULL, url, error);

  for (int n_redirects = 0; uri && n_redirects <= MOST_REDIRECTS; n_redirects++)
    {
      g_autofree char *head = request (client, uri, error);
      g_autofree char *location = NULL;
      GUri *next;
      int status;

      if (head == NULL)
        return 0;
      status = parse_status (head, error);
      if (status == 304 || status / 100 != 3 || (location = find_header (head, "Location")) == NULL)
        return status;
      next = parse_url (uri, location, error);
      g_uri_unref (uri);
      uri = next;
    }
  if (uri)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "More than %d redirects", MOST_REDIRECTS);
  return 0;
}

/* ---- One URL ---- */

/* Returns its argument, with the answer; fails only when cancelled. */
static Check *
check_url (Check *check, GError **error)
{
  g_autoptr (GtxSemaphoreHolder) place = gtx_semaphore_hold (check->checker->places, error);
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) reason = NULL;
  g_autoptr (GError) failure = NULL;
  gint64 began = g_get_monotonic_time ();

  if (place == NULL)
    return NULL;
  gtx_timeout_begin (&timeout, seconds);
  check->status = follow (check->checker->client, check->url, &failure);
  gtx_timeout_end (&timeout, &failure, &reason);
  check->seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;

  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return NULL;
    }
  if (reason)
    check->reason = g_strdup (reason->message);
  return check;
}

static void
show (const Check *check)
{
  if (check->reason)
    g_print ("--- %.3f %s: %s\n", check->seconds, check->url, check->reason);
  else
    g_print ("%d %.3f %s\n", check->status, check->seconds, check->url);
}

/* ---- All of them ---- */

static gboolean
show_as_completed (Checker *checker, GPtrArray *tasks, GError **error)
{
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, GTX_FOREVER, error);
  GError *failure = NULL;
  GtxTask *task;

  if (each == NULL)
    return FALSE;
  while ((task = gtx_as_completed_next (each, &failure)))
    {
      const Check *check = gtx_future_get_result (task);

      show (check);
      checker->n_well += check->reason == NULL && check->status / 100 == 2;
    }
  if (failure)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gboolean
check_all (Checker *checker, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  for (guint i = 0; i < checker->checks->len; i++)
    {
      Check *check = checker->checks->pdata[i];

      g_ptr_array_add (tasks, g_object_ref (gtx_task_group_create_task_pointer (&group, check_url, check,
                                                                               NULL, NULL, NULL)));
    }
  show_as_completed (checker, tasks, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* ---- Input ---- */

static GInputStream *
open_list (const char *path, GError **error)
{
  g_autoptr (GFile) file = NULL;

  if (path == NULL)
    return g_unix_input_stream_new (STDIN_FILENO, FALSE);
  file = g_file_new_for_path (path);
  return G_INPUT_STREAM (gtx_file_read (file, error));
}

/* One URL a line; empty lines and lines that begin with # are skipped. */
static gboolean
read_urls (Checker *checker, const char *path, GError **error)
{
  g_autoptr (GInputStream) input = open_list (path, error);
  g_autoptr (GDataInputStream) lines = NULL;
  GError *failure = NULL;
  char *line;

  if (input == NULL)
    return FALSE;
  lines = g_data_input_stream_new (input);
  do
    {
      line = gtx_data_input_stream_read_line (lines, NULL, &failure);
      if (line && *g_strstrip (line) && *line != '#')
        g_ptr_array_add (checker->checks, check_new (checker, line));
      else
        g_free (line);
    }
  while (line);
  if (failure)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gboolean
run_checks (const char *path, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GtxSemaphore) places = gtx_semaphore_new ((guint) n_at_once);
  g_autoptr (GPtrArray) checks = g_ptr_array_new_with_free_func (check_free);
  Checker checker = { client, places, checks, 0 };
  gint64 began = g_get_monotonic_time ();

  g_socket_client_set_enable_proxy (client, FALSE);
  if (!program_allow_open_files ((guint) n_at_once, error) || !read_urls (&checker, path, error) ||
      !check_all (&checker, error))
    return FALSE;

  g_print ("%u of %u well, in %.3f seconds\n", checker.n_well, checks->len,
           (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC);
  if (checker.n_well == checks->len)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%u of %u are not well", checks->len - checker.n_well, checks->len);
  return FALSE;
}

int
main (int argc, char *argv[])
{
  static const GOptionEntry options[] = {
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &n_at_once, "Ask for N at once, 16 by default", "N" },
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &seconds, "Wait so long for each, 10 seconds by default", "SECONDS" },
    G_OPTION_ENTRY_NULL
  };
  static const Program program = {
    .arguments = "[FILE]",
    .summary = "Asks for the http:// URLs in FILE, or in the input, one a line; prints the status of each, seconds, and the URL.",
    .options = options,
    .most = 1,
  };
  char **arguments = program_parse (&program, &argc, &argv);

  program_want_between ("--jobs", n_at_once, 1, 10000);
  program_want_seconds ("--timeout", seconds);
  if (arguments[0] && !g_file_test (arguments[0], G_FILE_TEST_EXISTS))
    program_usage_error ("there is no file %s", arguments[0]);
  return program_run (gtx_task_new (run_checks, arguments[0], NULL));
}
