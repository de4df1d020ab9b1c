/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-job.h"

#include "checksum-duplicates.h"
#include "checksum-progress.h"
#include "checksum-reading.h"

#define N_WORKERS 4

/* Files that are found together, and that are added to the list together. */
#define BATCH 500
#define AT_ONCE 20

/* Seconds between two looks at the progress. */
#define TELL_EVERY 0.2

struct _ChecksumJob
{
  GObject parent_instance;
  GFile *folder;
  GListStore *files;
  GListStore *errors;
  GQueue folders;               /* not yet searched */
  GtxQueue *waiting;            /* files that are not yet read */
  GtxEvent *may_run;            /* clear while it is paused */
  gboolean running;
  ChecksumDuplicates *duplicates;
  ChecksumProgress progress;
  char *summary;
};

G_DEFINE_FINAL_TYPE (ChecksumJob, checksum_job, G_TYPE_OBJECT)

enum
{
  PROP_RUNNING = 1,
  PROP_PAUSED,
  PROP_FRACTION,
  PROP_SUMMARY,
  PROP_N_FILES,
  PROP_N_DUPLICATES,
  PROP_N_ERRORS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
fail (ChecksumJob *self, ChecksumFile *file, const GError *error)
{
  checksum_file_set_failed (file, error->message);
  g_list_store_append (self->errors, file);
}

static gboolean
is_cancelled (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* ---- Finding files ---- */

static int
by_name (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (g_file_info_get_name ((GFileInfo *) a), g_file_info_get_name ((GFileInfo *) b));
}

static void
add_to_list (ChecksumJob *self, GPtrArray *files)
{
  g_list_store_splice (self->files, g_list_model_get_n_items (G_LIST_MODEL (self->files)), 0,
                       files->pdata, files->len);
  for (guint i = 0; i < files->len; i++)
    {
      self->progress.n_files++;
      self->progress.n_total += checksum_file_get_size (files->pdata[i]);
      gtx_queue_put_nowait (self->waiting, g_object_ref (files->pdata[i]), NULL);
    }
  g_ptr_array_set_size (files, 0);
}

/* Links are not followed, so no file is found twice, and no search is endless.  The list
 * makes a row of widgets for each of its first items, so it is given a few at a time, and
 * the window is drawn in between. */
static gboolean
add_files (ChecksumJob *self, GFileEnumerator *folder, GList *infos, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);

  for (GList *l = infos; l; l = l->next)
    {
      g_autoptr (GFile) child = g_file_enumerator_get_child (folder, l->data);
      GFileType type = g_file_info_get_file_type (l->data);

      if (type == G_FILE_TYPE_DIRECTORY)
        g_queue_push_tail (&self->folders, g_object_ref (child));
      else if (type == G_FILE_TYPE_REGULAR)
        g_ptr_array_add (files, checksum_file_new (child, self->folder, g_file_info_get_size (l->data)));
      if (files->len < AT_ONCE && l->next)
        continue;
      add_to_list (self, files);
      if (!gtx_sleep (0, error))
        return FALSE;
    }
  return TRUE;
}

static GList *
next_files (ChecksumJob *self, GFileEnumerator *folder, GError **error)
{
  GList *infos;

  if (!gtx_event_wait (self->may_run, error))
    return NULL;
  g_file_enumerator_next_files_async (folder, BATCH, G_PRIORITY_DEFAULT, GTX_ASYNC);
  infos = g_file_enumerator_next_files_finish (folder, gtx_await_result (), error);
  return g_list_sort (infos, by_name);
}

static gboolean
find_in_folder (ChecksumJob *self, GFile *folder, GError **error)
{
  const char *attributes = "standard::name,standard::type,standard::size";
  g_autoptr (GFileEnumerator) children = NULL;
  g_autoptr (GError) failure = NULL;
  GList *infos;

  g_file_enumerate_children_async (folder, attributes, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS,
                                   G_PRIORITY_DEFAULT, GTX_ASYNC);
  children = g_file_enumerate_children_finish (folder, gtx_await_result (), &failure);
  while (failure == NULL && (infos = next_files (self, children, &failure)))
    {
      add_files (self, children, infos, &failure);
      g_list_free_full (infos, g_object_unref);
    }
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* A folder that cannot be read is passed over, if it is not the first. */
static gboolean
find_files (ChecksumJob *self, GError **error)
{
  g_queue_push_tail (&self->folders, g_object_ref (self->folder));
  while (!g_queue_is_empty (&self->folders))
    {
      g_autoptr (GFile) folder = g_queue_pop_head (&self->folders);
      g_autoptr (GError) failure = NULL;
      g_autoptr (ChecksumFile) row = NULL;

      if (find_in_folder (self, folder, &failure))
        continue;
      if (is_cancelled (failure) || g_file_equal (folder, self->folder))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      row = checksum_file_new (folder, self->folder, 0);
      g_list_store_append (self->files, row);
      fail (self, row, failure);
      self->progress.n_files++;
      self->progress.n_done++;
    }
  gtx_queue_shutdown (self->waiting, GTX_SHUTDOWN_DRAIN);
  return TRUE;
}

/* ---- Hashing files ---- */

static gboolean
read_to_end (ChecksumJob *self, ChecksumFile *file, ChecksumReading *reading, GError **error)
{
  for (;;)
    {
      goffset before = reading->n_read;
      gboolean succeeded = gtx_event_wait (self->may_run, error) &&
                           gtx_to_thread (checksum_reading_step, reading, error);

      self->progress.n_read += reading->n_read - before;
      if (!succeeded)
        return FALSE;
      if (reading->at_end)
        return TRUE;
      checksum_file_set_n_read (file, reading->n_read);
    }
}

static gboolean
hash_file (ChecksumJob *self, ChecksumFile *file, guint8 *buffer, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  ChecksumReading reading = { checksum_file_get_file (file), buffer, NULL, checksum, 0, FALSE };
  gboolean succeeded = read_to_end (self, file, &reading, error);

  /* The file's size may have changed since it was found. */
  self->progress.n_total += reading.n_read - checksum_file_get_size (file);
  g_clear_object (&reading.stream);
  if (succeeded)
    checksum_file_set_checksum (file, reading.n_read, g_checksum_get_string (checksum));
  return succeeded;
}

/* One of the workers.  If a file cannot be read, the worker goes on with the next one. */
static gboolean
hash_files (ChecksumJob *self, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (CHECKSUM_READING_BUFFER_SIZE);
  g_autoptr (GError) end = NULL;
  ChecksumFile *next;

  while ((next = gtx_queue_get (self->waiting, &end)))
    {
      g_autoptr (ChecksumFile) file = next;
      g_autoptr (GError) failure = NULL;

      if (hash_file (self, file, buffer, &failure))
        checksum_duplicates_compare (self->duplicates, file);
      else if (is_cancelled (failure))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      else
        fail (self, file, failure);
      self->progress.n_done++;
    }
  if (g_error_matches (end, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&end));
  return FALSE;
}

/* ---- Telling how it goes ---- */

static void
tell (ChecksumJob *self, const char *state)
{
  g_free (self->summary);
  self->summary = checksum_progress_describe (&self->progress, state, self->running);
  for (guint i = PROP_FRACTION; i < N_PROPS; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
}

static gboolean
tell_again_and_again (ChecksumJob *self, GError **error)
{
  gint64 before = g_get_monotonic_time ();

  do
    {
      gint64 now = g_get_monotonic_time ();
      gboolean paused = !gtx_event_is_set (self->may_run);

      if (!paused)
        self->progress.seconds += (double) (now - before) / G_USEC_PER_SEC;
      before = now;
      tell (self, paused ? "Paused: " : "");
    }
  while (gtx_sleep (TELL_EVERY, error));
  return FALSE;
}

/* ---- The job ---- */

/* The workers only fail when they are cancelled, so an error is that of find_files (). */
static gboolean
find_and_hash (ChecksumJob *self, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) errors = NULL;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  for (guint i = 0; failure == NULL && i < N_WORKERS; i++)
    gtx_task_group_create_task (&group, hash_files, self, NULL, &failure);
  if (failure == NULL)
    find_files (self, &failure);
  if (gtx_task_group_end (&group, &failure, &errors))
    return TRUE;
  if (gtx_error_get_n_errors (errors) > 0)
    g_propagate_error (error, g_error_copy (gtx_error_get_error (errors, 0)));
  else
    g_propagate_error (error, g_steal_pointer (&errors));
  return FALSE;
}

static void
leave_out_the_rest (ChecksumJob *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->files)); i++)
    {
      g_autoptr (ChecksumFile) file = g_list_model_get_item (G_LIST_MODEL (self->files), i);

      checksum_file_set_left_out (file);
    }
}

