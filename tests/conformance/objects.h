/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects that a scenario declares: futures, locks and similar objects, queues. */

#pragma once

#include "program.h"
#include "trace.h"

/* FALSE if the statement declares none. */
gboolean declare_object  (const Statement *statement);

gboolean is_of_object    (const char *what);
Flow     run_with_object (const Statement *statement, GError **error);

/* Whatever tasks wait for in an object may come now; and all are gone. */
void     open_objects    (void);
void     clear_objects   (void);

/* `with`: its two ends. */
Flow     acquire_object  (const char *name, GError **error);
Flow     release_object  (const char *name, GError **error);
