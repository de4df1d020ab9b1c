/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The switch: each fiber has its own callee-saved registers. */

#define _GNU_SOURCE             /* feenableexcept () */

#include "fiber/context.h"
#include "fiber/fiber.h"

#include <errno.h>
#include <fenv.h>

#define N_FIBERS 8
#define N_ROUNDS 200

typedef struct
{
  GtxFiber *fiber;
  guint number;
  guint n_rounds;
} Runner;

static void
runner_ended (gpointer data)
{
  g_assert_null (gtx_fiber_current ());
  ((Runner *) data)->fiber = NULL;
}

static void
just_ended (gpointer data)
{
}

static GtxFiber *
go_back (gpointer data)
{
  return NULL;
}

/* Makes a fiber that switches back to the main stack when it has ended. */
static GtxFiber *
new_fiber (GtxStackPool *pool, GtxFiberFunc func, GtxFiberFunc ended, gpointer data)
{
  return gtx_fiber_new (pool, 1 << 16, func, go_back, ended, data, NULL, NULL);
}

static void
resume (GtxFiber *fiber)
{
  gtx_fiber_resume (fiber, g_main_depth ());
}

/* The compiler does not vectorize values that it knows nothing about. */
#define HIDE(value) __asm__ volatile ("" : "+r" (value))

/* More values alive across each switch than there are registers for. */
static void
keep_values (guint64 number, void (*leave) (gpointer data), gpointer data)
{
  volatile guint64 seed = number;
  guint64 a = seed + 1, b = seed + 2, c = seed + 3, d = seed + 4, e = seed + 5, f = seed + 6;
  guint64 g = seed + 7, h = seed + 8, i = seed + 9, j = seed + 10, k = seed + 11, l = seed + 12;
  double m = (double) seed + 1, n = m + 1, o = m + 2, p = m + 3, q = m + 4, r = m + 5, s = m + 6, t = m + 7;

  for (guint round = 0; round < N_ROUNDS; round++)
    {
      leave (data);
      HIDE (a); HIDE (b); HIDE (c); HIDE (d); HIDE (e); HIDE (f);
      HIDE (g); HIDE (h); HIDE (i); HIDE (j); HIDE (k); HIDE (l);
      a++, b++, c++, d++, e++, f++, g++, h++, i++, j++, k++, l++;
      m++, n++, o++, p++, q++, r++, s++, t++;
    }
  g_assert_cmpuint (a + b + c + d + e + f + g + h + i + j + k + l, ==, 12 * (seed + N_ROUNDS) + 78);
  g_assert_cmpfloat (m + n + o + p + q + r + s + t, ==, 8.0 * ((double) seed + N_ROUNDS) + 36);
}

/* ---- Between two contexts, with nothing around the switch ---- */

static GtxContext here;
static GtxContext there;

static void
go_there (gpointer data)
{
  gtx_context_switch (&here, &there);
}

static void
go_here (gpointer data)
{
  gtx_context_switch (&there, &here);
}

static GtxContext *
keep_values_there (gpointer data)
{
  keep_values (1000, go_here, NULL);
  *(gboolean *) data = TRUE;
  return &here;
}

static void
test_registers (void)
{
  static _Alignas (16) guint8 stack[1 << 16];
  gboolean ended = FALSE;

  gtx_context_make (&there, stack, sizeof stack, keep_values_there, &ended, NULL);
  keep_values (0, go_there, NULL);
  g_assert_false (ended);
  go_there (NULL);
  g_assert_true (ended);
}

/* ---- Between fibers ---- */

static void
suspend (gpointer data)
{
  Runner *runner = data;

  runner->n_rounds++;
  gtx_fiber_suspend (runner->fiber, NULL);
}

static void
run_and_keep_values (gpointer data)
{
  Runner *runner = data;

  keep_values (runner->number, suspend, runner);
}

