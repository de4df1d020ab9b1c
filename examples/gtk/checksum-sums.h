/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

/* The input for `sha256sum -c` in the folder of @target, the file to be written: a line
 * for each ChecksumFile in @files that has its checksum. */
GBytes *checksum_sums_format (GListModel *files,
                              GFile      *target);
