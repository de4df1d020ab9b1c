/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Closing streams that tasks may wait for. */

#pragma once

#include "io/stream.h"

/* Close as g_input_stream_close () and g_output_stream_close () do.  May suspend. */
gboolean gtx_close_input  (GtxTask        *task,
                           GInputStream   *stream,
                           GError        **error);
gboolean gtx_close_output (GtxTask        *task,
                           GOutputStream  *stream,
                           GError        **error);
/* Closes @stream as if its task was cancelled: what was written to a file that was to be replaced
 * is thrown away.  May suspend. */
void     gtx_abandon_output (GOutputStream *stream);
