/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/future.h>
#include <gtask-ext/object.h>

G_BEGIN_DECLS

#define GTX_TYPE_EMISSIONS (gtx_emissions_get_type ())

/**
 * GtxEmissions:
 *
 * Every emission of a signal, one after the other: none is missed between two steps.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GtxEmissions) changes = gtx_emissions_new (monitor, "changed", error);
 *
 * while (changes && gtx_emissions_next (changes, error, &file, NULL, &event))
 *   ...
 * ]|
 *
 * The emissions that were not taken yet are kept, however many they are.  It is used, and
 * dropped, in the thread of the main context in which it was made.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxEmissions, gtx_emissions, GTX, EMISSIONS, GObject)

/**
 * gtx_emissions_next:
 * @self: a #GtxEmissions
 * @...: return location for a #GError, or %NULL; then locations for the arguments, as in
 *   gtx_await_signal()
 *
 * Takes the next emission, and suspends the current task until there is one.
 *
 * Does not suspend if there was one.  Sets %GTX_ERROR_OBJECT_GONE when the object is disposed
 * and its last emission was taken, but %G_IO_ERROR_CANCELLED as gtx_await_signal() does;
 * %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if the signal has fewer
 * arguments, in a task of another main context, or while another task waits for the next one.
 *
 * Returns: %TRUE when an emission was taken, %FALSE with @error set
 *
 * Since: 0.1
 */
#define gtx_emissions_next(self, ...)                                          \
  gtx_emissions_next_to ((self), __VA_ARGS__, GTX_LAST_LOCATION_)

GTX_API GtxEmissions *gtx_emissions_new     (gpointer       object,
                                             const char    *detailed_signal,
                                             GError       **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API gboolean      gtx_emissions_next_to (GtxEmissions  *self,
                                             GError       **error,
                                             ...);
GTX_API GtxFuture    *gtx_signal_future     (gpointer       object,
                                             const char    *detailed_signal) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
