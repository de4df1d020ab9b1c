/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of task groups share. */

#pragma once

#include "many/places.h"
#include "task/task-private.h"

#include "gtask-ext/group.h"

/* Starts @task, which was not started, in its home; its coroutine may run elsewhere. */
typedef GtxTask *(*GtxStartFunc) (GtxTask  *task,
                                  gpointer  data);

/* Invariants: children has exactly the children that are not done, and those whose end the group
 * has not seen.  No child is added once the group is aborting.  The group does not end while a task
 * creates a child. */
typedef struct
{
  GtxTask *parent;
  GtxHandleList children;       /* in the order of their creation */
  GPtrArray *errors;            /* GErrors, in the order of their arrival */
  GtxTaskErrorFunc error_func;  /* told of the errors instead; NULL: none is */
  gpointer error_data;
  GtxPlaces *places;            /* for children; NULL: no limit */
  GtxStartFunc start;           /* starts children; NULL: gtx_task_start () */
  gpointer start_data;
  GDestroyNotify start_data_free;
  guint n_creators;             /* calls of gtx_task_group_start () under way */
  GtxWaiter *waiter;            /* of the parent, while it waits for children */
  guint n_cancels_before;       /* requests that were delivered to the parent before the block */
  gboolean exiting;
  gboolean aborting;
  gboolean parent_cancel_requested;
  gboolean ended_on_purpose;    /* by gtx_task_group_cancel () */
  guint made_at;                /* the parent's n_settled when the group made its request */
} GtxGroup;

typedef struct
{
  GtxHandle done;               /* among the task's callbacks */
  GtxHandle link;               /* in the group's children */
  GtxGroup *group;
  GtxTask *task;
  GtxPlace *place;              /* NULL: there is no limit */
} GtxGroupChild;

/* ---- group-child.c ---- */

/* Has the group start its children by @start from now on; NULL: by gtx_task_start ().  Takes @data. */
void     gtx_task_group_set_start  (GtxTaskGroup   *self,
                                    GtxStartFunc    start,
                                    gpointer        data,
                                    GDestroyNotify  data_free);

/* Whether there is no child, and no task creates one. */
gboolean gtx_group_is_idle        (const GtxGroup *self);
/* Cancels the children, unless they were cancelled: once, so that their clean-up is not disturbed. */
void     gtx_group_abort_children (GtxGroup       *self);
/* Cancels the children and the block; gtx_task_group_end () withdraws the latter request. */
void     gtx_group_abort          (GtxGroup       *self);
