/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: start_server(), timeout(), shield(), to_thread()
 *
 * Serves a folder over HTTP/1.1, to browsers, and to slow, greedy or malicious clients.
 * When the program is interrupted, it finishes the answers that are under way. */

#include "program.h"

#include <errno.h>
#include <gio/gnetworking.h>
#include <stdlib.h>
#include <string.h>

#define MOST_HEAD 8192          /* bytes of a request's first line and headers */
#define MOST_REQUESTS 1000      /* of one connection: others may wait for its place */
#define PIECE 65536             /* bytes that are sent at once, within the time-out */
#define HTTP_DATE "%a, %d %b %Y %H:%M:%S GMT"

/* A request, and its answer. */
typedef struct
{
  char *line;                   /* the first line of the request */
  GHashTable *asked;            /* its headers, by name in small letters */
  char *path;                   /* decoded; it begins with a slash */
  GFile *file;                  /* the file that the path leads to */
  GFileInfo *info;
  gboolean is_head;
  gboolean stays_open;          /* the connection, when it is answered */
  const char *status;
  GString *headers;
  GInputStream *body;           /* or NULL */
  guint64 n_left, n_sent;       /* of its bytes */
  GOutputStream *output;
} Exchange;

static int port, max_clients = 500;
static double seconds = 30;
static char *root;              /* the folder, without links; "" for "/" */

static void
exchange_free (Exchange *self)
{
  g_free (self->line);
  g_hash_table_unref (self->asked);
  g_free (self->path);
  g_string_free (self->headers, TRUE);
  g_clear_object (&self->file);
  g_clear_object (&self->info);
  g_clear_object (&self->body);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exchange, exchange_free)

/* ---- Files: whatever waits for a disk ---- */

#define ATTRIBUTES "standard::type,standard::size,standard::name,standard::display-name,etag::value,time::modified"

/* For a thread: where a path leads when all links are followed, if that is in the folder.  A user
 * who can change the folder meanwhile could as well put the file into it. */
static gboolean
find_file (Exchange *self, GCancellable *cancellable, GError **error)
{
  g_autofree char *wanted = g_strconcat (root, self->path, NULL);
  g_autofree char *real = realpath (wanted, NULL);
  int failed = real ? ENOENT : errno;
  gsize n = strlen (root);

  if (real == NULL || strncmp (real, root, n) != 0 || (real[n] != '/' && real[n] != '\0'))
    {
      g_set_error_literal (error, G_IO_ERROR, (int) g_io_error_from_errno (failed), g_strerror (failed));
      return FALSE;
    }
  self->file = g_file_new_for_path (real);
  self->info = g_file_query_info (self->file, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, cancellable, error);
  return self->info != NULL;
}

static gboolean
open_file (Exchange *self, guint64 from, GError **error)
{
  self->body = G_INPUT_STREAM (gtx_file_read (self->file, error));
  return self->body && g_seekable_seek (G_SEEKABLE (self->body), (goffset) from, G_SEEK_SET, NULL, error);
}

/* ---- What a request says ---- */

#define CONTROL_CHARACTERS "\1\2\3\4\5\6\7\b\n\v\f\r\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37\177"
#define NAME_CHARACTERS "!#$%&'*+-.^_`|~" G_CSET_DIGITS G_CSET_a_2_z G_CSET_A_2_Z

/* A header that comes more than once is a list. */
static gboolean
parse_header (GHashTable *headers, const char *line)
{
  gsize n = strspn (line, NAME_CHARACTERS);
  g_autofree char *name = g_ascii_strdown (line, (gssize) n);
  const char *before = g_hash_table_lookup (headers, name);
  char *value = g_strconcat (before ? before : "", before ? "," : "", line + n + (line[n] == ':'), NULL);

  g_hash_table_insert (headers, g_steal_pointer (&name), g_strstrip (value));
  return n > 0 && line[n] == ':' && strpbrk (line, CONTROL_CHARACTERS) == NULL;
}

