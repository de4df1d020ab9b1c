/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The library's messages. */

#pragma once

#include <glib.h>

/* Messages about mistakes of the program itself are expected.  Any other message ends the
 * process. */
void set_up_messages (void);

void fail            (const char *why) G_GNUC_NORETURN;
