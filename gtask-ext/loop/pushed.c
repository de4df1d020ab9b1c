/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/pushed.h"

#include <pthread.h>

/* No program pushes the default main context so often on top of itself. */
#define MOST_DEFAULTS 16

/* Pops @context, but keeps it acquired and referenced: g_main_context_pop_thread_default () would
 * leave it to other threads, and drop its reference. */
static GSList *
take_off (GSList       *contexts,
          GMainContext *context)
{
  g_main_context_acquire (context);
  contexts = g_slist_prepend (contexts, g_main_context_ref (context));
  g_main_context_pop_thread_default (context);
  return contexts;
}

/* GLib returns NULL for a pushed default main context, and also if no context is pushed.  A thread
 * that has pushed the default one has acquired it, and finds the context below when it has popped
 * it as often.  If there is none below (more were popped than pushed), each pop has only undone our
 * acquiring, and nothing was taken. */
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

/* If @expected was popped by mistake, this pops all. */
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

/* Whether this is the child of a fork ().  Another thread of the parent may have held the lock of
 * the default main context, which is never unlocked here. */
static gboolean is_child;

static void
begin_in_child (void)
{
  is_child = TRUE;
}

/* A constructor, so that the handler is there whatever else of the library the parent has used. */
__attribute__ ((constructor))
static void
handle_forks (void)
{
  pthread_atfork (NULL, NULL, begin_in_child);
}

/* The thread has acquired a default main context that is pushed, which tells it from none. */
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

      /* The thread may have acquired the default main context without pushing it.  If it has never
       * pushed any, GLib does not let it pop one. */
      if (context == NULL)
        {
          g_main_context_push_thread_default (NULL);
          g_main_context_pop_thread_default (NULL);
        }
      g_main_context_pop_thread_default (context);
    }
}
