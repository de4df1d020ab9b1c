/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

/**
 * GtxApplicationFlags:
 * @GTX_APPLICATION_DEFAULT: none of the others
 * @GTX_APPLICATION_HOLD: the application is held while tasks run that belong to it, as those of
 *   gtx_object_create_task() with the application do; other tasks do not hold it
 *
 * How tasks are attached to an application.
 *
 * Since: 0.1
 */
typedef enum
{
  GTX_APPLICATION_DEFAULT = 0,
  GTX_APPLICATION_HOLD = 1 << 0
} GtxApplicationFlags;

GTX_API void gtx_application_attach (gpointer             application,
                                     GtxApplicationFlags  flags);

G_END_DECLS
