/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fiber/fiber.h"

#include "fiber/guard.h"

/* The tops of stacks lie at equal distances.  Without different offsets they would share a few sets
 * of the processor's caches. */
#define COLOURS 32
#define COLOUR_STEP 64

/* g_main_depth () never returns this. */
#define OUTSIDE -1

__thread GtxFiber *gtx_running_fiber;

static __thread guint n_forks;  /* forks that left this thread in the child */

const GtxFiberWatch *gtx_fiber_watch;

void
gtx_fiber_set_watch (const GtxFiberWatch *watch)
{
  __atomic_store_n (&gtx_fiber_watch, watch, __ATOMIC_RELEASE);
}

/* The caller found hooks; another thread may have removed them since. */
static const GtxFiberWatch *
get_watch (void)
{
  return __atomic_load_n (&gtx_fiber_watch, __ATOMIC_ACQUIRE);
}

static void
tell_of_begin (GtxStack *stack,
               gpointer  data)
{
  const GtxFiberWatch *watch = get_watch ();

  if (watch)
    watch->begin (stack, data);
}

static void
tell_of_end (GtxStack *stack)
{
  const GtxFiberWatch *watch = get_watch ();

  if (watch)
    watch->end (stack);
}

/* The hooks run outside of all fibers. */
void
gtx_fiber_tell_of_switch (const GtxFiber *from,
                          const GtxFiber *to)
{
  const GtxFiberWatch *watch = get_watch ();
  GtxFiber *running = gtx_running_fiber;

  if (watch == NULL)
    return;
  gtx_running_fiber = NULL;
  if (from)
    watch->leave (from->stack, from->data);
  if (to)
    watch->enter (to->stack);
  gtx_running_fiber = running;
}

void
gtx_fiber_call_apart (GtxFiberFunc func,
                      gpointer     data)
{
  GtxFiber *fiber = gtx_running_fiber;
  gint depth;

  if (fiber == NULL)
    {
      func (data);
      return;
    }
  depth = fiber->resumer->depth;
  fiber->resumer->depth = OUTSIDE;
  func (data);
  fiber->resumer->depth = depth;
}

static GtxFiber *
end (GtxFiber *fiber)
{
  GtxResumer *resumer = fiber->resumer;
  gint depth = resumer->depth;
  GtxFiber *next;

  if (gtx_fiber_is_watched ())
    gtx_fiber_tell_of_switch (fiber, NULL);
  resumer->ended = fiber;
  if (gtx_fiber_is_marked (fiber) && gtx_fiber_take_mark (fiber, GTX_FIBER_IS_EAGER))
    return NULL;
  resumer->depth = OUTSIDE;
  next = fiber->next_func (fiber->data);
  resumer->depth = depth;
  return next;
}

static GtxContext *
start (void *data)
{
  GtxFiber *fiber = data;
  GtxContext *context;
  GtxFiber *next;

  gtx_fiber_arrive (fiber, NULL);
  do
    {
      fiber->func (fiber->data);
      next = end (fiber);
    }
  while (next == fiber);
  context = gtx_fiber_leave (fiber, next, NULL);
#ifdef GTX_TSAN
  /* ThreadSanitizer would count the return of this function on the stack that is entered. */
  gtx_context_switch (&fiber->context, context);
#endif
  return context;
}

static inline void
set_up (GtxFiber         *fiber,
        GtxFiberFunc      func,
        GtxFiberNextFunc  next,
        GtxFiberFunc      ended,
        gpointer          data)
{
  fiber->func = func;
  fiber->next_func = next;
  fiber->ended_func = ended;
  fiber->data = data;
  fiber->marks = 0;
}

/* Hooks expect a stack that no fiber is on, so that a fiber is not reused while they are set. */
static inline gboolean
may_begin_again (const GtxFiber *fiber,
                 GtxStackPool   *pool,
                 gsize           stack_size)
{
  return fiber->resumer->ended == fiber && !gtx_fiber_is_watched () && fiber->pool == pool &&
         gtx_stack_pool_suits (pool, fiber->stack, stack_size);
}

GtxFiber *
gtx_fiber_new (GtxStackPool      *pool,
               gsize              stack_size,
               GtxFiberFunc       func,
               GtxFiberNextFunc   next,
               GtxFiberFunc       ended,
               gpointer           data,
               GtxFiber          *like,
               char             **problem)
{
  static __thread guint colour;
  GtxStack *stack;
  GtxFiber *fiber;
  gsize at;

  if (like && may_begin_again (like, pool, stack_size))
    {
      like->resumer->ended = NULL;
      gtx_context_take_control (&like->resumer->context);
      set_up (like, func, next, ended, data);
      return like;
    }

  stack = gtx_stack_pool_acquire (pool, stack_size, problem);
  if (stack == NULL)
    return NULL;
  if (gtx_fiber_is_watched ())
    tell_of_begin (stack, data);

  at = stack->size - sizeof (GtxFiber) - (colour++ % COLOURS) * COLOUR_STEP;
  at &= ~(gsize) (COLOUR_STEP - 1);
  fiber = (GtxFiber *) (void *) (stack->base + at);
  fiber->resumer = NULL;
  fiber->pool = pool;
  fiber->stack = stack;
  fiber->came_straight = FALSE;
  set_up (fiber, func, next, ended, data);
  gtx_context_make (&fiber->context, stack->base, at, start, fiber,
                    like ? &like->resumer->context : NULL);
  return fiber;
}