/* "/a b" of "/a%20b?c", or of "http://host/a%20b"; NULL if this is no path, or leads upwards. */
static char *
parse_target (const char *target)
{
  const char *begin = g_str_has_prefix (target, "http://") ? strchr (target + strlen ("http://"), '/') : target;
  g_autofree char *path = begin ? g_strndup (begin, strcspn (begin, "?")) : g_strdup ("/");
  g_autofree char *decoded = g_uri_unescape_string (path, "/"); /* NULL for %2F and %00 */

  if (decoded == NULL || *decoded != '/' || strstr (decoded, "/../") || g_str_has_suffix (decoded, "/..") ||
      !g_str_is_ascii (target))
    return NULL;
  return g_steal_pointer (&decoded);
}

/* The status with which to refuse the request, or NULL.  Bodies are not read: client and server
 * may disagree where a body ends, and so whether the bytes after it are a request.  A connection
 * with a body is closed. */
static const char *
parse_request (Exchange *self, const char *head)
{
  static const char *const others[] = { "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", NULL };
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  g_auto (GStrv) words = g_strsplit (self->line = g_strdup (lines[0] ? lines[0] : ""), " ", -1);
  gboolean is_old = g_str_has_suffix (self->line, " HTTP/1.0");
  const char *host, *connection, *length;
  gboolean has_body;

  if (g_strv_length (words) != 3 || strpbrk (self->line, CONTROL_CHARACTERS) ||
      (!is_old && !g_str_equal (words[2], "HTTP/1.1")))
    return "400 Bad Request";
  for (char **line = lines + 1; *line; line++)
    if (!parse_header (self->asked, *line))
      return "400 Bad Request";
  host = g_hash_table_lookup (self->asked, "host");
  connection = g_hash_table_lookup (self->asked, "connection");
  length = g_hash_table_lookup (self->asked, "content-length");
  has_body = g_hash_table_contains (self->asked, "transfer-encoding") || (length && !g_str_equal (length, "0"));
  if ((!is_old && host == NULL) || (host && strchr (host, ',')))
    return "400 Bad Request";

  self->stays_open = !is_old && !has_body &&
                     !(connection && g_regex_match_simple ("\\bclose\\b", connection, G_REGEX_CASELESS, 0));
  self->is_head = g_str_equal (words[0], "HEAD");
  if (!self->is_head && !g_str_equal (words[0], "GET"))
    return g_strv_contains (others, words[0]) ? "405 Method Not Allowed" : "501 Not Implemented";
  self->path = parse_target (words[1]);
  return self->path && !has_body ? NULL : "400 Bad Request";
}

/* ---- Answers ---- */

static void
answer_body (Exchange *self, const char *status, const char *type, guint64 length)
{
  self->status = status;
  self->n_left = self->is_head ? 0 : length;
  g_string_append_printf (self->headers, "Content-Type: %s\r\nContent-Length: %" G_GUINT64_FORMAT "\r\n", type, length);
}

static void
answer_text (Exchange *self, const char *status, const char *type, char *text)
{
  g_clear_object (&self->body);
  answer_body (self, status, type, strlen (text));
  self->body = g_memory_input_stream_new_from_data (text, (gssize) strlen (text), g_free);
}

static void
answer_status (Exchange *self, const char *status)
{
  g_string_assign (self->headers, g_str_has_prefix (status, "405") ? "Allow: GET, HEAD\r\n" : "");
  answer_text (self, status, "text/plain", g_strconcat (status, "\n", NULL));
}

/* ---- A folder ---- */

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (g_file_info_get_name (*(GFileInfo **) a), g_file_info_get_name (*(GFileInfo **) b));
}

