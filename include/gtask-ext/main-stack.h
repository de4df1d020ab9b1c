/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/checks.h>
#include <gtask-ext/macros.h>

G_BEGIN_DECLS

/**
 * GtxMainStackFunc:
 * @data: (nullable): what the function works on
 * @error: where the function sets its error
 *
 * A function for gtx_call_on_main_stack().
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
typedef gboolean (*GtxMainStackFunc) (gpointer   data,
                                      GError   **error);

/**
 * GtxPointerMainStackFunc:
 * @data: (nullable): what the function works on
 * @error: where the function sets its error
 *
 * A function that has a result, for gtx_call_on_main_stack_pointer().
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 0.1
 */
typedef gpointer (*GtxPointerMainStackFunc) (gpointer   data,
                                             GError   **error);

/**
 * gtx_call_on_main_stack:
 * @func: a function, `gboolean f (U *data, GError **error)`
 * @data: (nullable): its data, a `U *`
 * @error: return location for a #GError, or %NULL
 *
 * Calls @func on the stack on which the thread's main loop runs, for code that does not
 * work on another stack, such as that of a task.
 *
 * JavaScript engines (JavaScriptCore of WebKitGTK, SpiderMonkey of GJS) compare the address
 * of the stack with that of the thread's own stack.  Code that needs more stack than a task
 * has gets the thread's own here, mostly 8 MiB.
 *
 * |[<!-- language="C" -->
 * static gboolean
 * show_title (WebKitWebView *view, GError **error)
 * {
 *   g_autofree char *title = NULL;
 *
 *   webkit_web_view_evaluate_javascript (view, "document.title", -1, NULL, NULL, GTX_ASYNC);
 *   title = gtx_call_on_main_stack_pointer (finish_title, view, error);
 *   …
 * }
 * ]|
 *
 * The call is like any other: no task runs meanwhile, no request to cancel is delivered,
 * and the thread-default main context and the task-local values are those of the task.
 * But @func is outside of all tasks, as a callback of the main loop is:
 * gtx_current_task() is %NULL in it, and awaiting anything fails with
 * %GTX_ERROR_NOT_IN_TASK; await before the call or after it.  @func may start tasks, and
 * run a main loop.  No exception may leave it.
 *
 * Outside of all tasks, @func is called on the thread's own stack, too.  Never suspends;
 * may be called in any thread.
 *
 * Sets the error of @func.
 *
 * Returns: what @func returned
 *
 * Since: 0.1
 */
#define gtx_call_on_main_stack(func, data, error)                              \
  gtx_call_on_main_stack_named (#func, (GtxMainStackFunc) (func),              \
                                GTX_COROUTINE_DATA_ (func, data), (error))

/**
 * gtx_call_on_main_stack_pointer:
 * @func: a function, `R *f (U *data, GError **error)`
 * @data: (nullable): its data, a `U *`
 * @error: return location for a #GError, or %NULL
 *
 * Calls @func as gtx_call_on_main_stack() does, and returns its result.
 *
 * Returns: (transfer full) (nullable): what @func returned
 *
 * Since: 0.1
 */
#define gtx_call_on_main_stack_pointer(func, data, error)                      \
  ((GTX_COROUTINE_RESULT_ (func))                                              \
     gtx_call_on_main_stack_pointer_named (#func, (GtxPointerMainStackFunc) (func), \
                                           GTX_POINTER_COROUTINE_DATA_ (func, data), (error)))

GTX_API gboolean gtx_call_on_main_stack_named         (const char               *name,
                                                       GtxMainStackFunc          func,
                                                       gpointer                  data,
                                                       GError                  **error);
GTX_API gpointer gtx_call_on_main_stack_pointer_named (const char               *name,
                                                       GtxPointerMainStackFunc   func,
                                                       gpointer                  data,
                                                       GError                  **error);

G_END_DECLS
