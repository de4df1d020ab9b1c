/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtk4/inspector-details.h"

#include "gtk4/inspector-frames.h"

#include <gtask-ext/task-info.h>

struct _GtxInspectorDetails
{
  GtkWidget parent_instance;

  GtkStack *stack;
  GtkLabel *name;
  GtkLabel *function;
  GtkLabel *state;
  GtkLabel *reason;
  GtkWidget *frames_scroller;
  GtkLabel *frames;
};

G_DEFINE_TYPE (GtxInspectorDetails, gtx_inspector_details, GTK_TYPE_WIDGET)

/* A text that is selected with the mouse stays so if it did not change. */
static void
set_text (GtkLabel   *label,
          const char *text)
{
  if (!g_str_equal (text, gtk_label_get_label (label)))
    gtk_label_set_label (label, text);
}

static char *
make_markup (GPtrArray *frames)
{
  GString *markup = g_string_new (NULL);

  for (guint i = 0; i < frames->len; i++)
    {
      const GtxInspectorFrame *frame = frames->pdata[i];
      g_autofree char *line =
        g_markup_printf_escaped ("%s<span alpha=\"60%%\">%2u</span>  %s  <span alpha=\"60%%\">%s</span>",
                                 i > 0 ? "\n" : "", i, frame->function ? frame->function : "?",
                                 frame->place ? frame->place : "");

      g_string_append (markup, line);
    }
  return g_string_free (markup, FALSE);
}

static void
show_frames (GtxInspectorDetails *self,
             GtxTask             *task)
{
  const char *reason = NULL;
  g_autoptr (GPtrArray) frames = gtx_inspector_list_frames (task, &reason);
  g_autofree char *markup = frames ? make_markup (frames) : NULL;

  gtk_widget_set_visible (self->frames_scroller, frames != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->reason), frames == NULL);
  if (frames)
    set_text (self->frames, markup);
  else
    set_text (self->reason, reason);
}

void
gtx_inspector_details_show (GtxInspectorDetails *self,
                            GtxTask             *task)
{
  g_autofree char *state = NULL;

  gtk_stack_set_visible_child_name (self->stack, task ? "task" : "none");
  if (task == NULL)
    return;
  state = gtx_task_describe_state (task);
  set_text (self->name, gtx_task_get_name (task));
  set_text (self->function, gtx_task_get_function (task));
  set_text (self->state, state);
  show_frames (self, task);
}

static void
gtx_inspector_details_dispose (GObject *object)
{
  GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (object));

  g_clear_pointer (&child, gtk_widget_unparent);
  G_OBJECT_CLASS (gtx_inspector_details_parent_class)->dispose (object);
}

static void
gtx_inspector_details_class_init (GtxInspectorDetailsClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

  G_OBJECT_CLASS (class)->dispose = gtx_inspector_details_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_template_from_resource (widget_class, "/gtask-ext-gtk4/inspector-details.ui");
  gtk_widget_class_bind_template_child (widget_class, GtxInspectorDetails, stack);
  gtk_widget_class_bind_template_child (widget_class, GtxInspectorDetails, name);
  gtk_widget_class_bind_template_child (widget_class, GtxInspectorDetails, function);
  gtk_widget_class_bind_template_child (widget_class, GtxInspectorDetails, state);
  gtk_widget_class_bind_template_child (widget_class, GtxInspectorDetails, reason);
  gtk_widget_class_bind_template_child (widget_class, GtxInspectorDetails, frames_scroller);
  gtk_widget_class_bind_template_child (widget_class, GtxInspectorDetails, frames);
}

static void
gtx_inspector_details_init (GtxInspectorDetails *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
