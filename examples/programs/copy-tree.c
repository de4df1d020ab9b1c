/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: to_thread(), TaskGroup, create_task()
 *
 * Copies a directory tree as cp -r does, several files at once, and prints its progress:
 * functions that would block are called in threads, and one function walks through the
 * tree. */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (128 * 1024)
#define MODE_BITS 01777         /* cp -r drops the set-user-ID and set-group-ID bits */

typedef struct
{
  GtxTaskGroup *files;          /* that are being copied */
  mode_t umask;
  guint n_files;
  guint n_directories;
  guint n_failed;
  gsize n_bytes;                /* added to by threads */
} Copy;

/* A name in the source, and its target. */
typedef struct
{
  Copy *copy;
  char *source;
  char *target;
  struct stat stat;             /* of the source */
  gboolean is_made;             /* of a directory: by this program */
} Entry;

static int n_jobs = 4;
static double progress = 1;
static gboolean verbose;

static Entry *
entry_new (Copy *copy, char *source, char *target)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->copy = copy;
  entry->source = source;
  entry->target = target;
  return entry;
}

static void
entry_free (Entry *entry)
{
  g_free (entry->source);
  g_free (entry->target);
  g_free (entry);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Entry, entry_free)

/* ---- What blocks, for threads ---- */

static gboolean
fail (const char *what, GError **error)
{
  int saved = errno;

  g_set_error (error, G_IO_ERROR, (int) g_io_error_from_errno (saved), "%s: %s", what, g_strerror (saved));
  return FALSE;
}

static gboolean
write_all (int fd, const char *data, gssize length, GError **error)
{
  while (length > 0)
    {
      gssize n = write (fd, data, (gsize) length);

      if (n < 0 && errno != EINTR)
        return fail ("it cannot be written", error);
      if (n > 0)
        {
          data += n;
          length -= n;
        }
    }
  return TRUE;
}

/* Bytes are counted when they are copied, and subtracted when the copy fails. */
static gboolean
copy_bytes (int from, int to, gsize *n_bytes, GCancellable *cancellable, GError **error)
{
  g_autofree char *chunk = g_malloc (CHUNK);
  gssize copied = 0;
  gssize n;

  while ((n = read (from, chunk, CHUNK)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        fail ("it cannot be read", error);
      if (n < 0 || !write_all (to, chunk, n, error) || g_cancellable_set_error_if_cancelled (cancellable, error))
        break;
      copied += n;
      g_atomic_pointer_add (n_bytes, n);
    }
  if (n != 0)
    g_atomic_pointer_add (n_bytes, -copied);
  return n == 0;
}

static gboolean
check_other (const Entry *entry, const struct stat *target, GError **error)
{
  if (target->st_dev != entry->stat.st_dev || target->st_ino != entry->stat.st_ino)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "source and target are the same file");
  return FALSE;
}

/* An existing file keeps its mode, and is emptied only when it is known to be another
 * file than the source.  The program does not wait for a FIFO without a reader. */
static int
open_target (const Entry *entry, gboolean *is_new, GError **error)
{
  int fd = open (entry->target, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat stat;

  *is_new = fd < 0 && errno == ENOENT;
  if (*is_new)
    fd = open (entry->target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, entry->stat.st_mode & MODE_BITS);
  if (fd < 0)
    {
      fail ("the target cannot be opened", error);
      return -1;
    }
  if (*is_new)
    return fd;

  if (fstat (fd, &stat) != 0)
    fail ("the target cannot be looked at", error);
  else if (check_other (entry, &stat, error))
    {
      if (ftruncate (fd, 0) == 0)
        return fd;
      fail ("the target cannot be emptied", error);
    }
  close (fd);
  return -1;
}

/* A new file that is not complete is removed. */
static gboolean
copy_file (Entry *entry, GCancellable *cancellable, GError **error)
{
  int from = open (entry->source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  gboolean is_new;
  gboolean copied;
  int to;

  if (from < 0)
    return fail ("it cannot be opened", error);
  to = open_target (entry, &is_new, error);
  copied = to >= 0 && copy_bytes (from, to, &entry->copy->n_bytes, cancellable, error);
  if (to >= 0 && close (to) != 0 && copied)
    copied = fail ("it cannot be written", error);
  close (from);
  if (to >= 0 && !copied && is_new)
    unlink (entry->target);
  return copied;
}

static gboolean
copy_link (Entry *entry, GError **error)
{
  g_autofree char *points_to = g_file_read_link (entry->source, error);

  if (points_to == NULL)
    return FALSE;
  return symlink (points_to, entry->target) == 0 || fail ("the symbolic link cannot be made", error);
}

/* All but directories.  Anything but a regular file replaces the existing file. */
static gboolean
copy_entry (Entry *entry, GCancellable *cancellable, GError **error)
{
  struct stat stat;

  if (S_ISREG (entry->stat.st_mode))
    return copy_file (entry, cancellable, error);

  if (lstat (entry->target, &stat) == 0 && !check_other (entry, &stat, error))
    return FALSE;
  if (unlink (entry->target) != 0 && errno != ENOENT)
    return fail ("what is in its place cannot be removed", error);
  if (S_ISLNK (entry->stat.st_mode))
    return copy_link (entry, error);
  return mknod (entry->target, entry->stat.st_mode & (S_IFMT | MODE_BITS), entry->stat.st_rdev) == 0 ||
         fail ("the special file cannot be made", error);
}

static gboolean
look_at (Entry *entry, GCancellable *cancellable, GError **error)
{
  return lstat (entry->source, &entry->stat) == 0 || fail ("it cannot be looked at", error);
}

static GPtrArray *
list_directory (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, error);
  GPtrArray *names;
  const char *name;

  if (directory == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (directory)))
    g_ptr_array_add (names, g_strdup (name));
  return names;
}

