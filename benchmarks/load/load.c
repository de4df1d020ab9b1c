/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "load.h"

#include <stdarg.h>

char *load_folder;

char *
load_new_path (void)
{
  static guint n;

  return g_strdup_printf ("%s/%u", load_folder, __atomic_add_fetch (&n, 1, __ATOMIC_RELAXED));
}

/* ---- At random ---- */

static GPrivate generator = G_PRIVATE_INIT ((GDestroyNotify) g_rand_free);

void
random_begin (guint32 seed)
{
  g_private_replace (&generator, g_rand_new_with_seed (seed));
}

guint32
random_seed (void)
{
  return g_rand_int (g_private_get (&generator));
}

guint
random_below (guint n)
{
  return (guint) g_rand_int_range (g_private_get (&generator), 0, (gint32) n);
}

double
random_seconds (double most)
{
  return g_rand_double_range (g_private_get (&generator), 0, most);
}

/* ---- What must not happen ---- */

#define TOLD_AT_MOST 20

static guint n_complaints;

void
complain (const char *format,
          ...)
{
  va_list arguments;
  g_autofree char *text = NULL;

  if (__atomic_fetch_add (&n_complaints, 1, __ATOMIC_RELAXED) >= TOLD_AT_MOST)
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("soak: %s\n", text);
}

guint
complaints_count (void)
{
  return __atomic_load_n (&n_complaints, __ATOMIC_RELAXED);
}

G_DEFINE_QUARK (soak-load-error-quark, load_error)

gboolean
load_fail (GError **error)
{
  g_set_error (error, LOAD_ERROR, 0, "A failure as it was wanted");
  return FALSE;
}

gboolean
is_cancellation (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

gboolean
expect_error (const char  *what,
              GError      *failure,
              GQuark       domain,
              int          code,
              GError     **error)
{
  if (failure == NULL)
    complain ("%s did not fail", what);
  else if (!g_error_matches (failure, domain, code))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_clear_error (&failure);
  return TRUE;
}

/* ---- Tasks ---- */

static void
drop_task (gpointer task)
{
  g_autoptr (GtxTask) dropped = task;
}

GPtrArray *
tasks_new (void)
{
  return g_ptr_array_new_with_free_func (drop_task);
}

void
let_others_run (void)
{
  while (!gtx_sleep (0, NULL))
    ;
}

void
tasks_end (GPtrArray *tasks)
{
  for (guint i = 0; i < tasks->len; i++)
    gtx_cancel (tasks->pdata[i]);
  for (guint i = 0; i < tasks->len; i++)
    while (!gtx_future_is_done (tasks->pdata[i]))
      gtx_await (tasks->pdata[i], NULL);
  let_others_run ();
  for (guint i = 0; i < tasks->len; i++)
    gtx_future_get_error (tasks->pdata[i]);
}

/* ---- Threads ---- */

struct _LoadThread
{
  GThread *thread;
  GThreadFunc func;
  gpointer data;
  guint32 seed;
  GtxFuture *ended;
};

static gpointer
run_thread (gpointer data)
{
  LoadThread *self = data;

  random_begin (self->seed);
  self->func (self->data);
  gtx_future_set_result (self->ended, NULL, NULL);
  return NULL;
}

LoadThread *
load_thread_start (GThreadFunc func,
                   gpointer    data)
{
  LoadThread *self = g_new0 (LoadThread, 1);

  self->func = func;
  self->data = data;
  self->seed = random_seed ();
  self->ended = gtx_future_new ();
  self->thread = g_thread_new ("soak", run_thread, self);
  return self;
}

gboolean
load_thread_end (LoadThread  *self,
                 GError     **error)
{
  g_autoptr (GtxFuture) ended = self->ended;
  GError *first = NULL;

  while (!gtx_future_is_done (ended))
    {
      g_autoptr (GtxFuture) shield = gtx_shield (ended);
      g_autoptr (GError) failure = NULL;

      if (!gtx_await (shield, &failure) && first == NULL)
        first = g_steal_pointer (&failure);
    }
  g_thread_join (self->thread);
  g_free (self);
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, first);
  return FALSE;
}
