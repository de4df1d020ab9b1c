/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

/**
 * gtx_run:
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer none) (nullable): its data, a `U *`
 * @error: return location for a #GError, or %NULL
 *
 * Runs @coroutine as a task on the thread-default main context until it is
 * done: asyncio's `run()`.
 *
 * Then the tasks of the context that are left are cancelled and waited for, and after them, as
 * asyncio does with its threads, the operations of gtx_operation_future_new() that are left.
 * Tasks and operations that are started meanwhile are cancelled as well, where asyncio drops
 * them; if more and more are started, for a tenth of a second, gtx_run() warns of those that
 * are left.  A task that runs a main loop of its own at that time, for a modal dialog, is
 * cancelled as soon as @coroutine has ended, and has to quit that loop: connect to its
 * #GCancellable.
 *
 * Ctrl-C ends the run, as in `asyncio.run()`, if this function is called in the main thread while
 * SIGINT has its default action: the first SIGINT cancels @coroutine, which may clean up, and the
 * second one, or one that comes when @coroutine has ended, ends the program.  A program that handles
 * SIGINT itself, with g_unix_signal_add(), gtx_await_unix_signal() or sigaction(), before the run or in
 * it, does so alone.
 *
 * Sets the coroutine's own error, %G_IO_ERROR_CANCELLED if SIGINT has ended it, where `asyncio.run()`
 * raises `KeyboardInterrupt`, or %GTX_ERROR_ALREADY_RUNNING inside a task or a callback of a main
 * loop.  Blocks; not to be called in a task.  May be called in any thread that may iterate its
 * thread-default main context.
 *
 * Returns: %TRUE if the coroutine succeeded
 *
 * Since: 0.1
 */
#define gtx_run(coroutine, data, error)                                        \
  gtx_run_named (#coroutine, (GtxCoroutine) (coroutine),                       \
                 GTX_COROUTINE_DATA_ (coroutine, data), (error))

GTX_API gboolean gtx_run_named (const char    *name,
                                GtxCoroutine   coroutine,
                                gpointer       data,
                                GError       **error);
GTX_API void     gtx_cancel_all (void);

G_END_DECLS
