/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

/* What the shared library exports. */
#define GTX_API __attribute__ ((visibility ("default"))) extern
