/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long the main loop may wait for the next timer. */

#pragma once

#include "loop/scheduler-private.h"

/* A wait shorter than this ends exactly in time; longer ones are rounded up to milliseconds. */
#define GTX_SHORT_WAIT_US 10000

/* Returns for how many milliseconds the main loop may poll, -1: for ever.  Sets the alarm if a
 * whole number of milliseconds would be too long.  To be called in the prepare () of the probe. */
gint      gtx_alarm_time_left         (GtxScheduler *self);
