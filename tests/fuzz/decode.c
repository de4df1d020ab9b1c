/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "decode.h"

#include <string.h>

/* A byte chooses one of several; a string that is over chooses the first, and
 * ends every block.  Coroutines come in order, main last, and each calls and
 * starts only those before it.  A task's variable ends in the number of its
 * coroutine, so that a coroutine awaits only tasks of those before it too: none
 * calls itself, and no tasks await one another. */

#define MOST_COROUTINES 4
#define MOST_STATEMENTS 400     /* that a call runs, with all that it starts */
#define MOST_TIMES 27
#define DEEPEST 6

/* Arguments: c a coroutine, d a duration or none, g a task, k what is raised, l a
 * label, m a duration, n a digit, r an error, s a task for all to see, T tasks, v
 * a variable and a coroutine, w a mode of waiting, x times; { a block, t the
 * blocks of `try`; and objects, by their classes: B a barrier, C a condition, E
 * an event, F a future, H what is held, Q a queue.  Weights are of 256; what is
 * left is the end's of a block. */
typedef struct
{
  const char *word;
  const char *arguments;
  guint weight;
} Form;

static const Form forms[] = {
  { "log", "l", 2 }, { "sleep", "m", 10 }, { "call", "c", 5 }, { "spawn", "v", 12 }, { "gspawn", "v", 10 },
  { "share", "s", 3 }, { "await", "g", 6 }, { "shield", "g", 4 }, { "wait_for", "mg", 4 },
  { "wait_for_call", "mc", 3 }, { "cancel", "g", 8 }, { "cancel_self", "", 2 }, { "cancel_main", "", 2 },
  { "uncancel", "", 3 }, { "cancelling", "", 1 }, { "state", "g", 2 }, { "current", "", 1 },
  { "all_tasks", "", 1 }, { "gather", "T", 5 }, { "gather_errors", "T", 3 }, { "wait", "wdT", 6 },
  { "as_completed", "T", 4 }, { "try", "t", 12 }, { "raise", "k", 5 }, { "return", "n", 3 },
  { "repeat", "x{", 4 }, { "timeout", "m{", 6 }, { "reschedule", "d", 3 }, { "group", "{", 8 },
  { "with", "H{", 8 }, { "acquire", "H", 3 }, { "release", "H", 3 }, { "locked", "H", 1 },
  { "set", "E", 3 }, { "clear", "E", 1 }, { "wait_event", "E", 4 }, { "wait_condition", "C", 4 },
  { "notify", "Cn", 3 }, { "wait_barrier", "B", 3 }, { "abort_barrier", "B", 1 }, { "put", "Qn", 4 },
  { "get", "Q", 4 }, { "put_nowait", "Qn", 2 }, { "get_nowait", "Q", 2 }, { "task_done", "Q", 2 },
  { "join", "Q", 2 }, { "size", "Q", 1 }, { "shutdown", "Q", 1 }, { "shutdown_now", "Q", 1 },
  { "resolve", "Fn", 2 }, { "reject", "Fr", 2 }, { "cancel_future", "F", 2 }, { "await_future", "F", 4 },
};

typedef struct
{
  const char *what;
  const char *name;
  const char *classes;
  int least;                    /* of its size, or -1: it has none */
} Object;

static const Object objects[] = {
  { "lock", "l", "H", -1 }, { "lock", "m", "H", -1 }, { "event", "e", "E", -1 },
  { "condition", "c", "HC", -1 }, { "semaphore", "s", "H", 0 }, { "bounded_semaphore", "bs", "H", 0 },
  { "barrier", "b", "B", 1 }, { "queue", "q", "Q", 0 }, { "lifo_queue", "lq", "Q", 0 },
  { "priority_queue", "pq", "Q", 0 }, { "future", "f", "F", -1 }, { "future", "g", "F", -1 },
};

typedef struct
{
  const guint8 *data;
  gsize left;
  GString *declarations;
  GString *text;
  guint declared;               /* objects, as bits */
  guint coroutine;              /* the one that is being made */
  guint costs[MOST_COROUTINES]; /* of those before it */
  guint cost;                   /* its own so far: statements that it may run */
  guint times;                  /* that what is being made is run */
  guint depth;
  guint n_labels;
} Decoder;

