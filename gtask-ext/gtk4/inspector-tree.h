/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of the tasks of the main context, as gtx_print_tasks () prints it. */

#pragma once

#include "gtk4/inspector-node.h"

typedef struct _GtxInspectorTree GtxInspectorTree;

GtxInspectorTree *gtx_inspector_tree_new        (void);
void              gtx_inspector_tree_free       (GtxInspectorTree *self);

/* Returns the node whose children are the outermost tasks.  Borrowed. */
GtxInspectorNode *gtx_inspector_tree_get_root   (GtxInspectorTree *self);
/* Shows only tasks that have @words in their name, coroutine or state, and the tasks that wait for
 * these.  NULL or "": all tasks. */
void              gtx_inspector_tree_set_search (GtxInspectorTree *self,
                                                 const char       *words);
/* Looks at the tasks. */
void              gtx_inspector_tree_update     (GtxInspectorTree *self);
/* How many tasks there were in the last update, whether they are shown or not. */
guint             gtx_inspector_tree_n_tasks    (GtxInspectorTree *self);
/* Returns the row of @task that has the tasks below it, or NULL.  Borrowed. */
GtxInspectorNode *gtx_inspector_tree_find       (GtxInspectorTree *self,
                                                 GtxTask          *task);
