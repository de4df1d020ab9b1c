/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects with signals of all kinds, for tasks that wait for them or are bound to them; and tasks
 * that note the signals that they get. */

#pragma once

#include "fixture.h"

/* An action is an object with a signal that has an argument. */
static inline GSimpleAction *
action_new (void)
{
  return g_simple_action_new ("act", G_VARIANT_TYPE_INT32);
}

/* An object with signals of all kinds. */
typedef struct
{
  GObject parent_instance;
  gboolean stays;               /* the object survives its next disposal */
} Job;

typedef GObjectClass JobClass;

static GType job_get_type (void);

G_DEFINE_TYPE (Job, job, G_TYPE_OBJECT)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, g_object_unref)

static guint finished, asked, looped;

static inline void
job_looped (Job *self)
{
  for (int i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
}

static inline void
job_dispose (GObject *object)
{
  Job *self = (Job *) object;

  G_OBJECT_CLASS (job_parent_class)->dispose (object);
  if (self->stays)
    g_object_ref (self);
  self->stays = FALSE;
}

static inline void
job_class_init (JobClass *class)
{
  GType type = G_TYPE_FROM_CLASS (class);

  class->dispose = job_dispose;
  finished = g_signal_new ("finished", type, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0,
                           NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  asked = g_signal_new ("asked", type, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0,
                        g_signal_accumulator_first_wins, NULL, NULL, G_TYPE_INT, 0);
  looped = g_signal_new_class_handler ("looped", type, G_SIGNAL_RUN_FIRST, G_CALLBACK (job_looped),
                                       NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static inline void
job_init (Job *self)
{
}

static inline Job *
job_new (void)
{
  return g_object_new (job_get_type (), NULL);
}

static inline void
assert_gone (GtxTask *task)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
}

static inline gboolean
await_finished (Job *job, GError **error)
{
  g_autofree char *what = NULL;
  int number;

  if (!gtx_await_signal (job, "finished", error, &number))
    return FALSE;
  what = g_strdup_printf ("%d", number);
  note (what);
  return TRUE;
}

static inline gboolean
await_first (Job *job, GError **error)
{
  gboolean emitted = gtx_await_signal (job, "finished::first", error);

  note (emitted ? "first" : "first!");
  return emitted;
}

static inline gboolean
await_all_finished (Job *job, GError **error)
{
  g_autoptr (GError) failure = NULL;

  while (await_finished (job, &failure))
    ;
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
  note ("gone");
  return TRUE;
}
