/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as a program. */

#pragma once

#include "language.h"

/* The text of a program: every string of bytes makes one that keeps the rules
 * of its language, and that runs a bounded number of statements. */
char *decode (const Language *language, const guint8 *data, gsize size);
