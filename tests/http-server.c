/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts http-files on a folder with files of many kinds, sends requests as a client does, and
 * reads the answers. */

#include "http-server.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- What is served ---- */

char *
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

Server *
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

Server *
server_start_usual (void)
{
  return server_start ("--port", "0");
}

void
server_end (Server *self, int signum, const char *log)
{
  g_autoptr (Outcome) outcome = end_program (self->process, signum);

  assert_outcome (outcome, 130, "", log);
  remove_folder (self->folder);
  g_free (self);
}

/* ---- A client ---- */

GSocketConnection *
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

void
say_bytes (GSocketConnection *connection, const char *bytes, gsize length)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), bytes, length, NULL, NULL,
                             &error);
  g_assert_no_error (error);
}

void
say (GSocketConnection *connection, const char *text)
{
  say_bytes (connection, text, strlen (text));
}

void
say_no_more (GSocketConnection *connection)
{
  g_autoptr (GError) error = NULL;

  g_socket_shutdown (g_socket_connection_get_socket (connection), FALSE, TRUE, &error);
  g_assert_no_error (error);
}

GString *
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

char *
hear_all (GSocketConnection *connection)
{
  return g_string_free (hear_bytes (connection, G_MAXSSIZE), FALSE);
}

char *
ask_bytes (Server *server, const char *bytes, gsize length)
{
  g_autoptr (GSocketConnection) connection = connect_to (server);

  say_bytes (connection, bytes, length);
  say_no_more (connection);
  return hear_all (connection);
}

char *
ask (Server *server, const char *request)
{
  return ask_bytes (server, request, strlen (request));
}

char *
get (Server *server, const char *target, const char *headers)
{
  g_autofree char *request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target, headers);

  return ask (server, request);
}

void
assert_matches (const char *pattern, const char *answer, const char *what)
{
  if (!g_pattern_match_simple (pattern, answer))
    g_error ("%s: not \"%s\" but \"%s\"", what, pattern, answer);
}

guint
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
