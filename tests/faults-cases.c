/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cases of faults.c: the kernel refuses memory to a program. */

#define _GNU_SOURCE

#include "faults-cases.h"
#include "faults-crowd.h"

#include "fiber/guard.h"
#include "loop/scheduler.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- Tasks of two sizes come, go, and come again ---- */

/* Enough for slabs to be given back between the waves. */
#define N_LARGE 40
#define N_SMALL 10

static gboolean
count_turn (gpointer n_turns)
{
  ++*(guint *) n_turns;
  return G_SOURCE_CONTINUE;
}

static guint
run_waves (guint *n_turns)
{
  GMainContext *context = g_main_context_new ();
  GSource *beside = g_timeout_source_new (1);
  guint n_failed = 0;

  g_main_context_push_thread_default (context);
  g_source_set_callback (beside, count_turn, n_turns, NULL);
  g_source_attach (beside, context);
  for (guint i = 0; i < 2; i++)
    {
      Crowd *large = crowd_new (N_LARGE, 0);

      n_failed += run_crowd (N_SMALL, 64 * KIB);
      n_failed += crowd_end (large);
      trim ();
    }
  while (*n_turns == 0)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (beside);
  g_source_unref (beside);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  return n_failed;
}

static int
case_waves (void)
{
  guint n_turns = 0;
  gsize before = anonymous_bytes ();
  guint n_failed = run_waves (&n_turns);

  if (!is_refused ("munmap"))
    g_assert_cmpuint (anonymous_bytes (), ==, before);
  printf ("failed=%u mmap=%u madvise=%u mprotect=%u munmap=%u\n", n_failed, count_calls ("mmap"),
          count_calls ("madvise"), count_calls ("mprotect"), count_calls ("munmap"));
  return 0;
}

/* ---- Nothing can be unmapped ---- */

/* Memory that cannot be unmapped is used again. */
static int
case_no_unmapping (void)
{
  gsize kept;

  g_assert_cmpuint (run_crowd (N_LARGE, 0), ==, 0);
  trim ();
  kept = anonymous_bytes ();
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (run_crowd (N_LARGE, 0), ==, 0);
      trim ();
      g_assert_cmpuint (anonymous_bytes (), ==, kept);
    }
  return 0;
}

/* ---- The first coroutine of all ---- */

static gboolean
note_that_it_ran (gboolean *ran, GError **error)
{
  return *ran = TRUE;
}

static int
case_first_task (void)
{
  gboolean ran = FALSE;
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_run (note_that_it_ran, &ran, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NO_STACK);
  g_assert_false (ran);
  return 0;
}

/* ---- A limit on the address space ---- */

static int
limit_address_space (gsize stack_size, guint n)
{
  gsize limit = status_of ("VmSize") * KIB + 256 * MIB;
  struct rlimit limits = { limit, limit };
  guint n_failed;

  g_assert_cmpint (setrlimit (RLIMIT_AS, &limits), ==, 0);
  n_failed = run_crowd (n, stack_size);
  g_assert_cmpuint (n_failed, >, 0);
  g_assert_cmpuint (n - n_failed, >, 200 * MIB / stack_size);
  printf ("failed=%u\n", n_failed);
  return 0;
}

static int
case_address_space (void)
{
  return limit_address_space (MIB, 2000);
}

static int
case_address_space_small_stacks (void)
{
  return limit_address_space (16 * KIB, 30000);
}

static gpointer
nothing (gpointer data)
{
  return NULL;
}

/* If no stack is left, the program still has some memory for itself. */
static int
case_address_space_rest (void)
{
  gsize limit = status_of ("VmSize") * KIB + 256 * MIB;
  struct rlimit limits = { limit, limit };
  g_autofree char *block = NULL;
  Crowd *crowd;

  g_assert_cmpint (setrlimit (RLIMIT_AS, &limits), ==, 0);
  crowd = crowd_new (20000, 16 * KIB);
  block = g_malloc (MIB);
  memset (block, 1, MIB);
  g_thread_join (g_thread_new ("beside", nothing, NULL));
  g_assert_cmpuint (crowd_end (crowd), >, 0);
  return 0;
}

/* ---- A stack overflows into its guard ---- */

static guint8 *guard;

static void
on_fault (int signum, siginfo_t *info, void *context)
{
  guint8 *at = info->si_addr;

  _exit (at >= guard && at < guard + gtx_guard_size () ? CAUGHT : 1);
}

