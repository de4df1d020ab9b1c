/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/programs/dbus-service.c and dbus-caller.c, on a bus of their own. */

#include "spawn.h"

#include <signal.h>
#include <stdio.h>

#define SERVICE "programs/dbus-service"
#define CALLER "programs/dbus-caller"

static void
test_arguments (void)
{
  assert_helps (SERVICE);
  assert_refuses (SERVICE, "more", "does not know what to do with \"more\"");
  assert_refuses (SERVICE, "--bus nonsense", "--bus: *nonsense*");

  assert_helps (CALLER);
  assert_refuses (CALLER, "", "wants CALL*");
  assert_refuses (CALLER, "--bus nonsense Sleep:1", "--bus: *nonsense*");
  assert_refuses (CALLER, "--timeout 0 Sleep:1", "--timeout is 0, *");
  assert_refuses (CALLER, "--times 0 Sleep:1", "--times is 0, *");
  assert_refuses (CALLER, "Sleep", "\"Sleep\" is no call: *");
  assert_refuses (CALLER, "Sleep:", "\"Sleep:\" is no call: *");
  assert_refuses (CALLER, "Sleep:-1", "\"Sleep:-1\" is no call: *");
  assert_refuses (CALLER, "Add:1", "\"Add:1\" is no call: *");
  assert_refuses (CALLER, "Add:1,2147483648", "\"Add:1,2147483648\" is no call: *");
  assert_refuses (CALLER, "Dance:1", "\"Dance:1\" is no call: *");
}

static void
test_no_bus (void)
{
  g_autoptr (Outcome) service = run_program (NULL, SERVICE, "--bus", "unix:path=/no/such/socket", NULL);
  g_autoptr (Outcome) caller = run_program (NULL, CALLER, "--bus", "unix:path=/no/such/socket", "Add:1,2", NULL);

  assert_outcome (service, 1, "dbus-service: *No such file or directory\n", "");
  assert_outcome (caller, 1, "dbus-caller: *No such file or directory\n", "");
}

/* ---- With a bus ---- */

typedef struct
{
  GTestDBus *bus;
  const char *address;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (fixture->bus);
  fixture->address = g_test_dbus_get_bus_address (fixture->bus);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_test_dbus_down (fixture->bus);
  g_object_unref (fixture->bus);
}

static Running *
start_service (Fixture *fixture)
{
  Running *service = start_program (SERVICE, "--bus", fixture->address, NULL);

  await_line (service, "org.example.Worker is ready");
  return service;
}

static void
end_service (Running *service, int signum, const char *output)
{
  g_autoptr (Outcome) outcome = end_program (service, signum);

  assert_outcome (outcome, 128 + signum, "", output);
}

static void
test_calls (Fixture *fixture, gconstpointer data)
{
  Running *service = start_service (fixture);
  g_autofree char *path = find_program (SERVICE);
  g_autofree char *call = g_strconcat ("Hash:", path, NULL);
  g_autoptr (Outcome) sum = run_program (NULL, "sha256sum", path, NULL);
  g_autofree char *line = g_strdup_printf ("%s: ('%.64s',)\n", call, sum->output);
  g_autoptr (Outcome) hash = run_program (NULL, CALLER, "--bus", fixture->address, call, NULL);
  g_autoptr (Outcome) well = run_program (NULL, CALLER, "--bus", fixture->address, "Add:-1,3", "Sleep:0.125", NULL);
  g_autoptr (Outcome) failed = run_program (NULL, CALLER, "--bus", fixture->address, "Fail:for a reason", NULL);
  g_autoptr (Outcome) too_much = run_program (NULL, CALLER, "--bus", fixture->address, "Add:2147483647,1", NULL);
  g_autoptr (Outcome) no_file = run_program (NULL, CALLER, "--bus", fixture->address, "Hash:/no/such/file", NULL);

  assert_outcome (hash, 0, "", "*1 calls, 0 failed\n");
  g_assert_true (g_str_has_prefix (hash->output, line));
  assert_outcome (well, 0, "", "Add:-1,3: (2,)\nSleep:0.125: (0.125,)\n2 calls, 0 failed\n");
  assert_outcome (failed, 1, "dbus-caller: 1 of 1 calls failed\n", "Fail:for a reason: failed: for a reason\n*1 failed\n");
  assert_outcome (too_much, 1, "*", "Add:2147483647,1: failed: 2147483647 + 1 is beyond 32 bits\n*");
  assert_outcome (no_file, 1, "*", "Hash:/no/such/file: failed: *No such file or directory\n*");
  end_service (service, SIGINT, "6 calls, at most ? at once\n");
}

/* The environment names the session's bus. */
static void
test_session_bus (Fixture *fixture, gconstpointer data)
{
  Running *service = start_program (SERVICE, NULL);
  g_autoptr (Outcome) outcome = NULL;

  await_line (service, "org.example.Worker is ready");
  outcome = run_program (NULL, CALLER, "Add:20,22", NULL);
  assert_outcome (outcome, 0, "", "Add:20,22: (42,)\n*");
  end_service (service, SIGTERM, "1 calls, *");
}

