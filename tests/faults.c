/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that the kernel refuses: to each request of the library in turn, or
 * because a limit is reached.  Tasks that got no stack fail and say so; all
 * else goes on.  Each case is a process of its own, below faults-shim.c. */

#define _GNU_SOURCE

#include "fixture.h"
#include "guards.h"
#include "spawn.h"

#include "loop/scheduler.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define KIB ((gsize) 1 << 10)
#define MIB ((gsize) 1 << 20)

/* The statuses of a case that met its guard, and of one that cannot be had. */
#define CAUGHT 42
#define SKIPPED 77

/* ---- Within a case: what the process has ---- */

/* A line of /proc/self/maps. */
typedef struct
{
  gsize start;
  gsize end;
  char access[5];
  gboolean is_anonymous;
} Mapping;

static GArray *
read_mappings (void)
{
  GArray *mappings = g_array_new (FALSE, FALSE, sizeof (Mapping));
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &text, NULL, NULL));
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      Mapping mapping;
      unsigned long inode;
      int length = 0;

      g_assert_cmpint (sscanf (lines[i], "%" G_GSIZE_MODIFIER "x-%" G_GSIZE_MODIFIER "x %4s %*x %*s %lu %n",
                               &mapping.start, &mapping.end, mapping.access, &inode, &length), ==, 4);
      mapping.is_anonymous = inode == 0 && lines[i][length] == '\0';
      g_array_append_val (mappings, mapping);
    }
  return mappings;
}

static gsize
anonymous_bytes (void)
{
  g_autoptr (GArray) mappings = read_mappings ();
  gsize sum = 0;

  for (guint i = 0; i < mappings->len; i++)
    if (g_array_index (mappings, Mapping, i).is_anonymous)
      sum += g_array_index (mappings, Mapping, i).end - g_array_index (mappings, Mapping, i).start;
  return sum;
}

static guint
count_mappings (void)
{
  g_autoptr (GArray) mappings = read_mappings ();

  return mappings->len;
}

/* The lowest byte that can be used of what lies at @address. */
static guint8 *
bottom_of (gconstpointer address)
{
  g_autoptr (GArray) mappings = read_mappings ();

  for (guint i = 0; i < mappings->len; i++)
    if ((gsize) address < g_array_index (mappings, Mapping, i).end)
      return (guint8 *) g_array_index (mappings, Mapping, i).start;
  g_assert_not_reached ();
}

/* Whether the page below the mapping that @address lies in is closed. */
static gboolean
is_guarded_by_mapping (gconstpointer address)
{
  g_autoptr (GArray) mappings = read_mappings ();

  for (guint i = 1; i < mappings->len; i++)
    {
      const Mapping *mapping = &g_array_index (mappings, Mapping, i);

      if ((gsize) address < mapping->end)
        return mapping[-1].end == mapping->start && strcmp (mapping[-1].access, "---p") == 0;
    }
  return FALSE;
}

/* Kibibytes, of /proc/self/status. */
static gsize
status_of (const char *name)
{
  g_autofree char *text = NULL;
  const char *at;

  g_assert_true (g_file_get_contents ("/proc/self/status", &text, NULL, NULL));
  at = strstr (text, name);
  g_assert_nonnull (at);
  return g_ascii_strtoull (at + strlen (name) + 1, NULL, 10);
}

static guint
most_mappings (void)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents ("/proc/sys/vm/max_map_count", &text, NULL, NULL));
  return (guint) g_ascii_strtoull (text, NULL, 10);
}

static guint
count_calls (const char *name)
{
  unsigned long (*count) (const char *name) = NULL;

  *(void **) &count = dlsym (RTLD_DEFAULT, "faults_count");
  return count ? (guint) count (name) : 0;
}

static gboolean
is_refused (const char *call)
{
  return g_strcmp0 (g_getenv ("FAULTS_CALL"), call) == 0;
}

/* ---- Within a case: a crowd of tasks, some of which get no stack ---- */

