/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "decode.h"

#include <string.h>

/* Each byte makes a choice.  When the bytes are used up, the first choice is made and all blocks
 * end.  Coroutines come in order, with main as the last, and each calls and starts only earlier
 * ones.  The variable of a task ends with the number of its coroutine, so a coroutine awaits only
 * tasks of earlier coroutines.  So no coroutine calls itself, and no tasks await one another. */

#define MOST_COROUTINES 4
#define DEEPEST 6

typedef struct
{
  const Language *language;
  const guint8 *data;
  gsize left;
  GString *declarations;
  GString *text;
  guint declared;               /* objects, as bits */
  guint coroutine;              /* the coroutine that is being made */
  guint costs[MOST_COROUTINES]; /* the costs of the earlier coroutines */
  guint cost;                   /* the statements that this coroutine may run so far */
  guint times;                  /* how often the current block is run */
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

/* Returns NULL at the end of a block. */
static const Form *
choose_form (Decoder *self)
{
  const Form *form = self->language->forms;
  guint byte;

  if (self->left == 0 || self->cost >= self->language->most_statements)
    return NULL;
  byte = choose (self, 256);
  for (; form->word && byte >= form->weight; form++)
    byte -= form->weight;
  return form->word ? form : NULL;
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
  const char *variables = self->language->variables;
  guint chosen = choose (self, 256);

  add_numbered (self, variables[chosen / self->coroutine % strlen (variables)], chosen % self->coroutine);
}

/* The task may have any coroutine, because the statement does not await it. */
static void
add_any_task (Decoder *self)
{
  guint chosen = choose (self, 256);

  if (chosen % (MOST_COROUTINES + 1) == MOST_COROUTINES)
    g_string_append (self->text, " main");
  else
    add_numbered (self, "tuv"[chosen / (MOST_COROUTINES + 1) % 3], chosen % (MOST_COROUTINES + 1));
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

  if (self->cost + cost > self->language->most_statements)
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

  if (self->times * n > self->language->most_times)
    return FALSE;
  self->times *= n;
  g_string_append_c (self->text, ' ');
  g_string_append_c (self->text, digit (n));
  return TRUE;
}

static void
declare (Decoder *self, guint chosen)
{
  const Object *object = &self->language->objects[chosen];

  if (self->declared & 1u << chosen)
    return;
  self->declared |= 1u << chosen;
  g_string_append_printf (self->declarations, "%s %s", object->what, object->name);
  if (object->least >= 0)
    g_string_append_printf (self->declarations, " %u", (guint) object->least + choose (self, 3));
  g_string_append_c (self->declarations, '\n');
}

static void
add_object (Decoder *self, char class)
{
  const Object *objects = self->language->objects;
  guint candidates[32];
  guint n = 0;
  guint chosen;

  for (guint i = 0; objects[i].what; i++)
    if (strchr (objects[i].classes, class))
      candidates[n++] = i;
  chosen = candidates[n > 1 ? choose (self, n) : 0];
  g_string_append_c (self->text, ' ');
  g_string_append (self->text, objects[chosen].name);
  declare (self, chosen);
}

static void
add_word (Decoder *self, char argument)
{
  const Words *words = self->language->words;

  g_string_append_c (self->text, ' ');
  if (argument == 'l')
    g_string_append_printf (self->text, "s%u", ++self->n_labels);
  else if (argument == 'n')
    g_string_append_c (self->text, digit (choose (self, 10)));
  else
    {
      while (words->argument != argument)
        words++;
      g_string_append (self->text, words->words[choose (self, g_strv_length ((GStrv) words->words))]);
    }
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
  else if (argument == 'z')
    add_any_task (self);
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
  const char *const *kinds = self->language->kinds;
  guint parts = choose (self, 4);

  decode_block (self);
  if (parts < 3)
    {
      begin_line (self, "except ");
      g_string_append_printf (self->text, "%s\n", kinds[choose (self, g_strv_length ((GStrv) kinds))]);
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

/* Returns FALSE at the end of a block.  Statements that are not permitted here are omitted. */
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
decode (const Language *language, const guint8 *data, gsize size)
{
  Decoder self = { .language = language, .data = data, .left = size };
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
