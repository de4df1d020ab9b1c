/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks are used again while they are hot, have guards, and are given back. */

#include "fiber/guard.h"
#include "fiber/stack.h"

#include <sys/mman.h>

#define SIZE ((gsize) 64 << 10)

static GtxStack *
acquire (GtxStackPool *pool, gsize size)
{
  char *problem = NULL;
  GtxStack *stack = gtx_stack_pool_acquire (pool, size, &problem);

  g_assert_cmpstr (problem, ==, NULL);
  return stack;
}

static void
test_reused_hot (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();
  GtxStack *first = acquire (pool, SIZE);
  GtxStack *second = acquire (pool, SIZE);

  g_assert_true (first != second);
  g_assert_cmpuint (gtx_stack_pool_n_used (pool), ==, 2);
  gtx_stack_pool_release (pool, first);
  gtx_stack_pool_release (pool, second);
  g_assert_true (acquire (pool, SIZE) == second);
  g_assert_true (acquire (pool, SIZE) == first);
  gtx_stack_pool_release (pool, second);
  gtx_stack_pool_release (pool, first);
  g_assert_cmpuint (gtx_stack_pool_n_used (pool), ==, 0);
  gtx_stack_pool_free (pool);
}

static void
test_sizes (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();

  for (gsize size = 1; size <= (gsize) 8 << 20; size = size * 3 + 1)
    {
      GtxStack *stack = acquire (pool, size);

      g_assert_cmpuint (stack->size + gtx_guard_size (), >=, size);
      stack->base[0] = stack->base[stack->size - 1] = 1;
      gtx_stack_pool_release (pool, stack);
    }
  gtx_stack_pool_free (pool);
}

static void
test_guard (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();

  if (g_test_subprocess ())
    {
      volatile guint8 *below = acquire (pool, SIZE)->base - 1;

      *below = 1;
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  gtx_stack_pool_free (pool);
}

static gboolean
is_resident (guint8 *page)
{
  unsigned char flags = 0;

  return mincore (page, gtx_guard_size (), &flags) == 0 && (flags & 1);
}

/* The memory of a burst goes back to the system, but not at once. */
static void
test_trim (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();
  GtxStack *stacks[100];
  guint8 *pages[100];
  guint n_resident = 0;

  for (guint i = 0; i < 100; i++)
    {
      stacks[i] = acquire (pool, SIZE);
      pages[i] = stacks[i]->base;
      pages[i][0] = 1;
    }
  g_assert_false (gtx_stack_pool_has_surplus (pool));
  for (guint i = 0; i < 100; i++)
    gtx_stack_pool_release (pool, stacks[i]);
  g_assert_true (gtx_stack_pool_has_surplus (pool));

  g_assert_cmpuint (gtx_stack_pool_trim (pool), >, 0);
  for (guint i = 0; i < 100; i++)
    g_assert_true (is_resident (pages[i]));
  while (gtx_stack_pool_trim (pool) > 0)
    ;
  for (guint i = 0; i < 100; i++)
    n_resident += is_resident (pages[i]);
  g_assert_cmpuint (n_resident, ==, 16);

  /* Memory that was given back can be used again. */
  for (guint i = 0; i < 100; i++)
    {
      stacks[i] = acquire (pool, SIZE);
      stacks[i]->base[0] = 1;
    }
  for (guint i = 0; i < 100; i++)
    gtx_stack_pool_release (pool, stacks[i]);
  gtx_stack_pool_free (pool);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stack/reused-hot", test_reused_hot);
  g_test_add_func ("/stack/sizes", test_sizes);
  g_test_add_func ("/stack/guard", test_guard);
  g_test_add_func ("/stack/trim", test_trim);
  return g_test_run ();
}