static void
catch_faults (void)
{
  static guint8 stack[64 << 10];
  stack_t alternative = { .ss_sp = stack, .ss_size = sizeof stack };
  struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

  g_assert_cmpint (sigaltstack (&alternative, NULL), ==, 0);
  g_assert_cmpint (sigaction (SIGSEGV, &action, NULL), ==, 0);
}

G_GNUC_NO_INLINE static guint
recurse (volatile guint8 *above)
{
  volatile guint8 frame[256];

  frame[0] = *above;
  return *above < G_MAXUINT8 ? recurse (frame) + frame[0] : 0;
}

/* The guard is a closed mapping.  If the guard is a mark, it does not show in the list of
 * mappings. */
static gboolean
overflow (gpointer data, GError **error)
{
  volatile guint8 here = 0;

  g_assert_true (is_guarded_by_mapping ((gconstpointer) &here));
  guard = bottom_of ((gconstpointer) &here) - gtx_guard_size ();
  catch_faults ();
  recurse (&here);
  return TRUE;
}

static int
case_overflow (void)
{
  gtx_run (overflow, NULL, NULL);
  return 0;
}

/* ---- No descriptors are left to try marks with ---- */

/* The library cannot try marks without a descriptor.  It uses mprotect () then, and tries marks
 * again later. */
static int
case_no_descriptors (void)
{
  struct rlimit limits;
  int fds[1024];
  guint n = 0, n_guarded;
  Crowd *crowd;

  gtx_scheduler_get ();
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limits), ==, 0);
  limits.rlim_cur = G_N_ELEMENTS (fds);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limits), ==, 0);
  while (n < G_N_ELEMENTS (fds) && (fds[n] = dup (0)) >= 0)
    n++;
  crowd = crowd_new (4, 0);
  g_assert_cmpuint (crowd->n_failed, ==, 0);
  g_assert_cmpuint (count_calls ("mprotect"), >=, 4);
  while (n > 0)
    close (fds[--n]);
  n_guarded = count_calls ("mprotect");
  run_crowd (1, 0);
  printf ("guarded=%u\n", count_calls ("mprotect") - n_guarded);
  crowd_end (crowd);
  return 0;
}

/* ---- The program locks its memory ---- */

static gboolean
is_locked (gconstpointer address)
{
  g_autofree char *start = g_strdup_printf ("%" G_GSIZE_MODIFIER "x-", (gsize) bottom_of (address));
  g_autofree char *text = NULL;
  const char *at, *flags;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &text, NULL, NULL));
  at = strstr (text, start);
  g_assert_nonnull (at);
  flags = strstr (at, "VmFlags:");
  g_assert_nonnull (flags);
  return g_strstr_len (flags, strcspn (flags, "\n"), " lo") != NULL;
}

static gboolean
overflow_locked (gpointer data, GError **error)
{
  volatile guint8 here = 0;

  g_assert_true (is_locked ((gconstpointer) &here));
  return overflow (NULL, error);
}

/* The pages of free stacks go back to the system, even if other stacks of the same slab are in
 * use. */
static void
trim_locked (void)
{
  GtxStackPool *pool = gtx_stack_pool_new ();
  GtxStack *stacks[100];
  guint n_resident = 0;

  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    {
      stacks[i] = gtx_stack_pool_acquire (pool, MIB, NULL);
      g_assert_nonnull (stacks[i]);
      stacks[i]->base[0] = 1;
    }
  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    if (i % 4 != 0)
      gtx_stack_pool_release (pool, stacks[i]);
  while (gtx_stack_pool_trim (pool) > 0)
    ;
  for (guint i = 0; i < G_N_ELEMENTS (stacks); i++)
    {
      unsigned char flags = 0;

      g_assert_cmpint (mincore (stacks[i]->base, gtx_guard_size (), &flags), ==, 0);
      n_resident += flags & 1;
    }
  /* The rest is the stacks in use, and the reserve. */
  g_assert_cmpuint (n_resident, ==, 25 + 16);
  for (guint i = 0; i < G_N_ELEMENTS (stacks); i += 4)
    gtx_stack_pool_release (pool, stacks[i]);
  gtx_stack_pool_free (pool);
}

