/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-duplicates.h"

struct _ChecksumDuplicates
{
  GListStore *files;
  GHashTable *known;            /* checksum: the first file that has it */
};

ChecksumDuplicates *
checksum_duplicates_new (void)
{
  ChecksumDuplicates *self = g_new (ChecksumDuplicates, 1);

  self->files = g_list_store_new (CHECKSUM_TYPE_FILE);
  self->known = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

void
checksum_duplicates_free (ChecksumDuplicates *self)
{
  g_hash_table_unref (self->known);
  g_object_unref (self->files);
  g_free (self);
}

static int
by_checksum (gconstpointer a, gconstpointer b, gpointer data)
{
  return g_strcmp0 (checksum_file_get_checksum ((ChecksumFile *) a),
                    checksum_file_get_checksum ((ChecksumFile *) b));
}

static void
add (ChecksumDuplicates *self, ChecksumFile *file, const char *status)
{
  checksum_file_set_duplicate (file, status);
  g_list_store_insert_sorted (self->files, file, by_checksum, NULL);
}

/* All empty files are equal, so they are not reported as duplicates. */
void
checksum_duplicates_compare (ChecksumDuplicates *self, ChecksumFile *file)
{
  const char *checksum = checksum_file_get_checksum (file);
  ChecksumFile *first = g_hash_table_lookup (self->known, checksum);

  if (checksum_file_get_size (file) == 0)
    return;
  if (first)
    {
      g_autofree char *path = g_filename_display_name (checksum_file_get_path (first));
      g_autofree char *status = g_strdup_printf ("Same as %s", path);

      if (!checksum_file_is_duplicate (first))
        add (self, first, "Has duplicates");
      add (self, file, status);
    }
  else
    g_hash_table_insert (self->known, (char *) checksum, file);
}

GListModel *
checksum_duplicates_get_files (ChecksumDuplicates *self)
{
  return G_LIST_MODEL (self->files);
}
