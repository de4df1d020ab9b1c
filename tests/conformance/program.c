/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <string.h>

static char ***lines;
static guint position;

static void
statement_free (Statement *self)
{
  g_strfreev (self->words);
  g_free (self->line);
  g_clear_pointer (&self->body, g_ptr_array_unref);
  g_clear_pointer (&self->handler, g_ptr_array_unref);
  g_free (self->handled);
  g_clear_pointer (&self->final, g_ptr_array_unref);
  g_free (self);
}

static GPtrArray *
parse_block (const char *const *stops)
{
  static const char *const of_try[] = { "except", "finally", "end", NULL };
  static const char *const of_handler[] = { "finally", "end", NULL };
  static const char *const of_block[] = { "end", NULL };
  static const char *const blocks[] = { "coro", "main", "timeout", "group", "repeat", "with", NULL };
  GPtrArray *block = g_ptr_array_new_with_free_func ((GDestroyNotify) statement_free);

  while (!is_word (lines[position][0], stops))
    {
      Statement *statement = g_new0 (Statement, 1);

      statement->words = g_steal_pointer (&lines[position++]);
      statement->line = g_strjoinv (" ", statement->words);
      g_ptr_array_add (block, statement);
      if (strcmp (statement->words[0], "try") == 0)
        {
          statement->body = parse_block (of_try);
          if (strcmp (lines[position][0], "except") == 0)
            {
              statement->handled = g_strdup (lines[position++][1]);
              statement->handler = parse_block (of_handler);
            }
          if (strcmp (lines[position][0], "finally") == 0)
            {
              position++;
              statement->final = parse_block (of_block);
            }
          position++;
        }
      else if (is_word (statement->words[0], blocks))
        {
          statement->body = parse_block (of_block);
          position++;
        }
    }
  return block;
}

/* Takes @parts. */
static char **
without_empty (char **parts)
{
  char **kept = parts;

  for (char **part = parts; *part; part++)
    if (**part)
      *kept++ = *part;
    else
      g_free (*part);
  *kept = NULL;
  return parts;
}

/* Returns the words of each line that is not empty, and a last line that ends all blocks. */
static GPtrArray *
split (const char *text)
{
  g_auto (GStrv) each = g_strsplit (text, "\n", -1);
  GPtrArray *kept = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);

  for (char **line = each; *line; line++)
    {
      (*line)[strcspn (*line, "#")] = '\0';
      g_strstrip (*line);
      if (**line)
        g_ptr_array_add (kept, without_empty (g_strsplit_set (*line, " \t\r", -1)));
    }
  g_ptr_array_add (kept, g_strsplit ("<eof>", " ", -1));
  return kept;
}

GPtrArray *
parse_program (const char *text)
{
  static const char *const at_end[] = { "<eof>", NULL };
  g_autoptr (GPtrArray) kept = split (text);

  lines = (char ***) kept->pdata;
  position = 0;
  return parse_block (at_end);
}
