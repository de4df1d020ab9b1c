/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of eager tasks outside of all tasks share. */

#pragma once

#include "fixture.h"

static inline gboolean
note_twice (gpointer data, GError **error)
{
  note ("in");
  if (!gtx_sleep (0, error))
    return FALSE;
  note ("later");
  return TRUE;
}

static inline GtxTask *
start_and_note (void)
{
  GtxTask *outer = gtx_current_task ();
  GtxTask *task = gtx_create_task_eager (note_twice, NULL, NULL);

  g_assert_true (gtx_current_task () == outer);
  g_assert_false (gtx_future_is_done (task));
  note ("back");
  return task;
}

static inline void
iterate_until_done (GMainContext *context, gpointer future)
{
  while (!gtx_future_is_done (future))
    g_main_context_iteration (context, TRUE);
}

/* Runs a test outside of all tasks. */
static inline void
run_outside (gconstpointer test)
{
  trace = g_string_new (NULL);
  (*(void (*const *) (void)) test) ();
  g_string_free (g_steal_pointer (&trace), TRUE);
}

#define add_outside(path, test)                                                \
  G_STMT_START {                                                               \
    static void (*const kept) (void) = (test);                                 \
                                                                               \
    g_test_add_data_func ((path), &kept, run_outside);                         \
  } G_STMT_END