static guint
choose (Decoder *self, guint n)
{
  if (self->left == 0)
    return 0;
  self->left--;
  return *self->data++ % n;
}

/* NULL: the end of a block. */
static const Form *
choose_form (Decoder *self)
{
  guint byte;
  guint i = 0;

  if (self->left == 0 || self->cost >= MOST_STATEMENTS)
    return NULL;
  byte = choose (self, 256);
  while (i < G_N_ELEMENTS (forms) && byte >= forms[i].weight)
    byte -= forms[i++].weight;
  return i < G_N_ELEMENTS (forms) ? &forms[i] : NULL;
}

static void
begin_line (Decoder *self, const char *word)
{
  for (guint i = 0; i < self->depth; i++)
    g_string_append (self->text, "  ");
  g_string_append (self->text, word);
}

static void
line (Decoder *self, const char *word)
{
  begin_line (self, word);
  g_string_append_c (self->text, '\n');
}

static char
digit (guint value)
{
  return (char) ('0' + value);
}

/* ---- Arguments: FALSE where there can be none ---- */

static void
add_numbered (Decoder *self, char letter, guint number)
{
  const char word[] = { ' ', letter, digit (number), '\0' };

  g_string_append (self->text, word);
}

static void
add_task (Decoder *self)
{
  guint chosen = choose (self, 256);

  add_numbered (self, "tuvs"[chosen / self->coroutine % 4], chosen % self->coroutine);
}

static void
add_tasks (Decoder *self)
{
  guint n = 1 + choose (self, 4);

  for (guint i = 0; i < n; i++)
    add_task (self);
  self->cost += n * self->times;
}

static gboolean
add_coroutine (Decoder *self, guint chosen)
{
  guint cost = self->times * (2 + self->costs[chosen]);

  if (self->cost + cost > MOST_STATEMENTS)
    return FALSE;
  self->cost += cost;
  add_numbered (self, 'c', chosen);
  return TRUE;
}

static gboolean
add_variable_and_coroutine (Decoder *self)
{
  guint chosen = choose (self, 256);
  guint coroutine = chosen % self->coroutine;

  add_numbered (self, "tuv"[chosen / self->coroutine % 3], coroutine);
  return add_coroutine (self, coroutine);
}

static void
add_shared (Decoder *self)
{
  guint chosen = choose (self, 256);
  guint coroutine = chosen % self->coroutine;

  add_numbered (self, 's', coroutine);
  add_numbered (self, "tuv"[chosen / self->coroutine % 3], coroutine);
}

static gboolean
add_times (Decoder *self)
{
  guint n = 1 + choose (self, 3);

  if (self->times * n > MOST_TIMES)
    return FALSE;
  self->times *= n;
  g_string_append_c (self->text, ' ');
  g_string_append_c (self->text, digit (n));
  return TRUE;
}

static void
add_object (Decoder *self, char class)
{
  guint candidates[G_N_ELEMENTS (objects)];
  guint n = 0;
  guint chosen;

  for (guint i = 0; i < G_N_ELEMENTS (objects); i++)
    if (strchr (objects[i].classes, class))
      candidates[n++] = i;
  chosen = candidates[n > 1 ? choose (self, n) : 0];
  g_string_append_c (self->text, ' ');
  g_string_append (self->text, objects[chosen].name);
  if (self->declared & 1u << chosen)
    return;
  self->declared |= 1u << chosen;
  g_string_append_printf (self->declarations, "%s %s", objects[chosen].what, objects[chosen].name);
  if (objects[chosen].least >= 0)
    g_string_append_printf (self->declarations, " %u", (guint) objects[chosen].least + choose (self, 3));
  g_string_append_c (self->declarations, '\n');
}

