/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtk4/inspector-tree.h"

#include <gtask-ext/task-info.h>

#include <string.h>

/* Deeper tasks are shown as if no task waited for them: views call themselves for each level. */
#define DEEPEST 50

struct _GtxInspectorTree
{
  GtxInspectorNode *root;
  GHashTable *nodes;            /* by task, which may be gone: its node that has the tasks below it */
  char *words;                  /* casefolded; NULL: no search */
  guint n_tasks;
};

GtxInspectorTree *
gtx_inspector_tree_new (void)
{
  GtxInspectorTree *self = g_new0 (GtxInspectorTree, 1);

  self->root = gtx_inspector_node_new (NULL, FALSE);
  self->nodes = g_hash_table_new_full (NULL, NULL, NULL, g_object_unref);
  return self;
}

void
gtx_inspector_tree_free (GtxInspectorTree *self)
{
  g_object_unref (self->root);
  g_hash_table_unref (self->nodes);
  g_free (self->words);
  g_free (self);
}

GtxInspectorNode *
gtx_inspector_tree_get_root (GtxInspectorTree *self)
{
  return self->root;
}

guint
gtx_inspector_tree_n_tasks (GtxInspectorTree *self)
{
  return self->n_tasks;
}

/* A later task may have the address of one that is gone. */
GtxInspectorNode *
gtx_inspector_tree_find (GtxInspectorTree *self,
                         GtxTask          *task)
{
  GtxInspectorNode *node = g_hash_table_lookup (self->nodes, task);

  return node && gtx_inspector_node_has_task (node, task) ? node : NULL;
}

/* ---- Building ---- */

typedef struct
{
  GtxInspectorTree *tree;
  GHashTable *nodes;            /* the next ones */
  GHashTable *awaited;          /* by task: the tasks that it waits for */
  GHashTable *placed;
} Builder;

static GtxInspectorNode *
get_node (Builder *builder,
          GtxTask *task)
{
  GtxInspectorNode *node = g_hash_table_lookup (builder->nodes, task);

  if (node)
    return node;
  node = gtx_inspector_tree_find (builder->tree, task);
  node = node ? g_object_ref (node) : gtx_inspector_node_new (task, FALSE);
  g_hash_table_insert (builder->nodes, task, node);
  return node;
}

static void
place_repeated (GtxInspectorNode *above,
                GtxTask          *task)
{
  GtxInspectorNode *known = gtx_inspector_node_find_repeated (above, task);
  g_autoptr (GtxInspectorNode) node = known ? g_object_ref (known) : gtx_inspector_node_new (task, TRUE);

  gtx_inspector_node_plan (above, node);
}

static void
place (Builder          *builder,
       GtxInspectorNode *above,
       GtxTask          *task,
       guint             depth)
{
  GtxInspectorNode *node;
  GPtrArray *awaited;

  if (!g_hash_table_add (builder->placed, task))
    {
      place_repeated (above, task);
      return;
    }
  node = get_node (builder, task);
  gtx_inspector_node_plan (above, node);
  awaited = depth < DEEPEST ? g_hash_table_lookup (builder->awaited, task) : NULL;
  for (guint i = 0; awaited && i < awaited->len; i++)
    place (builder, node, awaited->pdata[i], depth + 1);
}

/* Returns the tasks that others wait for. */
static GHashTable *
look_at_awaited (Builder   *builder,
                 GPtrArray *tasks)
{
  GHashTable *all = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < tasks->len; i++)
    {
      GPtrArray *awaited = gtx_task_list_awaited (tasks->pdata[i]);

      if (awaited == NULL)
        continue;
      g_hash_table_insert (builder->awaited, tasks->pdata[i], awaited);
      for (guint j = 0; j < awaited->len; j++)
        g_hash_table_add (all, awaited->pdata[j]);
    }
  return all;
}

static void
plan (Builder   *builder,
      GPtrArray *tasks)
{
  g_autoptr (GHashTable) inner = look_at_awaited (builder, tasks);
  GtxInspectorNode *root = builder->tree->root;

  for (guint i = 0; i < tasks->len; i++)
    if (!g_hash_table_contains (inner, tasks->pdata[i]))
      place (builder, root, tasks->pdata[i], 1);
  /* The tasks that are left wait in a ring, or deeper than is shown. */
  for (guint i = 0; i < tasks->len; i++)
    if (!g_hash_table_contains (builder->placed, tasks->pdata[i]))
      place (builder, root, tasks->pdata[i], 1);
}

/* ---- The search ---- */

static gboolean
has_words (const char *text,
           const char *words)
{
  g_autofree char *folded = g_utf8_casefold (text, -1);

  return strstr (folded, words) != NULL;
}

static gboolean
matches (GtxInspectorNode *node,
         gpointer          words)
{
  g_autoptr (GtxTask) task = gtx_inspector_node_get_task (node);
  g_autofree char *state = NULL;

  if (task == NULL)
    return FALSE;
  if (has_words (gtx_task_get_name (task), words) || has_words (gtx_task_get_function (task), words))
    return TRUE;
  state = gtx_task_describe_state (task);
  return has_words (state, words);
}

void
gtx_inspector_tree_set_search (GtxInspectorTree *self,
                               const char       *words)
{
  g_free (self->words);
  self->words = words && *words ? g_utf8_casefold (words, -1) : NULL;
}

/* ---- Updating ---- */

void
gtx_inspector_tree_update (GtxInspectorTree *self)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();
  g_autoptr (GHashTable) awaited = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GHashTable) placed = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) old_nodes = NULL;
  Builder builder = { self, g_hash_table_new_full (NULL, NULL, NULL, g_object_unref), awaited, placed };

  plan (&builder, tasks);
  if (self->words)
    gtx_inspector_node_filter_plan (self->root, matches, self->words);
  old_nodes = self->nodes;
  self->nodes = builder.nodes;
  self->n_tasks = tasks->len;
  gtx_inspector_node_carry_out (self->root);
}
