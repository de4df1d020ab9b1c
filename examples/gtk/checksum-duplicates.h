/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files that have their checksum in common with others. */

#pragma once

#include "checksum-file.h"

typedef struct _ChecksumDuplicates ChecksumDuplicates;

ChecksumDuplicates *checksum_duplicates_new       (void);
void                checksum_duplicates_free      (ChecksumDuplicates *self);

/* Compares it with all that were here before; they have to stay alive. */
void                checksum_duplicates_compare   (ChecksumDuplicates *self,
                                                   ChecksumFile       *file);

/* The same stand together. */
GListModel         *checksum_duplicates_get_files (ChecksumDuplicates *self);
