/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

/**
 * gtx_await_signal:
 * @object: (type GObject.Object): an object; no reference of it is kept
 * @detailed_signal: the name of a signal, with its detail if there is one:
 *   `clicked`, `notify::title`
 * @...: return location for a #GError, or %NULL; then locations for the arguments of the
 *   emission after the object itself, as many as are wanted, %NULL for one that is not
 *
 * Suspends the current task until @object emits a signal.
 *
 * |[<!-- language="C" -->
 * if (!gtx_await_signal (dialog, "response", error, &response))
 *   return FALSE;
 * ]|
 *
 * The caller owns what it gets, as from g_object_get(): strings and boxed values are copied, and
 * objects are referenced.
 *
 * An emission only makes the tasks ready; they go on in the order in which they came,
 * after the handlers that are connected.  A handler that stops the emission hides it from
 * the tasks if it was connected before any of them waited.  If the signal returns a
 * value, the tasks count as a handler that returns none.  An emission between two calls
 * is not seen, nor is one that had begun before this call: see gtx_emissions_new().
 *
 * Sets %GTX_ERROR_OBJECT_GONE when @object is disposed, or has been disposed since a task
 * first waited for it or was bound to it, but %G_IO_ERROR_CANCELLED when the task is
 * cancelled, or belongs to an object that is disposed (see gtx_object_create_task());
 * %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if
 * @object has no such signal, or the signal fewer arguments.  Any thread may emit the signal,
 * and drop the last reference to @object; g_object_run_dispose() must not be called while
 * another thread emits the signal, since GObject loses count of the handlers then.
 *
 * Returns: %TRUE when the signal was emitted, %FALSE with @error set
 *
 * Since: 0.1
 */
#define gtx_await_signal(object, detailed_signal, ...)                         \
  gtx_await_signal_to ((object), (detailed_signal), __VA_ARGS__, GTX_LAST_LOCATION_)

/* Ends a list of locations, in which any may be NULL. */
#define GTX_LAST_LOCATION_ GSIZE_TO_POINTER (G_MAXSIZE)

GTX_API gboolean  gtx_await_signal_to (gpointer      object,
                                       const char   *detailed_signal,
                                       GError      **error,
                                       ...);
GTX_API gboolean  gtx_await_notify    (gpointer      object,
                                       const char   *property,
                                       GError      **error);
GTX_API void      gtx_task_bind       (GtxTask      *self,
                                       gpointer      object);
GTX_API void      gtx_future_add_done_callback_object (gpointer     future,
                                                       GtxDoneFunc  callback,
                                                       gpointer     object);

G_END_DECLS
