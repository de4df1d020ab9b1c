/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fiber.h"

#include "context.h"
#include "guard.h"

#include <errno.h>

/* Tops of stacks lie at equal distances: without an offset that differs they
 * would meet in the same few sets of the processor's caches. */
#define COLOURS 32
#define COLOUR_STEP 64

/* Whoever resumed a fiber, on its own stack: the fibers that go straight on to
 * one another all go back to it. */
typedef struct
{
  GtxContext context;
  GtxSwitchRecord record;
  GtxFiber *outer;              /* the fiber that ran */
  gint depth;                   /* of main loops */
} GtxResumer;

/* Lies at the top of its stack, in the page that the first frames need too. */
struct _GtxFiber
{
  GtxContext context;           /* where it goes on, while it is suspended */
  GtxResumer *resumer;          /* while it runs */
  GtxFiberFunc func;
  GtxFiberFunc ended_func;
  gpointer data;
  GtxStackPool *pool;
  GtxStack *stack;
  gboolean ended;
  gboolean came_straight;       /* from another fiber */
  gboolean goes_on;             /* it was resumed while it ran */
  GtxSwitchRecord record;
};

/* A fiber stays in its thread, so no function keeps an address of another
 * thread's variable across a switch. */
static __thread GtxFiber *running_fiber;

static const GtxFiberWatch *watch;

void
gtx_fiber_set_watch (const GtxFiberWatch *new_watch)
{
  watch = new_watch;
}

/* What watches is outside of all fibers.  NULL: whoever resumes. */
static void G_GNUC_NO_INLINE
tell_of_switch (const GtxFiber *from,
                const GtxFiber *to)
{
  GtxFiber *running = running_fiber;

  running_fiber = NULL;
  if (from)
    watch->leave (from->data);
  if (to)
    watch->enter ();
  running_fiber = running;
}

static G_ALWAYS_INLINE inline void
announce_leave_to_resumer (GtxSwitchRecord  *own,
                           const GtxResumer *resumer)
{
  gtx_announce_leave (own, resumer->record.asan_bottom, resumer->record.asan_size,
                      resumer->record.tsan_fiber);
}

static G_ALWAYS_INLINE inline void
announce_leave_to (GtxSwitchRecord *own,
                   const GtxFiber  *next)
{
  gtx_announce_leave (own, next->stack->base, next->stack->size,
                      next->stack->announcement.tsan_fiber);
}

static void
start (void *data)
{
  GtxFiber *fiber = data;

  gtx_announce_enter (NULL, &fiber->resumer->record);
  fiber->func (fiber->data);
  fiber->ended = TRUE;
  announce_leave_to_resumer (NULL, fiber->resumer);
  gtx_context_switch (&fiber->context, &fiber->resumer->context);
  g_assert_not_reached ();
}

GtxFiber *
gtx_fiber_new (GtxStackPool  *pool,
               gsize          stack_size,
               GtxFiberFunc   func,
               GtxFiberFunc   ended,
               gpointer       data,
               GError       **error)
{
  static __thread guint colour;
  GtxStack *stack = gtx_stack_pool_acquire (pool, stack_size, error);
  GtxFiber *fiber;
  gsize at;

  if (stack == NULL)
    return NULL;
  if (G_UNLIKELY (watch != NULL))
    watch->begin (stack, data);

  at = stack->size - sizeof (GtxFiber) - (colour++ % COLOURS) * COLOUR_STEP;
  at &= ~(gsize) (COLOUR_STEP - 1);
  fiber = (GtxFiber *) (void *) (stack->base + at);
  fiber->resumer = NULL;
  fiber->func = func;
  fiber->ended_func = ended;
  fiber->data = data;
  fiber->pool = pool;
  fiber->stack = stack;
  fiber->ended = FALSE;
  fiber->came_straight = FALSE;
  fiber->goes_on = FALSE;
  gtx_context_make (&fiber->context, stack->base, at, start, fiber);
  return fiber;
}

