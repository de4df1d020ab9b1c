/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io/file-thread.h"

gboolean
gtx_file_to_thread (GFile          *file,
                    const char     *function,
                    GtxThreadFunc   func,
                    gpointer        data,
                    GError        **error)
{
  gboolean succeeded;

  g_object_ref (file);
  succeeded = gtx_to_thread_at (function, 0, func, data, error);
  g_object_unref (file);
  return succeeded;
}

gpointer
gtx_file_to_thread_pointer (GFile                 *file,
                            const char            *function,
                            GtxPointerThreadFunc   func,
                            gpointer               data,
                            GError               **error)
{
  gpointer result;

  g_object_ref (file);
  result = gtx_to_thread_pointer_at (function, 0, func, data, error);
  g_object_unref (file);
  return result;
}
