/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What debug.c asks of the program that it runs with --work. */

#pragma once

#include <glib.h>

#define KIB ((gsize) 1024)

/* Runs @what in a task with a small stack.  @how: "thread" in another thread, "plain" with a stack of the default
 * size; else it is the handler of SIGSEGV that was there before, or "-".  Returns the program's status. */
int work (const char *what,
          const char *how);
