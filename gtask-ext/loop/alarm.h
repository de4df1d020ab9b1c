/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long the main loop may wait for the next timer. */

#pragma once

#include "loop/scheduler-private.h"

/* Who waits for less than this wants it exact. */
#define GTX_SHORT_WAIT_US 10000

/* Milliseconds for the poll, -1: for ever; and sets the alarm where those are too long.
 * To be called while the main loop asks its sources, of our probe. */
gint      gtx_alarm_time_left         (GtxScheduler *self);
