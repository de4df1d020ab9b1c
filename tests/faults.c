/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that the kernel refuses: to each request of the library in turn, or because a limit is
 * reached.  Tasks that get no stack fail and report it; all else goes on.  Each case is a process
 * of its own, on top of faults-shim.c. */

#include "faults-cases.h"
#include "fixture.h"
#include "guards.h"
#include "spawn.h"

static const char *program;

/* @marks and @refused are the shim's variables; "": none.  Returns NULL, and skips the test, if the
 * case is not possible here. */
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

/* Refuses each of the calls once, and then all calls from each one on.  @fails_once: some task
 * fails if one call is refused; @fails: some task fails if all later calls are refused, too. */
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

/* If a large slab cannot be mapped, a smaller one can. */
static void
test_mmap (void)
{
  refuse_each ("mmap", "", FALSE, TRUE);
}

/* Without marks the library uses mprotect (). */
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
