/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "task/future-private.h"

/* Adds the sleeps of @scheduler whose time is not over. */
void gtx_sleep_futures_list (GtxScheduler *scheduler,
                             GPtrArray    *futures);
