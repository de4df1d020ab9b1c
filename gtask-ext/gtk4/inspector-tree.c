/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtk4/inspector-tree.h"

#include <gtask-ext/task-info.h>

#include <string.h>

/* Deeper tasks are shown behind all others, as if no task waited for them: views call themselves for
 * each level. */
#define DEEPEST 50

/* What is known of a task from update to update. */
typedef struct
{
  GtxInspectorNode *node;       /* the one that has the tasks below it */
  GPtrArray *awaited;           /* of Entry; NULL: it waits for no futures, or no update is under way */
  guint seen;                   /* the update in which the task was there last */
  guint placed;                 /* the update in which the node was planned last */
  gboolean is_inner;            /* another task waits for it */
} Entry;

struct _GtxInspectorTree
{
  GtxInspectorNode *root;
  GHashTable *entries;          /* by task, which may be gone */
  char *words;                  /* casefolded; NULL: no search */
  guint n_tasks;
  guint update;                 /* counts the updates */
  GPtrArray *deeper;            /* of Entry, during an update: tasks that are too deep */
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_object_unref (entry->node);
  g_free (entry);
}

GtxInspectorTree *
gtx_inspector_tree_new (void)
{
  GtxInspectorTree *self = g_new0 (GtxInspectorTree, 1);

  self->root = gtx_inspector_node_new (NULL, FALSE);
  self->entries = g_hash_table_new_full (NULL, NULL, NULL, entry_free);
  return self;
}

void
gtx_inspector_tree_free (GtxInspectorTree *self)
{
  g_object_unref (self->root);
  g_hash_table_unref (self->entries);
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

GtxInspectorNode *
gtx_inspector_tree_find (GtxInspectorTree *self,
                         GtxTask          *task)
{
  const Entry *entry = g_hash_table_lookup (self->entries, task);

  /* A later task may have the address of one that is gone. */
  return entry && gtx_inspector_node_has_task (entry->node, task) ? entry->node : NULL;
}

/* ---- Building ---- */

static Entry *
see (GtxInspectorTree *self,
     GtxTask          *task)
{
  Entry *entry = g_hash_table_lookup (self->entries, task);

  if (entry && entry->seen == self->update)
    return entry;
  /* A later task may have the address of one that is gone. */
  if (entry == NULL || !gtx_inspector_node_has_task (entry->node, task))
    {
      entry = g_new0 (Entry, 1);
      entry->node = gtx_inspector_node_new (task, FALSE);
      g_hash_table_insert (self->entries, task, entry);
    }
  entry->seen = self->update;
  entry->is_inner = FALSE;
  return entry;
}

static void
see_awaited (GtxInspectorTree *self,
             GtxTask          *task,
             Entry            *entry)
{
  GPtrArray *awaited = gtx_task_list_awaited (task);

  entry->awaited = awaited;
  for (guint i = 0; awaited && i < awaited->len; i++)
    {
      Entry *inner = see (self, awaited->pdata[i]);

      inner->is_inner = TRUE;
      awaited->pdata[i] = inner;
    }
}

static void
place_repeated (GtxInspectorNode *above,
                const Entry      *entry)
{
  g_autoptr (GtxTask) task = gtx_inspector_node_get_task (entry->node);
  GtxInspectorNode *known = gtx_inspector_node_find_repeated (above, task);
  g_autoptr (GtxInspectorNode) node = known ? g_object_ref (known) : gtx_inspector_node_new (task, TRUE);

  gtx_inspector_node_plan (above, node);
}

static void
place (GtxInspectorTree *self,
       GtxInspectorNode *above,
       Entry            *entry,
       guint             depth)
{
  if (entry->placed == self->update)
    {
      place_repeated (above, entry);
      return;
    }
  entry->placed = self->update;
  gtx_inspector_node_plan (above, entry->node);
  for (guint i = 0; entry->awaited && i < entry->awaited->len; i++)
    if (depth < DEEPEST)
      place (self, entry->node, entry->awaited->pdata[i], depth + 1);
    else
      g_ptr_array_add (self->deeper, entry->awaited->pdata[i]);
}

static void
place_outermost (GtxInspectorTree *self,
                 Entry            *entry)
{
  if (entry->placed != self->update)
    place (self, self->root, entry, 1);
}

static void
plan (GtxInspectorTree *self,
      GPtrArray        *tasks)
{
  g_autoptr (GPtrArray) deeper = g_ptr_array_new ();
  g_autofree Entry **entries = g_new (Entry *, tasks->len);

  for (guint i = 0; i < tasks->len; i++)
    entries[i] = see (self, tasks->pdata[i]);
  for (guint i = 0; i < tasks->len; i++)
    see_awaited (self, tasks->pdata[i], entries[i]);
  self->deeper = deeper;
  for (guint i = 0; i < tasks->len; i++)
    if (!entries[i]->is_inner)
      place_outermost (self, entries[i]);
  for (guint i = 0; i < deeper->len; i++)
    place_outermost (self, deeper->pdata[i]);
  /* The tasks that are left wait in a ring. */
  for (guint i = 0; i < tasks->len; i++)
    place_outermost (self, entries[i]);
  for (guint i = 0; i < tasks->len; i++)
    g_clear_pointer (&entries[i]->awaited, g_ptr_array_unref);
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

static gboolean
was_not_seen (gpointer task,
              gpointer entry,
              gpointer tree)
{
  return ((const Entry *) entry)->seen != ((const GtxInspectorTree *) tree)->update;
}

void
gtx_inspector_tree_update (GtxInspectorTree *self)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  self->n_tasks = tasks->len;
  self->update++;
  plan (self, tasks);
  if (self->words)
    gtx_inspector_node_filter_plan (self->root, matches, self->words);
  gtx_inspector_node_carry_out (self->root);
  if (g_hash_table_size (self->entries) > tasks->len)
    g_hash_table_foreach_remove (self->entries, was_not_seen, self);
}