static void
end (GtxFiber *fiber)
{
  GtxFiberFunc ended_func = fiber->ended_func;
  gpointer data = fiber->data;

  if (G_UNLIKELY (watch != NULL))
    watch->end (fiber->stack, data);
  gtx_stack_pool_release (fiber->pool, fiber->stack);
  if (ended_func)
    ended_func (data);
}

void
gtx_fiber_resume (GtxFiber *fiber,
                  gint      depth)
{
  int saved_errno = errno;
  GtxResumer resumer;
  GtxFiber *last;

  if (gtx_fiber_is_running (fiber))
    {
      g_assert (!fiber->goes_on);
      fiber->goes_on = TRUE;
      return;
    }
  resumer.outer = running_fiber;
  resumer.depth = depth;
  resumer.record.tsan_fiber = gtx_announce_current_fiber ();
  fiber->resumer = &resumer;
  fiber->came_straight = FALSE;
  running_fiber = fiber;
  if (G_UNLIKELY (watch != NULL))
    tell_of_switch (NULL, fiber);

  announce_leave_to (&resumer.record, fiber);
  gtx_context_switch (&resumer.context, &fiber->context);
  gtx_announce_enter (&resumer.record, NULL);

  /* Nested dispatchers unwind last in, first out. */
  last = running_fiber;
  g_assert (last->resumer == &resumer);
  last->resumer = NULL;
  running_fiber = resumer.outer;
  if (G_UNLIKELY (watch != NULL))
    tell_of_switch (last, NULL);
  errno = saved_errno;
  if (last->ended)
    end (last);
}

gboolean
gtx_fiber_goes_on (GtxFiber *fiber)
{
  gboolean goes_on = fiber->goes_on;

  fiber->goes_on = FALSE;
  return goes_on;
}

void
gtx_fiber_suspend (GtxFiber *fiber,
                   GtxFiber *next)
{
  int saved_errno = errno;

  g_assert (running_fiber == fiber);
  g_assert (!fiber->goes_on);
  if (next)
    {
      g_assert (next->resumer == NULL);
      if (G_UNLIKELY (watch != NULL))
        tell_of_switch (fiber, next);
      next->resumer = fiber->resumer;
      next->came_straight = TRUE;
      fiber->resumer = NULL;
      running_fiber = next;
      announce_leave_to (&fiber->record, next);
      gtx_context_switch (&fiber->context, &next->context);
    }
  else
    {
      announce_leave_to_resumer (&fiber->record, fiber->resumer);
      gtx_context_switch (&fiber->context, &fiber->resumer->context);
    }
  gtx_announce_enter (&fiber->record, fiber->came_straight ? NULL : &fiber->resumer->record);
  errno = saved_errno;
}

void
gtx_fiber_prefetch (const GtxFiber *fiber)
{
  gtx_context_prefetch (&fiber->context);
}

GtxFiber *
gtx_fiber_current (void)
{
  GtxFiber *fiber = running_fiber;

  return fiber && fiber->resumer->depth == g_main_depth () ? fiber : NULL;
}

gboolean
gtx_fiber_is_running (GtxFiber *fiber)
{
  return fiber->resumer != NULL;
}

gpointer
gtx_fiber_get_data (GtxFiber *fiber)
{
  return fiber->data;
}

gboolean
gtx_fiber_find_overflow (const void *address,
                         gpointer   *data,
                         gsize      *stack_size)
{
  const GtxFiber *fiber = running_fiber;
  const guint8 *at = address;

  if (fiber == NULL || at >= fiber->stack->base || at < fiber->stack->base - gtx_guard_size ())
    return FALSE;
  *data = fiber->data;
  *stack_size = fiber->stack->size + gtx_guard_size ();
  return TRUE;
}

void
gtx_fiber_leave_to_parent (void)
{
  running_fiber = NULL;
}

gboolean
gtx_fiber_is_parents (GtxFiber *fiber)
{
  return running_fiber != fiber;
}
