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
  SLOW = 1 << 2,
  MEASURE = 1 << 3              /* no word: the program calls gtx_measure_tasks () */
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

static guint flags;             /* changed under the lock, and read without */
G_LOCK_DEFINE_STATIC (flags);
static guint n_measuring;
static const GtxDebugNames *names;

static gboolean
has_flag (guint flag)
{
  return (__atomic_load_n (&flags, __ATOMIC_RELAXED) & flag) != 0;
}

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
  if (has_flag (STACK))
    {
      /* Makes the name now, since a signal handler cannot allocate it. */
      names->get_name (data);
      gtx_overflow_watch_thread ();
    }
  if (has_flag (CENSUS))
    gtx_census_begin (stack, names->get_coroutine (data));
  if (has_flag (MEASURE))
    gtx_measure_begin (stack);
}

static void
enter_fiber (GtxStack *stack)
{
  if (has_flag (SLOW))
    gtx_slow_enter ();
  if (has_flag (MEASURE))
    gtx_measure_enter (stack);
}

static void
leave_fiber (GtxStack *stack,
             gpointer  data)
{
  if (has_flag (SLOW))
    gtx_slow_leave (data, names);
  if (has_flag (MEASURE))
    gtx_measure_leave (stack);
}

static void
end_fiber (GtxStack *stack)
{
  if (has_flag (CENSUS))
    gtx_census_end (stack);
}

static const GtxFiberWatch watch = { begin_fiber, enter_fiber, leave_fiber, end_fiber };

/* Called with the lock held. */
static void
set_flags (guint new_flags)
{
  __atomic_store_n (&flags, new_flags, __ATOMIC_RELAXED);
  gtx_fiber_set_watch (new_flags != 0 ? &watch : NULL);
}

static void
begin (const char          *text,
       const GtxDebugNames *fibers_names)
{
  guint words_flags = text ? parse (text) : 0;

  names = fibers_names;
  if (words_flags & STACK)
    gtx_overflow_watch (tell_of_overflow);
  if (words_flags & CENSUS)
    gtx_census_take ();
  G_LOCK (flags);
  set_flags (flags | words_flags);
  G_UNLOCK (flags);
}

gboolean
gtx_debug_measure (gboolean measure)
{
  gboolean was_asked;

  G_LOCK (flags);
  was_asked = n_measuring > 0;
  if (measure && n_measuring++ == 0)
    {
      gtx_measure_begin_period ();
      set_flags (flags | MEASURE);
    }
  else if (!measure && was_asked && --n_measuring == 0)
    set_flags (flags & ~(guint) MEASURE);
  G_UNLOCK (flags);
  return measure || was_asked;
}

gboolean
gtx_debug_read (const GtxStack *stack,
                gint64         *processor_time,
                gint64         *left_at)
{
  return has_flag (MEASURE) && gtx_measure_read (stack, processor_time, left_at);
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
  if (has_flag (SLOW))
    gtx_slow_watch_turns (gtx_scheduler_get_context (scheduler));
}
