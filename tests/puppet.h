/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread with a main context, which calls functions for the test, one after the other: so the test
 * decides in which order the threads act, and the main context runs only when the test says so. */

#pragma once

#include <gtask-ext.h>

typedef struct
{
  GThread *thread;
  GMainContext *context;
  GAsyncQueue *calls;
  GAsyncQueue *returns;
} Puppet;

typedef struct
{
  void (*func) (gpointer data); /* NULL: the thread ends */
  gpointer data;
} PuppetCall;

static inline gpointer
puppet_run (gpointer data)
{
  Puppet *self = data;
  PuppetCall *call;

  g_main_context_push_thread_default (self->context);
  while ((call = g_async_queue_pop (self->calls)), call->func)
    {
      call->func (call->data);
      g_async_queue_push (self->returns, call);
    }
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  return NULL;
}

static inline void
puppet_begin (Puppet *self)
{
  self->context = g_main_context_new ();
  self->calls = g_async_queue_new ();
  self->returns = g_async_queue_new ();
  self->thread = g_thread_new ("puppet", puppet_run, self);
}

/* Returns when the thread has called @func. */
static inline void
puppet_call (Puppet *self, void (*func) (gpointer data), gpointer data)
{
  PuppetCall call = { func, data };

  g_async_queue_push (self->calls, &call);
  g_async_queue_pop (self->returns);
}

/* Ends the thread, which drops its main context. */
static inline void
puppet_end (Puppet *self)
{
  PuppetCall call = { NULL, NULL };

  g_async_queue_push (self->calls, &call);
  g_thread_join (self->thread);
  g_async_queue_unref (self->calls);
  g_async_queue_unref (self->returns);
}

static inline void
puppet_iterate (gpointer data)
{
  Puppet *self = data;

  while (g_main_context_iteration (self->context, FALSE))
    ;
}

/* Runs all that is ready in the thread's main context. */
static inline void
puppet_turn (Puppet *self)
{
  puppet_call (self, puppet_iterate, self);
}

static inline void
puppet_cancel_task (gpointer task)
{
  gtx_cancel (task);
}

/* Cancels @task in the thread, before its main context runs. */
static inline void
puppet_cancel (Puppet *self, GtxTask *task)
{
  puppet_call (self, puppet_cancel_task, task);
}
