/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other projects can use the library: as a Meson subproject, and installed, by
 * its pkg-config file. */

#include <gio/gio.h>
#include <glib/gstdio.h>

static char *folder;            /* a temporary one, for a test */

static void
run (const char *format, ...)
{
  g_autofree char *script = NULL;
  const char *argv[] = { "sh", "-ec", NULL, NULL };
  g_autofree char *output = NULL;
  g_autofree char *messages = NULL;
  g_autoptr (GError) error = NULL;
  va_list arguments;
  int status;

  va_start (arguments, format);
  argv[2] = script = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  g_spawn_sync (folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &messages, &status, &error);
  g_assert_no_error (error);
  if (status != 0)
    g_printerr ("%s\nfailed with this:\n%s%s", script, output, messages);
  g_assert_cmpint (status, ==, 0);
}

/* ---- A copy of the user's project in a folder of its own ---- */

static void
set_up (gpointer *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  folder = g_dir_make_tmp ("gtask-ext-XXXXXX", &error);
  g_assert_no_error (error);
  run ("cp '%s'/* .", g_test_get_filename (G_TEST_DIST, "packaging", NULL));
}

static void
tear_down (gpointer *fixture, gconstpointer data)
{
  g_autofree char *gone = g_steal_pointer (&folder);
  const char *argv[] = { "rm", "-rf", gone, NULL };

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

static void
test_subproject (gpointer *fixture, gconstpointer data)
{
  g_autofree char *source = g_test_build_filename (G_TEST_DIST, "..", NULL);

  run ("mkdir subprojects; ln -s \"$(realpath '%s')\" subprojects/gtask-ext", source);
  run ("meson setup build --wrap-mode=nodownload -Dwerror=true; ninja -C build user");
  run ("test \"$(build/user)\" = 'Hello, world'");
}

static void
test_installed (gpointer *fixture, gconstpointer data)
{
  g_autofree char *build = g_test_build_filename (G_TEST_BUILT, "..", NULL);

  run ("DESTDIR=\"$PWD/root\" meson install -C '%s' --no-rebuild", build);
  run ("file=$(find root -name gtask-ext-1.pc); libraries=$(realpath \"${file%%/*/*}\");"
       "sed -i \"s|^prefix=|&$PWD/root|\" \"$file\";"
       "export PKG_CONFIG_PATH=$(dirname \"$file\");"
       "${CC:-cc} user.c -o user $(pkg-config --cflags --libs gtask-ext-1);"
       "test \"$(LD_LIBRARY_PATH=$libraries ./user)\" = 'Hello, world'");
  /* Where gdb looks for what belongs to a library. */
  run ("library=$(realpath \"$(find root -name libgtask-ext-1.so)\");"
       "test -n \"$(find root -path \"*/gdb/auto-load${library#$PWD/root}-gdb.py\")\"");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/packaging/subproject", gpointer, NULL, set_up, test_subproject, tear_down);
  g_test_add ("/packaging/installed", gpointer, NULL, set_up, test_installed, tear_down);
  return g_test_run ();
}
