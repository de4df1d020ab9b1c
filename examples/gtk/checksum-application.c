/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-application.h"

#include "checksum-window.h"

static void
on_new_window (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  gtk_window_present (GTK_WINDOW (checksum_window_new (application)));
}

static void
on_quit (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  g_application_quit (application);
}

static const GActionEntry actions[] = {
  { .name = "new-window", .activate = on_new_window },
  { .name = "quit", .activate = on_quit },
};

static const struct
{
  const char *action;
  const char *keys[2];
} keys[] = {
  { "app.new-window", { "<Control>n" } },
  { "app.quit", { "<Control>q" } },
  { "app.dark", { "<Control>d" } },
  { "window.close", { "<Control>w" } },
  { "win.open", { "<Control>o" } },
  { "win.export", { "<Control>s" } },
  { "win.copy", { "<Control><Shift>c" } },
  { "win.pause", { "<Control>p" } },
  { "win.cancel", { "Escape" } },
};

static void
on_startup (GtkApplication *self)
{
  g_autoptr (GPropertyAction) dark =
    g_property_action_new ("dark", gtk_settings_get_default (), "gtk-application-prefer-dark-theme");

  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (dark));
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_application_set_accels_for_action (self, keys[i].action, (const char *const *) keys[i].keys);
}

static void
on_activate (GtkApplication *self)
{
  on_new_window (NULL, NULL, self);
}

static void
on_open (GtkApplication *self, GFile **folders, int n_folders)
{
  for (int i = 0; i < n_folders; i++)
    {
      ChecksumWindow *window = checksum_window_new (self);

      checksum_window_check (window, folders[i]);
      gtk_window_present (GTK_WINDOW (window));
    }
}

GtkApplication *
checksum_application_new (void)
{
  GtkApplication *self = gtk_application_new ("org.gtask_ext.Checksums",
                                              G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE);

  g_set_application_name ("Checksums");
  g_application_set_resource_base_path (G_APPLICATION (self), "/org/gtask_ext/Checksums");
  g_application_set_option_context_parameter_string (G_APPLICATION (self), "[FOLDER…]");
  g_application_set_option_context_summary (G_APPLICATION (self),
                                            "Computes the SHA-256 checksum of every file below a folder.");
  g_signal_connect (self, "startup", G_CALLBACK (on_startup), NULL);
  g_signal_connect (self, "activate", G_CALLBACK (on_activate), NULL);
  g_signal_connect (self, "open", G_CALLBACK (on_open), NULL);
  g_signal_connect (self, "shutdown", G_CALLBACK (gtx_cancel_all), NULL);
  return self;
}
