/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Closing what tasks may wait for. */

#pragma once

#include "io/stream.h"

/* As GIO's functions of that name.  They suspend. */
gboolean gtx_close_input  (GtxTask        *task,
                           GInputStream   *stream,
                           GError        **error);
gboolean gtx_close_output (GtxTask        *task,
                           GOutputStream  *stream,
                           GError        **error);
/* Closes it as who is cancelled does: what has been written to a file that was to be replaced is
 * thrown away.  May suspend. */
void     gtx_abandon_output (GOutputStream *stream);