static void
set_running (ChecksumJob *self, gboolean running)
{
  self->running = running;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUNNING]);
}

gboolean
checksum_job_run (ChecksumJob *self, GError **error)
{
  g_autoptr (GtxTask) teller = gtx_create_task (tell_again_and_again, self, NULL);
  gboolean succeeded;

  set_running (self, TRUE);
  succeeded = find_and_hash (self, error);
  gtx_cancel (teller);
  gtx_await (teller, NULL);
  leave_out_the_rest (self);
  set_running (self, FALSE);
  tell (self, succeeded ? "Done: " : "Stopped: ");
  return succeeded;
}

GFile *
checksum_job_get_folder (ChecksumJob *self)
{
  return self->folder;
}

GListModel *
checksum_job_get_files (ChecksumJob *self)
{
  return G_LIST_MODEL (self->files);
}

GListModel *
checksum_job_get_duplicates (ChecksumJob *self)
{
  return checksum_duplicates_get_files (self->duplicates);
}

GListModel *
checksum_job_get_errors (ChecksumJob *self)
{
  return G_LIST_MODEL (self->errors);
}

/* ---- GObject ---- */

static guint
count (GListStore *files)
{
  return g_list_model_get_n_items (G_LIST_MODEL (files));
}

static void
checksum_job_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ChecksumJob *self = CHECKSUM_JOB (object);

  switch (id)
    {
    case PROP_RUNNING: g_value_set_boolean (value, self->running); break;
    case PROP_PAUSED: g_value_set_boolean (value, !gtx_event_is_set (self->may_run)); break;
    case PROP_FRACTION: g_value_set_double (value, checksum_progress_get_fraction (&self->progress)); break;
    case PROP_SUMMARY: g_value_set_string (value, self->summary); break;
    case PROP_N_FILES: g_value_set_uint (value, count (self->files)); break;
    case PROP_N_DUPLICATES: g_value_set_uint (value, g_list_model_get_n_items (checksum_job_get_duplicates (self))); break;
    case PROP_N_ERRORS: g_value_set_uint (value, count (self->errors)); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
checksum_job_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ChecksumJob *self = CHECKSUM_JOB (object);

  if (id != PROP_PAUSED)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  else if (g_value_get_boolean (value))
    gtx_event_clear (self->may_run);
  else
    gtx_event_set (self->may_run);
}

