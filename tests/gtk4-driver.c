/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of windows share. */

#include "gtk4-driver.h"

gboolean
no_tasks (void)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  return tasks->len == 0;
}

void
iterate (void)
{
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
}

GtkWindow *
show_window (void)
{
  GtkWindow *window = GTK_WINDOW (gtk_window_new ());

  gtk_window_present (window);
  iterate_until (gtk_widget_get_mapped (GTK_WIDGET (window)));
  return window;
}

/* ---- Dialogs ---- */

GtkDialog *
find_dialog (GType type)
{
  GListModel *windows = gtk_window_get_toplevels ();

  for (guint i = 0; i < g_list_model_get_n_items (windows); i++)
    {
      g_autoptr (GtkWidget) window = g_list_model_get_item (windows, i);

      if (g_type_is_a (G_OBJECT_TYPE (window), type) && gtk_widget_get_mapped (window))
        return GTK_DIALOG (window);
    }
  return NULL;
}

static GdkFrameClock *
get_clock (GtkWindow *dialog)
{
  return gtk_widget_get_frame_clock (GTK_WIDGET (dialog));
}

/* GTK 4.8 crashes where an event comes of a dialog that is gone already, so
 * none is answered before the display has told all that its mapping brought.  With
 * GTK 4.24 that may bring it a surface, and with it a clock, anew. */
void
settle (GtkWindow *dialog)
{
  g_object_ref (dialog);
  for (guint i = 0; i < 3 && gtk_widget_get_mapped (GTK_WIDGET (dialog)); i++)
    {
      g_autoptr (GdkFrameClock) clock = NULL;
      gint64 frame;

      iterate_until (get_clock (dialog) != NULL);
      clock = g_object_ref (get_clock (dialog));
      frame = gdk_frame_clock_get_frame_counter (clock);
      gdk_display_sync (gdk_display_get_default ());
      gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_PAINT);
      iterate_until (get_clock (dialog) != clock || gdk_frame_clock_get_frame_counter (clock) > frame);
    }
  g_object_unref (dialog);
}

GtkDialog *
wait_for_dialog (GType type)
{
  GtkDialog *dialog;

  iterate_until ((dialog = find_dialog (type)));
  settle (GTK_WINDOW (dialog));
  return dialog;
}

static gboolean
has_current_folder (GtkDialog *chooser)
{
  g_autoptr (GFile) folder = gtk_file_chooser_get_current_folder (GTK_FILE_CHOOSER (chooser));

  return folder != NULL;
}

GtkDialog *
wait_for_chooser (void)
{
  GtkDialog *chooser = wait_for_dialog (GTK_TYPE_FILE_CHOOSER);

  iterate_until (has_current_folder (chooser));
  return chooser;
}
