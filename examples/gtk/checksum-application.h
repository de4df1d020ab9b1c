/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtk/gtk.h>

#define CHECKSUM_TYPE_APPLICATION (checksum_application_get_type ())
G_DECLARE_FINAL_TYPE (ChecksumApplication, checksum_application, CHECKSUM, APPLICATION, GtkApplication)

/* Opens a window for each folder that it is given, and has the objects that all windows
 * share. */
ChecksumApplication *checksum_application_new (void);
