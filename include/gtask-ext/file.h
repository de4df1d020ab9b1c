/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

GTX_API gboolean gtx_file_load_contents    (GFile   *file,
                                            char   **contents,
                                            gsize   *length,
                                            char   **etag_out,
                                            GError **error);
GTX_API GBytes  *gtx_file_load_bytes       (GFile   *file,
                                            char   **etag_out,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API gboolean gtx_file_replace_contents (GFile             *file,
                                            const char        *contents,
                                            gsize              length,
                                            const char        *etag,
                                            gboolean           make_backup,
                                            GFileCreateFlags   flags,
                                            char             **new_etag,
                                            GError           **error);

GTX_API GFileInputStream  *gtx_file_read      (GFile   *file,
                                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GFileOutputStream *gtx_file_replace   (GFile             *file,
                                               const char        *etag,
                                               gboolean           make_backup,
                                               GFileCreateFlags   flags,
                                               GError           **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GFileOutputStream *gtx_file_append_to (GFile             *file,
                                               GFileCreateFlags   flags,
                                               GError           **error) G_GNUC_WARN_UNUSED_RESULT;

GTX_API GFileInfo *gtx_file_query_info (GFile                *file,
                                        const char           *attributes,
                                        GFileQueryInfoFlags   flags,
                                        GError              **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GPtrArray *gtx_file_enumerate  (GFile                *file,
                                        const char           *attributes,
                                        GFileQueryInfoFlags   flags,
                                        GError              **error) G_GNUC_WARN_UNUSED_RESULT;

GTX_API gboolean gtx_file_make_directory_with_parents (GFile   *file,
                                                       GError **error);
GTX_API gboolean gtx_file_delete                      (GFile   *file,
                                                       GError **error);
GTX_API gboolean gtx_file_trash                       (GFile   *file,
                                                       GError **error);

GTX_API gboolean gtx_file_copy (GFile                  *source,
                                GFile                  *destination,
                                GFileCopyFlags          flags,
                                GFileProgressCallback   progress_callback,
                                gpointer                progress_callback_data,
                                GError                **error);
GTX_API gboolean gtx_file_move (GFile                  *source,
                                GFile                  *destination,
                                GFileCopyFlags          flags,
                                GFileProgressCallback   progress_callback,
                                gpointer                progress_callback_data,
                                GError                **error);

G_END_DECLS
