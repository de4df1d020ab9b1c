/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GTX_DEBUG, the environment variable by which a program asks for diagnostics of its tasks. */

#include "debug/debug.h"

#include "fiber/overflow.h"

#include <string.h>
#include <unistd.h>

enum
{
  STACK = 1 << 0,
  CENSUS = 1 << 1,
  SLOW = 1 << 2
};

static const struct
{
  const char *word;
  guint flag;
  const char *meaning;
} words[] = {
  { "stack", STACK, "names the task whose stack overflows" },
  { "census", CENSUS, "prints at exit how much of their stacks the tasks used" },
  { "slow", SLOW, "warns of a task that keeps the main loop for 100 ms; slow:MS, for MS ms" },
  { "help", 0, "prints this list" },
};

static guint flags;
static const GtxDebugNames *names;

/* ---- The environment variable ---- */

static void
print_help (void)
{
  g_printerr ("GTX_DEBUG is a list of these words, with commas between them:\n");
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_printerr ("  %-8s %s\n", words[i].word, words[i].meaning);
}

static gboolean
parse_limit (const char *milliseconds)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (milliseconds, 10, 1, G_MAXINT, &number, NULL))
    return FALSE;
  gtx_slow_set_limit ((gint64) number * 1000);
  return TRUE;
}

static guint
parse_word (const char *word)
{
  if (g_str_has_prefix (word, "slow:") && parse_limit (word + strlen ("slow:")))
    return SLOW;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (word, words[i].word))
      {
        if (words[i].flag == 0)
          print_help ();
        return words[i].flag;
      }
  g_printerr ("gtask-ext: GTX_DEBUG has '%s', which is unknown.  ", word);
  print_help ();
  return 0;
}

static guint
parse (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text, ",; ", -1);
  guint found = 0;

  for (char **part = parts; *part; part++)
    if (**part != '\0')
      found |= parse_word (*part);
  return found;
}

/* ---- Stack overflows ---- */

/* Called in a signal handler: neither allocates nor locks. */
static void
say (const char *text)
{
  gssize written = write (STDERR_FILENO, text, strlen (text));

  (void) written;
}

static void
say_number (gsize number)
{
  char digits[24] = "";
  char *at = digits + sizeof digits - 1;

  do
    *--at = (char) ('0' + number % 10);
  while (number /= 10);
  say (at);
}

static void
tell_of_overflow (gpointer data,
                  gsize    stack_size)
{
  say ("gtask-ext: task '");
  say (names->get_name (data));
  say ("' (coroutine ");
  say (names->get_coroutine (data));
  say (") has overflowed its stack of ");
  say_number (stack_size);
  say (" bytes: give it a larger one with gtx_task_set_stack_size (), or all tasks with "
       "gtx_set_default_stack_size (), or keep large variables on the heap\n");
}

/* ---- Watching fibers ---- */

static void
begin_fiber (GtxStack *stack,
             gpointer  data)
{
  if (flags & STACK)
    {
      /* Makes the name now, since a signal handler cannot allocate it. */
      names->get_name (data);
      gtx_overflow_watch_thread ();
    }
  if (flags & CENSUS)
    gtx_census_begin (stack, names->get_coroutine (data));
}

static void
enter_fiber (void)
{
  if (flags & SLOW)
    gtx_slow_enter ();
}

static void
leave_fiber (gpointer data)
{
  if (flags & SLOW)
    gtx_slow_leave (data, names);
}

static void
end_fiber (GtxStack *stack)
{
  if (flags & CENSUS)
    gtx_census_end (stack);
}

static const GtxFiberWatch watch = { begin_fiber, enter_fiber, leave_fiber, end_fiber };

static void
begin (const char          *text,
       const GtxDebugNames *fibers_names)
{
  names = fibers_names;
  flags = text ? parse (text) : 0;
  if (flags & STACK)
    gtx_overflow_watch (tell_of_overflow);
  if (flags & CENSUS)
    gtx_census_take ();
  if (flags != 0)
    gtx_fiber_set_watch (&watch);
}

void
gtx_debug_scheduler (GtxScheduler        *scheduler,
                     const GtxDebugNames *fibers_names)
{
  static gsize begun;

  if (g_once_init_enter (&begun))
    {
      begin (g_getenv ("GTX_DEBUG"), fibers_names);
      g_once_init_leave (&begun, 1);
    }
  if (flags & SLOW)
    gtx_slow_watch_turns (gtx_scheduler_get_context (scheduler));
}