/* Called on the next stack that runs. */
void
gtx_fiber_bury_ended (GtxResumer *resumer)
{
  GtxFiber *fiber = g_steal_pointer (&resumer->ended);

  if (gtx_fiber_is_watched ())
    tell_of_end (fiber->stack);
  gtx_stack_pool_release (fiber->pool, fiber->stack);
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
      g_assert ((fiber->marks & GTX_FIBER_GOES_ON) == 0);
      fiber->marks |= GTX_FIBER_GOES_ON;
      return;
    }
  resumer.outer = gtx_running_fiber;
  resumer.ended = NULL;
  resumer.call = NULL;
  resumer.depth = depth;
  resumer.record.tsan_fiber = gtx_announce_current_fiber ();
  fiber->resumer = &resumer;
  fiber->came_straight = FALSE;
  gtx_running_fiber = fiber;
  if (gtx_fiber_is_watched ())
    gtx_fiber_tell_of_switch (NULL, fiber);

  gtx_announce_leave (&resumer.record, fiber->stack->base, fiber->stack->size,
                      fiber->stack->announcement.tsan_fiber);
  gtx_context_switch (&resumer.context, &fiber->context);
  gtx_announce_enter (&resumer.record, NULL);
  while (G_UNLIKELY (resumer.call != NULL))
    {
      GtxOutsideCall *call = g_steal_pointer (&resumer.call);

      call->func (call->data);
      gtx_announce_leave (&resumer.record, call->fiber->stack->base, call->fiber->stack->size,
                          call->fiber->stack->announcement.tsan_fiber);
      gtx_context_switch (&resumer.context, &call->context);
      gtx_announce_enter (&resumer.record, NULL);
    }

  /* Nested dispatchers unwind last in, first out. */
  last = gtx_running_fiber;
  g_assert (last->resumer == &resumer);
  last->resumer = NULL;
  gtx_running_fiber = resumer.outer;
  if (gtx_fiber_is_watched () && resumer.ended == NULL)
    gtx_fiber_tell_of_switch (last, NULL);
  errno = saved_errno;
  if (resumer.ended)
    {
      GtxFiberFunc ended_func = last->ended_func;
      gpointer data = last->data;

      gtx_fiber_bury_ended (&resumer);
      ended_func (data);
    }
}

/* The hooks learn that the fiber which begins another one does not run meanwhile. */
void
gtx_fiber_begin_eagerly (GtxFiber *fiber,
                         gint      depth)
{
  GtxFiber *outer = gtx_fiber_current ();

  g_assert (!gtx_fiber_is_running (fiber) && fiber->marks == 0);
  fiber->marks = GTX_FIBER_IS_EAGER;
  if (gtx_fiber_is_watched () && outer)
    gtx_fiber_tell_of_switch (outer, NULL);
  gtx_fiber_resume (fiber, depth);
  if (gtx_fiber_is_watched () && outer)
    gtx_fiber_tell_of_switch (NULL, outer);
}

/* A main loop in between would be a level deeper, so that the fibers which have begun one another eagerly
 * are those of one depth. */
gboolean
gtx_fiber_has_begun_running (const GtxFiber *fiber)
{
  const GtxFiber *inner = gtx_fiber_current ();
  const GtxFiber *outer;

  for (; inner; inner = outer)
    {
      outer = inner->resumer->outer;
      if (outer == NULL || outer->resumer->depth != inner->resumer->depth)
        return FALSE;
      if (outer == fiber)
        return TRUE;
    }
  return FALSE;
}

gboolean
gtx_fiber_find_overflow (const void *address,
                         gpointer   *data,
                         gsize      *stack_size)
{
  const GtxFiber *fiber = gtx_running_fiber;
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
  gtx_running_fiber = NULL;
  n_forks++;
}

/* Finds the innermost resumer on the stack of the thread.  The resumers of main loops that fibers
 * run are on the stacks of these fibers. */
static GtxResumer *
find_outermost (const GtxFiber *fiber)
{
  while (fiber->resumer->outer)
    fiber = fiber->resumer->outer;
  return fiber->resumer;
}

/* The resumer on the stack of the thread makes the call, and switches back. */
void
gtx_fiber_call_outside (GtxFiberFunc func,
                        gpointer     data)
{
  GtxOutsideCall call = { .func = func, .data = data, .fiber = gtx_running_fiber };
  guint n_forks_before = n_forks;
  GtxResumer *resumer;

  if (call.fiber == NULL)
    {
      func (data);
      return;
    }
  resumer = find_outermost (call.fiber);
  resumer->call = &call;
  gtx_running_fiber = NULL;
  gtx_announce_leave (&call.record, resumer->record.asan_bottom, resumer->record.asan_size,
                      resumer->record.tsan_fiber);
  gtx_context_switch (&call.context, &resumer->context);
  gtx_announce_enter (&call.record, NULL);
  /* In the child of a fork () the caller stays outside of all fibers. */
  if (n_forks == n_forks_before)
    gtx_running_fiber = call.fiber;
}

/* ---- Looking at fibers ---- */

static gboolean
is_on_stack (const GtxStack *stack,
             const void     *address)
{
  const guint8 *at = address;

  return at >= stack->base && at < stack->base + stack->size;
}

const GtxContext *
gtx_fiber_get_context (const GtxFiber *fiber)
{
  if (!gtx_fiber_is_running (fiber))
    return &fiber->context;
  /* A main loop that the fiber runs has resumed another one, from the stack of this one. */
  for (const GtxFiber *inner = gtx_running_fiber; inner; inner = inner->resumer->outer)
    if (inner->resumer->outer == fiber)
      return &inner->resumer->context;
  return NULL;
}

gsize
gtx_fiber_measure_stack (const GtxFiber *fiber)
{
  const GtxStack *stack = fiber->stack;
  const GtxContext *context = gtx_fiber_get_context (fiber);
  const void *lowest = context ? gtx_context_get_stack_pointer (context) : __builtin_frame_address (0);

  return is_on_stack (stack, lowest) ? (gsize) (stack->base + stack->size - (const guint8 *) lowest) : 0;
}
