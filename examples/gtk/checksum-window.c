/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-window.h"

#include "checksum-sums.h"

struct _ChecksumWindow
{
  GtkApplicationWindow parent_instance;
  GtkSingleSelection *selection;
  GtkInfoBar *message_bar;
  GtkLabel *message;
  GtkStack *stack;

  ChecksumJob *job;
  GtxCommand *check;            /* runs it */
  char *show;                   /* "files", "duplicates" or "errors" */
};

G_DEFINE_FINAL_TYPE (ChecksumWindow, checksum_window, GTK_TYPE_APPLICATION_WINDOW)

enum
{
  PROP_JOB = 1,
  PROP_SHOW,
  PROP_SHOWN,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* ---- The flow ---- */

/* Shows a line on top until it is closed. */
static void
show_message (ChecksumWindow *self, GtkMessageType type, const char *text)
{
  gtk_label_set_label (self->message, text);
  gtk_info_bar_set_message_type (self->message_bar, type);
  gtk_info_bar_set_revealed (self->message_bar, TRUE);
}

static void
hide_message (ChecksumWindow *self)
{
  gtk_info_bar_set_revealed (self->message_bar, FALSE);
}

/* Each error of a task of the window. */
static void
on_failed (GtxScope *scope, const GError *error, GtxTask *task, ChecksumWindow *self)
{
  show_message (self, GTK_MESSAGE_ERROR, error->message);
}

static gboolean
check_folder (ChecksumWindow *self, GVariant *parameter, GError **error)
{
  /* Another job may take its place in the window before this one has ended. */
  g_autoptr (ChecksumJob) job = g_object_ref (self->job);

  return checksum_job_run (job, error);
}

static gboolean
choose_folder (ChecksumWindow *self, GVariant *parameter, GError **error)
{
  g_autoptr (GFile) folder = NULL;

  if (!gtx_dialog_select_folder (self, "Choose a Folder", &folder, error))
    return FALSE;
  if (folder)
    checksum_window_check (self, folder);
  return TRUE;
}

static gboolean
write_sums (GListModel *files, GFile *target, GError **error)
{
  g_autoptr (GBytes) sums = checksum_sums_format (files, target);

  g_file_replace_contents_bytes_async (target, sums, NULL, FALSE, G_FILE_CREATE_NONE, GTX_ASYNC);
  return g_file_replace_contents_finish (target, gtx_await_result (), NULL, error);
}

static gboolean
export_sums (ChecksumWindow *self, GVariant *parameter, GError **error)
{
  g_autoptr (ChecksumJob) job = g_object_ref (self->job);
  g_autoptr (GFile) target = NULL;
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;

  if (!gtx_dialog_save_file (self, "Save the Checksums", checksum_job_get_folder (job), "SHA256SUMS", &target, error))
    return FALSE;
  if (target == NULL)
    return TRUE;
  if (!write_sums (checksum_job_get_files (job), target, error))
    return FALSE;
  path = g_file_get_parse_name (target);
  text = g_strdup_printf ("Saved %s", path);
  show_message (self, GTK_MESSAGE_INFO, text);
  return TRUE;
}

/* ---- What starts and ends it ---- */

static void
on_cancel (GSimpleAction *action, GVariant *parameter, gpointer self)
{
  gtx_command_cancel (CHECKSUM_WINDOW (self)->check);
}

static void
on_copy (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  ChecksumWindow *self = data;
  ChecksumFile *file = gtk_single_selection_get_selected_item (self->selection);

  if (file && checksum_file_get_checksum (file))
    gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), checksum_file_get_checksum (file));
}

static gboolean
on_drop (GtkDropTarget *target, const GValue *value, double x, double y, ChecksumWindow *self)
{
  checksum_window_check (self, g_value_get_object (value));
  return TRUE;
}

static void
on_pause (GSimpleAction *action, GVariant *state, gpointer self)
{
  g_object_set (CHECKSUM_WINDOW (self)->job, "paused", g_variant_get_boolean (state), NULL);
  g_simple_action_set_state (action, state);
}

static const GActionEntry actions[] = {
  { .name = "cancel", .activate = on_cancel },
  { .name = "copy", .activate = on_copy },
  { .name = "pause", .state = "false", .change_state = on_pause },
};

