/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shielded calls with requests and timeouts at random moments, compared with what asyncio makes of them.
 * shielded/record.py has recorded shielded/cases, and says in asyncio's words what happens here. */

#include "fixture.h"

#include <stdio.h>

/* Milliseconds; 0 as a limit is none, and -1 as a moment or a call is none. */
typedef struct
{
  int pre, limit, nested, first, second, mode, outer, after;
  int requests[3];
} Case;

static double
limit (int ms)
{
  return ms == 0 ? GTX_FOREVER : ms / 1000.0;
}

static const char *
outcome (const GError *error)
{
  if (error == NULL)
    return "ok";
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return "cancelled";
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? "timed-out" : "failed";
}

static void
note_outcome (const char *what, const GError *error)
{
  g_autofree char *word = g_strdup_printf ("%.0f:%s:%s", gtx_get_time () * 1000, what, outcome (error));

  note (word);
}

static gboolean
sleep_first (Case *c, GError **error)
{
  return gtx_sleep (c->first / 1000.0, error);
}

static gboolean
clean_up (Case *c, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (c->nested >= 0)
    gtx_call_shielded (limit (c->nested), sleep_first, c, &failure);
  else
    sleep_first (c, &failure);
  note_outcome ("first", failure);
  if (failure)
    {
      g_autoptr (GError) second = NULL;

      gtx_sleep (c->second / 1000.0, &second);
      note_outcome ("second", second);
    }
  if (c->mode == 2)
    return fail ("broken", error);
  if (c->mode == 1 || failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
run_block (Case *c, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) after = NULL;

  gtx_timeout_begin (&timeout, limit (c->outer));
  gtx_call_shielded (limit (c->limit), clean_up, c, &failure);
  note_outcome ("call", failure);
  gtx_sleep (c->after / 1000.0, &after);
  note_outcome ("after", after);
  return gtx_timeout_end (&timeout, after ? &after : &failure, error);
}

static gboolean
run_victim (Case *c, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) zero = NULL;
  g_autofree char *cancelling = NULL;

  if (c->pre)
    gtx_cancel (gtx_current_task ());
  run_block (c, &failure);
  note_outcome ("block", failure);
  gtx_sleep (0, &zero);
  note_outcome ("zero", zero);
  cancelling = g_strdup_printf ("cancelling:%u", gtx_cancelling (gtx_current_task ()));
  note (cancelling);
  return TRUE;
}

static gboolean
run_case (Case *c, GError **error)
{
  g_autoptr (GtxTask) victim = gtx_create_task (run_victim, c, NULL);
  g_autoptr (GError) end = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (c->requests); i++)
    if (c->requests[i] >= 0)
      {
        g_assert_true (gtx_sleep_until (c->requests[i] / 1000.0, error));
        gtx_cancel (victim);
      }
  gtx_await (victim, &end);
  note_outcome ("end", end);
  return TRUE;
}

static void
check_case (const char *line)
{
  const char *expected = strstr (line, " | ") + 3;
  g_autoptr (GError) error = NULL;
  Case c;
  int n_read = sscanf (line, "%d %d %d %d %d %d %d %d %d %d %d", &c.pre, &c.limit, &c.nested, &c.first, &c.second,
                       &c.mode, &c.outer, &c.after, &c.requests[0], &c.requests[1], &c.requests[2]);

  g_assert_cmpint (n_read, ==, 11);
  trace = g_string_new (NULL);
  g_assert_true (gtx_test_run (run_case, &c, &error));
  g_assert_no_error (error);
  if (!g_str_equal (g_strstrip (trace->str), expected))
    g_test_fail_printf ("%.*s\n  here: %s\nthere: %s", (int) (expected - line), line, trace->str, expected);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static void
test_cases (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "shielded", "cases", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), >, 100);
  for (char **line = lines; *line; line++)
    check_case (*line);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shielded-asyncio/cases", test_cases);
  return g_test_run ();
}
