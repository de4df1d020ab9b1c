/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that are tried, and wait if they would block. */

#pragma once

#include "task/task-private.h"

/* To be called before the first try, and before a call that blocks so briefly that no thread is
 * worth it.  Delivers a request to cancel that stands, and lets other tasks run if @task has had
 * its time.  FALSE with @error set if the task was cancelled. */
gboolean gtx_ready_begin_try        (GtxTask        *task,
                                     GError        **error);
/* Does as gtx_ready_begin_try () if @delivers is TRUE.  If it is FALSE, bytes were read or written
 * already and are to be reported: then a request to cancel stands, and makes this return FALSE with
 * @error set, too. */
gboolean gtx_ready_begin_next_try   (GtxTask        *task,
                                     gboolean        delivers,
                                     GError        **error);

/* Whether a first try is worth it.  If the last ones were in vain, as in a talk of question and
 * answer, the next one is likely to be, too.  Then the task waits at once, which is no mistake if
 * there is data, and takes a third of the time if there is none.  A first try is still made now and
 * then, and always if a timeout may end the wait before the main loop has polled.  The counts are
 * atomic, since tasks of several main contexts may read from one socket. */
typedef struct
{
  guint n_vain;                 /* tries in vain, one after the other */
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

/* Suspend until it is worth trying again.  FALSE with @error set if the task was cancelled
 * (@delivers: see gtx_ready_begin_next_try ()), or if the socket's time is over.  @fd: the
 * descriptor of @socket.  @stream: see GtxPollWait. */
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
/* Suspends until @source, a pollable stream's, is ready.  FALSE with @error set if the task was
 * cancelled.  Takes @source. */
gboolean gtx_ready_await_source     (GtxTask        *task,
                                     GSource        *source,
                                     gboolean        delivers,
                                     GError        **error);

/* Returns what is known of @object, which keeps it.  It is made on first use; if another thread is
 * faster, that thread's is returned.  @quark is static, 0 at first, and stands for @name. */
typedef gpointer (*GtxMakeNotes) (gpointer object);
gpointer gtx_ready_get_notes        (gpointer        object,
                                     gsize          *quark,
                                     const char     *name,
                                     GtxMakeNotes    make);

/* Whether the error of a try says that it would block.  Clears such an error. */
gboolean gtx_ready_would_block      (GError        **failure);
