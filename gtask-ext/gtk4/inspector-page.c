/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtk4/inspector-page.h"

#include "gtk4/inspector-columns.h"
#include "gtk4/inspector-details.h"
#include "gtk4/inspector-tree.h"

#include <gtask-ext/task-info.h>

/* How often the page looks at the tasks.  An update that takes long is followed by a longer pause, so
 * that the program keeps most of the time. */
#define INTERVAL_MS 250
#define PAUSE_PER_UPDATE 10

/* Registers the resources, which a static library would lose if nothing named them. */
extern GResource *gtx_inspector_get_resource (void);

struct _GtxInspectorPage
{
  GtkWidget parent_instance;

  GtkWidget *content;
  GtkSearchEntry *search;
  GtkLabel *count;
  GtkWidget *cancel;
  GtkStack *stack;
  GtkColumnView *view;
  GtxInspectorDetails *details;

  GtxInspectorTree *tree;
  GtxInspectorColumns *columns;
  GtkSingleSelection *selection;
  GWeakRef selected;            /* task */
  gboolean is_updating;
  guint timer;                  /* 0: the page is not mapped */
  double update_time;           /* of the last update, in seconds */
};

enum
{
  PROP_TITLE = 1,
  PROP_UPDATE_TIME
};

G_DEFINE_TYPE (GtxInspectorPage, gtx_inspector_page, GTK_TYPE_WIDGET)

/* ---- The selected task ---- */

static GtxTask *
get_selected (GtxInspectorPage *self)
{
  GtkTreeListRow *row = gtk_single_selection_get_selected_item (self->selection);
  g_autoptr (GtxInspectorNode) node = row ? gtk_tree_list_row_get_item (row) : NULL;

  return node ? gtx_inspector_node_get_task (node) : NULL;
}

static void
show_selected (GtxInspectorPage *self)
{
  g_autoptr (GtxTask) task = get_selected (self);

  gtk_widget_set_sensitive (self->cancel, task != NULL);
  gtx_inspector_details_show (self->details, task);
}

static void
selection_changed (GtxInspectorPage *self)
{
  g_autoptr (GtxTask) task = NULL;

  if (self->is_updating)
    return;
  task = get_selected (self);
  g_weak_ref_set (&self->selected, task);
  show_selected (self);
}

static guint
find_row (GtxInspectorPage *self,
          GtxInspectorNode *node)
{
  GListModel *rows = G_LIST_MODEL (self->selection);

  for (guint i = 0; i < g_list_model_get_n_items (rows); i++)
    {
      g_autoptr (GtkTreeListRow) row = g_list_model_get_item (rows, i);
      g_autoptr (GtxInspectorNode) other = gtk_tree_list_row_get_item (row);

      if (other == node)
        return i;
    }
  return GTK_INVALID_LIST_POSITION;
}

/* A task whose row has moved to another place of the tree was deselected with the row. */
static void
select_again (GtxInspectorPage *self)
{
  g_autoptr (GtxTask) task = g_weak_ref_get (&self->selected);
  GtxInspectorNode *node = task ? gtx_inspector_tree_find (self->tree, task) : NULL;

  if (node && gtk_single_selection_get_selected (self->selection) == GTK_INVALID_LIST_POSITION)
    gtk_single_selection_set_selected (self->selection, find_row (self, node));
}

/* ---- Updating ---- */

static void
show_count (GtxInspectorPage *self)
{
  guint n = gtx_inspector_tree_n_tasks (self->tree);
  g_autofree char *text = g_strdup_printf (n == 1 ? "%u task" : "%u tasks", n);

  if (!g_str_equal (text, gtk_label_get_label (self->count)))
    gtk_label_set_label (self->count, text);
}

static const char *
choose_child (GtxInspectorPage *self)
{
  if (gtx_inspector_node_n_below (gtx_inspector_tree_get_root (self->tree)) > 0)
    return "tasks";
  return gtx_inspector_tree_n_tasks (self->tree) > 0 ? "nothing-found" : "empty";
}

static void
update (GtxInspectorPage *self)
{
  gint64 start = g_get_monotonic_time ();

  self->is_updating = TRUE;
  gtx_inspector_tree_update (self->tree);
  select_again (self);
  self->is_updating = FALSE;
  gtx_inspector_columns_fit (self->columns, gtk_widget_get_width (GTK_WIDGET (self)));
  gtx_inspector_columns_update (self->columns);
  show_selected (self);
  show_count (self);
  gtk_stack_set_visible_child_name (self->stack, choose_child (self));
  self->update_time = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  g_object_notify (G_OBJECT (self), "update-time");
}

static void update_later (GtxInspectorPage *self);

static gboolean
update_now (gpointer data)
{
  GtxInspectorPage *self = data;

  update (self);
  update_later (self);
  return G_SOURCE_REMOVE;
}

static void
update_later (GtxInspectorPage *self)
{
  double pause = PAUSE_PER_UPDATE * self->update_time * 1000;

  self->timer = g_timeout_add ((guint) MAX (pause, INTERVAL_MS), update_now, self);
}

static void
gtx_inspector_page_map (GtkWidget *widget)
{
  GtxInspectorPage *self = GTX_INSPECTOR_PAGE (widget);

  gtx_measure_tasks (TRUE);
  gtx_inspector_columns_begin (self->columns);
  update (self);
  update_later (self);
  GTK_WIDGET_CLASS (gtx_inspector_page_parent_class)->map (widget);
}

