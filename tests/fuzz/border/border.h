/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program at the border during its run. */

#pragma once

#include "operation.h"
#include "run-border.h"
#include "program.h"

#include <signal.h>
#include <string.h>

typedef enum
{
  GO_ON,
  RETURN,
  FAIL
} Flow;

/* Data of a task, or of a call inside one. */
typedef struct
{
  Task *task;
  GPtrArray *body;
} Call;

/* The signal has no effect if no task waits for it. */
#define PROCESS_SIGNAL SIGWINCH

/* All tasks see the future.  Its home is the first one. */
typedef struct
{
  GtxFuture *future;
  gint touched_elsewhere;       /* a mark: another thread may have settled the future */
} Future;

typedef struct
{
  GObject *object;
  GMutex mutex;                 /* protects the fields below */
  GPtrArray *bound;             /* of Task */
  gboolean disposed_elsewhere;
  gint n_emitting, n_emitted;   /* marks: emissions that have begun, and that have ended */
  gint n_disposed;              /* disposals that have begun */
} Object;

/* ---- border.c ---- */

GPtrArray *border_body     (const char *coroutine);
Future   *border_future    (const char *name);
Object   *border_object    (const char *name);
Home     *border_other_home (Home *home);

/* Makes a task without starting it, and its record. */
GtxTask  *border_make_task (Home *home, const char *coroutine, Task **record);
/* Call this when the task is started.  Returns @task. */
GtxTask  *border_watch     (GtxTask *task, Task *record);
/* Gives the task a name by which it is found; takes @task.  The found task must be unreferenced. */
void      border_publish   (const char *variable, GtxTask *task, Task *record);
GtxTask  *border_find      (const char *variable, Task **record);

/* Keeps the group until the end of the program, because the main loop may still look at it. */
void      border_keep_group (GroupBlock *group);

/* Opens all objects for which tasks may wait for ever. */
void      border_open      (void);

/* The steps of all tasks; the calls that have not ended, or whose data is not freed; and a future
 * for the end. */
extern gint border_n_steps;
extern gint border_n_calls;
extern GtxFuture *border_over;

void      object_emit      (Object *self);

/* ---- statements.c ---- */

Flow      run_block        (Call *call, GPtrArray *block, GError **error);
/* The task goes on. */
void      resumed          (Task *self);

/* ---- actions.c ---- */

gboolean  is_action        (const char *what);
void      run_action       (Task *self, char **words);