typedef struct
{
  GtxFuture *go;
  struct _Member *members;
  guint n;
  guint n_begun;
  guint n_failed;
  guint n_ended;
  guint n_data_freed;
  guint n_results_freed;
} Crowd;

typedef struct _Member
{
  Crowd *crowd;
  GtxTask *task;
  guint n_ended;
} Member;

/* Results and data point to the member. */
static void
free_data (gpointer member)
{
  ((Member *) member)->crowd->n_data_freed++;
}

static void
free_result (gpointer member)
{
  ((Member *) member)->crowd->n_results_freed++;
}

static Member *
live (Member *self, GError **error)
{
  self->crowd->n_begun++;
  return gtx_await (self->crowd->go, error) && gtx_sleep (0.001, error) ? self : NULL;
}

static void
on_ended (gpointer future, gpointer data)
{
  const GError *error = gtx_future_get_error (future);
  Member *self = data;

  self->n_ended++;
  self->crowd->n_ended++;
  if (error == NULL)
    return;
  self->crowd->n_failed++;
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NO_STACK);
  g_assert_nonnull (strstr (error->message, "run fewer tasks at once"));
}

/* Waits until each has begun or failed. */
static Crowd *
crowd_new (guint n, gsize stack_size)
{
  Crowd *self = g_new0 (Crowd, 1);

  self->n = n;
  self->go = gtx_future_new ();
  self->members = g_new0 (Member, n);
  for (guint i = 0; i < n; i++)
    {
      Member *member = &self->members[i];

      member->crowd = self;
      member->task = gtx_task_new_pointer (live, member, free_data, free_result);
      gtx_task_set_stack_size (member->task, stack_size);
      gtx_future_add_done_callback (member->task, on_ended, member, NULL);
      gtx_task_start (member->task);
    }
  while (self->n_begun + self->n_failed < n)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (self->n_ended, ==, self->n_failed);
  g_assert_cmpuint (self->n_data_freed, ==, self->n_failed);
  return self;
}

/* Lets them end; returns how many had got no stack. */
static guint
crowd_end (Crowd *self)
{
  guint n_failed = self->n_failed;

  gtx_future_set_result (self->go, NULL, NULL);
  while (self->n_ended < self->n)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (self->n_failed, ==, n_failed);
  for (guint i = 0; i < self->n; i++)
    {
      g_autoptr (GtxTask) task = self->members[i].task;

      g_assert_cmpuint (self->members[i].n_ended, ==, 1);
      g_assert_true (gtx_future_is_done (task));
    }
  /* The scheduler may have to drop them too. */
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
  g_assert_cmpuint (self->n_data_freed, ==, self->n);
  g_assert_cmpuint (self->n_results_freed, ==, self->n_begun);
  g_clear_object (&self->go);
  g_free (self->members);
  g_free (self);
  return n_failed;
}

static guint
run_crowd (guint n, gsize stack_size)
{
  return crowd_end (crowd_new (n, stack_size));
}

static void
trim (void)
{
  while (gtx_stack_pool_trim (gtx_scheduler_get_stacks (gtx_scheduler_get ())) > 0)
    ;
}

static gboolean
count_turn (gpointer n_turns)
{
  ++*(guint *) n_turns;
  return G_SOURCE_CONTINUE;
}

/* ---- Case: tasks of two sizes come, go, and come again ---- */

/* Enough for slabs to be given back between the waves. */
#define N_LARGE 40
#define N_SMALL 10

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

/* ---- Case: nothing can be unmapped ---- */

/* What has to stay is used again. */
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

/* ---- Case: the first coroutine of all ---- */

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

/* ---- Case: a limit of address space ---- */

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

/* Where no stack is left, the program has some room for itself. */
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

/* ---- Case: a stack overflows into its guard ---- */

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

/* Its guard is a closed mapping: where it is a mark nothing shows it. */
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

/* ---- Case: no descriptors are left to try marks with ---- */

/* Nothing is known of marks then: mprotect () guards, and they are tried again. */
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

/* ---- Case: the program locks its memory ---- */

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

