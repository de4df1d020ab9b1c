/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: gather(return_exceptions=True), wait_for()
 *
 * Makes many calls on D-Bus at once, each with a time-out, and prints the
 * replies and errors as they come. */

#include "program.h"
#include "worker.h"

#include <math.h>
#include <string.h>

typedef struct
{
  GDBusConnection *connection;
  const char *text;             /* the call as given on the command line */
  const char *method;
  GVariant *parameters;
} Call;

static char *address;
static double seconds = 25;
static int n_times = 1;

/* ---- Arguments ---- */

static GVariant *
parse_seconds (const char *text)
{
  char *end;
  double value = g_ascii_strtod (text, &end);

  return end > text && *end == '\0' && isfinite (value) && value >= 0 ? g_variant_new ("(d)", value) : NULL;
}

static GVariant *
parse_sum (const char *text)
{
  g_auto (GStrv) numbers = g_strsplit (text, ",", 2);
  gint64 a;
  gint64 b;

  if (g_strv_length (numbers) == 2 &&
      g_ascii_string_to_signed (numbers[0], 10, G_MININT32, G_MAXINT32, &a, NULL) &&
      g_ascii_string_to_signed (numbers[1], 10, G_MININT32, G_MAXINT32, &b, NULL))
    return g_variant_new ("(ii)", (gint32) a, (gint32) b);
  return NULL;
}

static GVariant *
parse_text (const char *text)
{
  return g_utf8_validate (text, -1, NULL) ? g_variant_new ("(s)", text) : NULL;
}

static void
parse_call (const char *text, Call *call)
{
  static const struct
  {
    const char *method;
    GVariant *(*parse) (const char *text);
  } methods[] = { { "Sleep", parse_seconds }, { "Add", parse_sum }, { "Fail", parse_text }, { "Hash", parse_text } };
  const char *colon = strchr (text, ':');

  for (guint i = 0; colon && i < G_N_ELEMENTS (methods); i++)
    if (strlen (methods[i].method) == (gsize) (colon - text) && g_str_has_prefix (text, methods[i].method))
      {
        call->text = text;
        call->method = methods[i].method;
        call->parameters = methods[i].parse (colon + 1);
      }
  if (call->parameters == NULL)
    program_usage_error ("\"%s\" is no call: Sleep:SECONDS, Add:A,B, Fail:TEXT and Hash:PATH are", text);
  g_variant_ref_sink (call->parameters);
}

static Call *
parse_calls (char **texts)
{
  guint n_calls = g_strv_length (texts);
  Call *calls = g_new0 (Call, n_calls + 1);

  for (guint i = 0; i < n_calls; i++)
    parse_call (texts[i], &calls[i]);
  return calls;
}

static void
free_calls (gpointer data)
{
  for (Call *call = data; call->text; call++)
    g_variant_unref (call->parameters);
  g_free (data);
}

/* ---- Calls ---- */

static GVariant *
await_reply (Call *call, GError **error)
{
  g_dbus_connection_call (call->connection, WORKER_NAME, WORKER_PATH, WORKER_NAME, call->method, call->parameters,
                          NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, GTX_ASYNC);
  return g_dbus_connection_call_finish (call->connection, gtx_await_result (), error);
}

static gboolean
make_call (Call *call, GError **error)
{
  g_autoptr (GtxTask) calling = gtx_task_new_pointer (await_reply, call, NULL, (GDestroyNotify) g_variant_unref);
  g_autofree char *shown = NULL;
  GError *failure = NULL;

  if (gtx_wait_for (calling, seconds, &failure))
    {
      shown = g_variant_print (gtx_future_get_result (calling), FALSE);
      g_print ("%s: %s\n", call->text, shown);
      return TRUE;
    }
  if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_dbus_error_strip_remote_error (failure);
      g_print ("%s: failed: %s\n", call->text, failure->message);
    }
  g_propagate_error (error, failure);
  return FALSE;
}

static guint
count_failures (GPtrArray *tasks)
{
  guint n_failed = 0;

  for (guint i = 0; i < tasks->len; i++)
    n_failed += gtx_future_get_error (tasks->pdata[i]) != NULL;
  return n_failed;
}

static gboolean
make_calls (Call *calls, GError **error)
{
  g_autoptr (GDBusConnection) connection = worker_connect (address, error);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_failed;

  if (connection == NULL)
    return FALSE;
  for (Call *call = calls; call->text; call++)
    {
      call->connection = connection;
      for (int i = 0; i < n_times; i++)
        g_ptr_array_add (tasks, gtx_create_task (make_call, call, NULL));
    }
  if (!gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, error))
    return FALSE;

  n_failed = count_failures (tasks);
  g_print ("%u calls, %u failed\n", tasks->len, n_failed);
  if (n_failed > 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%u of %u calls failed", n_failed, tasks->len);
  return n_failed == 0;
}

int
main (int argc, char *argv[])
{
  static const GOptionEntry options[] = {
    { "bus", 'b', 0, G_OPTION_ARG_STRING, &address, "Use the bus at ADDRESS, not the session's", "ADDRESS" },
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &seconds, "Wait so long for each reply, 25 seconds by default", "SECONDS" },
    { "times", 'n', 0, G_OPTION_ARG_INT, &n_times, "Make each call N times", "N" },
    G_OPTION_ENTRY_NULL
  };
  static const Program program = {
    .arguments = "CALL…",
    .summary = "Calls dbus-service, all CALLs at once: Sleep:SECONDS, Add:A,B, Fail:TEXT, Hash:PATH.",
    .options = options,
    .least = 1,
    .most = -1,
  };
  char **arguments = program_parse (&program, &argc, &argv);

  worker_check_address (address);
  program_want_seconds ("--timeout", seconds);
  program_want_between ("--times", n_times, 1, 100000);
  return program_run (gtx_task_new (make_calls, parse_calls (arguments), free_calls));
}