static void
gtx_inspector_page_unmap (GtkWidget *widget)
{
  GtxInspectorPage *self = GTX_INSPECTOR_PAGE (widget);

  g_clear_handle_id (&self->timer, g_source_remove);
  gtx_measure_tasks (FALSE);
  GTK_WIDGET_CLASS (gtx_inspector_page_parent_class)->unmap (widget);
}

/* ---- What the user does ---- */

static void
search_changed (GtxInspectorPage *self)
{
  gtx_inspector_tree_set_search (self->tree, gtk_editable_get_text (GTK_EDITABLE (self->search)));
  update (self);
}

static void
cancel_selected (GtxInspectorPage *self)
{
  g_autoptr (GtxTask) task = get_selected (self);

  if (task)
    gtx_cancel (task);
  update (self);
}

/* ---- Making it ---- */

/* The inspector has a display of its own. */
static void
add_style (GtxInspectorPage *self)
{
  static const char key[] = "gtask-ext-inspector-style";
  GdkDisplay *display = gtk_widget_get_display (GTK_WIDGET (self));
  g_autoptr (GtkCssProvider) provider = NULL;

  if (g_object_get_data (G_OBJECT (display), key))
    return;
  provider = gtk_css_provider_new ();
  gtk_css_provider_load_from_resource (provider, "/gtask-ext-gtk4/inspector.css");
  gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  g_object_set_data (G_OBJECT (display), key, GINT_TO_POINTER (TRUE));
}

static void
gtx_inspector_page_root (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (gtx_inspector_page_parent_class)->root (widget);
  add_style (GTX_INSPECTOR_PAGE (widget));
}

/* Each row has a model, even if nothing is below it: something may come later. */
static GListModel *
get_below (gpointer item,
           gpointer data)
{
  return g_object_ref (item);
}

static void
gtx_inspector_page_init (GtxInspectorPage *self)
{
  GtkTreeListModel *rows;

  g_type_ensure (GTX_TYPE_INSPECTOR_DETAILS);
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_add_css_class (GTK_WIDGET (self), "gtask-ext-page");
  gtk_search_entry_set_key_capture_widget (self->search, GTK_WIDGET (self));
  g_weak_ref_init (&self->selected, NULL);

  self->tree = gtx_inspector_tree_new ();
  rows = gtk_tree_list_model_new (g_object_ref (G_LIST_MODEL (gtx_inspector_tree_get_root (self->tree))),
                                  FALSE, TRUE, get_below, NULL, NULL);
  self->selection = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  gtk_single_selection_set_model (self->selection, G_LIST_MODEL (rows));
  g_object_unref (rows);
  g_signal_connect_swapped (self->selection, "notify::selected-item", G_CALLBACK (selection_changed), self);
  self->columns = gtx_inspector_columns_new (self->view);
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
}

static void
gtx_inspector_page_dispose (GObject *object)
{
  GtxInspectorPage *self = GTX_INSPECTOR_PAGE (object);

  if (self->columns)
    gtk_column_view_set_model (self->view, NULL);
  g_clear_pointer (&self->content, gtk_widget_unparent);
  if (self->selection)
    g_signal_handlers_disconnect_by_data (self->selection, self);
  g_clear_object (&self->selection);
  g_clear_pointer (&self->columns, gtx_inspector_columns_free);
  g_clear_pointer (&self->tree, gtx_inspector_tree_free);
  G_OBJECT_CLASS (gtx_inspector_page_parent_class)->dispose (object);
}

static void
gtx_inspector_page_finalize (GObject *object)
{
  g_weak_ref_clear (&GTX_INSPECTOR_PAGE (object)->selected);
  G_OBJECT_CLASS (gtx_inspector_page_parent_class)->finalize (object);
}

static void
gtx_inspector_page_get_property (GObject    *object,
                                 guint       id,
                                 GValue     *value,
                                 GParamSpec *pspec)
{
  if (id == PROP_TITLE)
    g_value_set_string (value, "Tasks");
  else if (id == PROP_UPDATE_TIME)
    g_value_set_double (value, GTX_INSPECTOR_PAGE (object)->update_time);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
bind_template (GtkWidgetClass *class)
{
  gtk_widget_class_set_template_from_resource (class, "/gtask-ext-gtk4/inspector-page.ui");
  gtk_widget_class_bind_template_child (class, GtxInspectorPage, content);
  gtk_widget_class_bind_template_child (class, GtxInspectorPage, search);
  gtk_widget_class_bind_template_child (class, GtxInspectorPage, count);
  gtk_widget_class_bind_template_child (class, GtxInspectorPage, cancel);
  gtk_widget_class_bind_template_child (class, GtxInspectorPage, stack);
  gtk_widget_class_bind_template_child (class, GtxInspectorPage, view);
  gtk_widget_class_bind_template_child (class, GtxInspectorPage, details);
  gtk_widget_class_bind_template_callback (class, search_changed);
  gtk_widget_class_bind_template_callback (class, cancel_selected);
}

static void
gtx_inspector_page_class_init (GtxInspectorPageClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);

  object_class->get_property = gtx_inspector_page_get_property;
  object_class->dispose = gtx_inspector_page_dispose;
  object_class->finalize = gtx_inspector_page_finalize;
  widget_class->root = gtx_inspector_page_root;
  widget_class->map = gtx_inspector_page_map;
  widget_class->unmap = gtx_inspector_page_unmap;

  /* The inspector names its tab so. */
  g_object_class_install_property (object_class, PROP_TITLE,
    g_param_spec_string ("title", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object_class, PROP_UPDATE_TIME,
    g_param_spec_double ("update-time", NULL, NULL, 0, G_MAXDOUBLE, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  gtx_inspector_get_resource ();
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  bind_template (widget_class);
}