static gboolean
answer_listing (Exchange *self, GError **error)
{
  g_autoptr (GPtrArray) entries = gtx_file_enumerate (self->file, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS,
                                                      error);
  g_autofree char *name = g_filename_display_name (self->path);
  g_autofree char *title = g_markup_escape_text (name, -1);
  GString *page;

  if (entries == NULL)
    return FALSE;
  g_ptr_array_sort (entries, compare_names);
  page = g_string_new (NULL);
  g_string_append_printf (page, "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>%s</title>\n<h1>%s</h1>\n<ul>\n",
                          title, title);
  for (guint i = 0; i < entries->len; i++)
    {
      GFileInfo *entry = entries->pdata[i];
      const char *slash = g_file_info_get_file_type (entry) == G_FILE_TYPE_DIRECTORY ? "/" : "";
      g_autofree char *link = g_uri_escape_string (g_file_info_get_name (entry), NULL, FALSE);
      g_autofree char *text = g_markup_escape_text (g_file_info_get_display_name (entry), -1);

      g_string_append_printf (page, "<li><a href=\"%s%s\">%s%s</a>\n", link, slash, text, slash);
    }
  answer_text (self, "200 OK", "text/html; charset=utf-8", g_string_free (g_string_append (page, "</ul>\n"), FALSE));
  return TRUE;
}

/* One slash in front: after two slashes a host's name would follow. */
static gboolean
answer_redirect (Exchange *self)
{
  g_autofree char *escaped = g_uri_escape_string (self->path + strspn (self->path, "/"), "/", FALSE);

  answer_status (self, "301 Moved Permanently");
  g_string_append_printf (self->headers, "Location: /%s/\r\n", escaped);
  return TRUE;
}

/* ---- A file ---- */

/* 206 for a part, 416 for a part that does not exist, and 200 for the whole file if no part or
 * several parts are requested, or the header is invalid.  A number that is too large counts as
 * the greatest. */
static int
find_part (const char *range, guint64 size, guint64 *first, guint64 *end)
{
  g_auto (GStrv) words = NULL;
  guint64 from, to;

  *first = 0;
  *end = size;
  if (range == NULL || !g_regex_match_simple ("^bytes=([0-9]+-[0-9]*|-[0-9]+)$", range, 0, 0))
    return 200;
  words = g_strsplit_set (range, "=-", -1);
  from = g_ascii_strtoull (words[1], NULL, 10);
  to = *words[2] ? g_ascii_strtoull (words[2], NULL, 10) : G_MAXUINT64;
  if (*words[1] && to < from)
    return 200;
  *first = *words[1] ? from : size - MIN (to, size);
  *end = *words[1] && to < size ? to + 1 : size;
  return *first < *end ? 206 : 416;
}

/* A tag has quotes, and may be one of several, and weak; a date counts only if it is the one
 * that was sent. */
static gboolean
answer_file (Exchange *self, GError **error)
{
  g_autofree char *guess = g_content_type_guess (g_file_info_get_name (self->info), NULL, 0, NULL);
  g_autofree char *type = g_content_type_get_mime_type (guess);
  g_autofree char *tag = g_strdup_printf ("\"%s\"", g_file_info_get_etag (self->info));
  g_autoptr (GDateTime) modified = g_file_info_get_modification_date_time (self->info);
  g_autofree char *date = g_date_time_format (modified, HTTP_DATE);
  const char *tags = g_hash_table_lookup (self->asked, "if-none-match");
  const char *since = g_hash_table_lookup (self->asked, "if-modified-since");
  const char *condition = g_hash_table_lookup (self->asked, "if-range");
  gboolean is_whole = self->is_head || (condition && !g_str_equal (condition, tag) && !g_str_equal (condition, date));
  guint64 size = (guint64) g_file_info_get_size (self->info);
  guint64 first, end;
  int status = find_part (is_whole ? NULL : g_hash_table_lookup (self->asked, "range"), size, &first, &end);

  g_string_append_printf (self->headers, "Accept-Ranges: bytes\r\nETag: %s\r\nLast-Modified: %s\r\n", tag, date);
  if (tags ? g_str_equal (tags, "*") || strstr (tags, tag) : since && g_str_equal (since, date))
    self->status = "304 Not Modified";
  else if (status == 416)
    {
      answer_status (self, "416 Range Not Satisfiable");
      g_string_append_printf (self->headers, "Content-Range: bytes */%" G_GUINT64_FORMAT "\r\n", size);
    }
  else
    {
      if (status == 206)
        g_string_append_printf (self->headers, "Content-Range: bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%"
                                G_GUINT64_FORMAT "\r\n", first, end - 1, size);
      answer_body (self, status == 206 ? "206 Partial Content" : "200 OK", type, end - first);
      return self->is_head || open_file (self, first, error);
    }
  return TRUE;
}

