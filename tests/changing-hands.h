/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of main contexts that change hands share: a thread that iterates a
 * context, a counter of what happens there, and futures that belong to it. */

#pragma once

#include "fixture.h"

#define SECONDS (RUNNING_ON_VALGRIND || UNDER_TSAN || UNDER_ASAN ? 20 : 5)

/* ---- A thread that iterates a context which it has not pushed ---- */

typedef struct
{
  GMainContext *context;        /* NULL: the default one */
  GMainLoop *loop;
  GThread *thread;
} Runner;

static inline gpointer
run_loop (gpointer loop)
{
  g_main_loop_run (loop);
  return NULL;
}

static inline void
runner_start (Runner *self, GMainContext *context)
{
  self->context = context;
  self->loop = g_main_loop_new (context, FALSE);
  self->thread = g_thread_new ("runner", run_loop, self->loop);
}

static inline gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static inline void
call_in (GMainContext *context, GSourceFunc func, gpointer data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, context);
}

static inline void
runner_stop (Runner *self)
{
  call_in (self->context, quit, self->loop);
  g_thread_join (self->thread);
  g_main_loop_unref (self->loop);
}

/* Waits until another thread has changed @counter to @value. */
static inline void
wait_until (gint *counter, gint value)
{
  for (int i = 0; i < SECONDS * 1000 && g_atomic_int_get (counter) != value; i++)
    g_usleep (1000);
  g_assert_cmpint (g_atomic_int_get (counter), ==, value);
}

static inline gboolean
count (gint *n, GError **error)
{
  g_atomic_int_inc (n);
  return TRUE;
}

/* ---- A context of its own ---- */

static inline GtxFuture *
make_in (GMainContext *context, GtxFuture *(*make) (void))
{
  GtxFuture *future;

  g_main_context_push_thread_default (context);
  future = make ();
  g_main_context_pop_thread_default (context);
  return future;
}
