/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many processors the process may use: those that it may run on, and as many of them as the limits
 * of its control groups allow. */

#include "pool/processors.h"

#include <string.h>

/* Reads a file of at most two numbers.  Returns how many there are; "max" is none. */
static guint
read_numbers (const char *folder,
              const char *name,
              gint64      numbers[2])
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  const char *rest;
  guint n = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  rest = text;
  while (n < 2)
    {
      char *end;

      numbers[n] = g_ascii_strtoll (rest, &end, 10);
      if (end == rest)
        break;
      rest = end;
      n++;
    }
  return n;
}

/* A share of a processor counts as one. */
static guint
limit (guint  n,
       gint64 quota,
       gint64 period)
{
  if (quota <= 0 || period <= 0)
    return n;
  return (guint) MIN ((gint64) n, (quota + period - 1) / period);
}

/* By the group in @folder alone: version 2 has both numbers in one file, and version 1 in two. */
static guint
limit_by_group (guint       n,
                const char *folder)
{
  gint64 numbers[2];
  gint64 quota;

  if (read_numbers (folder, "cpu.max", numbers) == 2)
    return limit (n, numbers[0], numbers[1]);
  if (read_numbers (folder, "cpu.cfs_quota_us", numbers) == 0)
    return n;
  quota = numbers[0];
  return read_numbers (folder, "cpu.cfs_period_us", numbers) > 0 ? limit (n, quota, numbers[0]) : n;
}

/* By the group at @path below @root and all groups above it.  In a container the path may name folders
 * that are not there. */
static guint
limit_by_path (guint       n,
               const char *root,
               const char *path)
{
  g_autofree char *rest = g_strdup (path);
  char *slash;

  do
    {
      g_autofree char *folder = g_build_filename (root, rest, NULL);

      n = limit_by_group (n, folder);
      slash = strrchr (rest, '/');
      if (slash)
        *slash = '\0';
    }
  while (slash);
  return n;
}

/* @line: "number:controllers:path"; version 2 has no controllers. */
static guint
limit_by_line (guint       n,
               const char *root,
               const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, ":", 3);
  g_auto (GStrv) controllers = NULL;
  g_autofree char *folder = NULL;

  if (g_strv_length (fields) < 3)
    return n;
  if (*fields[1] == '\0')
    return limit_by_path (n, root, fields[2]);
  controllers = g_strsplit (fields[1], ",", -1);
  if (!g_strv_contains ((const char *const *) controllers, "cpu"))
    return n;
  folder = g_build_filename (root, fields[1], NULL);
  return limit_by_path (n, folder, fields[2]);
}

guint
gtx_limit_by_cgroups (guint       n,
                      const char *membership,
                      const char *root)
{
  g_auto (GStrv) lines = g_strsplit (membership, "\n", -1);

  for (guint i = 0; lines[i]; i++)
    n = limit_by_line (n, root, lines[i]);
  return n;
}

guint
gtx_count_processors (void)
{
  g_autofree char *membership = NULL;
  guint n = MAX (g_get_num_processors (), 1);

  if (!g_file_get_contents ("/proc/self/cgroup", &membership, NULL, NULL))
    return n;
  return gtx_limit_by_cgroups (n, membership, "/sys/fs/cgroup");
}
