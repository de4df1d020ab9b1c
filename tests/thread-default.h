/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of the thread-default main context share: tasks that use it, and threads
 * that check whether the default one is free. */

#pragma once

#include "fixture.h"

static inline gboolean
ask (gpointer data, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");
  g_autoptr (GFileInfo) info = NULL;

  g_file_query_info_async (file, "standard::type", 0, G_PRIORITY_DEFAULT, GTX_ASYNC);
  info = g_file_query_info_finish (file, gtx_await_result (), error);
  return info != NULL;
}

/* Returns non-NULL if this thread can acquire the default main context. */
static inline gpointer
acquire_default (gpointer data)
{
  if (!g_main_context_acquire (NULL))
    return NULL;
  g_main_context_release (NULL);
  return g_main_context_default ();
}

static inline void
iterate_until_done (GMainContext *context, GtxTask *task)
{
  gint64 end = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  while (!gtx_future_is_done (task) && g_get_monotonic_time () < end)
    g_main_context_iteration (context, FALSE);
  g_assert_true (gtx_future_is_done (task));
  g_assert_no_error (gtx_future_get_error (task));
}

/* Checks the thread-default context in each turn, and starts an operation. */
static inline gboolean
have_own (gpointer data, GError **error)
{
  for (int i = 0; i < 20; i++)
    {
      g_assert_null (g_main_context_get_thread_default ());
      if (!ask (NULL, error) || !gtx_sleep (i % 2 * 0.001, error))
        return FALSE;
    }
  return TRUE;
}

static inline void
assert_default_is_free (void)
{
  gpointer acquired = g_thread_join (g_thread_new ("acquire", acquire_default, NULL));

  g_assert_nonnull (acquired);
}
