/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child of a group that fails after a second. */

#pragma once

#include "fixture.h"

static inline gboolean
fail_later (const char *message, GError **error)
{
  return gtx_sleep (1, error) && fail (message, error);
}