static void
checksum_job_finalize (GObject *object)
{
  ChecksumJob *self = CHECKSUM_JOB (object);

  g_object_unref (self->folder);
  g_object_unref (self->files);
  checksum_duplicates_free (self->duplicates);
  g_object_unref (self->errors);
  g_queue_clear_full (&self->folders, g_object_unref);
  g_object_unref (self->waiting);
  g_object_unref (self->may_run);
  g_free (self->summary);
  G_OBJECT_CLASS (checksum_job_parent_class)->finalize (object);
}

static void
checksum_job_class_init (ChecksumJobClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = checksum_job_get_property;
  object_class->set_property = checksum_job_set_property;
  object_class->finalize = checksum_job_finalize;
  properties[PROP_RUNNING] = g_param_spec_boolean ("running", NULL, NULL, FALSE, flags);
  properties[PROP_PAUSED] = g_param_spec_boolean ("paused", NULL, NULL, FALSE, flags | G_PARAM_WRITABLE);
  properties[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, 0, 1, 0, flags);
  properties[PROP_SUMMARY] = g_param_spec_string ("summary", NULL, NULL, NULL, flags);
  properties[PROP_N_FILES] = g_param_spec_uint ("n-files", NULL, NULL, 0, G_MAXUINT, 0, flags);
  properties[PROP_N_DUPLICATES] = g_param_spec_uint ("n-duplicates", NULL, NULL, 0, G_MAXUINT, 0, flags);
  properties[PROP_N_ERRORS] = g_param_spec_uint ("n-errors", NULL, NULL, 0, G_MAXUINT, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
checksum_job_init (ChecksumJob *self)
{
  self->files = g_list_store_new (CHECKSUM_TYPE_FILE);
  self->duplicates = checksum_duplicates_new ();
  self->errors = g_list_store_new (CHECKSUM_TYPE_FILE);
  g_queue_init (&self->folders);
  self->waiting = gtx_queue_new (0, g_object_unref);
  self->may_run = gtx_event_new ();
  gtx_event_set (self->may_run);
}

ChecksumJob *
checksum_job_new (GFile *folder)
{
  ChecksumJob *self = g_object_new (CHECKSUM_TYPE_JOB, NULL);

  self->folder = g_object_ref (folder);
  return self;
}