static void
add_word (Decoder *self, char argument)
{
  static const char *const durations[] = { "0", "1", "2", "3", "5", "8", "13", "34", "-" };
  static const char *const modes[] = { "first_completed", "first_exception", "all_completed" };
  static const char *const raised[] = { "e0", "e1", "e2", "" };

  g_string_append_c (self->text, ' ');
  if (argument == 'l')
    g_string_append_printf (self->text, "s%u", ++self->n_labels);
  else if (argument == 'n')
    g_string_append_c (self->text, digit (choose (self, 10)));
  else if (argument == 'm' || argument == 'd')
    g_string_append (self->text, durations[choose (self, G_N_ELEMENTS (durations) - (argument == 'm'))]);
  else if (argument == 'w')
    g_string_append (self->text, modes[choose (self, G_N_ELEMENTS (modes))]);
  else
    g_string_append (self->text, raised[choose (self, G_N_ELEMENTS (raised) - (argument == 'r'))]);
}

static gboolean
add_argument (Decoder *self, char argument)
{
  if (strchr ("cgsTv", argument) && self->coroutine == 0)
    return FALSE;
  if (argument == 'c')
    return add_coroutine (self, choose (self, self->coroutine));
  if (argument == 'v')
    return add_variable_and_coroutine (self);
  if (argument == 'x')
    return add_times (self);
  if (argument == 'g')
    add_task (self);
  else if (argument == 'T')
    add_tasks (self);
  else if (argument == 's')
    add_shared (self);
  else if (g_ascii_isupper (argument))
    add_object (self, argument);
  else
    add_word (self, argument);
  return TRUE;
}

/* ---- Statements ---- */

static gboolean decode_statement (Decoder *self);

static void
decode_block (Decoder *self)
{
  self->depth++;
  while (decode_statement (self))
    ;
  self->depth--;
}

static void
decode_rest_of_try (Decoder *self)
{
  static const char *const kinds[] = {
    "any", "cancelled", "error", "timeout", "group", "error:e0", "runtime", "invalid", "empty", "value",
    "full", "broken", "shutdown",
  };
  guint parts = choose (self, 4);

  decode_block (self);
  if (parts < 3)
    {
      begin_line (self, "except ");
      g_string_append_printf (self->text, "%s\n", kinds[choose (self, G_N_ELEMENTS (kinds))]);
      decode_block (self);
    }
  if (parts > 1)
    {
      line (self, "finally");
      decode_block (self);
    }
}

static void
decode_rest (Decoder *self, const char *blocks)
{
  g_string_append_c (self->text, '\n');
  if (*blocks == '\0')
    return;
  if (*blocks == 't')
    decode_rest_of_try (self);
  else
    decode_block (self);
  line (self, "end");
}

/* FALSE at the end of a block.  What cannot stand here is left out. */
static gboolean
decode_statement (Decoder *self)
{
  const Form *form = choose_form (self);
  gsize start = self->text->len;
  guint times = self->times;
  const char *argument;

  if (form == NULL)
    return FALSE;
  self->cost += self->times;
  begin_line (self, form->word);
  for (argument = form->arguments; *argument && *argument != '{' && *argument != 't'; argument++)
    if (!add_argument (self, *argument))
      break;
  if (*argument == '\0' || ((*argument == '{' || *argument == 't') && self->depth < DEEPEST))
    decode_rest (self, argument);
  else
    g_string_truncate (self->text, start);
  self->times = times;
  return TRUE;
}

static void
decode_coroutine (Decoder *self, const char *first_line)
{
  self->cost = 0;
  self->times = 1;
  line (self, first_line);
  decode_block (self);
  line (self, "end");
}

char *
decode_scenario (const guint8 *data, gsize size)
{
  Decoder self = { .data = data, .left = size };
  guint n = 1 + choose (&self, MOST_COROUTINES);

  self.declarations = g_string_new (NULL);
  self.text = g_string_new (NULL);
  for (; self.coroutine < n; self.coroutine++)
    {
      const char first_line[] = { 'c', 'o', 'r', 'o', ' ', 'c', digit (self.coroutine), '\0' };

      decode_coroutine (&self, first_line);
      self.costs[self.coroutine] = self.cost;
    }
  decode_coroutine (&self, "main");
  g_string_append_len (self.declarations, self.text->str, (gssize) self.text->len);
  g_string_free (self.text, TRUE);
  return g_string_free (self.declarations, FALSE);
}
