/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/group.h"
#include "gtask-ext/serve.h"

/* Serves clients as gtx_serve () does.  @prepare (NULL: nothing) is called with the clients' group, when
 * it has begun, and @prepare_data. */
gboolean gtx_serve_in_group (GSocketListener  *listener,
                             guint             limit,
                             GtxServeFunc      func,
                             gpointer          data,
                             void            (*prepare) (GtxTaskGroup *group,
                                                         gpointer      data),
                             gpointer          prepare_data,
                             GError          **error);
