/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Library code that needs a deep stack runs in a task, too, on a stack of the default size. */

#define _GNU_SOURCE             /* mincore () */

#include "fixture.h"

#ifdef HAVE_GTK
/* Newer versions of GTK deprecate functions for which this version has no replacement. */
#define GDK_VERSION_MIN_REQUIRED GDK_VERSION_4_8
#include <gtk/gtk.h>
#endif

#include <float.h>
#include <locale.h>
#include <netdb.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define STACK_SIZE (1 << 20)

/* ---- The depth of the stack ---- */

/* The pages of the stack below this frame's, except for the next one. */
typedef struct
{
  guint8 *bottom;
  gsize size;
} Room;

static Room
find_room (gsize page)
{
  gsize here = (gsize) __builtin_frame_address (0) / page * page;
  Room room = { (guint8 *) here + 2 * page - STACK_SIZE, STACK_SIZE - 4 * page };

  return room;
}

static gsize
count_untouched (const Room *room, gsize page)
{
  unsigned char present[STACK_SIZE / 4096];
  gsize n = 0;

  if (mincore (room->bottom, room->size, present) != 0)
    return 0;
  while (n < room->size / page && !(present[n] & 1))
    n++;
  return n * page;
}

/* Runs @body in a task of its own.  A quarter of its stack must stay unused. */
static gboolean
measure (const GtxCoroutine *body, GError **error)
{
  gsize page = (gsize) sysconf (_SC_PAGESIZE);
  Room room = find_room (page);
  gboolean is_measured = sizeof (void *) == 8 && !UNDER_ASAN && !RUNNING_ON_VALGRIND;
  gboolean succeeded;

  if (is_measured)
    madvise (room.bottom, room.size, MADV_DONTNEED);
  succeeded = (*body) (NULL, error);
  if (is_measured)
    {
      gsize left = count_untouched (&room, page);

      g_test_message ("at most %" G_GSIZE_FORMAT " KiB of the stack were used", (STACK_SIZE - left) / 1024);
      g_assert_cmpuint (left, >=, STACK_SIZE / 4);
    }
  return succeeded;
}

#define add_measured(path, body)                                               \
  G_STMT_START {                                                               \
    static const GtxCoroutine kept = (body);                                   \
                                                                               \
    g_test_add_data_func ((path), &kept, run_measured);                        \
  } G_STMT_END

static void
run_measured (gconstpointer data)
{
  run_with (gtx_run_named, (GtxCoroutine) measure, (gpointer) data);
}

/* ---- Windows ---- */

#ifdef HAVE_GTK
static gboolean
await_shown (GtkWidget *widget, GError **error)
{
  while (!gtk_widget_get_mapped (widget) || gtk_widget_get_width (widget) == 0)
    if (!gtx_sleep (0.01, error))
      return FALSE;
  return gtx_sleep (0.1, error);
}

static gboolean
has_display (void)
{
  /* A second call of gtk_init_check () succeeds even if the first one failed. */
  if (gtk_init_check () && gdk_display_get_default ())
    return TRUE;
  g_test_skip ("There is no display");
  return FALSE;
}

/* The first window of the program needs the deepest stack of all. */
static gboolean
first_window (gpointer data, GError **error)
{
  GtkWidget *window;
  GtkWidget *box;

  if (!has_display ())
    return TRUE;
  window = gtk_window_new ();
  box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  gtk_box_append (GTK_BOX (box), gtk_label_new ("Hello"));
  gtk_box_append (GTK_BOX (box), gtk_button_new_with_label ("Press"));
  gtk_box_append (GTK_BOX (box), gtk_entry_new ());
  gtk_window_set_child (GTK_WINDOW (window), box);
  gtk_window_present (GTK_WINDOW (window));
  g_assert_true (await_shown (box, error));
  gtk_window_destroy (GTK_WINDOW (window));
  return TRUE;
}

