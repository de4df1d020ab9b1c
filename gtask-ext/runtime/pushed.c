/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "pushed.h"

/* What was pushed is acquired, and would be free for other threads when it is popped. */
GSList *
gtx_pushed_take_off (GMainContext *expected)
{
  GSList *contexts = NULL;
  GMainContext *context;

  /* The default one tells itself as NULL, as does nothing at all. */
  while ((context = g_main_context_get_thread_default ()) != expected && context)
    {
      g_main_context_acquire (context);
      contexts = g_slist_prepend (contexts, g_main_context_ref (context));
      g_main_context_pop_thread_default (context);
    }
  return contexts;
}

static void
let_go (gpointer context)
{
  g_main_context_release (context);
  g_main_context_unref (context);
}

void
gtx_pushed_put_back (GSList *contexts)
{
  for (GSList *l = contexts; l; l = l->next)
    g_main_context_push_thread_default (l->data);
  gtx_pushed_let_go (contexts);
}

void
gtx_pushed_let_go (GSList *contexts)
{
  g_slist_free_full (contexts, let_go);
}
