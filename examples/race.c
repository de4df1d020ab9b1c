/* JavaScript: Promise.any(); asyncio: timeout()
 *
 * Connects to several servers at once and keeps the first that answers, for at most two
 * seconds; the other attempts are cancelled: race [HOST:PORT…].  Without arguments the program races two servers of its
 * own, one of them slow, and an address on which no server listens. */
#include <gtask-ext.h>

#define SECONDS 2

/* A connection, once the server has sent its first byte. */
static GSocketConnection *
connect_to (const char *address, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) server = g_network_address_parse (address, 80, error);
  g_autoptr (GSocketConnection) connection = server ? gtx_socket_client_connect (client, server, error) : NULL;
  char byte;

  if (connection == NULL ||
      gtx_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, error) < 0)
    return NULL;
  return g_steal_pointer (&connection);
}

/* The attempts that failed; the others were cancelled. */
static void
print_failures (GPtrArray *attempts)
{
  for (guint i = 0; i < attempts->len; i++)
    {
      const GError *reason = gtx_future_get_error (attempts->pdata[i]);

      if (reason && !gtx_error_is_cancelled (reason))
        g_print ("%s: %s\n", gtx_task_get_name (attempts->pdata[i]), reason->message);
    }
}

static gboolean
race (GStrv addresses, GError **error)
{
  g_autoptr (GPtrArray) attempts = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  GtxTask *winner;

  for (guint i = 0; addresses[i]; i++)
    {
      g_ptr_array_add (attempts, gtx_create_task_pointer (connect_to, addresses[i], NULL, g_object_unref));
      gtx_task_set_name (attempts->pdata[i], addresses[i]);
    }

  gtx_timeout_begin (&timeout, SECONDS);
  winner = gtx_any (attempts, &failure);
  print_failures (attempts);
  if (winner)
    g_print ("%s answers first\n", gtx_task_get_name (winner));
  return gtx_timeout_end (&timeout, &failure, error);
}

/* ---- Two servers to try it on ---- */

static gboolean
serve (GSocketListener *listener, GError **error)
{
  double delay = *(double *) g_object_get_data (G_OBJECT (listener), "delay");

  for (;;)
    {
      g_autoptr (GSocketConnection) client = gtx_socket_listener_accept (listener, NULL, error);

      if (client == NULL || !gtx_sleep (delay, error) ||
          gtx_output_stream_write (g_io_stream_get_output_stream (G_IO_STREAM (client)), "!", 1, error) < 0)
        return FALSE;
    }
}

static char *
start_server (double delay, GError **error)
{
  GSocketListener *listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, error);

  g_object_set_data_full (G_OBJECT (listener), "delay", g_memdup2 (&delay, sizeof delay), g_free);
  g_object_unref (gtx_create_task (serve, listener, g_object_unref));
  return port > 0 ? g_strdup_printf ("localhost:%u", port) : NULL;
}

static gboolean
main_coroutine (GStrv addresses, GError **error)
{
  g_auto (GStrv) own = NULL;

  if (addresses[0])
    return race (addresses, error);

  own = g_new0 (char *, 4);
  own[0] = g_strdup ("localhost:1");
  own[1] = start_server (5, error);
  own[2] = own[1] ? start_server (0.2, error) : NULL;
  return own[2] && race (own, error);
}

int
main (int argc, char *argv[])
{
  g_autoptr (GError) error = NULL;

  if (gtx_run (main_coroutine, argv + 1, &error))
    return 0;
  g_printerr ("race: %s\n", error->message);
  return 1;
}