static gboolean
other_themes (gpointer data, GError **error)
{
  GtkSettings *settings;
  GtkWidget *window;

  if (!has_display ())
    return TRUE;
  settings = gtk_settings_get_default ();
  window = gtk_window_new ();
  gtk_window_set_child (GTK_WINDOW (window), gtk_text_view_new ());
  gtk_window_present (GTK_WINDOW (window));
  g_object_set (settings, "gtk-application-prefer-dark-theme", TRUE, NULL);
  g_assert_true (await_shown (window, error));
  g_object_set (settings, "gtk-theme-name", "HighContrast", NULL);
  g_assert_true (await_shown (window, error));
  gtk_settings_reset_property (settings, "gtk-theme-name");
  gtk_settings_reset_property (settings, "gtk-application-prefer-dark-theme");
  gtk_window_destroy (GTK_WINDOW (window));
  return TRUE;
}

static gboolean
respond (GtkDialog *dialog, GError **error)
{
  if (!await_shown (GTK_WIDGET (dialog), error))
    return FALSE;
  gtk_dialog_response (dialog, GTK_RESPONSE_CANCEL);
  return TRUE;
}

static void
on_response (GtkDialog *dialog, int response, GMainLoop *loop)
{
  g_assert_cmpint (response, ==, GTK_RESPONSE_CANCEL);
  g_main_loop_quit (loop);
}

/* The task runs a main loop until the dialog is answered, as gtk_dialog_run () did. */
static gboolean
hold_dialog (GtkWidget *dialog, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GtxTask) responder = gtx_create_task (respond, (GtkDialog *) dialog, NULL);

  gtk_window_set_modal (GTK_WINDOW (dialog), TRUE);
  g_signal_connect (dialog, "response", G_CALLBACK (on_response), loop);
  gtk_window_present (GTK_WINDOW (dialog));
  g_main_loop_run (loop);
  gtk_window_destroy (GTK_WINDOW (dialog));
  return gtx_await (responder, error);
}

static gboolean
message_dialog (gpointer data, GError **error)
{
  return !has_display () ||
         hold_dialog (gtk_message_dialog_new (NULL, 0, GTK_MESSAGE_QUESTION, GTK_BUTTONS_YES_NO, "Really?"), error);
}

static gboolean
file_chooser (gpointer data, GError **error)
{
  return !has_display () ||
         hold_dialog (gtk_file_chooser_dialog_new ("Open", NULL, GTK_FILE_CHOOSER_ACTION_OPEN,
                                                   "_Open", GTK_RESPONSE_ACCEPT, NULL), error);
}

#define add_window_test(path, body) add_measured (path, body)
#else
static void
skip_window_test (void)
{
  g_test_skip ("GTK 4 is not there");
}

#define add_window_test(path, body) g_test_add_func (path, skip_window_test)
#endif

/* ---- TLS ---- */

static GTlsCertificate *
load_certificate (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "tls", "self-signed.pem", NULL);
  g_autoptr (GError) error = NULL;
  GTlsCertificate *certificate = g_tls_certificate_new_from_file (path, &error);

  g_assert_no_error (error);
  return certificate;
}

static GIOStream *
connection_on (int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);

  g_assert_no_error (error);
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

/* Connects two ends.  The handshake fails unless each end has the right certificate. */
static void
connect_both (GTlsConnection *ends[2])
{
  g_autoptr (GTlsCertificate) certificate = load_certificate ();
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "tls", "self-signed.pem", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) trusted = g_tls_file_database_new (path, &error);
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("gtask-ext-test", 443);
  g_autoptr (GIOStream) server = NULL;
  g_autoptr (GIOStream) client = NULL;
  int fds[2];

  g_assert_no_error (error);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  server = connection_on (fds[0]);
  client = connection_on (fds[1]);
  ends[0] = G_TLS_CONNECTION (g_tls_server_connection_new (server, certificate, &error));
  g_assert_no_error (error);
  ends[1] = G_TLS_CONNECTION (g_tls_client_connection_new (client, identity, &error));
  g_assert_no_error (error);
  g_tls_connection_set_database (ends[1], trusted);
}