static void
test_values (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();
  Runner runners[N_FIBERS];
  guint n_left = N_FIBERS;

  for (guint i = 0; i < N_FIBERS; i++)
    {
      runners[i] = (Runner) { .number = 1000 * i };
      runners[i].fiber = new_fiber (pool, run_and_keep_values, runner_ended, &runners[i]);
    }
  while (n_left > 0)
    for (guint i = 0; i < N_FIBERS; i++)
      if (runners[i].fiber)
        {
          resume (runners[i].fiber);
          n_left -= runners[i].fiber == NULL;
        }
  for (guint i = 0; i < N_FIBERS; i++)
    g_assert_cmpuint (runners[i].n_rounds, ==, N_ROUNDS);
  gtx_stack_pool_free (pool);
}

/* ---- Straight on from one to another ---- */

static Runner ring[N_FIBERS];

/* The fibers run in a ring.  A fiber that has ended switches back and is freed. */
static void
pass_on (gpointer data)
{
  Runner *runner = data;
  Runner *next = &ring[(runner->number + 1) % N_FIBERS];

  gtx_fiber_suspend (runner->fiber, NULL);
  for (; runner->n_rounds < N_ROUNDS; runner->n_rounds++)
    {
      g_assert_true (gtx_fiber_current () == runner->fiber);
      gtx_fiber_suspend (runner->fiber, next->fiber);
    }
}

static void
test_straight_on (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();

  for (guint i = 0; i < N_FIBERS; i++)
    {
      ring[i] = (Runner) { .number = i };
      ring[i].fiber = new_fiber (pool, pass_on, runner_ended, &ring[i]);
      resume (ring[i].fiber);
    }
  for (guint i = 0; i < N_FIBERS; i++)
    {
      resume (ring[i].fiber);
      g_assert_null (gtx_fiber_current ());
      g_assert_null (ring[i].fiber);
      g_assert_cmpuint (ring[i].n_rounds, ==, N_ROUNDS);
    }
  gtx_stack_pool_free (pool);
}

/* ---- Straight on from one that ends to one that begins ---- */

static GtxStackPool *relay_pool;

static void
run_and_suspend_every_third (gpointer data)
{
  Runner *runner = data;

  g_assert_true (gtx_fiber_current () == runner->fiber);
  if (runner->number % 3 == 0)
    gtx_fiber_suspend (runner->fiber, NULL);
  g_assert_true (gtx_fiber_current () == runner->fiber);
  /* The fiber that passed the baton is freed. */
  g_assert_cmpuint (gtx_stack_pool_n_used (relay_pool), ==, 1);
}

static GtxFiber *pass_baton (gpointer data);

static GtxFiber *
new_runner (Runner *runner)
{
  return gtx_fiber_new (relay_pool, 1 << 16, run_and_suspend_every_third, pass_baton, just_ended, runner,
                        NULL, NULL);
}

static GtxFiber *
pass_baton (gpointer data)
{
  Runner *runner = data;
  Runner *next = &ring[runner->number + 1];

  g_assert_null (gtx_fiber_current ());
  runner->fiber = NULL;
  runner->n_rounds++;
  if (runner->number + 1 == N_FIBERS)
    return NULL;
  next->fiber = new_runner (next);
  return next->fiber;
}

static void
test_relay (void)
{
  relay_pool = gtx_stack_pool_new ();
  for (guint i = 0; i < N_FIBERS; i++)
    ring[i] = (Runner) { .number = i };

  ring[0].fiber = new_runner (&ring[0]);
  for (guint i = 0; i < N_FIBERS; i++)
    while (ring[i].fiber)
      {
        resume (ring[i].fiber);
        g_assert_null (gtx_fiber_current ());
      }
  for (guint i = 0; i < N_FIBERS; i++)
    g_assert_cmpuint (ring[i].n_rounds, ==, 1);
  g_assert_cmpuint (gtx_stack_pool_n_used (relay_pool), ==, 0);
  gtx_stack_pool_free (relay_pool);
}

