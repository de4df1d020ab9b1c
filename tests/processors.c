/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many processors the process may use, by its control groups. */

#include "pool/processors.h"

#include <glib/gstdio.h>

/* A file below the folder of the control groups. */
typedef struct
{
  const char *path;
  const char *text;
} File;

typedef struct
{
  const char *name;
  const char *membership;
  File files[4];
  guint n;                      /* of 8 */
} Case;

static const Case cases[] = {
  { "none", "", { { NULL, NULL } }, 8 },
  { "no-files", "0::/user.slice\n", { { NULL, NULL } }, 8 },
  { "unlimited", "0::/a\n", { { "a/cpu.max", "max 100000\n" } }, 8 },
  { "two", "0::/a\n", { { "a/cpu.max", "200000 100000\n" } }, 2 },
  { "share", "0::/a\n", { { "a/cpu.max", "10000 100000\n" } }, 1 },
  { "rounded-up", "0::/a\n", { { "a/cpu.max", "250000 100000\n" } }, 3 },
  { "more", "0::/a\n", { { "a/cpu.max", "1600000 100000\n" } }, 8 },
  { "above", "0::/a/b/c\n", { { "a/b/c/cpu.max", "max 100000\n" }, { "a/cpu.max", "300000 100000\n" } }, 3 },
  { "root", "0::/\n", { { "cpu.max", "400000 100000\n" } }, 4 },
  { "not-there", "0::/../../host\n", { { "cpu.max", "500000 100000\n" } }, 5 },
  { "version-1", "4:memory:/a\n3:cpu,cpuacct:/a\n",
    { { "cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n" }, { "cpu,cpuacct/a/cpu.cfs_period_us", "50000\n" } }, 3 },
  { "version-1-unlimited", "3:cpu,cpuacct:/a\n",
    { { "cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n" }, { "cpu,cpuacct/a/cpu.cfs_period_us", "100000\n" } }, 8 },
  { "nonsense", "what\n::\n0:/\n", { { "cpu.max", "?\n" } }, 8 },
};

static void
write_file (const char *root, const File *file)
{
  g_autofree char *path = g_build_filename (root, file->path, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_file_set_contents (path, file->text, -1, &error);
  g_assert_no_error (error);
}

/* Removes the file, and the folders below @root that are empty then. */
static void
remove_file (const char *root, const File *file)
{
  g_autofree char *path = g_build_filename (root, file->path, NULL);

  g_assert_cmpint (g_unlink (path), ==, 0);
  for (;;)
    {
      g_autofree char *folder = g_path_get_dirname (path);

      if (g_str_equal (folder, root) || g_rmdir (folder) != 0)
        return;
      g_free (path);
      path = g_steal_pointer (&folder);
    }
}

static void
test_case (gconstpointer data)
{
  const Case *that = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *root = g_dir_make_tmp ("processors-XXXXXX", &error);

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (that->files) && that->files[i].path; i++)
    write_file (root, &that->files[i]);
  g_assert_cmpuint (gtx_limit_by_cgroups (8, that->membership, root), ==, that->n);
  for (guint i = 0; i < G_N_ELEMENTS (that->files) && that->files[i].path; i++)
    remove_file (root, &that->files[i]);
  g_assert_cmpint (g_rmdir (root), ==, 0);
}

static void
test_here (void)
{
  g_assert_cmpuint (gtx_count_processors (), >=, 1);
  g_assert_cmpuint (gtx_count_processors (), <=, g_get_num_processors ());
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/processors/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/processors/here", test_here);
  return g_test_run ();
}
