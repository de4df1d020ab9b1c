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
 * Runs @coroutine as gtx_run() does, in virtual time: sleeps take none.
 *
 * Time starts at 0 and jumps to the next timer when nothing is ready, but not
 * while an operation of GIO is under way.  Where nothing is ready and no timer
 * is left, every task waits for ever: the program ends with a message that
 * names them.
 *
 * Returns: %TRUE if the coroutine succeeded
 *
 * Since: 0.1
 */
#define gtx_test_run(coroutine, data, error)                                        \
  (__extension__ ({                                                            \
    GTX_CHECK_COROUTINE_ (coroutine, data);                                    \
    gtx_test_run_named (#coroutine, (GtxCoroutine) (coroutine), (gpointer) (data), (error)); \
  }))

GTX_API gboolean gtx_test_run_named (const char    *name,
                                     GtxCoroutine   coroutine,
                                     gpointer       data,
                                     GError       **error);
GTX_API double   gtx_test_get_time  (void);

G_END_DECLS
