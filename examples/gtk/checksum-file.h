/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row of the list: a file, and its properties as far as they are known. */

#pragma once

#include <gio/gio.h>

#define CHECKSUM_TYPE_FILE (checksum_file_get_type ())
G_DECLARE_FINAL_TYPE (ChecksumFile, checksum_file, CHECKSUM, FILE, GObject)

ChecksumFile *checksum_file_new           (GFile        *file,
                                           GFile        *folder,
                                           goffset       size);

GFile        *checksum_file_get_file      (ChecksumFile *self);
/* Relative to the folder; not always UTF-8. */
const char   *checksum_file_get_path      (ChecksumFile *self);
goffset       checksum_file_get_size      (ChecksumFile *self);
/* NULL until it is known. */
const char   *checksum_file_get_checksum  (ChecksumFile *self);
gboolean      checksum_file_is_duplicate  (ChecksumFile *self);

void          checksum_file_set_n_read    (ChecksumFile *self,
                                           goffset       n_read);
/* The size is the number of bytes that were read, not the size that the folder
 * reported. */
void          checksum_file_set_checksum  (ChecksumFile *self,
                                           goffset       size,
                                           const char   *checksum);
void          checksum_file_set_duplicate (ChecksumFile *self,
                                           const char   *status);
void          checksum_file_set_failed    (ChecksumFile *self,
                                           const char   *status);
/* The job ended before it reached or finished this file. */
void          checksum_file_set_left_out  (ChecksumFile *self);
