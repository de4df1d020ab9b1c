/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/retries.h"

#include "gtask-ext/error.h"
#include "gtask-ext/sleep.h"

#include "loop/deadline.h"
#include "task/task-private.h"

/* A program that leaves longest_delay out does not wait for hours after some dozen failures. */
#define LONGEST_DELAY 60

static gboolean
is_final (const GtxRetryPolicy *policy,
          guint                 attempt,
          const GError         *failure,
          gpointer              data)
{
  return (policy->attempts > 0 && attempt >= policy->attempts) || gtx_error_is_cancelled (failure) ||
         (policy->should_retry && !policy->should_retry (failure, data));
}

/**
 * gtx_call_with_retries_to: (skip)
 *
 * The function behind gtx_call_with_retries().
 */
gboolean
gtx_call_with_retries_to (const GtxRetryPolicy  *policy,
                          GtxCoroutine           coroutine,
                          gpointer               data,
                          GError               **error)
{
  double longest;
  double delay;

  g_return_val_if_fail (policy != NULL && coroutine != NULL, FALSE);

  if (!gtx_check_seconds (policy->first_delay, error) || !gtx_check_seconds (policy->longest_delay, error) ||
      gtx_task_begin_await ("gtx_call_with_retries", error) == NULL)
    return FALSE;
  longest = policy->longest_delay > 0 ? policy->longest_delay : LONGEST_DELAY;
  delay = MIN (policy->first_delay, longest);

  for (guint attempt = 1; ; attempt++)
    {
      GError *failure = NULL;

      coroutine (data, &failure);
      if (failure == NULL)
        return TRUE;
      if (is_final (policy, attempt, failure, data))
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      g_error_free (failure);
      if (!gtx_sleep (delay * g_random_double (), error))
        return FALSE;
      delay = MIN (2 * delay, longest);
    }
}
