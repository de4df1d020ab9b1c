/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first window of a program is opened inside a task, on a stack of the
 * default size: nothing of GTK runs so deep again. */

#ifdef HAVE_GTK
#include <gtk/gtk.h>
#endif
#include <gtask-ext.h>

#ifdef HAVE_GTK
static gboolean
open_window (gboolean *drawn, GError **error)
{
  GtkWidget *window = gtk_window_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  gtk_box_append (GTK_BOX (box), gtk_label_new ("Hello"));
  gtk_box_append (GTK_BOX (box), gtk_button_new_with_label ("Press"));
  gtk_box_append (GTK_BOX (box), gtk_entry_new ());
  gtk_window_set_child (GTK_WINDOW (window), box);
  gtk_window_present (GTK_WINDOW (window));
  while (!gtk_widget_get_mapped (window) || gtk_widget_get_width (box) == 0)
    if (!gtx_sleep (0.01, error))
      return FALSE;

  /* Another theme is another large piece of parsing. */
  g_object_set (gtk_settings_get_default (), "gtk-application-prefer-dark-theme", TRUE, NULL);
  *drawn = gtx_sleep (0.1, error);
  gtk_window_destroy (GTK_WINDOW (window));
  return *drawn;
}
#endif

static void
test_first_window (void)
{
#ifdef HAVE_GTK
  g_autoptr (GError) error = NULL;
  gboolean drawn = FALSE;

  if (!gtk_init_check ())
    {
      g_test_skip ("There is no display");
      return;
    }
  g_assert_true (gtx_run (open_window, &drawn, &error));
  g_assert_no_error (error);
  g_assert_true (drawn);
#else
  g_test_skip ("GTK 4 is not there");
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* GTK warns of what a bare machine does not have. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/gtk-window/first", test_first_window);
  return g_test_run ();
}
