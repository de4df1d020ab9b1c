/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seconds, as callers give them, and the scheduler's microseconds. */

#pragma once

#include "gtask-ext/error.h"

#include "loop/scheduler.h"

/* How much is left, for a person. */
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
                       "A number of seconds is wanted, and this is none (NaN)");
  return FALSE;
}

/* The moment @seconds from now, never earlier; GTX_NEVER for what is beyond
 * all clocks. */
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
