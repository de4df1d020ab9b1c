/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

GTX_API GIOCondition gtx_await_fd          (int            fd,
                                            GIOCondition   condition,
                                            GError       **error);
GTX_API gboolean     gtx_await_unix_signal (int            signum,
                                            GError       **error);
GTX_API gboolean     gtx_await_child       (GPid           pid,
                                            int           *wait_status,
                                            GError       **error);

G_END_DECLS
