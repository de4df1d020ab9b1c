/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "gtask-ext/error.h"

G_DEFINE_QUARK (gtx-error-quark, gtx_error)
