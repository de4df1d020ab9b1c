/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program at the border, while it runs. */

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

/* Where nobody waits for it, it does nothing. */
#define PROCESS_SIGNAL SIGWINCH

/* Which all tasks see; its home is the first. */
typedef struct
{
  GtxFuture *future;
  gint touched_elsewhere;       /* a mark: settled by another thread, if it is */
} Future;

typedef struct
{
  GObject *object;
  GMutex mutex;                 /* of these: */
  GPtrArray *bound;             /* of Task */
  gboolean disposed_elsewhere;
  gint n_emitting, n_emitted;   /* marks: begun and ended */
  gint n_disposed;              /* begun */
} Object;

/* ---- border.c ---- */

GPtrArray *border_body     (const char *coroutine);
Future   *border_future    (const char *name);
Object   *border_object    (const char *name);
Home     *border_other_home (Home *home);

/* A task that is not started, and what is to be known of it. */
GtxTask  *border_make_task (Home *home, const char *coroutine, Task **record);
/* To be called when it is started.  Returns @task. */
GtxTask  *border_watch     (GtxTask *task, Task *record);
/* Whoever names it finds it; takes @task.  What is found is to be unreferenced. */
void      border_publish   (const char *variable, GtxTask *task, Task *record);
GtxTask  *border_find      (const char *variable, Task **record);

/* Until the end of the program: the main loop may yet look at it. */
void      border_keep_group (GroupBlock *group);

/* What tasks may wait for without end comes. */
void      border_open      (void);

/* Steps of all tasks; and whether all have ended, and their data were freed. */
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
