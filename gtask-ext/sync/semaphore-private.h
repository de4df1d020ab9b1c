/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/semaphore.h"

/* @what: what is waited for, for a person; static. */
GtxSemaphore *gtx_semaphore_new_for (guint       value,
                                     const char *what);
