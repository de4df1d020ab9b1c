/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job: computes the checksum of every file below a folder. */

#pragma once

#include "checksum-file.h"

#include <gtask-ext.h>

#define CHECKSUM_TYPE_JOB (checksum_job_get_type ())
G_DECLARE_FINAL_TYPE (ChecksumJob, checksum_job, CHECKSUM, JOB, GObject)

/* A window shows the properties; "paused" can be set. */
ChecksumJob *checksum_job_new            (GFile        *folder);

/* The coroutine of the job.  If it is cancelled, the checksums so far are kept. */
gboolean     checksum_job_run            (ChecksumJob  *self,
                                          GError      **error);

GFile       *checksum_job_get_folder     (ChecksumJob  *self);

/* Lists of ChecksumFile, which grow while the job runs. */
GListModel  *checksum_job_get_files      (ChecksumJob  *self);
GListModel  *checksum_job_get_duplicates (ChecksumJob  *self);
GListModel  *checksum_job_get_errors     (ChecksumJob  *self);
