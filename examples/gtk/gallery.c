/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gallery: thumbnails of the pictures of a folder or a server, in a window. */

#include "gallery-window.h"

static void
on_activate (GtkApplication *application)
{
  gtk_window_present (GTK_WINDOW (gallery_window_new (application)));
}

static void
on_open (GtkApplication *application, GFile **folders, int n_folders)
{
  for (int i = 0; i < n_folders; i++)
    {
      GalleryWindow *window = gallery_window_new (application);

      gallery_window_show (window, folders[i]);
      gtk_window_present (GTK_WINDOW (window));
    }
}

int
main (int argc, char *argv[])
{
  g_autoptr (GtkApplication) application =
    gtk_application_new ("org.gtask_ext.Gallery", G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE);

  g_application_set_option_context_parameter_string (G_APPLICATION (application), "[FOLDER|http://…]");
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), NULL);
  g_signal_connect (application, "open", G_CALLBACK (on_open), NULL);
  gtx_application_attach (G_APPLICATION (application), GTX_APPLICATION_DEFAULT);
  gtk_application_set_accels_for_action (application, "win.open", (const char *[]) { "<Control>o", NULL });
  gtk_application_set_accels_for_action (application, "window.close", (const char *[]) { "<Control>w", NULL });
  /* Wrong arguments are 2 to the shell, as elsewhere. */
  return g_application_run (G_APPLICATION (application), argc, argv) == 0 ? 0 : 2;
}
