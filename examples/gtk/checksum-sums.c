/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-sums.h"

#include "checksum-file.h"

#include <string.h>

/* Writes names as sha256sum does: a backslash before the line says that the name has
 * escapes. */
static void
append_name (GString *text, const char *name)
{
  for (const char *c = name; *c; c++)
    switch (*c)
      {
      case '\n': g_string_append (text, "\\n"); break;
      case '\r': g_string_append (text, "\\r"); break;
      case '\\': g_string_append (text, "\\\\"); break;
      default: g_string_append_c (text, *c);
      }
}

static void
append_line (GString *text, const char *checksum, const char *name)
{
  if (strpbrk (name, "\\\n\r"))
    g_string_append_c (text, '\\');
  g_string_append_printf (text, "%s  ", checksum);
  /* "-" alone would be the standard input. */
  if (strcmp (name, "-") == 0)
    g_string_append (text, "./");
  append_name (text, name);
  g_string_append_c (text, '\n');
}

/* The path relative to @folder, or the full path of a file that is not below it. */
static char *
get_name (GFile *file, GFile *folder)
{
  char *name = g_file_get_relative_path (folder, file);

  return name ? name : g_file_get_parse_name (file);
}

GBytes *
checksum_sums_format (GListModel *files, GFile *target)
{
  g_autoptr (GFile) folder = g_file_get_parent (target);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (files); i++)
    {
      g_autoptr (ChecksumFile) file = g_list_model_get_item (files, i);
      g_autofree char *name = get_name (checksum_file_get_file (file), folder);
      const char *checksum = checksum_file_get_checksum (file);

      /* The list cannot hold its own checksum. */
      if (checksum && !g_file_equal (checksum_file_get_file (file), target))
        append_line (text, checksum, name);
    }
  return g_string_free_to_bytes (text);
}
