/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtk4/inspector-node.h"

#include <string.h>

/* Invariant: a node is planned at one place at most, so that no node is ever below itself. */
struct _GtxInspectorNode
{
  GObject parent_instance;

  GWeakRef task;
  gboolean is_repeated;
  GPtrArray *children;          /* as views know them */
  GPtrArray *plan;              /* NULL: nothing is below */

  /* While the plan of the node above is carried out: */
  GtxInspectorNode *place;      /* not owned: the node below which this one is planned */
  guint position;               /* in the plan of @place */
  gboolean stays;
};

enum
{
  PROP_TASK = 1
};

static void list_model_init (GListModelInterface *interface);

G_DEFINE_TYPE_WITH_CODE (GtxInspectorNode, gtx_inspector_node, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

GtxInspectorNode *
gtx_inspector_node_new (GtxTask  *task,
                        gboolean  is_repeated)
{
  GtxInspectorNode *self = g_object_new (GTX_TYPE_INSPECTOR_NODE, NULL);

  g_weak_ref_set (&self->task, task);
  self->is_repeated = is_repeated;
  return self;
}

GtxTask *
gtx_inspector_node_get_task (GtxInspectorNode *self)
{
  return g_weak_ref_get (&self->task);
}

gboolean
gtx_inspector_node_has_task (GtxInspectorNode *self,
                             GtxTask          *task)
{
  g_autoptr (GtxTask) own = g_weak_ref_get (&self->task);

  return own == task;
}

gboolean
gtx_inspector_node_is_repeated (GtxInspectorNode *self)
{
  return self->is_repeated;
}

guint
gtx_inspector_node_n_below (GtxInspectorNode *self)
{
  return self->children->len;
}

/* ---- The plan ---- */

static guint
n_planned (GtxInspectorNode *self)
{
  return self->plan ? self->plan->len : 0;
}

void
gtx_inspector_node_plan (GtxInspectorNode *self,
                         GtxInspectorNode *child)
{
  if (self->plan == NULL)
    self->plan = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->plan, g_object_ref (child));
}

GtxInspectorNode *
gtx_inspector_node_find_repeated (GtxInspectorNode *self,
                                  GtxTask          *task)
{
  for (guint i = 0; i < self->children->len; i++)
    {
      GtxInspectorNode *child = self->children->pdata[i];

      if (child->is_repeated && gtx_inspector_node_has_task (child, task))
        return child;
    }
  return NULL;
}

gboolean
gtx_inspector_node_filter_plan (GtxInspectorNode  *self,
                                GtxInspectorMatch  matches,
                                gpointer           data)
{
  g_autoptr (GPtrArray) plan = g_steal_pointer (&self->plan);

  for (guint i = 0; plan && i < plan->len; i++)
    {
      GtxInspectorNode *child = plan->pdata[i];
      gboolean has_matches_below = gtx_inspector_node_filter_plan (child, matches, data);

      if (has_matches_below || matches (child, data))
        gtx_inspector_node_plan (self, child);
    }
  return n_planned (self) > 0;
}

/* ---- Carrying it out ---- */

/* A child stays if it is planned, and behind all children before it that stay. */
static void
decide_what_stays (GtxInspectorNode *self)
{
  guint next = 0;

  for (guint i = 0; i < n_planned (self); i++)
    {
      GtxInspectorNode *child = self->plan->pdata[i];

      child->place = self;
      child->position = i;
      child->stays = FALSE;
    }
  for (guint i = 0; i < self->children->len; i++)
    {
      GtxInspectorNode *child = self->children->pdata[i];

      child->stays = child->place == self && child->position >= next;
      if (child->stays)
        next = child->position + 1;
    }
}

static gboolean
stays (GPtrArray *nodes,
       guint      i)
{
  return ((const GtxInspectorNode *) nodes->pdata[i])->stays;
}