/* While a directory is filled, its owner must have access. */
static gboolean
make_directory (Entry *entry, GCancellable *cancellable, GError **error)
{
  struct stat stat;

  entry->is_made = mkdir (entry->target, (entry->stat.st_mode & MODE_BITS) | S_IRWXU) == 0;
  if (entry->is_made)
    return (entry->copy->umask & S_IRWXU) == 0 || chmod (entry->target, S_IRWXU) == 0 ||
           fail ("the directory cannot be opened to its owner", error);
  if (errno != EEXIST || lstat (entry->target, &stat) != 0)
    return fail ("the directory cannot be made", error);
  if (!S_ISDIR (stat.st_mode))
    {
      errno = ENOTDIR;
      return fail ("in its place there is something else", error);
    }
  return TRUE;
}

static gboolean
close_directory (Entry *entry, GCancellable *cancellable, GError **error)
{
  mode_t mode = entry->stat.st_mode & MODE_BITS & ~entry->copy->umask;

  return !entry->is_made || (mode & S_IRWXU) == S_IRWXU || chmod (entry->target, mode) == 0 ||
         fail ("the directory's mode cannot be set", error);
}

/* ---- The flow ---- */

/* An error is printed, and the other copies go on.  FALSE if the copy was cancelled. */
static gboolean
note_failure (Entry *entry, GError *failure, GError **error)
{
  g_autofree char *name = NULL;

  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  name = g_filename_display_name (entry->source);
  g_printerr ("copy-tree: %s: %s\n", name, failure->message);
  entry->copy->n_failed++;
  g_error_free (failure);
  return TRUE;
}

static void
show (const Entry *entry)
{
  g_autofree char *source = g_filename_display_name (entry->source);
  g_autofree char *target = g_filename_display_name (entry->target);

  if (verbose)
    g_print ("%s -> %s\n", source, target);
}

static gboolean
copy_one (Entry *entry, GError **error)
{
  GError *failure = NULL;

  if (!gtx_to_thread (copy_entry, entry, &failure))
    return note_failure (entry, failure, error);
  entry->copy->n_files++;
  show (entry);
  return TRUE;
}

static gboolean copy_tree (Entry *entry, GPtrArray *directories, GError **error);

/* Takes @entry, into @directories. */
static gboolean
copy_directory (Entry *entry, GPtrArray *directories, GError **error)
{
  g_autoptr (GPtrArray) names = NULL;
  GError *failure = NULL;

  g_ptr_array_add (directories, entry);
  if (gtx_to_thread (make_directory, entry, &failure))
    names = gtx_to_thread_pointer (list_directory, entry->source, &failure);
  if (names == NULL)
    return note_failure (entry, failure, error);
  entry->copy->n_directories++;
  show (entry);

  for (guint i = 0; i < names->len; i++)
    if (!copy_tree (entry_new (entry->copy, g_build_filename (entry->source, names->pdata[i], NULL),
                               g_build_filename (entry->target, names->pdata[i], NULL)),
                    directories, error))
      return FALSE;
  return TRUE;
}

/* Takes @entry.  Waits while the allowed number of files is being copied. */
static gboolean
copy_tree (Entry *entry, GPtrArray *directories, GError **error)
{
  g_autoptr (Entry) owned = entry;
  GError *failure = NULL;

  if (!gtx_to_thread (look_at, owned, &failure))
    return note_failure (owned, failure, error);
  if (S_ISDIR (owned->stat.st_mode))
    return copy_directory (g_steal_pointer (&owned), directories, error);
  return gtx_task_group_create_task (entry->copy->files, copy_one, g_steal_pointer (&owned),
                                     (GDestroyNotify) entry_free, error) != NULL;
}

