/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making and closing pools. */

#pragma once

#include "fixture.h"

static inline GtxPool *
pool_new (guint n_threads)
{
  g_autoptr (GError) error = NULL;
  GtxPool *pool = gtx_pool_new (n_threads, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (gtx_pool_get_n_threads (pool), ==, n_threads);
  return pool;
}

static inline void
close_and_unref (GtxPool *pool)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_pool_close (pool, &error));
  g_assert_no_error (error);
  g_object_unref (pool);
}

/* Waits until a thread of a pool runs the task. */
static inline void
await_running (GtxTask *task)
{
  for (;;)
    {
      g_autofree char *state = gtx_task_describe_state (task);

      if (strstr (state, "runs it"))
        return;
      g_assert_true (gtx_sleep (0.001, NULL));
    }
}
