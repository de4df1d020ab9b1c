/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other projects can use the library: as a Meson subproject, and installed, by
 * its pkg-config file; shared, static or both. */

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

/* ---- What the user does ---- */

#define CONFIGURE "meson setup build --wrap-mode=nodownload --buildtype=debug -Dwerror=true "

static void
link_subproject (void)
{
  g_autofree char *source = g_test_build_filename (G_TEST_DIST, "..", NULL);

  run ("mkdir subprojects; ln -s \"$(realpath '%s')\" subprojects/gtask-ext", source);
}

/* Builds a program by what is installed in "root", which pkg-config is told. */
static void
build_program (const char *name, const char *package, const char *options)
{
  run ("for file in $(find root -name 'gtask-ext*.pc'); do"
       "  grep -q \"^prefix=$PWD\" \"$file\" || sed -i \"s|^prefix=|&$PWD/root|\" \"$file\";"
       "done;"
       "export PKG_CONFIG_PATH=$(dirname \"$file\");"
       "${CC:-cc} %s.c -o %s $(pkg-config --cflags --libs %s %s)", name, name, options, package);
}

static void
build_user (const char *options)
{
  build_program ("user", "gtask-ext-1", options);
}

static void
test_subproject (gpointer *fixture, gconstpointer data)
{
  link_subproject ();
  run (CONFIGURE);
  run ("ninja -C build user");
  run ("test \"$(build/user)\" = 'Hello, world'");
}

static void
test_installed (gpointer *fixture, gconstpointer data)
{
  g_autofree char *build = g_test_build_filename (G_TEST_BUILT, "..", NULL);

  run ("DESTDIR=\"$PWD/root\" meson install -C '%s' --no-rebuild", build);
  build_user ("");
  run ("file=$(find root -name gtask-ext-1.pc); libraries=$(realpath \"${file%%/*/*}\");"
       "test \"$(LD_LIBRARY_PATH=$libraries ./user)\" = 'Hello, world'");
#ifdef HAVE_GTK
  build_program ("user-gtk4", "gtask-ext-gtk4-1", "");
  run ("libraries=$(dirname \"$(find root -name libgtask-ext-1.so)\");"
       "test \"$(LD_LIBRARY_PATH=$libraries ./user-gtk4)\" = 'GtxProgress'");
#endif
}

/* The library need not be installed to be used: pkg-config looks for "-uninstalled" first. */
static void
test_uninstalled (gpointer *fixture, gconstpointer data)
{
  g_autofree char *build = g_test_build_filename (G_TEST_BUILT, "..", NULL);

  run ("export PKG_CONFIG_PATH='%s/meson-uninstalled';"
       "${CC:-cc} user.c -o user $(pkg-config --cflags --libs gtask-ext-1)", build);
  run ("test \"$(LD_LIBRARY_PATH='%s/gtask-ext' ./user)\" = 'Hello, world'", build);
}

/* As a part of the program, and nothing else is installed then. */
static void
test_static (gpointer *fixture, gconstpointer data)
{
  link_subproject ();
  run (CONFIGURE "-Ddefault_library=static");
  run ("ninja -C build");
  run ("test \"$(build/user)\" = 'Hello, world'");
  run ("DESTDIR=\"$PWD/root\" meson install -C build --no-rebuild");
  run ("test -z \"$(find root -name '*.so*')\"; test -n \"$(find root -name libgtask-ext-1.a)\"");
  build_user ("--static");
  run ("test \"$(./user)\" = 'Hello, world'");
}

/* Distributions make two packages: one for running programs, and one for building them,
 * which gets gdb's script. */
static void
test_both (gpointer *fixture, gconstpointer data)
{
  link_subproject ();
  run (CONFIGURE "-Ddefault_library=both");
  run ("ninja -C build");
  run ("test \"$(build/user)\" = 'Hello, world'");

  run ("DESTDIR=\"$PWD/root\" meson install -C build --no-rebuild --tags runtime");
  run ("test -n \"$(find root -name libgtask-ext-1.so.0.1.0)\";"
       "test -z \"$(find root -type f ! -name 'libgtask-ext*-1.so.0.1.0')\"");
  run ("DESTDIR=\"$PWD/root\" meson install -C build --no-rebuild --tags devel");
  run ("test -n \"$(find root -name libgtask-ext-1.a)\"; test -n \"$(find root -name gtask-ext.h)\"");
  /* The place where gdb looks for a library's scripts. */
  run ("library=$(realpath \"$(find root -name libgtask-ext-1.so)\");"
       "test -n \"$(find root -path \"*/gdb/auto-load${library#$PWD/root}-gdb.py\")\"");

  build_user ("");
  run ("! ./user; libraries=$(dirname \"$(find root -name libgtask-ext-1.so)\");"
       "test \"$(LD_LIBRARY_PATH=$libraries ./user)\" = 'Hello, world'");
  run ("find root -name 'libgtask-ext-1.so*' -delete");
  build_user ("--static");
  run ("test \"$(./user)\" = 'Hello, world'");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/packaging/subproject", gpointer, NULL, set_up, test_subproject, tear_down);
  g_test_add ("/packaging/installed", gpointer, NULL, set_up, test_installed, tear_down);
  g_test_add ("/packaging/uninstalled", gpointer, NULL, set_up, test_uninstalled, tear_down);
  g_test_add ("/packaging/static", gpointer, NULL, set_up, test_static, tear_down);
  g_test_add ("/packaging/both", gpointer, NULL, set_up, test_both, tear_down);
  return g_test_run ();
}
