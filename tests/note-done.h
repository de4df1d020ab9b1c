/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A done callback that notes its word.  It checks that the future is done, and that it runs outside
 * of tasks. */

#pragma once

#include "fixture.h"

static inline void
note_done (gpointer future, gpointer word)
{
  g_assert_true (gtx_future_is_done (future));
  g_assert_null (gtx_current_task ());
  note (word);
}
