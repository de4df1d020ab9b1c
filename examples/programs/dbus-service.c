/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: TaskGroup, create_task()
 *
 * An object on D-Bus whose methods are coroutines: a method may take any time until it
 * returns its reply or fails with an error, while others run. */

#include "program.h"
#include "worker.h"

#define CHUNK 65536

static const char introspection[] =
  "<node><interface name='" WORKER_NAME "'>"
  "<method name='Sleep'><arg name='seconds' type='d' direction='in'/><arg type='d' direction='out'/></method>"
  "<method name='Add'><arg name='a' type='i' direction='in'/><arg name='b' type='i' direction='in'/>"
  "<arg type='i' direction='out'/></method>"
  "<method name='Fail'><arg name='message' type='s' direction='in'/></method>"
  "<method name='Hash'><arg name='path' type='s' direction='in'/><arg type='s' direction='out'/></method>"
  "</interface></node>";

typedef struct
{
  GtxTaskGroup *calls;          /* that are under way */
  guint n_calls;
  guint n_running;
  guint most_running;
} Service;

/* ---- The methods ---- */

typedef GVariant *(*Method) (GVariant *parameters, GError **error);

static GVariant *
sleep_method (GVariant *parameters, GError **error)
{
  double seconds;

  g_variant_get (parameters, "(d)", &seconds);
  return gtx_sleep (seconds, error) ? g_variant_new ("(d)", seconds) : NULL;
}

static GVariant *
add_method (GVariant *parameters, GError **error)
{
  gint32 a;
  gint32 b;
  gint32 sum;

  g_variant_get (parameters, "(ii)", &a, &b);
  if (!__builtin_add_overflow (a, b, &sum))
    return g_variant_new ("(i)", sum);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%d + %d is beyond 32 bits", a, b);
  return NULL;
}

static GVariant *
fail_method (GVariant *parameters, GError **error)
{
  const char *message;

  g_variant_get (parameters, "(&s)", &message);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, message);
  return NULL;
}

static GVariant *
hash_method (GVariant *parameters, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GFileInputStream) input = NULL;
  g_autoptr (GFile) file = NULL;
  const char *path;

  g_variant_get (parameters, "(&s)", &path);
  file = g_file_new_for_path (path);
  input = gtx_file_read (file, error);
  if (input == NULL)
    return NULL;
  for (;;)
    {
      g_autoptr (GBytes) bytes = gtx_input_stream_read_bytes (G_INPUT_STREAM (input), CHUNK, error);

      if (bytes == NULL)
        return NULL;
      if (g_bytes_get_size (bytes) == 0)
        return g_variant_new ("(s)", g_checksum_get_string (checksum));
      g_checksum_update (checksum, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
    }
}

static Method
find_method (const char *name)
{
  static const struct
  {
    const char *name;
    Method method;
  } methods[] = { { "Sleep", sleep_method }, { "Add", add_method }, { "Fail", fail_method }, { "Hash", hash_method } };

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (g_str_equal (methods[i].name, name))
      return methods[i].method;
  g_assert_not_reached ();
}

/* ---- A call ---- */

typedef struct
{
  Service *service;
  GDBusMethodInvocation *invocation;    /* until it is answered */
} Call;

static void
say_that_it_ends (GDBusMethodInvocation *invocation)
{
  g_dbus_method_invocation_return_error_literal (invocation, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY, "The service ends");
}

/* The caller gets the error. */
static gboolean
answer (Call *call, GError **error)
{
  GDBusMethodInvocation *invocation = g_steal_pointer (&call->invocation);
  Method method = find_method (g_dbus_method_invocation_get_method_name (invocation));
  GError *failure = NULL;
  GVariant *reply = method (g_dbus_method_invocation_get_parameters (invocation), &failure);

  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      say_that_it_ends (invocation);
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (failure)
    g_dbus_method_invocation_take_error (invocation, failure);
  else
    g_dbus_method_invocation_return_value (invocation, reply);
  return TRUE;
}

/* A call that was cancelled before it began is answered, too. */
static void
call_free (gpointer data)
{
  Call *call = data;

  call->service->n_running--;
  if (call->invocation)
    say_that_it_ends (call->invocation);
  g_free (call);
}

static void
on_call (GDBusConnection       *connection,
         const char            *sender,
         const char            *path,
         const char            *interface,
         const char            *method,
         GVariant              *parameters,
         GDBusMethodInvocation *invocation,
         gpointer               data)
{
  Service *service = data;
  Call *call = g_new (Call, 1);

  *call = (Call) { service, invocation };
  service->n_calls++;
  service->n_running++;
  service->most_running = MAX (service->most_running, service->n_running);
  gtx_task_group_create_task (service->calls, answer, call, call_free, NULL);
}

/* ---- The service ---- */

static gboolean
request_name (GDBusConnection *connection, GError **error)
{
  const guint32 do_not_queue = 4;
  const guint32 is_owner = 1;
  g_autoptr (GVariant) reply = NULL;
  guint32 outcome;

  g_dbus_connection_call (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "RequestName", g_variant_new ("(su)", WORKER_NAME, do_not_queue), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, GTX_ASYNC);
  reply = g_dbus_connection_call_finish (connection, gtx_await_result (), error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(u)", &outcome);
  if (outcome == is_owner)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "%s is on the bus already", WORKER_NAME);
  return FALSE;
}

/* Until the bus is gone, or the task is cancelled. */
static gboolean
stay (GDBusConnection *connection, GError **error)
{
  if (!request_name (connection, error))
    return FALSE;
  g_print ("%s is ready\n", WORKER_NAME);
  return !g_dbus_connection_is_closed (connection) && gtx_await_signal (connection, "closed", error);
}

static gboolean
serve (Service *service, GDBusConnection *connection, GDBusInterfaceInfo *interface, GError **error)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };
  g_auto (GtxTaskGroup) calls = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  guint id;

  service->calls = &calls;
  gtx_task_group_begin (&calls);
  id = g_dbus_connection_register_object (connection, WORKER_PATH, interface, &vtable, service, NULL, &failure);
  if (id > 0)
    {
      stay (connection, &failure);
      g_dbus_connection_unregister_object (connection, id);
    }
  return gtx_task_group_end (&calls, &failure, error);
}

static gboolean
run_service (const char *address, GError **error)
{
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, error);
  g_autoptr (GDBusConnection) connection = NULL;
  Service service = { NULL, 0, 0, 0 };
  gboolean ended_well;

  if (node == NULL)
    return FALSE;
  connection = worker_connect (address, error);
  if (connection == NULL)
    return FALSE;
  ended_well = serve (&service, connection, node->interfaces[0], error);
  g_dbus_connection_flush (connection, GTX_ASYNC);
  g_dbus_connection_flush_finish (connection, gtx_await_result (), NULL);
  g_print ("%u calls, at most %u at once\n", service.n_calls, service.most_running);
  return ended_well;
}

int
main (int argc, char *argv[])
{
  static char *address;
  static const GOptionEntry options[] = {
    { "bus", 'b', 0, G_OPTION_ARG_STRING, &address, "Use the bus at ADDRESS, not the session's", "ADDRESS" },
    G_OPTION_ENTRY_NULL
  };
  static const Program program = {
    .arguments = "",
    .summary = "Serves " WORKER_NAME " on D-Bus, until it is interrupted: Sleep, Add, Fail and Hash.",
    .options = options,
  };

  program_parse (&program, &argc, &argv);
  worker_check_address (address);
  return program_run (gtx_task_new (run_service, address, NULL));
}
