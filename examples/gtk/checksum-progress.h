/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The progress of a job, in numbers and in words. */

#pragma once

#include <gio/gio.h>

typedef struct
{
  guint n_files;
  guint n_done;
  goffset n_total;
  goffset n_read;
  double seconds;               /* without pauses */
} ChecksumProgress;

double checksum_progress_get_fraction (const ChecksumProgress *self);
char  *checksum_progress_describe     (const ChecksumProgress *self,
                                       const char             *state,
                                       gboolean                running);
