/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A person who clicks: another connection to the display, in another thread. */

#pragma once

#include <glib.h>

gboolean clicks_connect (GError **error);

void     clicks_begin   (void);
/* For the handler of the click. */
void     clicks_arrived (void);
/* Returns how many microseconds the longest took that began meanwhile. */
gint64   clicks_end     (void);