/* Reading anything but a folder or a file may never begin, or never end. */
static gboolean
answer_path (Exchange *self, GError **error)
{
  gboolean has_slash = g_str_has_suffix (self->path, "/");
  GFileType type;

  if (!gtx_to_thread (find_file, self, error))
    return FALSE;
  type = g_file_info_get_file_type (self->info);
  if (type == G_FILE_TYPE_DIRECTORY)
    return has_slash ? answer_listing (self, error) : answer_redirect (self);
  if (type == G_FILE_TYPE_REGULAR && !has_slash)
    return answer_file (self, error);
  answer_status (self, "404 Not Found");
  return TRUE;
}

/* The head is sent with as much of the body as there is room for.  A client that takes too long
 * over a piece is disconnected. */
static gboolean
send_all (Exchange *self, GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *date = g_date_time_format (now, HTTP_DATE);
  g_autofree char *piece = g_malloc (PIECE);
  gsize n_head = (gsize) g_snprintf (piece, PIECE, "HTTP/1.1 %s\r\nDate: %s\r\n%s%s\r\n", self->status, date,
                                     self->stays_open ? "" : "Connection: close\r\n", self->headers->str);

  for (; n_head > 0 || self->n_left > 0; n_head = 0)
    {
      g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
      g_autoptr (GError) failure = NULL;
      gssize n = self->n_left == 0 ? 0 : gtx_input_stream_read (self->body, piece + n_head,
                                                               MIN (PIECE - n_head, self->n_left), error);

      if (n == 0 && self->n_left > 0)
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "The file has become shorter");
      if (*error)
        return FALSE;
      gtx_timeout_begin (&timeout, seconds);
      gtx_output_stream_write_all (self->output, piece, n_head + (gsize) n, NULL, &failure);
      if (!gtx_timeout_end (&timeout, &failure, error))
        return FALSE;
      self->n_left -= (guint64) n;
      self->n_sent += (guint64) n;
    }
  return TRUE;
}

/* An error ends this connection, and no other. */
static gboolean
answer (Exchange *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *line = g_strescape (self->line ? self->line : "", NULL);

  if (self->status)
    answer_status (self, self->status);
  else if (!answer_path (self, &failure))
    answer_status (self, g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED) ? "403 Forbidden"
                                                                                             : "404 Not Found");
  g_clear_error (&failure);
  self->stays_open &= send_all (self, &failure);
  g_print ("\"%s\" %.3s %" G_GUINT64_FORMAT "%s%s\n", line, self->status, self->n_sent, failure ? ": " : "",
           failure ? failure->message : "");
  return TRUE;
}

/* ---- A client ---- */

/* Waits until a head is in the buffer, with the empty line after it; the status with which to
 * refuse the request, or NULL. */
static const char *
await_head (GBufferedInputStream *input, gsize *length, GError **error)
{
  gssize n;

  do
    {
      const char *data = g_buffered_input_stream_peek_buffer (input, length);
      const char *end = g_strstr_len (data, (gssize) *length, "\r\n\r\n");

      if (end)
        *length = (gsize) (end - data) + strlen ("\r\n\r\n");
      if (memchr (data, '\0', *length))
        return "400 Bad Request";
      if (end || *length == MOST_HEAD)
        return end ? NULL : "431 Request Header Fields Too Large";
      n = gtx_buffered_input_stream_fill (input, -1, error);
    }
  while (n > 0);
  return n == 0 && *length > 0 ? "400 Bad Request" : NULL;
}