/* From the end, so that the positions before it stay as they are. */
static void
remove_others (GtxInspectorNode *self)
{
  guint end = self->children->len;

  while (end > 0)
    {
      guint begin = end;

      while (begin > 0 && !stays (self->children, begin - 1))
        begin--;
      if (begin == end)
        {
          end--;
          continue;
        }
      g_ptr_array_remove_range (self->children, begin, end - begin);
      g_list_model_items_changed (G_LIST_MODEL (self), begin, end - begin, 0);
      end = begin;
    }
}

static void
insert_at (GPtrArray *array,
           guint      at,
           gpointer  *nodes,
           guint      n)
{
  guint length = array->len;

  g_ptr_array_set_size (array, (gint) (length + n));
  memmove (array->pdata + at + n, array->pdata + at, (length - at) * sizeof (gpointer));
  for (guint i = 0; i < n; i++)
    array->pdata[at + i] = g_object_ref (nodes[i]);
}

static void
insert_new_ones (GtxInspectorNode *self)
{
  guint begin = 0;

  while (begin < n_planned (self))
    {
      guint end = begin;

      while (end < self->plan->len && !stays (self->plan, end))
        end++;
      if (begin == end)
        {
          begin++;
          continue;
        }
      insert_at (self->children, begin, self->plan->pdata + begin, end - begin);
      g_list_model_items_changed (G_LIST_MODEL (self), begin, 0, end - begin);
      begin = end;
    }
}

static void
end_plan (GtxInspectorNode *self)
{
  for (guint i = 0; i < n_planned (self); i++)
    ((GtxInspectorNode *) self->plan->pdata[i])->place = NULL;
  g_clear_pointer (&self->plan, g_ptr_array_unref);
}

/* The rows below come first: a view then takes up a new row together with those below it. */
void
gtx_inspector_node_carry_out (GtxInspectorNode *self)
{
  for (guint i = 0; i < n_planned (self); i++)
    gtx_inspector_node_carry_out (self->plan->pdata[i]);
  if (n_planned (self) == 0 && self->children->len == 0)
    return;
  decide_what_stays (self);
  remove_others (self);
  insert_new_ones (self);
  end_plan (self);
}

/* ---- GListModel ---- */

static GType
get_item_type (GListModel *model)
{
  return GTX_TYPE_INSPECTOR_NODE;
}

static guint
get_n_items (GListModel *model)
{
  return gtx_inspector_node_n_below (GTX_INSPECTOR_NODE (model));
}

static gpointer
get_item (GListModel *model,
          guint       position)
{
  const GPtrArray *children = GTX_INSPECTOR_NODE (model)->children;

  return position < children->len ? g_object_ref (children->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

/* ---- GObject ---- */

static void
gtx_inspector_node_finalize (GObject *object)
{
  GtxInspectorNode *self = GTX_INSPECTOR_NODE (object);

  g_weak_ref_clear (&self->task);
  g_ptr_array_unref (self->children);
  g_clear_pointer (&self->plan, g_ptr_array_unref);
  G_OBJECT_CLASS (gtx_inspector_node_parent_class)->finalize (object);
}

static void
gtx_inspector_node_get_property (GObject    *object,
                                 guint       id,
                                 GValue     *value,
                                 GParamSpec *pspec)
{
  if (id == PROP_TASK)
    g_value_take_object (value, gtx_inspector_node_get_task (GTX_INSPECTOR_NODE (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gtx_inspector_node_class_init (GtxInspectorNodeClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->finalize = gtx_inspector_node_finalize;
  object_class->get_property = gtx_inspector_node_get_property;
  g_object_class_install_property (object_class, PROP_TASK,
    g_param_spec_object ("task", NULL, NULL, GTX_TYPE_TASK, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gtx_inspector_node_init (GtxInspectorNode *self)
{
  g_weak_ref_init (&self->task, NULL);
  self->children = g_ptr_array_new_with_free_func (g_object_unref);
}
