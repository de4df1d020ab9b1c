/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model: the known state of each task, and the outcomes that the state permits. */

#pragma once

#include <gtask-ext.h>

typedef struct _Task Task;

/* A main context, and the thread that runs it. */
typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  gint n_to_do;                 /* atomic: work for its main loop */
} Home;

/* A request that no await has delivered yet. */
typedef enum
{
  NONE,
  PASSED_ON,                    /* passed on to the awaited task, which may swallow it */
  OWED                          /* an await must deliver it */
} Request;

/* The cause of a cancellation that was delivered to a task. */
typedef struct
{
  gboolean surely;              /* some request came from no block of the task */
  gboolean maybe;               /* some request may have come from no group of the task */
  guint timeout;                /* the outermost timeout that made a request; G_MAXUINT: none */
} Cause;

/* The end of a block. */
typedef enum
{
  WELL,
  CANCELLED,
  FAILED
} Ending;

typedef struct
{
  GtxTimeout timeout;
  guint n_cancels;              /* the task's count of requests when the block began */
  gboolean one_stood;           /* one of them may not have been delivered by then */
  guint n_at_end;               /* the task's count of requests when the block's body ended */
  gboolean noted;               /* the time is over, and the request is in the books */
  Request request;
} TimeoutBlock;

typedef struct
{
  GtxTaskGroup group;
  Task *parent;
  GPtrArray *children;          /* of Task */
  guint n_timeouts;             /* timeouts that were open when the group began */
  gboolean is_open;
  gboolean on_purpose;          /* some code cancelled the group */
  gboolean own_delivered;       /* the group's request was delivered to the block */
  gboolean is_unclear;          /* the block withdrew requests of unknown origin */
  guint n_told;                 /* what the parent had been told when the group was cancelled on purpose */
  gboolean was_told;            /* the parent was told of something after that, before the end of the block */
  gboolean ends;                /* the block has ended, and the group waits for its children */
  gboolean suspends;            /* the wait suspends */
  Ending body;
  Cause cause;                  /* of a body that ended as cancelled */
} GroupBlock;

/* Fields that are not marked as atomic belong to the home's thread. */
struct _Task
{
  Home *home;
  const char *coroutine;
  GroupBlock *member_of;        /* or NULL */

  /* Its end, in atomic counters */
  gint n_begun;
  gint n_ended;
  gint n_data_freed;
  gint n_results_made;
  gint n_results_freed;

  /* Requests */
  int least, most;              /* the limits of gtx_cancelling () */
  Request request;              /* one that no block of the task made */
  gboolean may;                 /* some request may be delivered */
  gint n_elsewhere;             /* atomic: requests of other threads, or that only the library sees */
  gint is_wild;                 /* atomic: there may be any number of such requests */
  int n_elsewhere_told;         /* of n_elsewhere, those that were certainly delivered */
  int n_elsewhere_counted;      /* of n_elsewhere, those that are in least and most */
  guint n_told;                 /* how often the task was told that it is cancelled */
  guint n_taken_back;
  guint n_indirect;             /* awaits of tasks and groups, and deliveries that may have been of unseen requests */
  Cause cause;

  GtxTask *task;                /* until it is done */
  gboolean failed;              /* with an error that is not a cancellation */
  GPtrArray *awaited;           /* of Task, while it awaits some tasks */
  gboolean passes_exactly;      /* each request reaches each of them */
  GCancellable *lent;           /* lent to an operation */
  GPtrArray *awaiters;          /* of Task */
  GPtrArray *timeouts;          /* of TimeoutBlock, the innermost last */
  GPtrArray *groups;            /* of GroupBlock, the innermost last */
};

/* These operations are atomic, and order nothing else, so that ThreadSanitizer sees only the order
 * that the library makes. */
#define peek(number) __atomic_load_n ((number), __ATOMIC_RELAXED)
#define count(number) ((void) __atomic_add_fetch ((number), 1, __ATOMIC_RELAXED))
#define mark(number) __atomic_store_n ((number), TRUE, __ATOMIC_RELAXED)

#define broken(...) G_STMT_START { g_printerr (__VA_ARGS__); g_printerr ("\n"); abort (); } G_STMT_END

Task *task_new         (Home *home, const char *coroutine);
void  task_free        (Task *self);
gboolean task_is_done  (Task *self);

/* ---- Requests ---- */

/* Books a request that is made in the task's home. */
void  book_request     (Task *self);
/* Books a request that another thread makes, or that the library may make. */
void  book_elsewhere   (Task *self);
/* Books a call of gtx_uncancel () when gtx_cancelling () was @n. */
void  book_uncancelled (Task *self, guint n);

/* ---- What comes out ---- */

/* The task goes on, and requests that were made in the meantime are booked. */
void  book_resumed     (Task *self);
/* The task was told that it is cancelled. */
void  book_cancelled   (Task *self);
/* The awaited object was cancelled, and no request is the reason. */
void  book_cancelled_by_itself (Task *self);
/* The awaited object was cancelled, and so the task is told that it is cancelled. */
void  book_awaited_was_cancelled (Task *self);
/* An await that must deliver an owed request has delivered none. */
void  book_undisturbed (Task *self, const char *what);
/* Compares @n, which gtx_cancelling () returned, with the books. */
void  book_count       (Task *self, guint n);

gboolean book_is_owed  (Task *self);
/* Returns whether a cancellation is permitted. */
gboolean book_may_be_told (Task *self);

/* The first function begins an await of tasks, which get the requests that are owed; the second
 * ends it. */
void  book_awaits      (Task *self, GPtrArray *tasks, gboolean exactly);
void  book_awaited     (Task *self);
/* A request that was passed on is gone; @exactly: no other request is left either. */
void  book_passed      (Task *self, gboolean exactly);
/* Whether a request was delivered is unknown. */
void  book_doubt       (Task *self);

/* ---- Blocks ---- */

void  book_timeout_begins  (Task *self, TimeoutBlock *block);
void  book_timeout_ends    (TimeoutBlock *block);
void  book_timeout_ended   (Task *self, TimeoutBlock *block, Ending body, gboolean timed_out);

gboolean group_may_shut_down (GroupBlock *group);
void  book_group_cancelled (GroupBlock *group);
void  book_group_ends      (GroupBlock *group, Ending body);
void  book_group_ended     (GroupBlock *group, const GError *error);