/* The next request, even if it will be refused; NULL if there is none. */
static Exchange *
read_request (GBufferedInputStream *input, GOutputStream *output, GError **error)
{
  g_autoptr (Exchange) self = g_new0 (Exchange, 1);
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autofree char *head = NULL;
  gsize length;

  self->output = output;
  self->asked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->headers = g_string_new (NULL);
  gtx_timeout_begin (&timeout, seconds);
  self->status = await_head (input, &length, &failure);
  if (gtx_timeout_end (&timeout, &failure, error) && self->status == NULL && length > 0)
    {
      head = g_strndup (g_buffered_input_stream_peek_buffer (input, NULL), length - strlen ("\r\n\r\n"));
      g_input_stream_skip (G_INPUT_STREAM (input), length, NULL, NULL);
      self->status = parse_request (self, head);
    }
  if (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      g_clear_error (error);
      self->status = "408 Request Timeout";
    }
  return *error == NULL && length > 0 ? g_steal_pointer (&self) : NULL;
}

/* When the server is interrupted, the answer goes on to its end. */
static gboolean
let_answer (Exchange *exchange, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (answer, exchange, NULL);
  g_autoptr (GtxFuture) shield = gtx_shield (task);

  if (gtx_await (shield, error))
    return TRUE;
  gtx_await (task, NULL);
  return FALSE;
}

/* Closing a socket with unread data discards the data that was sent last.  So the server
 * shuts down its side first, and waits a while for the client's end. */
static void
linger (GSocketConnection *connection, GInputStream *input)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  g_socket_shutdown (g_socket_connection_get_socket (connection), FALSE, TRUE, NULL);
  gtx_timeout_begin (&timeout, 1); /* second */
  gtx_input_stream_skip (input, G_MAXSSIZE, NULL);
  gtx_timeout_end (&timeout, NULL, NULL);
}

static gboolean
serve (gpointer unused, GSocketConnection *connection, GError **error)
{
  GInputStream *bare = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_autoptr (GInputStream) input = g_buffered_input_stream_new_sized (bare, MOST_HEAD);
  gboolean stays_open = TRUE;

  g_socket_set_option (g_socket_connection_get_socket (connection), IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  for (guint i = 1; stays_open; i++)
    {
      g_autoptr (Exchange) exchange = read_request (G_BUFFERED_INPUT_STREAM (input), output, error);

      if (exchange == NULL)
        return *error == NULL;
      exchange->stays_open &= i < MOST_REQUESTS;
      stays_open = let_answer (exchange, error) && exchange->stays_open;
    }
  linger (connection, bare);
  return *error == NULL;
}

/* ---- The server ---- */

static gboolean
run_server (gpointer data, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();

  return program_allow_open_files (2 * (guint) max_clients, error) && /* a socket and a file each */
         program_listen (listener, port, max_clients, error) &&
         gtx_serve (listener, (guint) max_clients, serve, NULL, error);
}

int
main (int argc, char *argv[])
{
  static const GOptionEntry options[] = {
    { "port", 'p', 0, G_OPTION_ARG_INT, &port, "Listen on port N; 0, the default, is any that is free", "N" },
    { "max-clients", 'm', 0, G_OPTION_ARG_INT, &max_clients, "Serve N clients at once, 500 by default", "N" },
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &seconds,
      "Wait so long for a request, and until 64 KiB are taken; 30 seconds by default", "SECONDS" },
    G_OPTION_ENTRY_NULL
  };
  static const Program program = {
    .arguments = "FOLDER",
    .summary = "Serves a folder over HTTP on the loopback interface, until it is interrupted.",
    .options = options, .least = 1, .most = 1,
  };
  char **arguments = program_parse (&program, &argc, &argv);

  program_want_between ("--port", port, 0, G_MAXUINT16);
  program_want_between ("--max-clients", max_clients, 1, 100000);
  program_want_seconds ("--timeout", seconds);
  if (!g_file_test (arguments[0], G_FILE_TEST_IS_DIR) || (root = realpath (arguments[0], NULL)) == NULL)
    program_usage_error ("there is no folder %s", arguments[0]);
  if (g_str_equal (root, "/"))
    *root = '\0';
  return program_run (gtx_task_new (run_server, NULL, NULL));
}
