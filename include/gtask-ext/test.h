/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/run.h>

G_BEGIN_DECLS

/**
 * gtx_test_run:
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer none) (nullable): its data, a `U *`
 * @error: return location for a #GError, or %NULL
 *
 * Runs @coroutine as gtx_run() does, in virtual time: sleeps take no time.
 *
 * Virtual time starts at 0 and jumps to the next timer when nothing is ready.  It stands
 * still while an operation of GIO, a thread, a process or another main context is waited
 * for, and between gtx_test_hold() and gtx_test_release(): meanwhile no sleep ends, nor a
 * timeout around the wait.  An operation that gtx_gtask_run() runs in the same main
 * context counts as one of GIO, so a sleep in it never ends: await its coroutine in the
 * test instead.  While a task waits for a signal of an object, for a plain future, or in
 * a #GtxChannel or #GtxBroadcast, time does not jump past the moment at which another
 * source of the main loop is due, such as that of g_timeout_add(): until then it passes
 * as real time does.  Another thread that uses a channel does not hold time: a test that
 * waits for one calls gtx_test_hold().  Time also passes as real time does while a Unix
 * signal is waited for.
 *
 * If nothing is ready, no timer is left, no other source of the main loop waits for
 * anything and the process has no other thread, every task waits for ever: the program
 * ends with a message that says which tasks there are and what each waits for.  If there
 * are other threads, the message is printed when nothing has happened for five seconds,
 * and the wait goes on; the same happens while time stands still, except under
 * gtx_test_hold().
 *
 * When gtx_test_run() returns, nothing of the test is left in the main context: it runs
 * the callbacks that are ready, and cancels the sleeps of gtx_sleep_future().
 *
 * Returns: %TRUE if the coroutine succeeded
 *
 * Since: 0.1
 */
#define gtx_test_run(coroutine, data, error)                                        \
  gtx_test_run_named (#coroutine, (GtxCoroutine) (coroutine),                  \
                      GTX_COROUTINE_DATA_ (coroutine, data), (error))

/**
 * gtx_test_add_func:
 * @path: the path of the test
 * @coroutine: a boolean coroutine, `gboolean f (gpointer data, GError **error)`,
 *   called with %NULL
 *
 * Registers a test whose body is a coroutine, as g_test_add_func() does for a
 * function.
 *
 * The test runs in virtual time, as by gtx_test_run(), and fails if @coroutine fails, or
 * on a deadlock.
 *
 * |[<!-- language="C" -->
 * static gboolean
 * test_retries (gpointer data, GError **error)
 * {
 *   g_assert_true (fetch_with_retries (uri, error));
 *   g_assert_cmpfloat (gtx_get_time (), ==, 1 + 2 + 4);
 *   return TRUE;
 * }
 *
 * gtx_test_add_func ("/fetch/retries", test_retries);
 * ]|
 *
 * Since: 0.1
 */
#define gtx_test_add_func(path, coroutine)                                     \
  ((void) GTX_COROUTINE_DATA_ (coroutine, (gpointer) NULL),                    \
   gtx_test_add_func_named ((path), #coroutine, (GtxCoroutine) (coroutine)))

GTX_API gboolean gtx_test_run_named      (const char    *name,
                                          GtxCoroutine   coroutine,
                                          gpointer       data,
                                          GError       **error);
GTX_API void     gtx_test_add_func_named (const char    *path,
                                          const char    *name,
                                          GtxCoroutine   coroutine);
GTX_API void     gtx_test_hold           (void);
GTX_API void     gtx_test_release        (void);

G_END_DECLS
