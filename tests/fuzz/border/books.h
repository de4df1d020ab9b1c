/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model: the known state of each task, and the outcomes that it allows. */

#pragma once

#include <gtask-ext.h>

typedef struct _Task Task;

/* A main context, and the thread that runs it. */
typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  gint n_to_do;                 /* atomic: in its loop */
} Home;

/* A request to cancel that no await has delivered yet. */
typedef enum
{
  NONE,
  PASSED_ON,                    /* to what is awaited, which may swallow it */
  OWED                          /* it has to come out */
} Request;

/* Why a task was told that it is cancelled. */
typedef struct
{
  gboolean surely;              /* a request was made that no block of the task made */
  gboolean maybe;               /* it may have been one that no group of the task made */
  guint timeout;                /* the outermost that made one; G_MAXUINT: none */
} Cause;

/* How a block ends. */
typedef enum
{
  WELL,
  CANCELLED,
  FAILED
} Ending;

typedef struct
{
  GtxTimeout timeout;
  guint n_cancels;              /* of the task, when it began */
  gboolean one_stood;           /* then: a request that it may not have been told of */
  guint n_at_end;               /* when its body had ended */
  gboolean noted;               /* is over, and its request is in the books */
  Request request;
} TimeoutBlock;

typedef struct
{
  GtxTaskGroup group;
  Task *parent;
  GPtrArray *children;          /* of Task */
  guint n_timeouts;             /* that were open when it began */
  gboolean is_open;
  gboolean on_purpose;          /* somebody cancelled it */
  gboolean own_delivered;       /* its request to the block */
  gboolean is_unclear;          /* the block took back requests, whosesoever */
  guint n_told;                 /* the parent, when the group was cancelled on purpose */
  gboolean was_told;            /* of anything since, until the block is over */
  gboolean ends;                /* the block is over, and the children are waited for */
  gboolean suspends;            /* for that */
  Ending body;
  Cause cause;                  /* of a body that was cancelled */
} GroupBlock;

/* What is not marked as atomic is the home's thread's. */
struct _Task
{
  Home *home;
  const char *coroutine;
  GroupBlock *member_of;        /* or NULL */

  /* Its end: atomic */
  gint n_begun;
  gint n_ended;
  gint n_data_freed;
  gint n_results_made;
  gint n_results_freed;

  /* Requests */
  int least, most;              /* what gtx_cancelling () tells */
  Request request;              /* that no block of its own made */
  gboolean may;                 /* be told of one */
  gint n_elsewhere;             /* atomic: requests made in other threads, or seen by the library alone */
  gint is_wild;                 /* atomic: and of these without number */
  int n_elsewhere_told;         /* of these, those that came out for sure */
  int n_elsewhere_counted;      /* and those that are in least and most */
  guint n_told;                 /* that it is cancelled */
  guint n_taken_back;
  guint n_indirect;             /* awaits of tasks, and of groups, and what was told of unseen */
  Cause cause;

  GtxTask *task;                /* while it is not done */
  gboolean failed;              /* with an error that is no cancellation */
  GPtrArray *awaited;           /* of Task, while it awaits some */
  gboolean passes_exactly;      /* each request to each of these */
  GCancellable *lent;           /* to an operation */
  GPtrArray *awaiters;          /* of Task */
  GPtrArray *timeouts;          /* of TimeoutBlock, the innermost last */
  GPtrArray *groups;            /* of GroupBlock, the innermost last */
};

/* Atomic, and nothing else is ordered by it: ThreadSanitizer sees what the library
 * orders. */
#define peek(number) __atomic_load_n ((number), __ATOMIC_RELAXED)
#define count(number) ((void) __atomic_add_fetch ((number), 1, __ATOMIC_RELAXED))
#define mark(number) __atomic_store_n ((number), TRUE, __ATOMIC_RELAXED)

#define broken(...) G_STMT_START { g_printerr (__VA_ARGS__); g_printerr ("\n"); abort (); } G_STMT_END

Task *task_new         (Home *home, const char *coroutine);
void  task_free        (Task *self);
gboolean task_is_done  (Task *self);

/* ---- Requests ---- */

/* One that is being made in the task's home. */
void  book_request     (Task *self);
/* One that is made by another thread, or that the library may make. */
void  book_elsewhere   (Task *self);
/* gtx_uncancel () was called, where gtx_cancelling () was @n. */
void  book_uncancelled (Task *self, guint n);

/* ---- What comes out ---- */

/* The task goes on: what was made meanwhile is noted. */
void  book_resumed     (Task *self);
/* It is told that it is cancelled. */
void  book_cancelled   (Task *self);
/* What it awaited says so, and that has to do with no request. */
void  book_cancelled_by_itself (Task *self);
/* What it awaited was cancelled, and for that it is told so. */
void  book_awaited_was_cancelled (Task *self);
/* An await that delivers what is owed has delivered nothing. */
void  book_undisturbed (Task *self, const char *what);
/* What gtx_cancelling () says is compared. */
void  book_count       (Task *self, guint n);

gboolean book_is_owed  (Task *self);
/* It may be, by what is known. */
gboolean book_may_be_told (Task *self);

/* It awaits tasks, which get what is owed to it, and has awaited them. */
void  book_awaits      (Task *self, GPtrArray *tasks, gboolean exactly);
void  book_awaited     (Task *self);
/* Nothing is left of a request that was passed on; @exactly: nor of any other. */
void  book_passed      (Task *self, gboolean exactly);
/* Whether a request was delivered is not clear. */
void  book_doubt       (Task *self);

/* ---- Blocks ---- */

void  book_timeout_begins  (Task *self, TimeoutBlock *block);
void  book_timeout_ends    (TimeoutBlock *block);
void  book_timeout_ended   (Task *self, TimeoutBlock *block, Ending body, gboolean timed_out);

gboolean group_may_shut_down (GroupBlock *group);
void  book_group_cancelled (GroupBlock *group);
void  book_group_ends      (GroupBlock *group, Ending body);
void  book_group_ended     (GroupBlock *group, const GError *error);
