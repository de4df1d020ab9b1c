/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "trace.h"

#include <math.h>
#include <string.h>

#define MOST_LINES 2000

static FILE *output;            /* NULL: the last line was written */
static void (*ended) (void);
static guint n_lines;

void
trace_to (FILE *file, void (*at_end) (void))
{
  output = file;
  ended = at_end;
  n_lines = 0;
}

static long
milliseconds (void)
{
  return lround (gtx_get_time () * 1000);
}

void
end (const char *how)
{
  if (output == NULL)
    return;
  fprintf (output, "%ld end %s\n", milliseconds (), how);
  fflush (output);
  output = NULL;
  ended ();
}

void
trace (const char *format, ...)
{
  va_list arguments;

  if (++n_lines > MOST_LINES)
    end ("TOO LONG");
  if (output == NULL)
    return;
  fprintf (output, "%ld %s ", milliseconds (), gtx_task_get_name (gtx_current_task ()));
  va_start (arguments, format);
  vfprintf (output, format, arguments);
  va_end (arguments);
  fputc ('\n', output);
}

Flow
trace_value (const char *line, gpointer future, gboolean succeeded)
{
  if (!succeeded)
    return FAIL;
  trace ("%s -> %d", line, *(int *) gtx_future_get_result (future));
  return GO_ON;
}

/* ---- Errors, as the scenario names them ---- */

/* The error's message is its kind. */
G_DEFINE_QUARK (scenario-error-quark, scenario_error)

Flow
fail_with (const char *kind, GError **error)
{
  g_set_error_literal (error, scenario_error_quark (), 0, kind);
  return FAIL;
}

gboolean
is_raised (const GError *error)
{
  return error->domain == scenario_error_quark () && g_str_has_prefix (error->message, "error:");
}

static char *
kind_of_group (const GError *error)
{
  g_autoptr (GString) kinds = g_string_new ("group[");

  for (guint i = 0; i < gtx_error_get_n_errors (error); i++)
    {
      g_autofree char *kind = kind_of (gtx_error_get_error (error, i));

      g_string_append_printf (kinds, "%s%s", i > 0 ? "," : "", kind);
    }
  g_string_append_c (kinds, ']');
  return g_string_free (g_steal_pointer (&kinds), FALSE);
}

char *
kind_of (const GError *error)
{
  static const char *const kinds[] = {
    [GTX_ERROR_INVALID_STATE] = "runtime",
    [GTX_ERROR_BROKEN_BARRIER] = "broken",
    [GTX_ERROR_QUEUE_FULL] = "full",
    [GTX_ERROR_QUEUE_EMPTY] = "empty",
    [GTX_ERROR_QUEUE_SHUT_DOWN] = "shutdown",
  };

  if (error->domain == scenario_error_quark ())
    return g_strdup (error->message);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_strdup ("cancelled");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return g_strdup ("timeout");
  if (g_error_matches (error, GTX_ERROR, GTX_ERROR_GROUP))
    return kind_of_group (error);
  if (error->domain == GTX_ERROR && error->code < (int) G_N_ELEMENTS (kinds) && kinds[error->code])
    return g_strdup (kinds[error->code]);
  g_error ("An error without a kind: %s", error->message);
}

gboolean
is_taken_by (const GError *error, const char *handled)
{
  g_autofree char *kind = kind_of (error);
  gsize family = strcspn (kind, ":[");

  return strcmp (handled, "any") == 0 || strcmp (handled, kind) == 0 ||
         (strlen (handled) == family && strncmp (handled, kind, family) == 0);
}

