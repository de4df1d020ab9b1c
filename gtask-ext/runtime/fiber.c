/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fiber.h"

#include "context.h"

#include <errno.h>

/* Tops of stacks lie at equal distances: without an offset that differs they
 * would meet in the same few sets of the processor's caches. */
#define COLOURS 32
#define COLOUR_STEP 64

/* Lies at the top of its stack, in the page that the first frames need too. */
struct _GtxFiber
{
  GtxContext context;           /* where it goes on, while it is suspended */
  GtxContext resumer;           /* where its resumer goes on, while it runs */
  GtxFiber *outer;              /* what ran when it was resumed */
  GtxFiberFunc func;
  gpointer data;
  GtxStackPool *pool;
  GtxStack *stack;
  gint depth;                   /* of main loops, where it was resumed */
  gboolean running;
  gboolean ended;
  GtxSwitchRecord own_record;
  GtxSwitchRecord resumer_record;
};

/* A fiber stays in its thread, so no function keeps an address of another
 * thread's variable across a switch. */
static __thread GtxFiber *running_fiber;

static void
start (void *data)
{
  GtxFiber *fiber = data;

  gtx_announce_enter (NULL, &fiber->resumer_record);
  fiber->func (fiber->data);
  fiber->ended = TRUE;
  gtx_announce_leave (NULL, fiber->resumer_record.asan_bottom, fiber->resumer_record.asan_size,
                      fiber->resumer_record.tsan_fiber);
  gtx_context_switch (&fiber->context, &fiber->resumer);
  g_assert_not_reached ();
}

GtxFiber *
gtx_fiber_new (GtxStackPool  *pool,
               gsize          stack_size,
               GtxFiberFunc   func,
               gpointer       data,
               GError       **error)
{
  static __thread guint colour;
  GtxStack *stack = gtx_stack_pool_acquire (pool, stack_size, error);
  GtxFiber *fiber;
  gsize at;

  if (stack == NULL)
    return NULL;

  at = stack->size - sizeof (GtxFiber) - (colour++ % COLOURS) * COLOUR_STEP;
  at &= ~(gsize) (COLOUR_STEP - 1);
  fiber = (GtxFiber *) (void *) (stack->base + at);
  fiber->outer = NULL;
  fiber->func = func;
  fiber->data = data;
  fiber->pool = pool;
  fiber->stack = stack;
  fiber->depth = -1;
  fiber->running = FALSE;
  fiber->ended = FALSE;
  gtx_context_make (&fiber->context, stack->base, at, start, fiber);
  return fiber;
}

gboolean
gtx_fiber_resume (GtxFiber *fiber,
                  gint      depth)
{
  int saved_errno = errno;

  g_assert (!fiber->running);
  fiber->running = TRUE;
  fiber->outer = running_fiber;
  fiber->depth = depth;
  running_fiber = fiber;

  fiber->resumer_record.tsan_fiber = gtx_announce_current_fiber ();
  gtx_announce_leave (&fiber->resumer_record, fiber->stack->base, fiber->stack->size,
                      fiber->stack->announcement.tsan_fiber);
  gtx_context_switch (&fiber->resumer, &fiber->context);
  gtx_announce_enter (&fiber->resumer_record, NULL);

  /* Nested dispatchers unwind last in, first out. */
  g_assert (running_fiber == fiber);
  running_fiber = fiber->outer;
  fiber->running = FALSE;
  errno = saved_errno;

  if (fiber->ended)
    {
      gtx_stack_pool_release (fiber->pool, fiber->stack);
      return FALSE;
    }
  return TRUE;
}

void
gtx_fiber_suspend (GtxFiber *fiber)
{
  int saved_errno = errno;

  g_assert (running_fiber == fiber);
  gtx_announce_leave (&fiber->own_record, fiber->resumer_record.asan_bottom,
                      fiber->resumer_record.asan_size, fiber->resumer_record.tsan_fiber);
  gtx_context_switch (&fiber->context, &fiber->resumer);
  gtx_announce_enter (&fiber->own_record, &fiber->resumer_record);
  errno = saved_errno;
}

GtxFiber *
gtx_fiber_current (void)
{
  GtxFiber *fiber = running_fiber;

  return fiber && fiber->depth == g_main_depth () ? fiber : NULL;
}

gpointer
gtx_fiber_get_data (GtxFiber *fiber)
{
  return fiber->data;
}
