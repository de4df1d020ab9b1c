/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The function that debug.c runs in another process, with --work. */

#pragma once

#include <glib.h>

#define KIB ((gsize) 1024)

/* Runs @what in a task with a small stack.  @how: "thread" runs the task in another thread; "plain"
 * gives it a stack of the default size; any other word names the handler of SIGSEGV that the
 * program installs before, or is "-".  Returns the program's status. */
int work (const char *what,
          const char *how);
