/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The work: every file below a folder gets its checksum. */

#pragma once

#include "checksum-file.h"

#include <gtask-ext.h>

#define CHECKSUM_TYPE_JOB (checksum_job_get_type ())
G_DECLARE_FINAL_TYPE (ChecksumJob, checksum_job, CHECKSUM, JOB, GObject)

/* Its properties are what a window shows of it; "paused" can be set. */
ChecksumJob *checksum_job_new            (GFile        *folder);

/* The coroutine.  Cancelled, it keeps what is done. */
gboolean     checksum_job_run            (ChecksumJob  *self,
                                          GError      **error);

GFile       *checksum_job_get_folder     (ChecksumJob  *self);

/* Lists of ChecksumFile, which grow while the job runs. */
GListModel  *checksum_job_get_files      (ChecksumJob  *self);
GListModel  *checksum_job_get_duplicates (ChecksumJob  *self);
GListModel  *checksum_job_get_errors     (ChecksumJob  *self);
