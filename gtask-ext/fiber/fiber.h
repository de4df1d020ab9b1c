/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fiber: a function that runs on a stack of its own and can be suspended. */

#pragma once

#include "fiber/context.h"
#include "fiber/handle.h"
#include "fiber/stack.h"

#include <errno.h>

typedef struct _GtxFiber GtxFiber;
typedef struct _GtxStep GtxStep;
typedef void (*GtxFiberFunc) (gpointer data);
typedef GtxFiber *(*GtxFiberNextFunc) (gpointer data);

typedef struct
{
  /* Makes the fiber, and passes @like and @problem to gtx_fiber_new ().  Runs no code of the
   * program.  Returns NULL if the step is to have no fiber, and NULL with *@problem set if no stack
   * can be had. */
  GtxFiber *(*make) (GtxStep   *step,
                     GtxFiber  *like,
                     char     **problem);
  /* Called outside of all fibers, if make () returned NULL there.  Takes @problem. */
  void (*abandon) (GtxStep *step,
                   char    *problem);
} GtxStepKind;

/* The handle that resumes a fiber when its turn comes: asyncio's Task.__step(). */
struct _GtxStep
{
  GtxHandle handle;
  GtxFiber *fiber;              /* NULL: the fiber was not made yet, or has ended */
  const GtxStepKind *kind;
};

/* Makes a fiber that calls @func when it is resumed first.  When @func has returned, @next is
 * called, outside of all fibers but on the same stack.  It returns the fiber to switch straight to,
 * after which its owner does not need this one any more, or NULL: then @ended is called on the
 * resumer's stack when the fiber is gone.  The pool must outlive the fiber.
 *
 * @like: NULL, or the fiber that runs.  The new fiber starts with the floating-point control words
 * of that fiber's resumer, as if the resumer had made it.  If @like has ended, it may itself be
 * returned, to run once more on the stack that it has. */
GtxFiber *gtx_fiber_new      (GtxStackPool      *pool,
                              gsize              stack_size,
                              GtxFiberFunc       func,
                              GtxFiberNextFunc   next,
                              GtxFiberFunc       ended,
                              gpointer           data,
                              GtxFiber          *like,
                              char             **problem);

/* Runs @fiber until it, or a fiber that it switched straight to, suspends or ends.  If @fiber runs
 * already, below a nested main loop, its next suspension returns at once.  @depth: the caller's
 * g_main_depth (), which it reads once for many fibers. */
void      gtx_fiber_resume   (GtxFiber      *fiber,
                              gint           depth);

/* Runs @fiber, which has not begun, until it suspends first or ends; that fiber alone.  The caller may
 * be a fiber itself, which goes on when this returns. */
void      gtx_fiber_begin_eagerly (GtxFiber      *fiber,
                                   gint           depth);

/* Calls @func outside of all fibers, on the stack of the thread. */
void      gtx_fiber_call_outside (GtxFiberFunc func,
                                  gpointer     data);

/* Calls @func outside of all fibers, too, but on the stack of the fiber that runs, which @func
 * cannot suspend.  Saves the two switches of gtx_fiber_call_outside (), if it does not matter which
 * stack @func has. */
void      gtx_fiber_call_apart   (GtxFiberFunc func,
                                  gpointer     data);

/* Hooks that watch all fibers, each called in the fiber's thread, if the program asked for them.
 * @data: the fiber's data.  A hook cannot await, and may hear of a fiber first in the middle of its
 * life. */
typedef struct
{
  /* A new fiber gets @stack, which is as its last user left it. */
  void (*begin) (GtxStack *stack,
                 gpointer  data);
  /* The fiber on @stack runs from now on. */
  void (*enter) (GtxStack *stack);
  /* The fiber of @data stops running. */
  void (*leave) (GtxStack *stack,
                 gpointer  data);
  /* A fiber has ended, and its @stack is not reused yet. */
  void (*end)   (GtxStack *stack);
} GtxFiberWatch;

/* Sets the hooks, or removes them if @watch is NULL.  May be called in any thread at any time. */
void      gtx_fiber_set_watch  (const GtxFiberWatch *watch);

