/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

/**
 * GtxGatherFlags:
 * @GTX_GATHER_NONE: the first error ends the gathering and is its error
 * @GTX_GATHER_RETURN_ERRORS: errors count as results, and the gathering waits for all
 *   futures
 *
 * How gtx_gather() takes errors.
 *
 * Since: 0.1
 */
typedef enum
{
  GTX_GATHER_NONE = 0,
  GTX_GATHER_RETURN_ERRORS = 1 << 0
} GtxGatherFlags;

GTX_API gboolean gtx_gather      (GPtrArray       *futures,
                                  GtxGatherFlags   flags,
                                  GError         **error);
GTX_API gboolean gtx_gather_list (GtxGatherFlags   flags,
                                  GError         **error,
                                  gpointer         first_future,
                                  ...) G_GNUC_NULL_TERMINATED;

G_END_DECLS
