/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gallery-window.h"

#include "gallery-picture.h"

struct _GalleryWindow
{
  GtkApplicationWindow parent_instance;
  GListStore *pictures;
  GtkFilterListModel *shown;
  GtkStringFilter *filter;
  GtkSearchEntry *entry;
  GtkSpinner *spinner;
  GtkInfoBar *error_bar;
  GtkLabel *error_label;
  GtkStack *stack;
  GtkProgressBar *progress_bar;
  GtkButton *stop_button;
};

G_DEFINE_FINAL_TYPE (GalleryWindow, gallery_window, GTK_TYPE_APPLICATION_WINDOW)

/* ---- Showing a folder ---- */

/* Four pictures are loaded at a time: creating one more task waits. */
static gboolean
load_pictures (GalleryWindow *self, GPtrArray *pictures, GError **error)
{
  g_autoptr (GtxProgress) progress = gtx_progress_new (self->progress_bar);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  g_object_bind_property (progress, "value", self->progress_bar, "fraction", G_BINDING_SYNC_CREATE);
  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 4);
  for (guint i = 0; i < pictures->len && failure == NULL; i++)
    {
      gtx_progress_report (progress, (double) i / pictures->len);
      gtx_task_group_create_task (&group, gallery_picture_load, GALLERY_PICTURE (pictures->pdata[i]), NULL, &failure);
    }
  if (!gtx_task_group_end (&group, &failure, error))
    return FALSE;
  gtx_progress_report (progress, 1);
  return TRUE;
}

static gboolean
offer_to_remove_broken (GalleryWindow *self, GPtrArray *pictures, GError **error)
{
  static const char *const buttons[] = { "_Keep", "_Remove", NULL };
  g_autofree char *detail = NULL;
  guint n_broken = 0;
  int chosen;

  for (guint i = 0; i < pictures->len; i++)
    n_broken += !gallery_picture_is_loaded (pictures->pdata[i]);
  if (n_broken == 0)
    return TRUE;
  detail = g_strdup_printf ("%u could not be loaded.  No file is deleted.", n_broken);
  chosen = gtx_dialog_choose (self, "Remove Broken Pictures from the List?", detail, buttons, error);
  for (guint i = pictures->len; chosen == 1 && i > 0; i--)
    if (!gallery_picture_is_loaded (pictures->pdata[i - 1]))
      g_list_store_remove (self->pictures, i - 1);
  return chosen >= 0;
}

static gboolean
show_folder (GalleryWindow *self, GVariant *address, GError **error)
{
  g_autoptr (GFile) folder = g_file_new_for_uri (g_variant_get_string (address, NULL));
  g_autofree char *title = g_file_get_parse_name (folder);
  g_autoptr (GPtrArray) pictures = NULL;

  g_list_store_remove_all (self->pictures);
  gtk_info_bar_set_revealed (self->error_bar, FALSE);
  gtk_stack_set_visible_child_name (self->stack, "pictures");
  gtk_window_set_title (GTK_WINDOW (self), title);
  pictures = gallery_picture_find_all (folder, error);
  if (pictures == NULL)
    return FALSE;
  g_list_store_splice (self->pictures, 0, 0, pictures->pdata, pictures->len);
  return load_pictures (self, pictures, error) && offer_to_remove_broken (self, pictures, error);
}

void
gallery_window_show (GalleryWindow *self, GFile *folder)
{
  g_action_group_activate_action (G_ACTION_GROUP (self), "show", g_variant_new_take_string (g_file_get_uri (folder)));
}

/* ---- What else the user does ---- */

static gboolean
choose_folder (GalleryWindow *self, GVariant *parameter, GError **error)
{
  g_autoptr (GFile) folder = NULL;

  if (!gtx_dialog_select_folder (self, "Choose a Folder", &folder, error))
    return FALSE;
  if (folder)
    gallery_window_show (self, folder);
  return TRUE;
}

/* The list is filtered bit by bit, and the task waits for the end, which the spinner shows. */
static gboolean
search (GalleryWindow *self, GVariant *parameter, GError **error)
{
  gtk_string_filter_set_search (self->filter, gtk_editable_get_text (GTK_EDITABLE (self->entry)));
  while (gtk_filter_list_model_get_pending (self->shown) > 0)
    if (!gtx_await_notify (self->shown, "pending", error))
      return FALSE;
  return TRUE;
}

/* The error of any task of the window. */
static void
on_failed (GtxScope *scope, const GError *error, GtxTask *task, GalleryWindow *self)
{
  gtk_label_set_label (self->error_label, error->message);
  gtk_info_bar_set_revealed (self->error_bar, TRUE);
}

static char *
count_pictures (GalleryWindow *self, guint n_shown, guint n)
{
  if (n_shown < n)
    return g_strdup_printf ("%u of %u pictures", n_shown, n);
  return g_strdup_printf (n == 1 ? "%u picture" : "%u pictures", n);
}

/* ---- GObject ---- */

static void
gallery_window_class_init (GalleryWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

  g_type_ensure (GALLERY_TYPE_PICTURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/gtask_ext/Gallery/gallery.ui");
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, pictures);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, shown);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, filter);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, entry);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, spinner);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, error_bar);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, error_label);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, progress_bar);
  gtk_widget_class_bind_template_child (widget_class, GalleryWindow, stop_button);
  gtk_widget_class_bind_template_callback (widget_class, count_pictures);
}

static void
add_commands (GalleryWindow *self)
{
  g_autoptr (GtxCommand) open = gtx_command_new ("open", NULL, choose_folder, self);
  g_autoptr (GtxCommand) show = gtx_command_new ("show", G_VARIANT_TYPE_STRING, show_folder, self);
  GtxCommand *searching = gtx_signal_connect_command (self->entry, "search-changed", search, self);

  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (open));
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (show));
  gtx_command_set_mode (show, GTX_COMMAND_RESTART);
  g_object_bind_property (show, "running", self->stop_button, "visible", G_BINDING_SYNC_CREATE);
  g_object_bind_property (show, "running", self->progress_bar, "visible", G_BINDING_SYNC_CREATE);
  g_signal_connect_object (self->stop_button, "clicked", G_CALLBACK (gtx_command_cancel), show, G_CONNECT_SWAPPED);

  gtx_command_set_mode (searching, GTX_COMMAND_RESTART);
  gtx_command_set_delay (searching, 0.1);
  g_object_bind_property (searching, "running", self->spinner, "spinning", G_BINDING_SYNC_CREATE);
}

static void
gallery_window_init (GalleryWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_search_entry_set_key_capture_widget (self->entry, GTK_WIDGET (self));
  g_signal_connect (gtx_widget_attach (self), "failed", G_CALLBACK (on_failed), self);
  add_commands (self);
}

GalleryWindow *
gallery_window_new (GtkApplication *application)
{
  return g_object_new (GALLERY_TYPE_WINDOW, "application", application, NULL);
}
