/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a request leads to that may run any code, and waits until the request has gone all the way. */

#include "task/task-private.h"

typedef struct
{
  GPtrArray *to_show;           /* GCancellables, whose handlers may run any code */
  GPtrArray *to_let_go;         /* main contexts, whose end may run any code */
  guint n_holders;              /* while there are any, both arrays wait */
} After;

/* GCancellables and main contexts that no holder keeps back any more. */
typedef struct
{
  GtxHandle handle;
  GPtrArray *to_show;
  GPtrArray *to_let_go;
} News;

static void
begin_anew (After *after)
{
  after->to_show = g_ptr_array_new_with_free_func (g_object_unref);
  after->to_let_go = g_ptr_array_new_with_free_func ((GDestroyNotify) g_main_context_unref);
}

static void
after_free (gpointer data)
{
  After *after = data;

  g_ptr_array_unref (after->to_show);
  g_ptr_array_unref (after->to_let_go);
  g_free (after);
}

static GPrivate after_of_thread = G_PRIVATE_INIT (after_free);

static After *
current_after (void)
{
  After *after = g_private_get (&after_of_thread);

  if (after == NULL)
    {
      after = g_new0 (After, 1);
      begin_anew (after);
      g_private_set (&after_of_thread, after);
    }
  return after;
}

/* Handlers of a GCancellable may make requests, and so may code that ends with a main context. */
static void
tell_apart (gpointer data)
{
  News *news = data;

  for (guint i = 0; i < news->to_show->len; i++)
    gtx_cancellable_show (news->to_show->pdata[i]);
  g_ptr_array_unref (news->to_show);
  g_ptr_array_unref (news->to_let_go);
  g_free (news);
}

/* Handlers cannot suspend the task that runs: it would stop in the middle of an emission, and code of
 * this thread that waits for the end of the emission would wait for ever. */
static void
tell (GtxHandle *handle)
{
  gtx_fiber_call_apart (tell_apart, GTX_CONTAINER_OF (handle, News, handle));
}

GtxHandle *
gtx_requests_release_later (void)
{
  After *after = current_after ();
  News *news;

  g_assert (after->n_holders > 0);
  if (--after->n_holders > 0 || (after->to_show->len == 0 && after->to_let_go->len == 0))
    return NULL;
  news = g_new0 (News, 1);
  news->handle.run = tell;
  news->to_show = after->to_show;
  news->to_let_go = after->to_let_go;
  begin_anew (after);
  return &news->handle;
}

void
gtx_requests_hold (void)
{
  current_after ()->n_holders++;
}

void
gtx_requests_release (void)
{
  GtxHandle *news = gtx_requests_release_later ();

  if (news)
    tell (news);
}

void
gtx_request_show (GCancellable *cancellable)
{
  gtx_requests_hold ();
  g_ptr_array_add (current_after ()->to_show, g_object_ref (cancellable));
  gtx_requests_release ();
}

void
gtx_request_let_go (GMainContext *context)
{
  gtx_requests_hold ();
  g_ptr_array_add (current_after ()->to_let_go, context);
  gtx_requests_release ();
}