/* Done when all files are in the directories, the innermost first, also after a
 * cancellation. */
static void
close_directories (GPtrArray *directories)
{
  for (guint i = directories->len; i > 0; i--)
    {
      GError *failure = NULL;

      if (!gtx_to_thread (close_directory, (Entry *) directories->pdata[i - 1], &failure))
        note_failure (directories->pdata[i - 1], failure, NULL);
    }
}

/* ---- Progress, and the end ---- */

static void
show_count (Copy *copy)
{
  g_print ("%u files, %u directories, %" G_GSIZE_FORMAT " bytes\n",
           copy->n_files, copy->n_directories, (gsize) g_atomic_pointer_get (&copy->n_bytes));
}

static gboolean
show_progress (Copy *copy, GError **error)
{
  while (gtx_sleep (progress, error))
    show_count (copy);
  return FALSE;
}

static gboolean
finish (Copy *copy, GError *failure, GError **error)
{
  show_count (copy);
  if (failure)
    {
      g_print ("Not all is copied: what is counted is complete, files under way were removed.\n");
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (copy->n_failed == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%u could not be copied", copy->n_failed);
  return FALSE;
}

static gboolean
run_copy (char **paths, GError **error)
{
  g_autoptr (GPtrArray) directories = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  Copy copy = { .umask = umask (0) };
  g_auto (GtxTaskGroup) files = GTX_TASK_GROUP_INIT;
  g_autoptr (GtxTask) reporter = NULL;
  g_autoptr (GError) failure = NULL;

  umask (copy.umask);
  copy.files = &files;
  gtx_task_group_begin (&files);
  gtx_task_group_set_limit (&files, (guint) n_jobs);
  if (progress > 0)
    reporter = gtx_create_task (show_progress, &copy, NULL);

  copy_tree (entry_new (&copy, g_strdup (paths[0]), g_strdup (paths[1])), directories, &failure);
  gtx_task_group_end (&files, &failure, &failure);
  close_directories (directories);
  if (reporter)
    gtx_cancel (reporter);
  return finish (&copy, g_steal_pointer (&failure), error);
}

/* ---- Arguments ---- */

/* As cp does: into the directory if it exists, otherwise under the new name. */
static char *
find_target (const char *source, const char *target)
{
  g_autofree char *name = g_path_get_basename (source);

  if (!g_file_test (target, G_FILE_TEST_IS_DIR) || g_str_equal (name, ".."))
    return g_strdup (target);
  return g_build_filename (target, name, NULL);
}

static gboolean
is_inside (const char *path, const char *directory)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *inner = realpath (parent, NULL);
  g_autofree char *outer = realpath (directory, NULL);

  if (inner == NULL || outer == NULL || !g_str_has_prefix (inner, outer))
    return FALSE;
  return inner[strlen (outer)] == '\0' || inner[strlen (outer)] == '/' || g_str_equal (outer, "/");
}

static void
check_paths (const char *source, const char *target)
{
  g_autofree char *shown = g_filename_display_name (source);
  struct stat stat;

  if (lstat (source, &stat) != 0)
    program_usage_error ("SOURCE %s: %s", shown, g_strerror (errno));
  if (S_ISDIR (stat.st_mode) && is_inside (target, source))
    program_usage_error ("%s cannot be copied into itself", shown);
}

int
main (int argc, char *argv[])
{
  static const GOptionEntry options[] = {
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &n_jobs, "Copy N files at once, 4 by default", "N" },
    { "progress", 'p', 0, G_OPTION_ARG_DOUBLE, &progress,
      "Tell how far it is each so many seconds, 1 by default; 0: never", "SECONDS" },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "Name all that is copied", NULL },
    G_OPTION_ENTRY_NULL
  };
  static const Program program = {
    .arguments = "SOURCE TARGET",
    .summary = "Copies a directory tree, several files at once, as cp -r does.",
    .options = options,
    .least = 2,
    .most = 2,
  };
  char **arguments = program_parse (&program, &argc, &argv);
  g_autofree char *target = find_target (arguments[0], arguments[1]);
  char *paths[] = { arguments[0], target };

  program_want_between ("--jobs", n_jobs, 1, 100);
  if (progress != 0)
    program_want_seconds ("--progress", progress);
  check_paths (arguments[0], target);
  return program_run (gtx_task_new (run_copy, paths, NULL));
}
