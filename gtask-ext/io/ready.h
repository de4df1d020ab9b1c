/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that are tried, and wait where they would block. */

#pragma once

#include "task/task-private.h"

/* Before the first try, and before whatever blocks so briefly that no thread is worth it: a
 * request that stands is delivered, and who has had its time lets others run.  FALSE with
 * @error set if the task was cancelled. */
gboolean gtx_ready_begin_try        (GtxTask        *task,
                                     GError        **error);
/* The same where it is a part of what was begun, and @delivers is FALSE: something was read or
 * written already, which is to be told of, so that a request stands. */
gboolean gtx_ready_begin_next_try   (GtxTask        *task,
                                     gboolean        delivers,
                                     GError        **error);

/* Where first tries were in vain, as in a talk of question and answer, the next one is likely
 * to be: it waits at once, which is no mistake where something is there, and takes a third of
 * the time where nothing is.  Now and then one is made all the same; and always where a timeout
 * may end the wait before the main loop has asked what is there.  Tasks of several main contexts
 * may read from one socket. */
typedef struct
{
  guint n_vain;                 /* one after the other */
  guint n_left_out;
} GtxFirstTries;

gboolean gtx_first_tries_is_worth_it (GtxFirstTries *self,
                                      GtxTask       *task);

static inline void
gtx_first_tries_note (GtxFirstTries *self,
                      gboolean       was_in_vain)
{
  guint n_vain = was_in_vain ? __atomic_load_n (&self->n_vain, __ATOMIC_RELAXED) + 1 : 0;

  __atomic_store_n (&self->n_vain, n_vain, __ATOMIC_RELAXED);
}

/* These suspend until it is worth to try again: FALSE with @error set if the task was
 * cancelled (@delivers: see above), or the socket's time is over.  @fd: @socket's.  @stream: see GtxPollWait. */
gboolean gtx_ready_await_socket     (GtxTask        *task,
                                     GSocket        *socket,
                                     int             fd,
                                     guint64         stream,
                                     GIOCondition    condition,
                                     gboolean        delivers,
                                     GError        **error);
gboolean gtx_ready_await_descriptor (GtxTask        *task,
                                     int             fd,
                                     GIOCondition    condition,
                                     gboolean        delivers,
                                     GError        **error);
/* @source, which is taken, is a pollable stream's. */
gboolean gtx_ready_await_source     (GtxTask        *task,
                                     GSource        *source,
                                     gboolean        delivers,
                                     GError        **error);

/* Keeps @notes, of which it takes possession, with @object: those that it has from then on, which
 * are another thread's where that was faster. */
gpointer gtx_ready_note_down        (gpointer        object,
                                     GQuark          quark,
                                     gpointer        notes);

/* Whether the error of a try says so, which is cleared then. */
gboolean gtx_ready_would_block      (GError        **failure);