/* Whether the fiber that runs was begun eagerly by @fiber, or by one that was itself begun so. */
gboolean  gtx_fiber_has_begun_running (const GtxFiber *fiber);

/* For a signal handler: whether @address is in the guard page below the stack of the fiber that
 * runs.  Then sets @data to the fiber's data, and @stack_size to the size of its stack, guard
 * included. */
gboolean  gtx_fiber_find_overflow (const void *address,
                                   gpointer   *data,
                                   gsize      *stack_size);

/* For the child of a fork (): leaves the fiber that runs to the parent.  Code that runs on its
 * stack from here on counts as outside of all fibers. */
void      gtx_fiber_leave_to_parent (void);

/* ---- Switches, inlined where tasks suspend ---- */

/* A call of gtx_fiber_call_outside (), on the stack of the fiber that waits for it. */
typedef struct
{
  GtxFiberFunc func;
  gpointer data;
  GtxFiber *fiber;
  GtxContext context;
  GtxSwitchRecord record;
} GtxOutsideCall;

/* A call of gtx_fiber_resume (), on the stack of its caller: the fibers that switch straight to one
 * another all go back to it.  The caller may be a fiber, which has begun another one eagerly, or runs a
 * main loop. */
typedef struct
{
  GtxContext context;
  GtxSwitchRecord record;
  GtxFiber *outer;              /* the fiber that ran before, or NULL */
  GtxFiber *ended;              /* the fiber that has ended, until the next stack that runs buries it */
  GtxOutsideCall *call;         /* the call that a fiber asks for, or NULL */
  gint depth;                   /* of main loops, see g_main_depth () */
} GtxResumer;

/* What makes the end of a fiber's turn special, both asked for in one test: */
enum
{
  GTX_FIBER_GOES_ON = 1 << 0,   /* it was resumed while it ran, so that its next suspension returns */
  GTX_FIBER_IS_EAGER = 1 << 1   /* it was begun eagerly */
};

/* A fiber lies at the top of its own stack, in the page that its first frames need too.
 *
 * Invariants:
 * - A fiber that is suspended has no marks.
 * - A fiber is eager from gtx_fiber_begin_eagerly () until it suspends first or ends.  It is the only
 *   fiber that its resumer has meanwhile: it never switches straight to another one.  So the fiber that
 *   has begun it, whose stack the resumer is on, goes on next. */
struct _GtxFiber
{
  GtxContext context;           /* where it goes on, while it is suspended */
  GtxResumer *resumer;          /* NULL unless the fiber runs */
  GtxFiberFunc func;
  GtxFiberNextFunc next_func;
  GtxFiberFunc ended_func;
  gpointer data;
  GtxStackPool *pool;
  GtxStack *stack;
  gboolean came_straight;       /* the last switch to it came from another fiber */
  guint marks;
  GtxSwitchRecord record;
};

/* A fiber stays in its thread, so no function keeps an address of another
 * thread's variable across a switch. */
extern __thread GtxFiber *gtx_running_fiber G_GNUC_INTERNAL;

/* NULL: no hooks are set.  Another thread may change it at any time. */
extern const GtxFiberWatch *gtx_fiber_watch G_GNUC_INTERNAL;

/* Whether hooks are set.  Every switch asks.  The compiler compares the memory itself in a plain
 * read, and spends one more instruction on an atomic one. */
static G_ALWAYS_INLINE inline gboolean
gtx_fiber_is_watched (void)
{
#ifdef GTX_TSAN
  return G_UNLIKELY (__atomic_load_n (&gtx_fiber_watch, __ATOMIC_RELAXED) != NULL);
#else
  return G_UNLIKELY (gtx_fiber_watch != NULL);
#endif
}

/* Calls the hooks for a switch.  NULL stands for the resumer. */
void      gtx_fiber_tell_of_switch (const GtxFiber *from,
                                    const GtxFiber *to);

/* Returns where @fiber goes on: where it was suspended, or where a main loop that it runs has
 * resumed another fiber.  NULL if it runs otherwise. */
const GtxContext *gtx_fiber_get_context (const GtxFiber *fiber);

