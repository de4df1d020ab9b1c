/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of the example programs share: it runs the programs as a user does. */

#pragma once

#include <gio/gio.h>

/* The result of a program: its status, or 128 and the signal that killed it. */
typedef struct
{
  int status;
  char *output;
  char *errors;
} Outcome;

typedef struct _Running Running;

/* Returns the path of a program: "programs/parallel" is an example; "/bin/sh" or "sh" are programs
 * of the system. */
char       *find_program       (const char         *name);

/* Runs a program and waits for its end.  The arguments end with NULL; @input is the standard input,
 * or NULL. */
Outcome    *run_program        (const char         *input,
                                const char         *name,
                                ...) G_GNUC_NULL_TERMINATED;
Outcome    *run_program_in     (const char         *folder,
                                const char         *input,
                                const char *const  *command);
void        outcome_free       (Outcome            *self);

/* Starts a program that the test interrupts. */
Running    *start_program      (const char         *name,
                                ...) G_GNUC_NULL_TERMINATED;
GSubprocess *running_get_process (Running          *self);
char       *get_line           (Running            *self,
                                const char         *pattern);
void        await_line         (Running            *self,
                                const char         *pattern);
Outcome    *end_program        (Running            *self,
                                int                 signum);

/* Compares the status, standard error and output with the expected ones; the texts are patterns. */
void        assert_outcome     (Outcome            *outcome,
                                int                 status,
                                const char         *errors,
                                const char         *output);

/* The program prints help for --help, and reports wrong arguments, which are separated by
 * blanks. */
void        assert_helps       (const char         *name);
void        assert_refuses     (const char         *name,
                                const char         *arguments,
                                const char         *message);

/* Makes a folder in which a test works; removes a folder with its contents. */
char       *make_folder        (void);
void        remove_folder      (char               *path);

/* Returns whether a process has ended, and is at most a zombie. */
gboolean    is_gone            (int                 pid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Outcome, outcome_free)
