/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects that a scenario declares: futures, locks and similar objects, queues. */

#pragma once

#include "program.h"
#include "trace.h"

/* Returns FALSE if the statement declares no object. */
gboolean declare_object  (const Statement *statement);

gboolean is_of_object    (const char *what);
Flow     run_with_object (const Statement *statement, GError **error);

/* The first function lets all tasks that wait for objects go on, and the second frees all
 * objects. */
void     open_objects    (void);
void     clear_objects   (void);

/* The two ends of `with`. */
Flow     acquire_object  (const char *name, GError **error);
Flow     release_object  (const char *name, GError **error);
