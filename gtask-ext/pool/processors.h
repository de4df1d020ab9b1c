/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* How many processors the process may use at a time, at least 1. */
guint gtx_count_processors    (void);

/* The same of those @n that it may use, by the limits of control groups: @membership is what
 * /proc/self/cgroup says, and @root the folder of the control groups. */
guint gtx_limit_by_cgroups    (guint       n,
                               const char *membership,
                               const char *root);
