/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext-gtk4.h>

#define GALLERY_TYPE_WINDOW (gallery_window_get_type ())
G_DECLARE_FINAL_TYPE (GalleryWindow, gallery_window, GALLERY, WINDOW, GtkApplicationWindow)

GalleryWindow *gallery_window_new  (GtkApplication *application);

/* Shows the pictures of a folder, in place of those before. */
void           gallery_window_show (GalleryWindow  *self,
                                    GFile          *folder);
