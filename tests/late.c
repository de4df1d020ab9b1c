/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The library can be loaded late, as a part of a plug-in is: into a program that
 * has threads, where the C library has little room left for variables of
 * threads.  TEST_LIBRARY is the shared library; no program here is linked to it. */

#include <gtask-ext.h>

#include <dlfcn.h>

static const char *path;
static __typeof__ (gtx_run_named) *run_named;
static __typeof__ (gtx_sleep) *sleep_in_task;

static void
load (void)
{
  void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL);

  if (library == NULL)
    g_error ("%s", dlerror ());
  *(gpointer *) &run_named = dlsym (library, "gtx_run_named");
  *(gpointer *) &sleep_in_task = dlsym (library, "gtx_sleep");
  g_assert_nonnull (run_named);
  g_assert_nonnull (sleep_in_task);
  /* The library has threads, which run its code, so it stays loaded. */
  g_assert_cmpint (dlclose (library), ==, 0);
}

static gboolean
sleep_and_count (gpointer n, GError **error)
{
  if (!sleep_in_task (0.001, error))
    return FALSE;
  (*(guint *) n)++;
  return TRUE;
}

static gpointer
run_in_thread (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  guint n = 0;

  g_main_context_push_thread_default (context);
  run_named ("sleep_and_count", (GtxCoroutine) sleep_and_count, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 1);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static gpointer
wait_and_run (gpointer loaded)
{
  g_mutex_lock (loaded);
  g_mutex_unlock (loaded);
  return run_in_thread (NULL);
}

/* Each thread has its own variables: a thread that began before the library was loaded, one that
 * began after that, and the one that loads it. */
static void
test_threads (void)
{
  GMutex loaded;
  GThread *before;

  g_mutex_init (&loaded);
  g_mutex_lock (&loaded);
  before = g_thread_new ("before", wait_and_run, &loaded);
  load ();
  g_mutex_unlock (&loaded);

  g_thread_join (before);
  g_thread_join (g_thread_new ("after", run_in_thread, NULL));
  run_in_thread (NULL);
  g_mutex_clear (&loaded);
}

static void
test_again (void)
{
  __typeof__ (run_named) first;

  load ();
  first = run_named;
  load ();
  g_assert_true (run_named == first);
  run_in_thread (NULL);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  path = g_getenv ("TEST_LIBRARY");
  g_assert_nonnull (path);
  g_test_add_func ("/late/threads", test_threads);
  g_test_add_func ("/late/again", test_again);
  return g_test_run ();
}
