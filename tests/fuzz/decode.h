/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as a scenario. */

#pragma once

#include <glib.h>

/* The text of a scenario: every string of bytes makes one that keeps the rules
 * of conformance/FORMAT.md, and that runs a bounded number of statements. */
char *decode_scenario (const guint8 *data, gsize size);