static gboolean
has_tls (void)
{
  if (g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    return TRUE;
  g_test_skip ("glib-networking is not there");
  return FALSE;
}

static gboolean
shake_hands_and_talk (GTlsConnection *connection, GError **error)
{
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  char buffer[5];
  gsize n;

  g_tls_connection_handshake_async (connection, G_PRIORITY_DEFAULT, GTX_ASYNC);
  if (!g_tls_connection_handshake_finish (connection, gtx_await_result (), error))
    return FALSE;
  g_output_stream_write_all_async (out, "Hello", 5, G_PRIORITY_DEFAULT, GTX_ASYNC);
  if (!g_output_stream_write_all_finish (out, gtx_await_result (), NULL, error))
    return FALSE;
  g_input_stream_read_all_async (in, buffer, 5, G_PRIORITY_DEFAULT, GTX_ASYNC);
  if (!g_input_stream_read_all_finish (in, gtx_await_result (), &n, error))
    return FALSE;
  g_assert_cmpmem (buffer, n, "Hello", 5);
  return TRUE;
}

static gboolean
tls_between_tasks (gpointer data, GError **error)
{
  GTlsConnection *ends[2];
  g_autoptr (GtxTask) server = NULL;

  if (!has_tls ())
    return TRUE;
  connect_both (ends);
  server = gtx_create_task (shake_hands_and_talk, ends[0], NULL);
  g_assert_true (shake_hands_and_talk (ends[1], error));
  g_assert_true (gtx_await (server, error));
  g_object_unref (ends[0]);
  g_object_unref (ends[1]);
  return TRUE;
}

static gpointer
shake_hands (gpointer connection)
{
  g_autoptr (GError) error = NULL;

  g_tls_connection_handshake (connection, NULL, &error);
  g_assert_no_error (error);
  return NULL;
}

/* TLS runs on the stack of the task here. */
static gboolean
tls_blocking (gpointer data, GError **error)
{
  GTlsConnection *ends[2];
  GThread *server;

  if (!has_tls ())
    return TRUE;
  connect_both (ends);
  server = g_thread_new ("server", shake_hands, ends[0]);
  g_assert_true (g_tls_connection_handshake (ends[1], NULL, error));
  g_thread_join (server);
  g_object_unref (ends[0]);
  g_object_unref (ends[1]);
  return TRUE;
}

/* ---- Text ---- */

static char *
nest (const char *open, const char *close, guint depth)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < depth; i++)
    g_string_append (text, open);
  g_string_append_c (text, '1');
  for (guint i = 0; i < depth; i++)
    g_string_append (text, close);
  return g_string_free (text, FALSE);
}

/* GVariant itself limits the depth to some hundred levels. */
static gboolean
variants (gpointer data, GError **error)
{
  static const char *const pairs[][2] = { { "[", "]" }, { "(", ",)" }, { "<", ">" }, { "{1: ", "}" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *text = nest (pairs[i][0], pairs[i][1], 60);
      g_autofree char *deeper = nest (pairs[i][0], pairs[i][1], 10000);
      g_autoptr (GVariant) variant = g_variant_parse (NULL, text, NULL, NULL, error);
      g_autofree char *printed = NULL;

      g_assert_nonnull (variant);
      printed = g_variant_print (variant, FALSE);
      g_assert_cmpstr (printed, ==, text);
      g_assert_null (g_variant_parse (NULL, deeper, NULL, NULL, NULL));
    }
  return TRUE;
}

/* The test does not check whether the expression matches or gives up. */
static gboolean
regular_expressions (gpointer data, GError **error)
{
  static const char *const patterns[] = { "^(?:(a)|b)*c", "(a+)+$", "^(a(?1)?b)$", "(?:.|\\n)*?x" };
  g_autofree char *subject = g_strnfill (200000, 'a');

  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++)
    for (guint optimized = 0; optimized < 2; optimized++)
      {
        g_autoptr (GRegex) regex = g_regex_new (patterns[i], optimized ? G_REGEX_OPTIMIZE : 0, 0, error);

        g_assert_nonnull (regex);
        subject[200000 - 1] = 'b';
        g_regex_match_full (regex, subject + 200000 - 100, -1, 0, 0, NULL, NULL);
        g_regex_match_full (regex, subject, -1, 0, G_REGEX_MATCH_ANCHORED, NULL, NULL);
      }
  return TRUE;
}