/* ---- One that ended begins again as the next ---- */

static gsize
stack_size_of (const Runner *runner)
{
  return runner->number % 4 == 3 ? 1 << 17 : 1 << 16;
}

/* The fiber begins with the control words of the code that resumed the first, and leaves
 * others. */
static void
run_rounding_up (gpointer data)
{
  Runner *runner = data;

  g_assert_true (gtx_fiber_current () == runner->fiber);
  g_assert_cmpint (fegetround (), ==, FE_TONEAREST);
  g_assert_cmpint (fesetround (FE_UPWARD), ==, 0);
  if (runner->number % 2)
    gtx_fiber_suspend (runner->fiber, NULL);
  g_assert_cmpint (fegetround (), ==, FE_UPWARD);
  runner->n_rounds++;
}

static GtxFiber *
begin_again (gpointer data)
{
  Runner *runner = data;
  Runner *next = runner + 1;
  GtxFiber *ended = runner->fiber;

  g_assert_null (gtx_fiber_current ());
  if (next == &ring[N_FIBERS])
    return NULL;
  runner->fiber = NULL;
  next->fiber = gtx_fiber_new (relay_pool, stack_size_of (next), run_rounding_up, begin_again, runner_ended,
                               next, ended, NULL);
  g_assert_cmpint (next->fiber == ended, ==, stack_size_of (next) == stack_size_of (runner));
  return next->fiber;
}

static void
test_again (void)
{
  if (!GTX_CONTEXT_TAKES_CONTROL)
    {
      g_test_skip ("a fiber that runs makes none here");
      return;
    }
  relay_pool = gtx_stack_pool_new ();
  for (guint i = 0; i < N_FIBERS; i++)
    ring[i] = (Runner) { .number = i };

  ring[0].fiber = gtx_fiber_new (relay_pool, stack_size_of (&ring[0]), run_rounding_up, begin_again,
                                 runner_ended, &ring[0], NULL, NULL);
  for (guint i = 0; i < N_FIBERS; i++)
    if (ring[i].fiber)
      {
        resume (ring[i].fiber);
        g_assert_cmpint (fegetround (), ==, FE_TONEAREST);
        g_assert_cmpuint (gtx_stack_pool_n_used (relay_pool), <=, 1);
      }
  for (guint i = 0; i < N_FIBERS; i++)
    g_assert_cmpuint (ring[i].n_rounds, ==, 1);
  g_assert_cmpuint (gtx_stack_pool_n_used (relay_pool), ==, 0);
  gtx_stack_pool_free (relay_pool);
}

/* ---- Rounding, errno, alignment ---- */

static void
round_up (gpointer data)
{
  Runner *runner = data;
  volatile double one = 1;
  volatile double three = 3;
  volatile double third;

  g_assert_cmpint (fegetround (), ==, FE_TONEAREST);
  fesetround (FE_UPWARD);
  third = one / three;
  gtx_fiber_suspend (runner->fiber, NULL);
  g_assert_cmpint (fegetround (), ==, FE_UPWARD);
  g_assert_true (one / three == third);
}

static void
test_rounding (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();
  Runner runner = { 0 };
  volatile double one = 1;
  volatile double three = 3;
  double third = one / three;

  runner.fiber = new_fiber (pool, round_up, runner_ended, &runner);
  resume (runner.fiber);
  g_assert_nonnull (runner.fiber);
  g_assert_cmpint (fegetround (), ==, FE_TONEAREST);
  g_assert_true (one / three == third);
  resume (runner.fiber);
  g_assert_null (runner.fiber);
  g_assert_cmpint (fegetround (), ==, FE_TONEAREST);
  gtx_stack_pool_free (pool);
}