/* The actions of the new job replace those of the job before. */
static void
set_job (ChecksumWindow *self, ChecksumJob *job)
{
  g_autoptr (GtxCommand) export = gtx_command_new ("export", NULL, export_sums, self);
  GActionMap *map = G_ACTION_MAP (self);

  g_set_object (&self->job, job);
  g_action_map_add_action (map, G_ACTION (export));
  g_action_map_add_action_entries (map, actions, G_N_ELEMENTS (actions), self);
  g_object_bind_property (job, "running", g_action_map_lookup_action (map, "cancel"), "enabled",
                          G_BINDING_SYNC_CREATE);
  g_object_bind_property (job, "running", export, "enabled", G_BINDING_SYNC_CREATE | G_BINDING_INVERT_BOOLEAN);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_JOB]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SHOWN]);
}

void
checksum_window_check (ChecksumWindow *self, GFile *folder)
{
  g_autoptr (ChecksumJob) job = checksum_job_new (folder);
  g_autofree char *title = g_file_get_parse_name (folder);

  hide_message (self);
  set_job (self, job);
  gtk_window_set_title (GTK_WINDOW (self), title);
  gtk_stack_set_visible_child_name (self->stack, "list");
  g_action_activate (G_ACTION (self->check), NULL);
}

ChecksumJob *
checksum_window_get_job (ChecksumWindow *self)
{
  return self->job;
}

/* ---- What is shown ---- */

static GListModel *
get_shown (ChecksumWindow *self)
{
  if (self->job == NULL)
    return NULL;
  if (g_strcmp0 (self->show, "duplicates") == 0)
    return checksum_job_get_duplicates (self->job);
  if (g_strcmp0 (self->show, "errors") == 0)
    return checksum_job_get_errors (self->job);
  return checksum_job_get_files (self->job);
}

static char *
count_label (ChecksumWindow *self, const char *name, guint n)
{
  return g_strdup_printf ("%s (%u)", name, n);
}

/* ---- GObject ---- */

static void
checksum_window_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ChecksumWindow *self = CHECKSUM_WINDOW (object);

  switch (id)
    {
    case PROP_JOB: g_value_set_object (value, self->job); break;
    case PROP_SHOW: g_value_set_string (value, self->show); break;
    case PROP_SHOWN: g_value_set_object (value, get_shown (self)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
checksum_window_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ChecksumWindow *self = CHECKSUM_WINDOW (object);

  if (id != PROP_SHOW)
    {
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_free (self->show);
  self->show = g_value_dup_string (value);
  g_object_notify_by_pspec (object, properties[PROP_SHOWN]);
}

static void
checksum_window_finalize (GObject *object)
{
  ChecksumWindow *self = CHECKSUM_WINDOW (object);

  g_clear_object (&self->job);
  g_object_unref (self->check);
  g_free (self->show);
  G_OBJECT_CLASS (checksum_window_parent_class)->finalize (object);
}

static void
checksum_window_class_init (ChecksumWindowClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = checksum_window_get_property;
  object_class->set_property = checksum_window_set_property;
  object_class->finalize = checksum_window_finalize;
  properties[PROP_JOB] = g_param_spec_object ("job", NULL, NULL, CHECKSUM_TYPE_JOB, flags);
  properties[PROP_SHOW] = g_param_spec_string ("show", NULL, NULL, NULL, flags | G_PARAM_WRITABLE);
  properties[PROP_SHOWN] = g_param_spec_object ("shown", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  g_type_ensure (CHECKSUM_TYPE_FILE);
  gtk_widget_class_install_property_action (widget_class, "list.show", "show");
  gtk_widget_class_set_template_from_resource (widget_class, "/org/gtask_ext/Checksums/window.ui");
  gtk_widget_class_bind_template_child (widget_class, ChecksumWindow, selection);
  gtk_widget_class_bind_template_child (widget_class, ChecksumWindow, message_bar);
  gtk_widget_class_bind_template_child (widget_class, ChecksumWindow, message);
  gtk_widget_class_bind_template_child (widget_class, ChecksumWindow, stack);
  gtk_widget_class_bind_template_callback (widget_class, count_label);
  gtk_widget_class_bind_template_callback (widget_class, hide_message);
}

static void
checksum_window_init (ChecksumWindow *self)
{
  GtkDropTarget *target = gtk_drop_target_new (G_TYPE_FILE, GDK_ACTION_COPY);
  g_autoptr (GtxCommand) open = gtx_command_new ("open", NULL, choose_folder, self);

  self->show = g_strdup ("files");
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (gtx_widget_attach (self), "failed", G_CALLBACK (on_failed), self);
  self->check = gtx_command_new ("check", NULL, check_folder, self);
  gtx_command_set_mode (self->check, GTX_COMMAND_RESTART);
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (open));
  g_signal_connect (target, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
}

ChecksumWindow *
checksum_window_new (GtkApplication *application)
{
  return g_object_new (CHECKSUM_TYPE_WINDOW, "application", application, NULL);
}
