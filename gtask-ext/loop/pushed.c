/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/pushed.h"

#include <pthread.h>

/* Nobody pushes the default main context so often, one upon the other. */
#define MOST_DEFAULTS 16

/* What was pushed is acquired, and would be free for other threads when it is popped; nor is it
 * kept from then on. */
static GSList *
take_off (GSList       *contexts,
          GMainContext *context)
{
  g_main_context_acquire (context);
  contexts = g_slist_prepend (contexts, g_main_context_ref (context));
  g_main_context_pop_thread_default (context);
  return contexts;
}

/* The default main context tells itself as NULL, as does nothing at all.  Who has pushed it has
 * acquired it, and finds what is below when it is popped as often.  Where nothing is (more was
 * popped than pushed), each pop has only undone its acquiring, and nothing was taken. */
static GSList *
take_off_default (GSList *contexts)
{
  GMainContext *context = g_main_context_default ();
  GSList *taken = contexts;
  guint n = 0;

  if (!g_main_context_is_owner (context))
    return contexts;
  while (n < MOST_DEFAULTS && g_main_context_get_thread_default () == NULL)
    {
      taken = take_off (taken, context);
      n++;
    }
  if (n < MOST_DEFAULTS)
    return taken;
  for (; taken != contexts; taken = g_slist_delete_link (taken, taken))
    g_main_context_unref (context);
  return contexts;
}

/* To the end, where @expected was popped by mistake. */
GSList *
gtx_pushed_take_off (GMainContext *expected)
{
  GSList *contexts = NULL;
  GSList *before;
  GMainContext *context;

  while ((context = g_main_context_get_thread_default ()) != expected)
    {
      before = contexts;
      contexts = context ? take_off (contexts, context) : take_off_default (contexts);
      if (contexts == before)
        break;
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

/* Of a fork (): another thread of the parent may have had the default main context's lock, which
 * nobody lets go of then. */
static gboolean is_child;

static void
begin_in_child (void)
{
  is_child = TRUE;
}

/* Whatever else of the library the parent has used. */
__attribute__ ((constructor))
static void
handle_forks (void)
{
  pthread_atfork (NULL, NULL, begin_in_child);
}

/* The default main context is acquired, which tells it from nothing. */
gboolean
gtx_pushed_is_any (void)
{
  return g_main_context_get_thread_default () ||
         (!is_child && g_main_context_is_owner (g_main_context_default ()));
}

void
gtx_pushed_pop_all (void)
{
  while (gtx_pushed_is_any ())
    {
      GMainContext *context = g_main_context_get_thread_default ();

      /* It may have been acquired alone, in a thread that has pushed nothing yet, where GLib lets
       * nothing be popped. */
      if (context == NULL)
        {
          g_main_context_push_thread_default (NULL);
          g_main_context_pop_thread_default (NULL);
        }
      g_main_context_pop_thread_default (context);
    }
}