/* Calls arrive in order: when a sum comes back, all calls of Sleep are under way.  Then the
 * caller is interrupted, and the service.  The bus of a test lets a caller wait for 128 replies
 * at once. */
static void
test_many_at_once (Fixture *fixture, gconstpointer data)
{
  Running *service = start_service (fixture);
  Running *caller = start_program (CALLER, "--bus", fixture->address, "--timeout", "1000", "--times", "60",
                                   "Sleep:1000", "Add:1,2", NULL);
  g_autoptr (Outcome) outcome = NULL;
  g_autoptr (Outcome) ended = NULL;
  guint n_calls;
  guint most;

  await_line (caller, "Add:1,2: (3,)");
  outcome = end_program (caller, SIGINT);
  assert_outcome (outcome, 130, "", "*");
  ended = end_program (service, SIGINT);
  assert_outcome (ended, 130, "", "* calls, at most * at once\n");
  g_assert_cmpint (sscanf (ended->output, "%u calls, at most %u at once", &n_calls, &most), ==, 2);
  g_assert_cmpuint (most, >, 60);
  g_assert_cmpuint (n_calls, >=, most);
}

static void
test_time_out (Fixture *fixture, gconstpointer data)
{
  Running *service = start_service (fixture);
  g_autoptr (Outcome) outcome =
    run_program (NULL, CALLER, "--bus", fixture->address, "--timeout", "0.5", "--times", "3", "Sleep:1000", NULL);

  assert_outcome (outcome, 1, "dbus-caller: 3 of 3 calls failed\n",
                  "Sleep:1000: failed: Timed out\nSleep:1000: failed: Timed out\n"
                  "Sleep:1000: failed: Timed out\n3 calls, 3 failed\n");
  end_service (service, SIGINT, "? calls, at most ? at once\n");
}

/* Callers whose calls are under way get an error. */
static void
test_service_ends (Fixture *fixture, gconstpointer data)
{
  Running *service = start_service (fixture);
  Running *caller = start_program (CALLER, "--bus", fixture->address, "--timeout", "100", "Sleep:1000", "Add:1,2", NULL);
  g_autoptr (Outcome) outcome = NULL;

  await_line (caller, "Add:1,2: (3,)");
  end_service (service, SIGINT, "2 calls, at most 2 at once\n");
  outcome = end_program (caller, 0);
  assert_outcome (outcome, 1, "dbus-caller: 1 of 2 calls failed\n",
                  "Sleep:1000: failed: The service ends\n2 calls, 1 failed\n");
}

static void
test_name_is_taken (Fixture *fixture, gconstpointer data)
{
  Running *service = start_service (fixture);
  g_autoptr (Outcome) second = run_program (NULL, SERVICE, "--bus", fixture->address, NULL);

  assert_outcome (second, 1, "dbus-service: org.example.Worker is on the bus already\n", "0 calls, at most 0 at once\n");
  end_service (service, SIGINT, "0 calls, at most 0 at once\n");
}

static void
test_no_service (Fixture *fixture, gconstpointer data)
{
  g_autoptr (Outcome) outcome = run_program (NULL, CALLER, "--bus", fixture->address, "Add:1,2", NULL);

  assert_outcome (outcome, 1, "dbus-caller: 1 of 1 calls failed\n", "Add:1,2: failed: *org.example.Worker*\n*");
}

/* The service ends because its bus ends. */
static void
test_bus_ends (void)
{
  Fixture fixture;
  Running *service;
  g_autoptr (Outcome) outcome = NULL;

  set_up (&fixture, NULL);
  service = start_service (&fixture);
  tear_down (&fixture, NULL);
  outcome = end_program (service, 0);
  assert_outcome (outcome, 0, "", "0 calls, at most 0 at once\n");
}

static void
test_no_daemon (void)
{
  g_test_skip ("There is no dbus-daemon: scripts/setup dbus installs it");
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/programs/dbus/calls", test_calls },
    { "/programs/dbus/session-bus", test_session_bus },
    { "/programs/dbus/many-at-once", test_many_at_once },
    { "/programs/dbus/time-out", test_time_out },
    { "/programs/dbus/service-ends", test_service_ends },
    { "/programs/dbus/name-is-taken", test_name_is_taken },
    { "/programs/dbus/no-service", test_no_service },
  };
  g_autofree char *daemon = g_find_program_in_path ("dbus-daemon");

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/programs/dbus/arguments", test_arguments);
  g_test_add_func ("/programs/dbus/no-bus", test_no_bus);
  for (guint i = 0; daemon && i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  g_test_add_func ("/programs/dbus/bus-ends", daemon ? test_bus_ends : test_no_daemon);
  return g_test_run ();
}
