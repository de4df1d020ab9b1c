/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the library says. */

#pragma once

#include <glib.h>

/* What is said of a program's own mistakes is expected; all else ends it. */
void set_up_messages (void);

void fail            (const char *why) G_GNUC_NORETURN;
