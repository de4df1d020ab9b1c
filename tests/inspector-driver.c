/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspector-driver.h"

/* ---- Widgets ---- */

gpointer
find_part (GtkWidget  *widget,
           const char *type_name)
{
  if (g_str_equal (G_OBJECT_TYPE_NAME (widget), type_name))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child; child = gtk_widget_get_next_sibling (child))
    {
      gpointer part = find_part (child, type_name);

      if (part)
        return part;
    }
  return NULL;
}

static void
print_labels_into (GtkWidget *widget,
                   GString   *text)
{
  if (!gtk_widget_get_child_visible (widget) || !gtk_widget_get_visible (widget))
    return;
  if (GTK_IS_LABEL (widget))
    g_string_append_printf (text, "%s\n", gtk_label_get_text (GTK_LABEL (widget)));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child; child = gtk_widget_get_next_sibling (child))
    print_labels_into (child, text);
}

char *
print_labels (GtkWidget *widget)
{
  GString *text = g_string_new (NULL);

  print_labels_into (widget, text);
  return g_string_free (text, FALSE);
}

static GtkWidget *
find_page (void)
{
  GListModel *windows = gtk_window_get_toplevels ();

  for (guint i = 0; i < g_list_model_get_n_items (windows); i++)
    {
      g_autoptr (GtkWidget) window = g_list_model_get_item (windows, i);
      GtkWidget *page = find_part (window, "GtxInspectorPage");

      if (page)
        return page;
    }
  return NULL;
}

/* ---- The inspector ---- */

static GtkStack *
get_pages (GtkWidget *page)
{
  return GTK_STACK (gtk_widget_get_ancestor (page, GTK_TYPE_STACK));
}

void
show_page (GtkWidget *page,
           gboolean   show)
{
  GtkStack *pages = get_pages (page);
  GtkWidget *other = gtk_widget_get_first_child (GTK_WIDGET (pages));

  gtk_stack_set_transition_type (pages, GTK_STACK_TRANSITION_TYPE_NONE);
  gtk_stack_set_visible_child (pages, show ? page : other);
  iterate_until (gtk_widget_get_mapped (page) == show);
}

GtkWidget *
open_page (void)
{
  GtkWidget *page;

  gtx_inspector_add_page ();
  gtk_window_set_interactive_debugging (TRUE);
  iterate_until ((page = find_page ()));
  show_page (page, TRUE);
  return page;
}

static void
set_true (gboolean *value)
{
  *value = TRUE;
}

void
await_update (GtkWidget *page)
{
  gboolean is_updated = FALSE;
  gulong handler = g_signal_connect_swapped (page, "notify::update-time", G_CALLBACK (set_true), &is_updated);

  iterate_until (is_updated);
  g_signal_handler_disconnect (page, handler);
}

double
get_update_time (GtkWidget *page)
{
  double seconds;

  g_object_get (page, "update-time", &seconds, NULL);
  return seconds;
}

/* ---- The page ---- */

gboolean
can_show_frames (GtkWidget *page)
{
  return gtk_widget_get_visible (find_part (find_part (page, "GtxInspectorDetails"), "GtkScrolledWindow"));
}

GtkSingleSelection *
get_rows (GtkWidget *page)
{
  GtkColumnView *view = find_part (page, "GtkColumnView");

  return GTK_SINGLE_SELECTION (gtk_column_view_get_model (view));
}

const char *
get_view (GtkWidget *page)
{
  return gtk_stack_get_visible_child_name (find_part (page, "GtkStack"));
}

static GtxTask *
get_task (GtkTreeListRow *row)
{
  g_autoptr (GObject) node = gtk_tree_list_row_get_item (row);
  GtxTask *task = NULL;

  g_object_get (node, "task", &task, NULL);
  return task;
}

char *
print_rows (GtkWidget *page)
{
  GListModel *rows = G_LIST_MODEL (get_rows (page));
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (rows); i++)
    {
      g_autoptr (GtkTreeListRow) row = g_list_model_get_item (rows, i);
      g_autoptr (GtxTask) task = get_task (row);

      g_string_append_printf (text, "%*s%s\n", 2 * (int) gtk_tree_list_row_get_depth (row), "",
                              task ? gtx_task_get_name (task) : "gone");
    }
  return g_string_free (text, FALSE);
}

void
search_for (GtkWidget  *page,
            const char *words)
{
  GtkEditable *entry = find_part (page, "GtkSearchEntry");

  gboolean has_searched = FALSE;
  /* The page's own handler came first. */
  gulong handler = g_signal_connect_swapped (entry, "search-changed", G_CALLBACK (set_true), &has_searched);

  gtk_editable_set_text (entry, words);
  /* The entry tells at once that it is empty, which it also is before it has the words. */
  if (*words)
    has_searched = FALSE;
  iterate_until (has_searched);
  g_signal_handler_disconnect (entry, handler);
}

guint
find_row (GtkWidget *page,
          GtxTask   *task)
{
  GListModel *rows = G_LIST_MODEL (get_rows (page));

  for (guint i = 0; i < g_list_model_get_n_items (rows); i++)
    {
      g_autoptr (GtkTreeListRow) row = g_list_model_get_item (rows, i);
      g_autoptr (GtxTask) other = get_task (row);

      if (other == task)
        return i;
    }
  g_assert_not_reached ();
}
