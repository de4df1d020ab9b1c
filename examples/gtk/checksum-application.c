/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-application.h"

#include "checksum-window.h"

struct _ChecksumApplication
{
  GtkApplication parent_instance;
};

G_DEFINE_FINAL_TYPE (ChecksumApplication, checksum_application, GTK_TYPE_APPLICATION)

static void
on_new_window (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  g_application_activate (application);
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
checksum_application_startup (GApplication *application)
{
  g_autoptr (GPropertyAction) dark = NULL;

  G_APPLICATION_CLASS (checksum_application_parent_class)->startup (application);
  dark = g_property_action_new ("dark", gtk_settings_get_default (), "gtk-application-prefer-dark-theme");
  g_action_map_add_action (G_ACTION_MAP (application), G_ACTION (dark));
  g_action_map_add_action_entries (G_ACTION_MAP (application), actions, G_N_ELEMENTS (actions), application);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (application), keys[i].action,
                                           (const char *const *) keys[i].keys);
}

static void
checksum_application_activate (GApplication *application)
{
  gtk_window_present (GTK_WINDOW (checksum_window_new (GTK_APPLICATION (application))));
}

static void
checksum_application_open (GApplication *application, GFile **folders, int n_folders, const char *hint)
{
  for (int i = 0; i < n_folders; i++)
    {
      ChecksumWindow *window = checksum_window_new (GTK_APPLICATION (application));

      checksum_window_check (window, folders[i]);
      gtk_window_present (GTK_WINDOW (window));
    }
}

/* Arguments that are not understood are 2 to the shell, as elsewhere. */
static gboolean
checksum_application_local_command_line (GApplication *application, char ***arguments, int *status)
{
  GApplicationClass *parent_class = G_APPLICATION_CLASS (checksum_application_parent_class);
  gboolean handled = parent_class->local_command_line (application, arguments, status);

  if (handled && *status == 1)
    *status = 2;
  return handled;
}

static void
checksum_application_class_init (ChecksumApplicationClass *class)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (class);

  application_class->startup = checksum_application_startup;
  application_class->activate = checksum_application_activate;
  application_class->open = checksum_application_open;
  application_class->local_command_line = checksum_application_local_command_line;
}

static void
checksum_application_init (ChecksumApplication *self)
{
  GApplication *application = G_APPLICATION (self);

  g_application_set_option_context_parameter_string (application, "[FOLDER…]");
  g_application_set_option_context_summary (application,
                                            "Computes the SHA-256 checksum of every file below a folder.");
  gtx_application_attach (application, GTX_APPLICATION_DEFAULT);
}

ChecksumApplication *
checksum_application_new (void)
{
  return g_object_new (CHECKSUM_TYPE_APPLICATION,
                       "application-id", "org.gtask_ext.Checksums",
                       "resource-base-path", "/org/gtask_ext/Checksums",
                       "flags", G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE,
                       NULL);
}
