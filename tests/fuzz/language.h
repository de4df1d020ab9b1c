/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The languages of the programs. */

#pragma once

#include <glib.h>

/* Arguments: c a coroutine, g a task, l a label, n a digit, s a task for all to
 * see, T tasks, v a variable and a coroutine, x times, z any task, { a block, t
 * the blocks of `try`; other small letters choose a word, and capitals an object
 * by its class.  Weights are of 256; what is left is the end's of a block. */
typedef struct
{
  const char *word;
  const char *arguments;
  guint weight;
} Form;

typedef struct
{
  char argument;
  const char *const *words;
} Words;

typedef struct
{
  const char *what;
  const char *name;
  const char *classes;
  int least;                    /* the lowest size, or -1 if the object has none */
} Object;

typedef struct
{
  const Form *forms;
  const Words *words;
  const Object *objects;
  const char *const *kinds;     /* the kinds of errors that `except` takes */
  const char *variables;        /* the variables that name a task */
  guint most_statements;        /* the limit on the statements of a call, with all that it starts */
  guint most_times;
} Language;

extern const Language scenario_language; /* of ../conformance/FORMAT.md */
extern const Language border_language;   /* of border/FORMAT.md */
