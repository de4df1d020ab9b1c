/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread that runs a coroutine on a context of its own. */

#pragma once

#include <gtask-ext.h>

typedef struct
{
  GtxCoroutine coroutine;
  gpointer data;
  GError *error;
} Run;

static inline gpointer
run_in_thread (gpointer data)
{
  Run *run = data;
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  gtx_run_named ("thread", run->coroutine, run->data, &run->error);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static inline void
run_here (GtxCoroutine coroutine, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_run_named ("main", coroutine, data, &error));
  g_assert_no_error (error);
}

static inline gboolean
await_what (GtxTask *task, GError **error)
{
  return gtx_await (task, error);
}
