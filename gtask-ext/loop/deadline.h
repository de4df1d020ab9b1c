/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Converts seconds, as callers give them, to the scheduler's microseconds. */

#pragma once

#include "gtask-ext/error.h"

#include "loop/scheduler.h"

/* Appends to @text how much time @timer has left, for a person to read. */
static inline void
gtx_timer_describe (const GtxTimer *timer,
                    GtxScheduler   *scheduler,
                    GString        *text)
{
  gint64 left = timer->deadline - gtx_scheduler_get_time (scheduler);

  if (timer->slot > 0)
    g_string_append_printf (text, ", %.3f s left", MAX (left, 0) / 1e6);
}

static inline gboolean
gtx_check_seconds (double   seconds,
                   GError **error)
{
  if (!__builtin_isnan (seconds))
    return TRUE;
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                       "The number of seconds is not a number (NaN)");
  return FALSE;
}

/* Returns the deadline that is @seconds from now, rounded up; GTX_NEVER if it is beyond all clocks. */
static inline gint64
gtx_deadline (GtxScheduler *scheduler,
              double        seconds)
{
  gint64 now = gtx_scheduler_get_time (scheduler);
  double microseconds = seconds * 1e6;
  gint64 whole;

  if (microseconds <= 0)
    return now;
  if (microseconds >= (double) (GTX_NEVER - now) / 2)
    return GTX_NEVER;
  whole = (gint64) microseconds;
  return now + whole + (whole < microseconds ? 1 : 0);
}

/* Returns the first moment at which the clock, in seconds, does not show less than @time; GTX_NEVER if
 * that is beyond all clocks.  A time that the clock has shown is that moment again, although neither
 * conversion is exact. */
static inline gint64
gtx_deadline_at (double time)
{
  double microseconds = time * 1e6;
  gint64 whole;

  if (microseconds >= (double) GTX_NEVER / 2)
    return GTX_NEVER;
  if (microseconds <= 0)
    return 0;
  whole = (gint64) microseconds;
  if (whole / 1e6 < time)
    return whole + 1;
  return (whole - 1) / 1e6 < time ? whole : whole - 1;
}
