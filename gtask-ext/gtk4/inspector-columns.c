/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtk4/inspector-columns.h"

#include "gtk4/inspector-node.h"

#include <gtask-ext/task-info.h>

/* In a view that is less wide, columns that are not wide_only get their room. */
#define WIDE 720

typedef struct
{
  const char *title;
  char *(*get_text) (GtxInspectorColumns *self,
                     GtxInspectorNode    *node,
                     GtxTask             *task);
  int width;                    /* fixed, so that numbers that change move nothing */
  gboolean expands;
  gboolean is_number;
  gboolean is_tree;             /* its cells open and close rows */
  gboolean wide_only;
} Kind;

typedef struct
{
  const Kind *kind;
  GtxInspectorColumns *owner;
  GtkColumnViewColumn *column;
} Column;

struct _GtxInspectorColumns
{
  GtkColumnView *view;          /* not owned */
  GPtrArray *columns;
  GHashTable *cells;            /* the GtkListItems that show a row now, each with its Column */
  gint64 measured_since;
};

/* ---- Texts ---- */

char *
gtx_inspector_format_duration (double seconds)
{
  guint64 whole = (guint64) MAX (seconds, 0);
  guint minutes = (guint) (whole / 60 % 60);
  guint rest = (guint) (whole % 60);

  if (seconds < 0)
    return g_strdup ("");
  if (whole >= 3600)
    return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02u:%02u", whole / 3600, minutes, rest);
  if (whole >= 60)
    return g_strdup_printf ("%u:%02u", minutes, rest);
  return whole >= 10 ? g_strdup_printf ("%u s", rest) : g_strdup_printf ("%.1f s", seconds);
}

char *
gtx_inspector_format_processor_time (double seconds)
{
  return seconds < 0 ? g_strdup ("") : g_strdup_printf ("%.3f s", seconds);
}

static char *
get_name (GtxInspectorColumns *self,
          GtxInspectorNode    *node,
          GtxTask             *task)
{
  if (gtx_inspector_node_is_repeated (node))
    return g_strdup_printf ("%s (see above)", gtx_task_get_name (task));
  return g_strdup (gtx_task_get_name (task));
}

static char *
get_function (GtxInspectorColumns *self,
              GtxInspectorNode    *node,
              GtxTask             *task)
{
  return g_strdup (gtx_task_get_function (task));
}

static char *
get_state (GtxInspectorColumns *self,
           GtxInspectorNode    *node,
           GtxTask             *task)
{
  return gtx_task_describe_state (task);
}

/* Of a task that has not run since measuring began, it is known that it waits for longer. */
static char *
get_since (GtxInspectorColumns *self,
           GtxInspectorNode    *node,
           GtxTask             *task)
{
  double seconds = gtx_task_get_waiting_time (task);
  g_autofree char *at_least = NULL;
  gsize in_use, size;

  if (seconds >= 0)
    return gtx_inspector_format_duration (seconds);
  if (!gtx_task_get_stack_use (task, &in_use, &size))
    return g_strdup ("");
  seconds = (double) (g_get_monotonic_time () - self->measured_since) / G_USEC_PER_SEC;
  at_least = gtx_inspector_format_duration (seconds);
  return g_strdup_printf ("> %s", at_least);
}

static char *
get_processor_time (GtxInspectorColumns *self,
                    GtxInspectorNode    *node,
                    GtxTask             *task)
{
  return gtx_inspector_format_processor_time (gtx_task_get_processor_time (task));
}

static char *
get_stack (GtxInspectorColumns *self,
           GtxInspectorNode    *node,
           GtxTask             *task)
{
  gsize in_use, size;

  if (!gtx_task_get_stack_use (task, &in_use, &size))
    return g_strdup ("");
  return g_strdup_printf ("%.1f of %" G_GSIZE_FORMAT, (double) in_use / 1024, size / 1024);
}

static const Kind kinds[] = {
  { "Task", get_name, 150, TRUE, FALSE, TRUE, FALSE },
  { "Coroutine", get_function, 140, FALSE, FALSE, FALSE, TRUE },
  { "State", get_state, 180, TRUE, FALSE, FALSE, FALSE },
  { "Since", get_since, 70, FALSE, TRUE, FALSE, FALSE },
  { "Processor", get_processor_time, 90, FALSE, TRUE, FALSE, TRUE },
  { "Stack (KiB)", get_stack, 110, FALSE, TRUE, FALSE, TRUE },
};

/* ---- Cells ---- */

static GtkInscription *
get_inscription (GtkListItem *item)
{
  GtkWidget *child = gtk_list_item_get_child (item);

  return GTK_INSCRIPTION (GTK_IS_TREE_EXPANDER (child) ? gtk_tree_expander_get_child (GTK_TREE_EXPANDER (child))
                                                       : child);
}

