/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks wait for descriptors although the kernel refuses the calls that the wait would use. */

#include "fixture.h"
#include "spawn.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- In a process of its own ---- */

#define N_PAIRS 4
#define N_BYTES 3

/* Returns the shim's count, or 0 without the shim. */
static guint
count_calls (const char *call)
{
  unsigned long (*count) (const char *name) = NULL;

  *(void **) &count = dlsym (RTLD_DEFAULT, "faults_count");
  return count ? (guint) count (call) : 0;
}

static gboolean
read_bytes (const int *pair, GError **error)
{
  char byte;

  for (int i = 0; i < N_BYTES; i++)
    if (gtx_await_fd (pair[0], G_IO_IN, error) != G_IO_IN || read (pair[0], &byte, 1) != 1)
      return FALSE;
  return TRUE;
}

static gboolean
write_bytes (const int *pair, GError **error)
{
  for (int i = 0; i < N_BYTES; i++)
    if (gtx_await_fd (pair[1], G_IO_OUT, error) == 0 || write (pair[1], "x", 1) != 1 || !gtx_sleep (0.001, error))
      return FALSE;
  return TRUE;
}

static gboolean
talk (gpointer data, GError **error)
{
  int pairs[N_PAIRS][2];
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < N_PAIRS; i++)
    {
      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pairs[i]), ==, 0);
      g_ptr_array_add (tasks, gtx_create_task (read_bytes, pairs[i], NULL));
      g_ptr_array_add (tasks, gtx_create_task (write_bytes, pairs[i], NULL));
    }
  return gtx_gather (tasks, 0, error);
}

static int
run_case (void)
{
  g_autoptr (GError) error = NULL;

  if (!gtx_run (talk, NULL, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  printf ("epoll_create1=%u epoll_ctl=%u\n", count_calls ("epoll_create1"), count_calls ("epoll_ctl"));
  return 0;
}

/* ---- The tests ---- */

static const char *program;

/* Returns how often the program called @call. */
static guint
run_refused (const char *call, guint first, guint last)
{
  g_autofree char *preload = g_strconcat ("LD_PRELOAD=", FAULTS_SHIM, NULL);
  g_autofree char *name = g_strconcat ("FAULTS_CALL=", call, NULL);
  g_autofree char *from = g_strdup_printf ("FAULTS_FIRST=%u", first);
  g_autofree char *to = g_strdup_printf ("FAULTS_LAST=%u", last);
  g_autofree char *counted = g_strconcat (call, "=", NULL);
  const char *command[] = { "env", preload, name, from, to, program, "--case", NULL };
  g_autoptr (Outcome) outcome = run_program_in (".", NULL, command);
  const char *at;

  assert_outcome (outcome, 0, "", "*");
  at = strstr (outcome->output, counted);
  g_assert_nonnull (at);
  return (guint) g_ascii_strtoull (at + strlen (counted), NULL, 10);
}

/* Refuses each of the calls once, and then all calls from each one on. */
static void
refuse_each (const char *call)
{
  guint n_calls = run_refused (call, 0, 0);

  g_test_message ("%u calls of %s()", n_calls, call);
  g_assert_cmpuint (n_calls, >, 0);
  for (guint i = 1; i <= n_calls; i++)
    {
      run_refused (call, i, i);
      run_refused (call, i, G_MAXUINT);
    }
}

static void
test_set (void)
{
  refuse_each ("epoll_create1");
}

static void
test_room (void)
{
  refuse_each ("epoll_ctl");
}

static void
skip (void)
{
  g_test_skip ("Sanitizers, Valgrind and emulators have memory of their own, and no shim below them");
}

int
main (int argc, char *argv[])
{
  if (argc == 2 && strcmp (argv[1], "--case") == 0)
    return run_case ();

  g_test_init (&argc, &argv, NULL);
  if (RUNNING_ON_VALGRIND || *FAULTS_SHIM == '\0')
    {
      g_test_add_func ("/faults-descriptors/skipped", skip);
      return g_test_run ();
    }
  program = argv[0];
  g_test_add_func ("/faults-descriptors/set", test_set);
  g_test_add_func ("/faults-descriptors/room", test_room);
  return g_test_run ();
}