static gboolean
key_files (gpointer data, GError **error)
{
  g_autoptr (GKeyFile) written = g_key_file_new ();
  g_autoptr (GKeyFile) loaded = g_key_file_new ();
  g_autofree char *value = g_strnfill (100000, 'x');
  g_autofree char *text = NULL;
  g_autofree char *back = NULL;
  gsize length;

  for (int i = 0; i < 1000; i++)
    {
      g_autofree char *group = g_strdup_printf ("Group %d", i);

      g_key_file_set_integer (written, group, "number", i);
    }
  g_key_file_set_string (written, "Group 5", "long", value);
  text = g_key_file_to_data (written, &length, NULL);
  g_assert_true (g_key_file_load_from_data (loaded, text, length, G_KEY_FILE_KEEP_TRANSLATIONS, error));
  back = g_key_file_get_string (loaded, "Group 5", "long", error);
  g_assert_cmpstr (back, ==, value);
  return TRUE;
}

static gboolean
long_numbers (gpointer data, GError **error)
{
  g_autofree char *wide = g_strdup_printf ("%*d", 100000, 1);
  g_autofree char *largest = g_strdup_printf ("%Lf", LDBL_MAX);
  g_autofree char *smallest = g_strdup_printf ("%.5000Lf", LDBL_MIN);
  g_autofree char *exact = g_strdup_printf ("%.2000f", 0.1);

  g_assert_cmpuint (strlen (wide), ==, 100000);
  g_assert_cmpuint (strlen (largest), ==, LDBL_MAX_10_EXP + 1 + 7);
  g_assert_cmpuint (strlen (smallest), ==, 5002);
  g_assert_true (g_str_has_prefix (exact, "0.1000000000000000055511151231257827"));
  g_assert_true (g_ascii_strtod (exact, NULL) <= 0.1);
  return TRUE;
}

/* Functions that load tables, modules and libraries at their first use. */
static gboolean
locales (gpointer data, GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = NULL;
  g_autofree char *key = NULL;
  g_autofree char *converted = NULL;
  gsize length;

  setlocale (LC_ALL, "");
  date = g_date_time_format (now, "%c %x %X %A %B");
  g_assert_nonnull (date);
  key = g_utf8_collate_key ("Zürich", -1);
  g_assert_nonnull (key);
  converted = g_convert ("Zürich", -1, "UTF-16LE", "UTF-8", NULL, &length, error);
  g_assert_nonnull (converted);
  g_assert_cmpuint (length, ==, 12);
  g_assert_nonnull (g_get_user_name ());
  setlocale (LC_ALL, "C");
  return TRUE;
}

static gboolean
resolver (gpointer data, GError **error)
{
  struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
  struct addrinfo *addresses = NULL;

  if (getaddrinfo ("localhost", "80", &hints, &addresses) == 0)
    freeaddrinfo (addresses);
  else
    g_test_skip ("localhost has no address");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  /* GTK warns if services are missing, as on a bare machine. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  add_window_test ("/default-stack/first-window", first_window);
  add_window_test ("/default-stack/themes", other_themes);
  add_window_test ("/default-stack/message-dialog", message_dialog);
  add_window_test ("/default-stack/file-chooser", file_chooser);
  add_measured ("/default-stack/tls-between-tasks", tls_between_tasks);
  add_measured ("/default-stack/tls-blocking", tls_blocking);
  add_measured ("/default-stack/variants", variants);
  add_measured ("/default-stack/regular-expressions", regular_expressions);
  add_measured ("/default-stack/key-files", key_files);
  add_measured ("/default-stack/long-numbers", long_numbers);
  add_measured ("/default-stack/locales", locales);
  add_measured ("/default-stack/resolver", resolver);
  return g_test_run ();
}
