/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of the library's code for the linker and the kernel.  TEST_READELF is the program
 * that prints them, TEST_LIBRARY the shared library, TEST_OBJECTS an archive of its objects.
 * TEST_BRANCHES says how the objects mark their branches, and TEST_ROOM how many bytes the C
 * library keeps for the thread-local variables of libraries that are loaded late. */

#include <gio/gio.h>

static char *
readelf (const char *option, const char *file_variable)
{
  const char *argv[] = { g_getenv ("TEST_READELF"), option, "-W", g_getenv (file_variable), NULL };
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  return g_steal_pointer (&output);
}

static guint
count (const char *text, const char *pattern)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint n = 0;

  for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match); g_match_info_next (match, NULL))
    n++;
  return n;
}

/* The requirements for each of the objects. */
static void
assert_each_object (const char *output, const char *pattern)
{
  g_auto (GStrv) objects = g_strsplit (output, "File: ", -1);

  g_assert_cmpuint (g_strv_length (objects), >, 20);
  for (char **object = objects + 1; *object; object++)
    if (count (*object, pattern) != 1)
      {
        g_test_message ("%s\nwithout \"%s\"", *object, pattern);
        g_test_fail ();
      }
}

static gboolean
skip_without (const char *variable, const char *reason)
{
  if (g_getenv (variable))
    return FALSE;
  g_test_skip (reason);
  return TRUE;
}

static void
test_stack (void)
{
  g_autofree char *segments = NULL;

  if (skip_without ("TEST_READELF", "There is no readelf"))
    return;
  segments = readelf ("-l", "TEST_LIBRARY");
  g_assert_cmpuint (count (segments, "^ *GNU_STACK( +0x[0-9a-f]+){5} RW +0x[0-9a-f]+$"), ==, 1);
}

/* The library's linker ignores the marks of the objects, and other linkers do not. */
static void
test_stack_of_objects (void)
{
  g_autofree char *sections = NULL;

  if (skip_without ("TEST_READELF", "There is no readelf") ||
      skip_without ("TEST_OBJECTS", "Optimized at link time, objects have no code yet"))
    return;
  sections = readelf ("-S", "TEST_OBJECTS");
  assert_each_object (sections, "\\.note\\.GNU-stack +PROGBITS( +[0-9a-f]+){4} +0 ");
}

static void
test_relocations (void)
{
  g_autofree char *dynamic = NULL;

  if (skip_without ("TEST_READELF", "There is no readelf"))
    return;
  dynamic = readelf ("-d", "TEST_LIBRARY");
  g_assert_cmpuint (count (dynamic, "\\(SONAME\\)"), ==, 1);
  g_assert_cmpuint (count (dynamic, "TEXTREL"), ==, 0);
}

/* The size is in bytes.  If the C library keeps no room, the shared library must not need it. */
static void
test_thread_variables (void)
{
  g_autofree char *segments = NULL;
  g_autofree char *dynamic = NULL;
  g_autofree char *size = NULL;
  g_autoptr (GRegex) regex = g_regex_new ("^ *TLS( +0x[0-9a-f]+){4} +(0x[0-9a-f]+) ", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint64 room;

  if (skip_without ("TEST_READELF", "There is no readelf"))
    return;
  room = g_ascii_strtoull (g_getenv ("TEST_ROOM"), NULL, 10);
  dynamic = readelf ("-d", "TEST_LIBRARY");
  if (room == 0)
    g_assert_cmpuint (count (dynamic, "STATIC_TLS"), ==, 0);

  segments = readelf ("-l", "TEST_LIBRARY");
  g_assert_true (g_regex_match (regex, segments, 0, &match));
  size = g_match_info_fetch (match, 2);
  g_assert_cmpuint (g_ascii_strtoull (size, NULL, 16), >, 0);
  if (room > 0)
    g_assert_cmpuint (g_ascii_strtoull (size, NULL, 16), <=, room);
}

/* The shared library is marked if the system's own start files are too. */
static void
test_branches (void)
{
  g_autofree char *notes = NULL;
  g_autofree char *library_notes = NULL;
  g_autofree char *pattern = NULL;

  if (skip_without ("TEST_READELF", "There is no readelf") ||
      skip_without ("TEST_BRANCHES", "This processor or compiler has no marks for branches") ||
      skip_without ("TEST_OBJECTS", "Optimized at link time, objects have no code yet"))
    return;
  notes = readelf ("-n", "TEST_OBJECTS");
  pattern = g_strdup_printf ("\\bfeature: %s$", g_getenv ("TEST_BRANCHES"));
  assert_each_object (notes, pattern);

  library_notes = readelf ("-n", "TEST_LIBRARY");
  g_assert_cmpuint (count (library_notes, "SHSTK|GCS"), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/elf/stack", test_stack);
  g_test_add_func ("/elf/stack/objects", test_stack_of_objects);
  g_test_add_func ("/elf/relocations", test_relocations);
  g_test_add_func ("/elf/thread-variables", test_thread_variables);
  g_test_add_func ("/elf/branches", test_branches);
  return g_test_run ();
}
