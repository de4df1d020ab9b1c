/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scenario's text, parsed. */

#pragma once

#include <gtask-ext.h>

#include <stdlib.h>
#include <string.h>

typedef struct
{
  char **words;
  char *line;                   /* the words, one blank apart */
  GPtrArray *body;
  GPtrArray *handler;
  char *handled;                /* the kind that the handler takes */
  GPtrArray *final;
} Statement;

/* Returns the declarations, coroutines and main as an array that owns its Statements. */
GPtrArray *parse_program (const char *text);

static inline gboolean
is_word (const char *word, const char *const *words)
{
  return g_strv_contains (words, word);
}

/* @word is a number of milliseconds, or `-` for ever. */
static inline double
seconds_of (const char *word)
{
  return strcmp (word, "-") == 0 ? GTX_FOREVER : atoi (word) / 1000.0;
}
