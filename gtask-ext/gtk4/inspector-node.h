/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row of the inspector's page: a task at a place of the tree.  It is the list model of the rows
 * below it. */

#pragma once

#include <gtask-ext/task.h>

#define GTX_TYPE_INSPECTOR_NODE (gtx_inspector_node_get_type ())

G_DECLARE_FINAL_TYPE (GtxInspectorNode, gtx_inspector_node, GTX, INSPECTOR_NODE, GObject)

/* @is_repeated: the tasks below @task are shown at another place.  @task: NULL for the root. */
GtxInspectorNode *gtx_inspector_node_new (GtxTask  *task,
                                          gboolean  is_repeated);

/* Returns the task, or NULL if it is gone.  The page keeps no task alive. */
GtxTask  *gtx_inspector_node_get_task    (GtxInspectorNode *self) G_GNUC_WARN_UNUSED_RESULT;
gboolean  gtx_inspector_node_has_task    (GtxInspectorNode *self,
                                          GtxTask          *task);
gboolean  gtx_inspector_node_is_repeated (GtxInspectorNode *self);
guint     gtx_inspector_node_n_below     (GtxInspectorNode *self);

/* ---- For building the tree anew ---- */

/* Plans that @child is below @self, behind what was planned before. */
void      gtx_inspector_node_plan        (GtxInspectorNode *self,
                                          GtxInspectorNode *child);
/* Returns the row that repeats @task and is below @self already, or NULL. */
GtxInspectorNode *gtx_inspector_node_find_repeated (GtxInspectorNode *self,
                                                    GtxTask          *task);
/* Drops from the plan, at any depth, each row that @matches refuses with all rows below it.
 * Returns whether a row is left. */
typedef gboolean (*GtxInspectorMatch) (GtxInspectorNode *node,
                                       gpointer          data);
gboolean  gtx_inspector_node_filter_plan (GtxInspectorNode  *self,
                                          GtxInspectorMatch  matches,
                                          gpointer           data);
/* Shows the plan.  Rows that stay are not touched, so that a view keeps what it knows of them. */
void      gtx_inspector_node_carry_out   (GtxInspectorNode *self);
