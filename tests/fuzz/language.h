/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The languages that bytes are read as. */

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
  int least;                    /* of its size, or -1: it has none */
} Object;

typedef struct
{
  const Form *forms;
  const Words *words;
  const Object *objects;
  const char *const *kinds;     /* of errors, that `except` takes */
  const char *variables;        /* that name a task */
  guint most_statements;        /* that a call runs, with all that it starts */
  guint most_times;
} Language;

extern const Language scenario_language; /* of ../conformance/FORMAT.md */
extern const Language border_language;   /* of border/FORMAT.md */
