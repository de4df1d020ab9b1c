/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A gate at which coroutines block their threads until it is opened. */

#pragma once

#include <gtask-ext.h>

typedef struct
{
  GMutex mutex;
  GCond cond;
  guint n_begun;
  gboolean is_open;
} Gate;

static inline void
gate_init (Gate *gate)
{
  g_mutex_init (&gate->mutex);
  g_cond_init (&gate->cond);
  gate->n_begun = 0;
  gate->is_open = FALSE;
}

static inline void
gate_clear (Gate *gate)
{
  g_mutex_clear (&gate->mutex);
  g_cond_clear (&gate->cond);
}

/* A coroutine that blocks its thread. */
static inline gboolean
pass_gate (Gate *gate, GError **error)
{
  g_mutex_lock (&gate->mutex);
  gate->n_begun++;
  g_cond_broadcast (&gate->cond);
  while (!gate->is_open)
    g_cond_wait (&gate->cond, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
  return TRUE;
}

static inline void
gate_open (Gate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->is_open = TRUE;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->mutex);
}

/* The same as a coroutine. */
static inline gboolean
open_gate (Gate *gate, GError **error)
{
  gate_open (gate);
  return TRUE;
}

/* Blocks until @n have come to the gate. */
static inline void
gate_await_begun (Gate *gate, guint n)
{
  g_mutex_lock (&gate->mutex);
  while (gate->n_begun < n)
    g_cond_wait (&gate->cond, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
}
