/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

/**
 * GtxShouldRetryFunc:
 * @error: the error that the coroutine failed with
 * @data: the coroutine's data
 *
 * Tells whether a coroutine that has failed is worth another attempt.  Called in the task, which may
 * await in it.
 *
 * Returns: %FALSE if @error is final
 *
 * Since: 0.1
 */
typedef gboolean (*GtxShouldRetryFunc) (const GError *error,
                                        gpointer      data);

/**
 * GtxRetryPolicy:
 * @attempts: how often the coroutine is called at most; 0 for no limit
 * @first_delay: the longest pause before the second attempt, in seconds; 0 or less for no pauses
 * @longest_delay: the longest pause before any attempt, in seconds; 0 or less for one minute
 * @should_retry: (nullable): whether an error is worth another attempt; %NULL: each is
 *
 * How gtx_call_with_retries() repeats a call.
 *
 * The longest pause doubles from one attempt to the next, up to @longest_delay.  Each pause is a random
 * part of it, so that programs which failed together do not try again together.  Members that are left
 * out are 0:
 *
 * |[<!-- language="C" -->
 * static const GtxRetryPolicy policy = { .attempts = 5, .first_delay = 0.5 };
 *
 * return gtx_call_with_retries (&policy, fetch, self, error);
 * ]|
 *
 * Since: 0.1
 */
typedef struct
{
  guint attempts;
  double first_delay;
  double longest_delay;
  GtxShouldRetryFunc should_retry;
} GtxRetryPolicy;

/**
 * gtx_call_with_retries:
 * @policy: how often, with which pauses, and after which errors
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (nullable): its data, a `U *`
 * @error: return location for a #GError, or %NULL
 *
 * Calls a coroutine in the current task until it succeeds, with pauses that grow; asyncio has no such
 * function.
 *
 * An error that says that a task was cancelled, see gtx_error_is_cancelled(), ends the attempts, and a
 * request to cancel that comes in a pause ends the pause.  A time limit for each attempt is
 * gtx_call_with_timeout() in @coroutine, and one for all attempts is that function around this one.
 * The pauses use the generator of g_random_double(), which g_random_set_seed() makes repeatable.
 *
 * Sets the error of the last attempt, or %G_IO_ERROR_CANCELLED if the current task was cancelled in a
 * pause; %GTX_ERROR_INVALID_ARGUMENT if a number of seconds is not a number, and
 * %GTX_ERROR_NOT_IN_TASK outside a task.  Suspends where the coroutine does, and for each pause.
 *
 * Returns: %TRUE if an attempt did not fail
 *
 * Since: 0.1
 */
#define gtx_call_with_retries(policy, coroutine, data, error)                  \
  gtx_call_with_retries_to ((policy), (GtxCoroutine) (coroutine),              \
                            GTX_COROUTINE_DATA_ (coroutine, data), (error))

GTX_API gboolean gtx_call_with_retries_to (const GtxRetryPolicy  *policy,
                                           GtxCoroutine           coroutine,
                                           gpointer               data,
                                           GError               **error);

G_END_DECLS
