/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtk/gtk.h>

/* Its actions and keys, and a window for each folder that it is given. */
GtkApplication *checksum_application_new (void);
