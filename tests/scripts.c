/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scripts that set up, build and count.  Each test has a folder of its own, in which Meson and
 * others are replaced by programs that only print their arguments. */

#include "spawn.h"

/* Runs a line of shell, in which $scripts is the folder of the scripts.  Returns the output of the
 * programs that replace others. */
static char *
shell (const char *folder, const char *line, int status)
{
  g_autofree char *scripts = g_test_build_filename (G_TEST_DIST, "..", "scripts", NULL);
  g_autofree char *script = g_strdup_printf ("unset CC CXX; scripts=$(realpath '%s'); PATH=$PWD/bin:$PATH\n%s", scripts, line);
  g_autoptr (Outcome) outcome = run_program_in (folder, NULL, (const char *const[]) { "bash", "-c", script, NULL });

  if (outcome->status != status)
    g_error ("%s: ended with %d: %s%s", line, outcome->status, outcome->output, outcome->errors);
  return g_steal_pointer (&outcome->output);
}

static void
assert_shell (const char *folder, const char *line, int status, const char *expected)
{
  g_autofree char *output = shell (folder, line, status);

  g_assert_cmpstr (output, ==, expected);
}

/* ---- Configuring ---- */

static const char make_programs[] =
  "mkdir bin have\n"
  "cat >bin/meson <<'END'\n"
  "#!/bin/sh\n"
  "echo meson $*\n"
  "mkdir -p build\n"
  ": >build/build.ninja\n"
  "END\n"
  "cat >bin/pkg-config <<'END'\n"
  "#!/bin/sh\n"
  "cat have/$2 2>/dev/null\n"
  "END\n"
  "cat >bin/cc <<'END'\n"
  "#!/bin/sh\n"
  "[ $1 = --version ] && { echo cc 1; exit; }\n"
  "[ $1 = -E ] && [ -f have/$(basename $3) ]\n"
  "END\n"
  "cp bin/cc bin/other-cc\n"
  "chmod +x bin/*\n";

#define CONFIGURE "set -eu; . $scripts/build.sh; configure build -Dexamples=true"
#define SET_UP "meson setup build --werror -Dexamples=true\n"
#define LOOK_AGAIN                                                             \
  "meson configure build --clearcache\n"                                       \
  "meson setup --reconfigure build --werror -Dexamples=true\n"

static void
test_configure_once (void)
{
  char *folder = make_folder ();

  assert_shell (folder, make_programs, 0, "");
  assert_shell (folder, CONFIGURE, 0, SET_UP);
  assert_shell (folder, CONFIGURE, 0, "");
  remove_folder (folder);
}

/* Dependencies are installed, removed or replaced. */
static void
test_configure_again (void)
{
  static const char *const changes[] = {
    "echo 4.8 >have/gtk4",
    "echo 4.10 >have/gtk4",
    "rm have/gtk4",
    ": >have/valgrind.h",
    "cp bin/cc bin/glib-compile-resources; cp bin/cc bin/c++",
  };
  char *folder = make_folder ();

  assert_shell (folder, make_programs, 0, "");
  assert_shell (folder, CONFIGURE, 0, SET_UP);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      assert_shell (folder, changes[i], 0, "");
      assert_shell (folder, CONFIGURE, 0, LOOK_AGAIN);
      assert_shell (folder, CONFIGURE, 0, "");
    }
  remove_folder (folder);
}

static void
test_configure_otherwise (void)
{
  static const char *const changes[] = { "export CC=other-cc; ", "export CFLAGS=-O3; ", "export PKG_CONFIG_PATH=/x; " };
  char *folder = make_folder ();

  assert_shell (folder, make_programs, 0, "");
  assert_shell (folder, CONFIGURE, 0, SET_UP);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autofree char *line = g_strconcat (changes[i], CONFIGURE, NULL);

      assert_shell (folder, line, 0, "meson setup --wipe build --werror -Dexamples=true\n");
      assert_shell (folder, line, 0, "");
    }
  remove_folder (folder);
}

/* Another person has configured the folder, so the script does not know the options. */
static void
test_configure_by_hand (void)
{
  char *folder = make_folder ();

  assert_shell (folder, make_programs, 0, "");
  assert_shell (folder, "mkdir build; : >build/build.ninja", 0, "");
  assert_shell (folder, CONFIGURE, 0, LOOK_AGAIN);
  assert_shell (folder, CONFIGURE, 0, "");
  remove_folder (folder);
}

/* A step that failed is tried again. */
static void
test_configure_fails (void)
{
  char *folder = make_folder ();

  assert_shell (folder, make_programs, 0, "");
  assert_shell (folder, CONFIGURE, 0, SET_UP);
  assert_shell (folder, "cp bin/meson well; printf '#!/bin/sh\\nexit 3\\n' >bin/meson; echo 4.8 >have/gtk4", 0, "");
  assert_shell (folder, "if " CONFIGURE "; then echo well; else echo failed; fi", 0, "failed\n");
  assert_shell (folder, "cp well bin/meson", 0, "");
  assert_shell (folder, CONFIGURE, 0, LOOK_AGAIN);
  remove_folder (folder);
}

