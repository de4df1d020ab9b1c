/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of the example programs share: running them as a user does. */

#pragma once

#include <gio/gio.h>

/* How a program ended: its status, or 128 and the signal that killed it. */
typedef struct
{
  int status;
  char *output;
  char *errors;
} Outcome;

typedef struct _Running Running;

/* "programs/parallel" is an example; "/bin/sh" or "sh" are themselves. */
char       *find_program       (const char         *name);

/* Runs a program with arguments up to NULL and waits for its end; @input is
 * for its standard input, or NULL. */
Outcome    *run_program        (const char         *input,
                                const char         *name,
                                ...) G_GNUC_NULL_TERMINATED;
Outcome    *run_program_in     (const char         *folder,
                                const char         *input,
                                const char *const  *command);
void        outcome_free       (Outcome            *self);

/* The same for one that is to be interrupted. */
Running    *start_program      (const char         *name,
                                ...) G_GNUC_NULL_TERMINATED;
GSubprocess *running_get_process (Running          *self);
char       *get_line           (Running            *self,
                                const char         *pattern);
void        await_line         (Running            *self,
                                const char         *pattern);
Outcome    *end_program        (Running            *self,
                                int                 signum);

/* The expected status, standard error and output; the texts are patterns. */
void        assert_outcome     (Outcome            *outcome,
                                int                 status,
                                const char         *errors,
                                const char         *output);

/* --help prints help, and wrong arguments (to be split at blanks) are reported. */
void        assert_helps       (const char         *name);
void        assert_refuses     (const char         *name,
                                const char         *arguments,
                                const char         *message);

/* The folder in which a test works, removed with its contents. */
char       *make_folder        (void);
void        remove_folder      (char               *path);

/* Whether a process has ended, and is at most a zombie. */
gboolean    is_gone            (int                 pid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Outcome, outcome_free)
