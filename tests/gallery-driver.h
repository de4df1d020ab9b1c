/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the gallery share: a folder, a window that is driven, and a server. */

#pragma once

#include "gallery-window.h"
#include "gtk4-driver.h"

/* Each test has its own, from begin () to end (). */
extern char *folder;
extern GtkApplication *application;
extern GtkWidget *window;       /* a weak pointer */

void       begin           (void);
void       end             (void);

/* ---- The folder ---- */

void       write_picture   (const char *name);
void       write_text      (const char *name);
/* It cannot be loaded before the picture "there" is written. */
void       write_link      (const char *name);

/* ---- The window ---- */

GtkWidget *open_window     (void);
void       show_in         (GtkWidget  *shown,
                            const char *path);
gpointer   get_part        (GtkWidget  *shown,
                            const char *name);
gboolean   is_over         (GtkWidget  *shown);
guint      count           (GtkWidget  *shown,
                            const char *model);

#define LOADING "content-loading-symbolic"
#define RETRIED "view-refresh-symbolic"
#define BROKEN "image-missing-symbolic"
#define WAITING "image-x-generic-symbolic"

/* The pictures that have this icon; NULL: a thumbnail. */
guint      count_with_icon (GtkWidget  *shown,
                            const char *icon);
char      *get_status      (guint       position);
gboolean   is_running      (void);
void       answer          (int         response);
void       type            (const char *text);

/* ---- A server ---- */

typedef struct
{
  GSocketService *service;
  char *address;
  char *picture;
  gsize size;
  int n_bad;                    /* answers that are not as they should be, before those that are */
  const char *bad;              /* NULL: none */
} Server;

/* Shows the server's listing in the window. */
void       server_begin    (Server     *self,
                            int         n_bad,
                            const char *bad);
/* Ends the test as well. */
void       server_end      (Server     *self);
