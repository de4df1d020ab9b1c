/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Costs, by count and not by time: instructions (under Valgrind's callgrind), system
 * calls (under strace), allocations and looks at the clock. */

#include "fixture.h"

#include <stdlib.h>
#include <time.h>

/* Recorded with gcc 12, -O2 and GLib 2.74 on x86-64, where a switch took 291
 * instructions and a task 3,330, most of which GObject's; and 6 % more. */
#if defined (__x86_64__) && !defined (__clang__)
#define IS_RECORDED TRUE
#else
#define IS_RECORDED FALSE
#endif
#define MOST_INSTRUCTIONS_A_SWITCH 308
#define MOST_INSTRUCTIONS_A_TASK 3530

/* ---- Allocations and looks at the clock ---- */

void *__libc_malloc (size_t size);
void *__libc_calloc (size_t n, size_t size);
void *__libc_realloc (void *memory, size_t size);

static guint64 n_allocations;
static guint64 n_clock_reads;

/* These definitions replace the libraries' own. */
void *
malloc (size_t size)
{
  n_allocations++;
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  n_allocations++;
  return __libc_calloc (n, size);
}

void *
realloc (void *memory, size_t size)
{
  n_allocations++;
  return __libc_realloc (memory, size);
}

gint64
g_get_monotonic_time (void)
{
  struct timespec now;

  n_clock_reads++;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* ---- The work ---- */

typedef struct
{
  GtxSemaphore *mine;
  GtxSemaphore *theirs;
  guint n_rounds;
} Player;

static gboolean
play (Player *player, GError **error)
{
  for (guint i = 0; i < player->n_rounds; i++)
    {
      if (!gtx_semaphore_acquire (player->mine, error))
        return FALSE;
      gtx_semaphore_release (player->theirs);
    }
  return TRUE;
}

static gboolean
ping_pong (guint *n_rounds, GError **error)
{
  g_autoptr (GtxSemaphore) ping = gtx_semaphore_new (1);
  g_autoptr (GtxSemaphore) pong = gtx_semaphore_new (0);
  Player players[] = { { ping, pong, *n_rounds }, { pong, ping, *n_rounds } };
  g_autoptr (GtxTask) other = gtx_create_task (play, &players[1], NULL);

  return play (&players[0], error) && gtx_await (other, error);
}

static gboolean
yield_often (guint *n_times, GError **error)
{
  for (guint i = 0; i < *n_times; i++)
    if (!gtx_sleep (0, error))
      return FALSE;
  return TRUE;
}

static gboolean
switch_often (guint *n_times, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_each = *n_times / 100;

  for (guint i = 0; i < 100; i++)
    g_ptr_array_add (tasks, gtx_create_task (yield_often, &n_each, NULL));
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static gboolean
nothing (gpointer data, GError **error)
{
  return TRUE;
}

static gboolean
spawn_often (guint *n_times, GError **error)
{
  for (guint done = 0; done < *n_times; done += 100)
    {
      g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

      for (guint i = 0; i < 100; i++)
        g_ptr_array_add (tasks, gtx_create_task (nothing, NULL, NULL));
      if (!gtx_gather (tasks, GTX_GATHER_NONE, error))
        return FALSE;
    }
  return TRUE;
}

/* This part runs by itself, under a tool. */
static int
work (const char *what, guint n)
{
  g_autoptr (GError) error = NULL;

  if (strcmp (what, "spawn") == 0)
    gtx_run (spawn_often, &n, &error);
  else if (strcmp (what, "switch") == 0)
    gtx_run (switch_often, &n, &error);
  else
    gtx_run (ping_pong, &n, &error);
  g_assert_no_error (error);
  return 0;
}

/* ---- In this process ---- */

/* The second half of the rounds is the steady state. */
static gboolean
count_in_ping_pong (gpointer data, GError **error)
{
  guint n_rounds = 10000;
  guint64 allocated, read;

  if (!ping_pong (&n_rounds, error))
    return FALSE;
  allocated = n_allocations;
  read = n_clock_reads;
  if (!ping_pong (&n_rounds, error))
    return FALSE;
  allocated = n_allocations - allocated;
  read = n_clock_reads - read;
  g_test_message ("%u rounds: %" G_GUINT64_FORMAT " allocations, %" G_GUINT64_FORMAT " looks at the clock",
                  n_rounds, allocated, read);
  g_assert_cmpuint (n_clock_reads, >, 0);
  /* Two semaphores, and a task and its result. */
  g_assert_cmpuint (allocated, <, 50);
  g_assert_cmpuint (read, <, 2 * n_rounds / 10);
  return TRUE;
}

/* ---- Under a tool ---- */

static char *program;

/* Returns the output of the tool, or NULL if the tool is not installed or not permitted. */
static char *
run_under (const char *tool, const char *what, guint n)
{
  g_autofree char *command = g_strdup_printf ("%s %s --work %s %u", tool, program, what, n);
  g_autofree char *errors = NULL;
  int status;

  if (!g_spawn_command_line_sync (command, NULL, &errors, &status, NULL) || status != 0)
    return NULL;
  return g_steal_pointer (&errors);
}

static guint64
count_instructions (const char *what, guint n)
{
  g_autofree char *output = run_under ("valgrind --tool=callgrind --callgrind-out-file=/dev/null", what, n);
  const char *at = output ? strstr (output, "Collected : ") : NULL;

  return at ? g_ascii_strtoull (at + strlen ("Collected : "), NULL, 10) : 0;
}

static void
assert_instructions (const char *what, guint64 most)
{
  guint64 few = IS_RECORDED ? count_instructions (what, 10000) : 0;
  guint64 many = IS_RECORDED ? count_instructions (what, 20000) : 0;

  if (few == 0 || many == 0)
    {
      g_test_skip ("Valgrind is not there, or nothing is recorded for this compiler and processor");
      return;
    }
  g_test_message ("%s: %.0f instructions", what, (double) (many - few) / 10000);
  g_assert_cmpuint ((many - few) / 10000, >, most / 4);
  g_assert_cmpuint ((many - few) / 10000, <=, most);
}

static void
test_switch (void)
{
  assert_instructions ("switch", MOST_INSTRUCTIONS_A_SWITCH);
}

static void
test_spawn (void)
{
  assert_instructions ("spawn", MOST_INSTRUCTIONS_A_TASK);
}

/* Each call has a line, and so has each poll. */
static guint
count_lines (const char *text, const char *with)
{
  guint n = 0;

  for (const char *at = text; (at = strstr (at, with)); at += strlen (with))
    n++;
  return n;
}

/* A slice takes some milliseconds, so as many rounds are very few slices. */
static void
test_system_calls (void)
{
  g_autofree char *few = run_under ("strace -f", "ping-pong", 1000);
  g_autofree char *many = run_under ("strace -f", "ping-pong", 101000);
  guint n_calls, n_polls;

  if (few == NULL || many == NULL)
    {
      g_test_skip ("strace is not there, or not permitted");
      return;
    }
  n_calls = count_lines (many, "\n") - count_lines (few, "\n");
  n_polls = count_lines (many, "poll(") - count_lines (few, "poll(");
  g_test_message ("100000 rounds more: %u system calls more, %u of them polls", n_calls, n_polls);
  g_assert_cmpuint (n_calls, <=, n_polls + 10);
  g_assert_cmpuint (n_polls, <, 1000);
}

static void
skip (void)
{
  g_test_skip ("Valgrind adds its own costs");
}

int
main (int argc, char *argv[])
{
  if (argc == 4 && strcmp (argv[1], "--work") == 0)
    return work (argv[2], (guint) atoi (argv[3]));

  g_test_init (&argc, &argv, NULL);
  if (RUNNING_ON_VALGRIND)
    {
      g_test_add_func ("/cost/skipped", skip);
      return g_test_run ();
    }
  program = argv[0];
  /* GLib's slices count as allocations here; the tools see what is usual. */
  g_unsetenv ("G_SLICE");
  g_unsetenv ("G_DEBUG");
  g_unsetenv ("MALLOC_PERTURB_");
  add_real_coroutine ("/cost/steady", count_in_ping_pong);
  g_test_add_func ("/cost/system-calls", test_system_calls);
  g_test_add_func ("/cost/switch", test_switch);
  g_test_add_func ("/cost/spawn", test_spawn);
  return g_test_run ();
}
