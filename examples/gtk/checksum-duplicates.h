/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files that have the same checksum as other files. */

#pragma once

#include "checksum-file.h"

typedef struct _ChecksumDuplicates ChecksumDuplicates;

ChecksumDuplicates *checksum_duplicates_new       (void);
void                checksum_duplicates_free      (ChecksumDuplicates *self);

/* Compares the file with all earlier ones, which must stay alive. */
void                checksum_duplicates_compare   (ChecksumDuplicates *self,
                                                   ChecksumFile       *file);

/* Equal files are next to each other. */
GListModel         *checksum_duplicates_get_files (ChecksumDuplicates *self);
