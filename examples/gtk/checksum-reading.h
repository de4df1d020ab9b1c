/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a file and its checksum, bit by bit. */

#pragma once

#include <gio/gio.h>

#define CHECKSUM_READING_BUFFER_SIZE (256 << 10)

typedef struct
{
  GFile *file;
  guint8 *buffer;
  GFileInputStream *stream;     /* NULL before the first step */
  GChecksum *checksum;
  goffset n_read;
  gboolean at_end;
} ChecksumReading;

/* For a thread.  A small file is opened, read and closed in one step. */
gboolean checksum_reading_step (ChecksumReading  *self,
                                GCancellable     *cancellable,
                                GError          **error);