#ifdef __GLIBC__
/* Exceptions that other fibers raised do not trap in a fiber that enables traps. */
static void
trap_division (gpointer data)
{
  Runner *runner = data;
  volatile long double one = 1;

  feenableexcept (FE_DIVBYZERO);
  gtx_fiber_suspend (runner->fiber, NULL);
  g_assert_true (one + one == 2);
  fedisableexcept (FE_DIVBYZERO);
}

static void
test_traps (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();
  Runner runner = { 0 };
  volatile long double one = 1;
  volatile long double zero = 0;

  runner.fiber = new_fiber (pool, trap_division, runner_ended, &runner);
  resume (runner.fiber);
  g_assert_cmpint (fegetexcept (), ==, 0);
  g_assert_true (one / zero > 1);
  resume (runner.fiber);
  g_assert_null (runner.fiber);
  feclearexcept (FE_ALL_EXCEPT);
  gtx_stack_pool_free (pool);
}
#endif

static void
change_errno (gpointer data)
{
  Runner *runner = data;

  errno = EDOM;
  gtx_fiber_suspend (runner->fiber, NULL);
  g_assert_cmpint (errno, ==, EDOM);
  errno = ERANGE;
}

static void
test_errno (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();
  Runner runner = { 0 };

  runner.fiber = new_fiber (pool, change_errno, runner_ended, &runner);
  errno = ENOENT;
  resume (runner.fiber);
  g_assert_nonnull (runner.fiber);
  g_assert_cmpint (errno, ==, ENOENT);
  resume (runner.fiber);
  g_assert_null (runner.fiber);
  g_assert_cmpint (errno, ==, ENOENT);
  gtx_stack_pool_free (pool);
}

static void
check_alignment (gpointer data)
{
  /* The compiler relies on the stack's alignment and does not check it. */
  struct { char c; max_align_t aligned; } local;
  volatile guintptr address = (guintptr) &local.aligned;

  g_assert_cmpuint (address % _Alignof (max_align_t), ==, 0);
#if defined (__x86_64__) || defined (__aarch64__)
  g_assert_cmpuint ((guintptr) __builtin_frame_address (0) % 16, ==, 0);
#endif
  *(guint *) data += 1;
}

static void
test_alignment (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();
  guint n = 0;

  /* The tops of stacks are shifted, each in its own way. */
  for (guint i = 0; i < 64; i++)
    resume (new_fiber (pool, check_alignment, just_ended, &n));
  g_assert_cmpuint (n, ==, 64);
  gtx_stack_pool_free (pool);
}

/* ---- One inside another ---- */

static GtxStackPool *nested_pool;

static void
resume_next (gpointer data)
{
  guint depth = GPOINTER_TO_UINT (data);
  GtxFiber *self = gtx_fiber_current ();

  g_assert_true (gtx_fiber_get_data (self) == data);
  if (depth > 0)
    resume (new_fiber (nested_pool, resume_next, just_ended, GUINT_TO_POINTER (depth - 1)));
  g_assert_true (gtx_fiber_current () == self);
}

static void
test_nested (void)
{
  nested_pool = gtx_stack_pool_new ();
  g_assert_null (gtx_fiber_current ());
  resume (new_fiber (nested_pool, resume_next, just_ended, GUINT_TO_POINTER (50)));
  g_assert_null (gtx_fiber_current ());
  gtx_stack_pool_free (nested_pool);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/context/registers", test_registers);
  g_test_add_func ("/context/values", test_values);
  g_test_add_func ("/context/straight-on", test_straight_on);
  g_test_add_func ("/context/relay", test_relay);
  g_test_add_func ("/context/again", test_again);
  g_test_add_func ("/context/rounding", test_rounding);
#ifdef __GLIBC__
  g_test_add_func ("/context/traps", test_traps);
#endif
  g_test_add_func ("/context/errno", test_errno);
  g_test_add_func ("/context/alignment", test_alignment);
  g_test_add_func ("/context/nested", test_nested);
  return g_test_run ();
}
