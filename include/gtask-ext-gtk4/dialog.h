/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

#include <gtk/gtk.h>

G_BEGIN_DECLS

GTX_API gboolean  gtx_dialog_run           (gpointer            dialog,
                                            int                *response,
                                            GError            **error);
GTX_API gboolean  gtx_dialog_show_message  (gpointer            parent,
                                            const char         *message,
                                            const char         *detail,
                                            GError            **error);
GTX_API int       gtx_dialog_choose        (gpointer            parent,
                                            const char         *message,
                                            const char         *detail,
                                            const char *const  *buttons,
                                            GError            **error);
GTX_API gboolean  gtx_dialog_open_file     (gpointer            parent,
                                            const char         *title,
                                            GFile             **file,
                                            GError            **error);
GTX_API gboolean  gtx_dialog_save_file     (gpointer            parent,
                                            const char         *title,
                                            GFile              *folder,
                                            const char         *name,
                                            GFile             **file,
                                            GError            **error);
GTX_API gboolean  gtx_dialog_select_folder (gpointer            parent,
                                            const char         *title,
                                            GFile             **folder,
                                            GError            **error);

G_END_DECLS
