/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

/* What `sha256sum -c` reads in the folder of @target, where it is to be
 * written: a line for each ChecksumFile in @files that has its checksum. */
GBytes *checksum_sums_format (GListModel *files,
                              GFile      *target);
