/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/semaphore.h"

/* @what: what tasks wait for, in words for a person; a static string. */
GtxSemaphore *gtx_semaphore_new_for (guint       value,
                                     const char *what);
