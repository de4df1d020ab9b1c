/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens in the middle of settling a future: its main context goes, or its onlookers change. */

#include "fixture.h"

#include "loop/scheduler-private.h"
#include "task/future-private.h"

/* ---- The moment before a mutex is locked ---- */

static GMutex *watched;
static guint n_before;          /* times that the mutex is locked before the moment */
static void (*at_moment) (void);

/* This definition replaces GLib's. */
void
g_mutex_lock (GMutex *mutex)
{
  if (mutex == watched && n_before-- == 0)
    {
      watched = NULL;
      at_moment ();
    }
  while (!g_mutex_trylock (mutex))
    g_thread_yield ();
}

/* ---- Onlookers ---- */

static GMainContext *context;
static GtxFuture *future;
static GtxOnlooker onlooker;
static guint n_told;

static void
count_told (GtxHandle *link)
{
  n_told++;
}

static void
set_up (void)
{
  context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  onlooker = (GtxOnlooker) { .link.run = count_told };
  n_told = 0;
}

static void
watch (guint n, void (*func) (void))
{
  n_before = n;
  at_moment = func;
  watched = &future->home->mutex;
}

static gpointer
set_result (gpointer unused)
{
  g_assert_true (gtx_future_set_result (future, NULL, NULL));
  return NULL;
}

static void
set_in_thread (void)
{
  g_thread_join (g_thread_new ("sets", set_result, NULL));
}

/* The state says that there is an onlooker, which is not there yet when another thread looks for it. */
static void
test_set_while_added (void)
{
  set_up ();
  watch (0, set_in_thread);
  g_assert_false (gtx_future_look_on (future, &onlooker));
  g_assert_null (watched);
  g_assert_true (gtx_future_done (future));
  g_assert_false (gtx_onlooker_remove (&onlooker, future->home));
  g_assert_cmpuint (n_told, ==, 0);
  g_object_unref (future);
  g_main_context_unref (context);
}

static void
remove_and_drop (void)
{
  g_assert_true (gtx_future_done (future));
  g_assert_true (gtx_onlooker_remove (&onlooker, future->home));
  g_object_unref (future);
}

/* The onlooker is removed, and the last reference dropped, when the future is done and before the onlooker
 * is told. */
static void
test_removed_while_told (void)
{
  gpointer alive;

  set_up ();
  alive = future;
  g_object_add_weak_pointer (G_OBJECT (future), &alive);
  g_assert_true (gtx_future_look_on (future, &onlooker));
  /* The first time is when this thread finds out that it has the context. */
  g_main_context_push_thread_default (context);
  watch (1, remove_and_drop);
  set_result (NULL);
  g_main_context_pop_thread_default (context);
  g_assert_null (watched);
  g_assert_cmpuint (n_told, ==, 0);
  g_assert_null (alive);
  g_main_context_unref (context);
}

static void
drop_context (void)
{
  g_assert_true (gtx_future_done (future));
  g_main_context_unref (context);
  g_assert_cmpuint (n_told, ==, 1);
}

/* The context goes, and tells of that, when the future is done and before the onlooker is told. */
static void
test_gone_while_told (void)
{
  set_up ();
  g_assert_true (gtx_future_look_on (future, &onlooker));
  watch (1, drop_context);
  set_in_thread ();
  g_assert_null (watched);
  g_assert_cmpuint (n_told, ==, 1);
  g_object_unref (future);
}

static void
test_gone (void)
{
  set_up ();
  g_assert_true (gtx_future_look_on (future, &onlooker));
  g_main_context_unref (context);
  g_assert_cmpuint (n_told, ==, 1);
  g_assert_false (gtx_future_look_on (future, &onlooker));
  set_in_thread ();
  g_assert_cmpuint (n_told, ==, 1);
  g_object_unref (future);
}

/* ---- Sleeps ---- */

/* No task is left that could be woken. */
static void
test_sleep (void)
{
  GMainContext *own = g_main_context_new ();
  GtxFuture *sleep;

  g_main_context_push_thread_default (own);
  sleep = gtx_sleep_future (1000);
  g_main_context_pop_thread_default (own);
  sleep->state = GTX_FUTURE_SETTLING;
  g_main_context_unref (own);
  g_assert_cmpuint (((GObject *) sleep)->ref_count, ==, 1);
  sleep->state = GTX_FUTURE_CANCELLED;
  g_object_unref (sleep);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settling/set-while-added", test_set_while_added);
  g_test_add_func ("/settling/removed-while-told", test_removed_while_told);
  g_test_add_func ("/settling/gone-while-told", test_gone_while_told);
  g_test_add_func ("/settling/gone", test_gone);
  g_test_add_func ("/settling/sleep", test_sleep);
  return g_test_run ();
}