/* The free stacks' pages go back, though others of the same slab are used. */
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
  /* Those that are used, and the reserve. */
  g_assert_cmpuint (n_resident, ==, 25 + 16);
  for (guint i = 0; i < G_N_ELEMENTS (stacks); i += 4)
    gtx_stack_pool_release (pool, stacks[i]);
  gtx_stack_pool_free (pool);
}

/* Locked is what the stacks use of their memory, and no more. */
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

/* Locked memory has a limit, which the stacks reach. */
static int
case_locked_to_limit (void)
{
  struct rlimit limits = { 64 * MIB, 64 * MIB };
  guint n_failed;

  /* Root may lock what it likes. */
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

/* ---- Case: mappings ---- */

/* Beside the guards' there are a few for slabs. */
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
  /* What was given back can be had again. */
  g_assert_cmpuint (run_crowd (most / 8, 16 * KIB), ==, 0);
  return 0;
}

/* The program itself has used them up. */
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
  /* With marks, few more are needed. */
  if (*g_getenv ("FAULTS_MARKS"))
    g_assert_cmpuint (n_failed, >, 0);
  g_assert_cmpuint (run_crowd (1000, 64 * KIB), ==, 0);
  g_assert_cmpuint (run_crowd (1000, 256 * KIB), ==, 0);
  return 0;
}

/* ---- The tests ---- */

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

static int
work (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (strcmp (cases[i].name, name) == 0)
      return cases[i].run ();
  return 1;
}

static const char *program;

/* @marks and @refused: for the shim, see there; "" for none.  NULL where the
 * case cannot be had here: the test is skipped then. */
static Outcome *
run_case (const char *name, const char *marks, const char *refused, int status)
{
  g_autofree char *line = g_strdup_printf ("env LD_PRELOAD='%s' FAULTS_MARKS=%s %s '%s' --case %s", FAULTS_SHIM,
                                           marks, refused, program, name);
  g_auto (GStrv) command = NULL;
  g_autoptr (Outcome) outcome = NULL;

  g_assert_true (g_shell_parse_argv (line, NULL, &command, NULL));
  outcome = run_program_in (".", NULL, (const char *const *) command);
  if (outcome->status == SKIPPED)
    {
      g_test_skip (outcome->output);
      return NULL;
    }
  assert_outcome (outcome, status, "", "*");
  return g_steal_pointer (&outcome);
}

static guint
number_in (const Outcome *outcome, const char *name)
{
  g_autofree char *start = g_strconcat (name, "=", NULL);
  const char *at = strstr (outcome->output, start);

  g_assert_nonnull (at);
  return (guint) g_ascii_strtoull (at + strlen (start), NULL, 10);
}

/* Returns how many tasks got no stack. */
static guint
run_refused (const char *call, const char *marks, guint first, guint last)
{
  g_autofree char *refused = g_strdup_printf ("FAULTS_CALL=%s FAULTS_FIRST=%u FAULTS_LAST=%u", call, first, last);
  g_autoptr (Outcome) outcome = run_case ("waves", marks, refused, 0);

  return number_in (outcome, "failed");
}

/* Of each the first to the last, once, and from then on.  @fails_once: whether
 * there are such for which one task fails, @fails: for which some do. */
static void
refuse_each (const char *call, const char *marks, gboolean fails_once, gboolean fails)
{
  g_autoptr (Outcome) clean = run_case ("waves", marks, "", 0);
  guint n_calls = number_in (clean, call);
  guint n_failed_once = 0, n_failed = 0;

  g_assert_cmpuint (number_in (clean, "failed"), ==, 0);
  g_assert_cmpuint (n_calls, >, 0);
  for (guint i = 1; i <= n_calls; i++)
    {
      guint n = run_refused (call, marks, i, i);

      g_assert_cmpuint (n, <=, 1);
      n_failed_once += n;
      n_failed += run_refused (call, marks, i, G_MAXUINT);
    }
  g_test_message ("%s: %u calls; refused once each, %u tasks have no stack, and from each on, %u",
                  call, n_calls, n_failed_once, n_failed);
  g_assert_true ((n_failed_once > 0) == fails_once);
  g_assert_true ((n_failed > 0) == fails);
}