/* ---- Counting ---- */

static const char make_log[] =
  "mkdir -p build/meson-logs\n"
  "cat >build/meson-logs/testlog.json <<'END'\n"
  "{ \"name\": \"a\", \"result\": \"OK\", \"stdout\": \"1..3\\nok 1 /a/one\\nok 2 /a/two # SKIP no room\\nok 3 /a/three\\n\" }\n"
  "{ \"name\": \"b\", \"result\": \"SKIP\", \"stdout\": \"1..1\\nok 1 /b/one # SKIP no time\\n\" }\n"
  "END\n";

#define SKIPPED "skipped: /a/two: no room\nskipped: /b/one: no time\n"
#define COUNT(list, arguments) "printf '" list "' >list; $scripts/count-tests build " arguments

typedef struct
{
  const char *name;
  const char *line;
  int status;
  const char *output;
} Count;

static const Count counts[] = {
  { "no-list", COUNT ("", ""), 0, SKIPPED "2 passed, 0 failed, 2 skipped\n" },
  { "all-listed", COUNT ("native,asan always /a/two r\\n\\n# b\\nall maybe /b/* r\\n", "native list --all"), 0,
    SKIPPED "2 passed, 0 failed, 2 skipped\n" },
  { "not-listed", COUNT ("native always /a/two r\\n", "native list"), 1,
    SKIPPED "failed: list does not let native skip /b/one\n2 passed, 1 failed, 1 skipped\n" },
  { "other-mode", COUNT ("native always /a/two r\\nasan always /b/one r\\n", "native list"), 1,
    SKIPPED "failed: list does not let native skip /b/one\n2 passed, 1 failed, 1 skipped\n" },
  { "was-not-skipped", COUNT ("all always /a/t* r\\nall always /b/one r\\n", "native list"), 1,
    SKIPPED "failed: list is out of date for native: all always /a/t* r\n2 passed, 1 failed, 2 skipped\n" },
  { "may-pass", COUNT ("all maybe /a/t* r\\nall always /b/one r\\n", "native list"), 0,
    SKIPPED "2 passed, 0 failed, 2 skipped\n" },
  { "no-such-test", COUNT ("all always /?/* r\\nall maybe /c r\\n", "native list"), 1,
    SKIPPED "failed: list is out of date for native: all always /?/* r\n2 passed, 1 failed, 2 skipped\n" },
  { "no-such-test-of-all", COUNT ("all maybe /?/* r\\nall maybe /c r\\n", "native list --all"), 1,
    SKIPPED "failed: list is out of date for native: all maybe /c r\n2 passed, 1 failed, 2 skipped\n" },
  { "failed",
    "echo '{ \"name\": \"c\", \"result\": \"FAIL\", \"stdout\": \"not ok 1 /c/one\" }' >>build/meson-logs/testlog.json;"
    COUNT ("", ""), 1, SKIPPED "failed: /c/one in c: FAIL\nfailed: | not ok 1 /c/one\n2 passed, 1 failed, 2 skipped\n" },
  { "crashed",
    "echo '{ \"name\": \"c\", \"result\": \"ERROR\", \"stdout\": \"1..2\\nok 1 /c/one\" }' >>build/meson-logs/testlog.json;"
    COUNT ("", ""), 1,
    SKIPPED "failed: c in c: ERROR\nfailed: | 1..2\nfailed: | ok 1 /c/one\n3 passed, 1 failed, 2 skipped\n" },
  { "whole-program",
    "echo '{ \"name\": \"c\", \"result\": \"SKIP\", \"stdout\": \"\" }' >>build/meson-logs/testlog.json;"
    COUNT ("", ""), 0, SKIPPED "skipped: c: the whole program\n2 passed, 0 failed, 3 skipped\n" },
};

static void
test_count (gconstpointer data)
{
  const Count *this = data;
  char *folder = make_folder ();

  assert_shell (folder, make_log, 0, "");
  assert_shell (folder, this->line, this->status, this->output);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scripts/configure/once", test_configure_once);
  g_test_add_func ("/scripts/configure/again", test_configure_again);
  g_test_add_func ("/scripts/configure/otherwise", test_configure_otherwise);
  g_test_add_func ("/scripts/configure/by-hand", test_configure_by_hand);
  g_test_add_func ("/scripts/configure/fails", test_configure_fails);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autofree char *path = g_strconcat ("/scripts/count/", counts[i].name, NULL);

      g_test_add_data_func (path, &counts[i], test_count);
    }
  return g_test_run ();
}
