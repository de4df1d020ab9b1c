/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tile of the gallery: a picture's name, and its thumbnail when it is loaded. */

#pragma once

#include <gtk/gtk.h>

#define GALLERY_TYPE_PICTURE (gallery_picture_get_type ())
G_DECLARE_FINAL_TYPE (GalleryPicture, gallery_picture, GALLERY, PICTURE, GObject)

/* A coroutine: the pictures of a folder, or of a web server's listing, by name. */
GPtrArray *gallery_picture_find_all  (GFile           *folder,
                                      GError         **error);

/* A coroutine, which fails only if it is cancelled: a picture that cannot be loaded has a
 * status that says why. */
gboolean   gallery_picture_load      (GalleryPicture  *self,
                                      GError         **error);
gboolean   gallery_picture_is_loaded (GalleryPicture  *self);