/* Where a large slab cannot be had a smaller one can. */
static void
test_mmap (void)
{
  refuse_each ("mmap", "", FALSE, TRUE);
}

/* Without marks there is mprotect (). */
static void
test_madvise (void)
{
  refuse_each ("madvise", "", FALSE, FALSE);
}

static void
test_mprotect (void)
{
  refuse_each ("mprotect", "unknown", TRUE, TRUE);
}

static void
test_first_task (void)
{
  outcome_free (run_case ("first-task", "", "FAULTS_CALL=mmap FAULTS_FIRST=1 FAULTS_LAST=9", 0));
  outcome_free (run_case ("first-task", "unknown", "FAULTS_CALL=mprotect FAULTS_FIRST=1 FAULTS_LAST=9", 0));
}

static void
test_munmap (void)
{
  outcome_free (run_case ("no-unmapping", "", "FAULTS_CALL=munmap FAULTS_FIRST=1 FAULTS_LAST=1000000", 0));
  refuse_each ("munmap", "", FALSE, FALSE);
}

typedef struct
{
  const char *name;
  const char *marks;
  int status;
} Case;

static void
test_case (gconstpointer data)
{
  const Case *self = data;
  g_autoptr (Outcome) outcome = run_case (self->name, self->marks, "", self->status);

  if (outcome)
    g_test_message ("%s", outcome->output);
}

static void
add_case (const char *path, const char *name, const char *marks, int status)
{
  Case *self = g_new (Case, 1);

  *self = (Case) { name, marks, status };
  g_test_add_data_func_full (path, self, test_case, g_free);
}

static void
test_no_descriptors (void)
{
  g_autoptr (Outcome) usual = run_case ("no-descriptors", "", "", 0);
  g_autoptr (Outcome) unknown = run_case ("no-descriptors", "unknown", "", 0);

  g_assert_cmpuint (number_in (unknown, "guarded"), ==, 1);
  g_assert_cmpuint (number_in (usual, "guarded"), ==, guards_take_mappings () ? 1 : 0);
}

static void
skip (void)
{
  g_test_skip ("Sanitizers, Valgrind and emulators have memory of their own, and no shim below them");
}

int
main (int argc, char *argv[])
{
  if (argc == 3 && strcmp (argv[1], "--case") == 0)
    return work (argv[2]);

  g_test_init (&argc, &argv, NULL);
  if (RUNNING_ON_VALGRIND || *FAULTS_SHIM == '\0')
    {
      g_test_add_func ("/faults/skipped", skip);
      return g_test_run ();
    }
  program = argv[0];
  g_test_add_func ("/faults/mmap", test_mmap);
  g_test_add_func ("/faults/madvise", test_madvise);
  g_test_add_func ("/faults/mprotect", test_mprotect);
  g_test_add_func ("/faults/munmap", test_munmap);
  g_test_add_func ("/faults/first-task", test_first_task);
  g_test_add_func ("/faults/no-descriptors", test_no_descriptors);
  add_case ("/faults/address-space", "address-space", "", 0);
  add_case ("/faults/address-space/small-stacks", "address-space-small-stacks", "", 0);
  add_case ("/faults/address-space/rest", "address-space-rest", "", 0);
  add_case ("/faults/marks/unknown", "overflow", "unknown", CAUGHT);
  add_case ("/faults/marks/ignored", "overflow", "ignored", CAUGHT);
  add_case ("/faults/locked", "locked", "", CAUGHT);
  add_case ("/faults/locked/limit", "locked-to-limit", "", 0);
  add_case ("/faults/mappings", "mappings", "unknown", 0);
  add_case ("/faults/mappings/used-up", "mappings-used-up", "", 0);
  add_case ("/faults/mappings/used-up/no-marks", "mappings-used-up", "unknown", 0);
  return g_test_run ();
}
