/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The library's messages. */

#pragma once

#include <glib.h>

/* Messages about a program's own mistakes are expected; any other message ends the
 * program. */
void set_up_messages (void);

void fail            (const char *why) G_GNUC_NORETURN;