/* Only the memory that the stacks use is locked. */
static int
case_locked (void)
{
  struct rlimit limits = { 0, 0 };
  gsize before, grown;
  Crowd *crowd;

  getrlimit (RLIMIT_MEMLOCK, &limits);
  if (geteuid () != 0 && limits.rlim_cur < 1024 * MIB)
    {
      printf ("RLIMIT_MEMLOCK is below 1 GiB");
      return SKIPPED;
    }
  if (mlockall (MCL_CURRENT | MCL_FUTURE) != 0)
    {
      printf ("mlockall (): %s; a higher RLIMIT_MEMLOCK is needed", g_strerror (errno));
      return SKIPPED;
    }
  before = status_of ("VmRSS");
  crowd = crowd_new (100, MIB);
  g_assert_cmpuint (crowd->n_failed, ==, 0);
  grown = status_of ("VmRSS") - before;
  crowd_end (crowd);
  g_assert_cmpuint (grown, <, 100 * 32);
  trim_locked ();
  gtx_run (overflow_locked, NULL, NULL);
  return 0;
}

/* The stacks reach the limit on locked memory. */
static int
case_locked_to_limit (void)
{
  struct rlimit limits = { 64 * MIB, 64 * MIB };
  guint n_failed;

  /* The limit does not apply to root. */
  if (geteuid () == 0 && setresuid (65534, 65534, 65534) != 0)
    {
      printf ("setresuid (): %s", g_strerror (errno));
      return SKIPPED;
    }
  setrlimit (RLIMIT_MEMLOCK, &limits);
  if (mlockall (MCL_FUTURE) != 0)
    {
      printf ("mlockall (): %s", g_strerror (errno));
      return SKIPPED;
    }
  n_failed = run_crowd (1000, MIB);
  printf ("failed=%u\n", n_failed);
  g_assert_cmpuint (n_failed, >, 0);
  return 0;
}

/* ---- Mappings ---- */

/* The slabs need a few mappings beside those of the guards. */
static int
case_mappings (void)
{
  guint most = most_mappings ();
  guint n = most / 4 + 1000;
  guint before = count_mappings ();
  guint8 *blocks[100];
  Crowd *crowd;

  if (most > 200000)
    {
      printf ("vm.max_map_count is %u; it takes too long to use them up", most);
      return SKIPPED;
    }
  crowd = crowd_new (n, 16 * KIB);
  g_assert_cmpuint (crowd->n_failed, >, 0);
  g_assert_cmpuint (crowd->n_begun, >, most / 4 - 100);
  g_assert_cmpuint (count_mappings () - before, <=, most / 2 + 10);
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    {
      blocks[i] = malloc (MIB);
      g_assert_nonnull (blocks[i]);
      memset (blocks[i], 1, MIB);
    }
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    free (blocks[i]);
  crowd_end (crowd);
  trim ();
  /* The returned mappings can be used again. */
  g_assert_cmpuint (run_crowd (most / 8, 16 * KIB), ==, 0);
  return 0;
}

/* The program itself has used up all mappings. */
static int
case_mappings_used_up (void)
{
  gsize page = gtx_guard_size ();
  gsize size = 2 * (gsize) most_mappings () * page;
  guint8 *region = mmap (NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  guint8 *at = region;
  guint n_failed;

  g_assert_true (region != MAP_FAILED);
  g_assert_cmpuint (run_crowd (4, 64 * KIB), ==, 0);
  while (at < region + size && mprotect (at, page, PROT_READ) == 0)
    at += 2 * page;
  if (at >= region + size)
    {
      printf ("The system sets no bound on mappings");
      return SKIPPED;
    }
  n_failed = run_crowd (1000, 64 * KIB) + run_crowd (1000, 256 * KIB);
  munmap (region, size);
  printf ("failed=%u\n", n_failed);
  /* With marks, the library needs few mappings. */
  if (*g_getenv ("FAULTS_MARKS"))
    g_assert_cmpuint (n_failed, >, 0);
  g_assert_cmpuint (run_crowd (1000, 64 * KIB), ==, 0);
  g_assert_cmpuint (run_crowd (1000, 256 * KIB), ==, 0);
  return 0;
}

/* ---- All of them ---- */

static const struct
{
  const char *name;
  int (*run) (void);
} cases[] = {
  { "address-space", case_address_space },
  { "address-space-small-stacks", case_address_space_small_stacks },
  { "address-space-rest", case_address_space_rest },
  { "first-task", case_first_task },
  { "locked", case_locked },
  { "locked-to-limit", case_locked_to_limit },
  { "mappings", case_mappings },
  { "mappings-used-up", case_mappings_used_up },
  { "no-descriptors", case_no_descriptors },
  { "no-unmapping", case_no_unmapping },
  { "overflow", case_overflow },
  { "waves", case_waves },
};

int
work (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (strcmp (cases[i].name, name) == 0)
      return cases[i].run ();
  return 1;
}
