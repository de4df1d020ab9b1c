/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "checksum-job.h"

#include <gtask-ext-gtk4.h>

#define CHECKSUM_TYPE_WINDOW (checksum_window_get_type ())
G_DECLARE_FINAL_TYPE (ChecksumWindow, checksum_window, CHECKSUM, WINDOW, GtkApplicationWindow)

ChecksumWindow *checksum_window_new     (GtkApplication *application);

/* Begins with a folder, and cancels the job before. */
void            checksum_window_check   (ChecksumWindow *self,
                                         GFile          *folder);

/* NULL before the first folder. */
ChecksumJob    *checksum_window_get_job (ChecksumWindow *self);
