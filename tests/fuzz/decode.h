/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes programs from bytes. */

#pragma once

#include "language.h"

/* Returns the text of a program.  Every string of bytes makes a program that keeps the rules of its
 * language, and that runs a limited number of statements. */
char *decode (const Language *language, const guint8 *data, gsize size);