static void
set_class (GtkWidget  *widget,
           const char *name,
           gboolean    is_set)
{
  if (is_set)
    gtk_widget_add_css_class (widget, name);
  else
    gtk_widget_remove_css_class (widget, name);
}

static void
update_cell (GtkListItem  *item,
             const Column *column)
{
  GtkInscription *inscription = get_inscription (item);
  g_autoptr (GtxInspectorNode) node = gtk_tree_list_row_get_item (gtk_list_item_get_item (item));
  g_autoptr (GtxTask) task = gtx_inspector_node_get_task (node);
  g_autofree char *text = NULL;

  /* What was known of a task that is gone stays until its row goes. */
  if (task == NULL)
    return;
  if (column->kind->is_tree)
    set_class (gtk_list_item_get_child (item), "leaf", gtx_inspector_node_n_below (node) == 0);
  text = column->kind->get_text (column->owner, node, task);
  if (g_strcmp0 (text, gtk_inscription_get_text (inscription)) != 0)
    gtk_inscription_set_text (inscription, text);
}

static void
setup_cell (GtkSignalListItemFactory *factory,
            GtkListItem              *item,
            const Column             *column)
{
  /* Its size does not depend on its text, so that a text that changes costs no new layout. */
  GtkWidget *child = gtk_inscription_new (NULL);

  gtk_inscription_set_text_overflow (GTK_INSCRIPTION (child), GTK_INSCRIPTION_OVERFLOW_ELLIPSIZE_END);
  gtk_inscription_set_xalign (GTK_INSCRIPTION (child), column->kind->is_number ? 1 : 0);
  if (column->kind->is_number)
    gtk_widget_add_css_class (child, "number");
  if (column->kind->is_tree)
    {
      GtkWidget *expander = gtk_tree_expander_new ();

      gtk_widget_set_hexpand (child, TRUE);
      gtk_tree_expander_set_child (GTK_TREE_EXPANDER (expander), child);
      child = expander;
    }
  gtk_list_item_set_child (item, child);
}

static void
bind_cell (GtkSignalListItemFactory *factory,
           GtkListItem              *item,
           Column                   *column)
{
  if (column->kind->is_tree)
    gtk_tree_expander_set_list_row (GTK_TREE_EXPANDER (gtk_list_item_get_child (item)),
                                    gtk_list_item_get_item (item));
  g_hash_table_insert (column->owner->cells, item, column);
  update_cell (item, column);
}

static void
unbind_cell (GtkSignalListItemFactory *factory,
             GtkListItem              *item,
             Column                   *column)
{
  g_hash_table_remove (column->owner->cells, item);
  if (column->kind->is_tree)
    gtk_tree_expander_set_list_row (GTK_TREE_EXPANDER (gtk_list_item_get_child (item)), NULL);
}

/* ---- Columns ---- */

static void
add_column (GtxInspectorColumns *self,
            const Kind          *kind)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  Column *column = g_new0 (Column, 1);

  column->kind = kind;
  column->owner = self;
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cell), column);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cell), column);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cell), column);
  column->column = gtk_column_view_column_new (kind->title, factory);
  gtk_column_view_column_set_resizable (column->column, TRUE);
  gtk_column_view_column_set_expand (column->column, kind->expands);
  gtk_column_view_column_set_fixed_width (column->column, kind->width);
  gtk_column_view_append_column (self->view, column->column);
  g_ptr_array_add (self->columns, column);
}

static void
column_free (gpointer data)
{
  Column *column = data;

  g_object_unref (column->column);
  g_free (column);
}

GtxInspectorColumns *
gtx_inspector_columns_new (GtkColumnView *view)
{
  GtxInspectorColumns *self = g_new0 (GtxInspectorColumns, 1);

  self->view = view;
  self->columns = g_ptr_array_new_with_free_func (column_free);
  self->cells = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    add_column (self, &kinds[i]);
  return self;
}

void
gtx_inspector_columns_free (GtxInspectorColumns *self)
{
  g_ptr_array_unref (self->columns);
  g_hash_table_unref (self->cells);
  g_free (self);
}

void
gtx_inspector_columns_begin (GtxInspectorColumns *self)
{
  self->measured_since = g_get_monotonic_time ();
}

void
gtx_inspector_columns_fit (GtxInspectorColumns *self,
                           int                  width)
{
  for (guint i = 0; i < self->columns->len; i++)
    {
      const Column *column = self->columns->pdata[i];

      if (column->kind->wide_only)
        gtk_column_view_column_set_visible (column->column, width >= WIDE);
    }
}

void
gtx_inspector_columns_update (GtxInspectorColumns *self)
{
  GHashTableIter iter;
  gpointer item, column;

  g_hash_table_iter_init (&iter, self->cells);
  while (g_hash_table_iter_next (&iter, &item, &column))
    update_cell (item, column);
}