/* Returns how many bytes of its stack the calls of @fiber need now, or 0 if that is not known. */
gsize     gtx_fiber_measure_stack (const GtxFiber *fiber);

/* Releases the stack of the fiber that has ended.  To be called on the next stack that runs. */
void      gtx_fiber_bury_ended (GtxResumer *resumer);

/* Returns the fiber that runs, or NULL outside of all fibers.  A callback that a nested main loop
 * dispatches is outside, though it runs on the stack of the fiber that runs this loop. */
static inline GtxFiber *
gtx_fiber_current (void)
{
  GtxFiber *fiber = gtx_running_fiber;

  return fiber && fiber->resumer->depth == g_main_depth () ? fiber : NULL;
}

static inline gpointer
gtx_fiber_get_data (const GtxFiber *fiber)
{
  return fiber->data;
}

/* Whether gtx_fiber_leave_to_parent () was called while @fiber ran. */
static inline gboolean
gtx_fiber_is_parents (const GtxFiber *fiber)
{
  return gtx_running_fiber != fiber;
}

static inline gboolean
gtx_fiber_is_running (const GtxFiber *fiber)
{
  return fiber->resumer != NULL;
}

/* Whether @fiber, which is about to suspend, has a mark. */
static inline gboolean
gtx_fiber_is_marked (const GtxFiber *fiber)
{
  return G_UNLIKELY (fiber->marks != 0);
}

/* Takes @mark from @fiber, which runs.  Returns whether it had the mark. */
static inline gboolean
gtx_fiber_take_mark (GtxFiber *fiber,
                     guint     mark)
{
  gboolean had = (fiber->marks & mark) != 0;

  fiber->marks &= ~mark;
  return had;
}

/* Prefetches the memory that @fiber, which is suspended, needs first. */
static G_ALWAYS_INLINE inline void
gtx_fiber_prefetch (const GtxFiber *fiber)
{
  gtx_context_prefetch (&fiber->context);
}

/* Prepares to leave @fiber, which runs, for @next, or for its resumer if @next is NULL.  @record:
 * the fiber's own, or NULL if the fiber has ended and the hooks have been told.  Returns the
 * context to switch to. */
static G_ALWAYS_INLINE inline GtxContext *
gtx_fiber_leave (GtxFiber        *fiber,
                 GtxFiber        *next,
                 GtxSwitchRecord *record)
{
  GtxResumer *resumer = fiber->resumer;

  if (next == NULL)
    {
      gtx_announce_leave (record, resumer->record.asan_bottom, resumer->record.asan_size,
                          resumer->record.tsan_fiber);
      return &resumer->context;
    }
  g_assert (next->resumer == NULL);
  if (gtx_fiber_is_watched ())
    gtx_fiber_tell_of_switch (record ? fiber : NULL, next);
  next->resumer = resumer;
  next->came_straight = TRUE;
  fiber->resumer = NULL;
  gtx_running_fiber = next;
  gtx_announce_leave (record, next->stack->base, next->stack->size, next->stack->announcement.tsan_fiber);
  return &next->context;
}

/* To be called when @fiber goes on.  @record: the record with which it was left, or NULL if it
 * begins. */
static G_ALWAYS_INLINE inline void
gtx_fiber_arrive (GtxFiber        *fiber,
                  GtxSwitchRecord *record)
{
  gtx_announce_enter (record, fiber->came_straight ? NULL : &fiber->resumer->record);
  if (fiber->resumer->ended)
    gtx_fiber_bury_ended (fiber->resumer);
}

/* Suspends @fiber, which runs.  Switches straight to @next, which is suspended or has not begun, or
 * back to the resumer of @fiber if @next is NULL. */
static G_ALWAYS_INLINE inline void
gtx_fiber_suspend (GtxFiber *fiber,
                   GtxFiber *next)
{
  int saved_errno = errno;

  g_assert (gtx_running_fiber == fiber);
  g_assert (fiber->marks == 0);
  gtx_context_switch (&fiber->context, gtx_fiber_leave (fiber, next, &fiber->record));
  gtx_fiber_arrive (fiber, &fiber->record);
  errno = saved_errno;
}
