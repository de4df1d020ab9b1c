/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "test-file.h"

static gint n_calls;
static gint n_closed;

static struct
{
  GMutex mutex;
  GCond cond;
  gboolean may_close;
} closing;

guint
test_file_n_calls (void)
{
  return (guint) g_atomic_int_get (&n_calls);
}

guint
test_file_n_closed (void)
{
  return (guint) g_atomic_int_get (&n_closed);
}

void
test_file_let_close (void)
{
  g_mutex_lock (&closing.mutex);
  closing.may_close = TRUE;
  g_cond_signal (&closing.cond);
  g_mutex_unlock (&closing.mutex);
}

/* ---- A stream that is closed as late as its file ---- */

typedef struct
{
  GFileInputStream parent_instance;
  GInputStream *real;
} TestStream;

typedef struct
{
  GFileInputStreamClass parent_class;
} TestStreamClass;

static GType test_stream_get_type (void);

G_DEFINE_TYPE (TestStream, test_stream, G_TYPE_FILE_INPUT_STREAM)

static void
wait_until_cancelled (GCancellable *cancellable)
{
  GPollFD poll;

  g_assert_true (g_cancellable_make_pollfd (cancellable, &poll));
  g_poll (&poll, 1, -1);
  g_cancellable_release_fd (cancellable);
}

static gssize
test_stream_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  gssize n = g_input_stream_read (((TestStream *) stream)->real, buffer, count, NULL, error);

  if (n == 0)
    wait_until_cancelled (cancellable);
  return n;
}

static void
test_stream_finalize (GObject *object)
{
  g_object_unref (((TestStream *) object)->real);
  G_OBJECT_CLASS (test_stream_parent_class)->finalize (object);
}

static void
test_stream_class_init (TestStreamClass *class)
{
  G_OBJECT_CLASS (class)->finalize = test_stream_finalize;
  G_INPUT_STREAM_CLASS (class)->read_fn = test_stream_read;
}

static void
test_stream_init (TestStream *self)
{
}

/* Takes @real. */
static GFileInputStream *
test_stream_new (GFileInputStream *real)
{
  TestStream *self = g_object_new (test_stream_get_type (), NULL);

  self->real = G_INPUT_STREAM (real);
  return &self->parent_instance;
}

/* ---- The contents of a folder ---- */

typedef struct
{
  GFileEnumerator parent_instance;
  GFileEnumerator *real;
  TestFileMode mode;
  guint n_given;
} TestEnumerator;

typedef struct
{
  GFileEnumeratorClass parent_class;
} TestEnumeratorClass;

static GType test_enumerator_get_type (void);

G_DEFINE_TYPE (TestEnumerator, test_enumerator, G_TYPE_FILE_ENUMERATOR)

static GFileInfo *
test_enumerator_next_file (GFileEnumerator *enumerator, GCancellable *cancellable, GError **error)
{
  TestEnumerator *self = (TestEnumerator *) enumerator;
  guint n_given = self->n_given++;

  if (n_given == 1 && self->mode == TEST_FILE_BREAKS_INSIDE)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE, "broken inside");
      return NULL;
    }
  if (n_given == 0 && self->mode == TEST_FILE_WAITS_INSIDE)
    {
      g_atomic_int_inc (&n_calls);
      wait_until_cancelled (cancellable);
    }
  return g_file_enumerator_next_file (self->real, NULL, error);
}

static gboolean
test_enumerator_close (GFileEnumerator *enumerator, GCancellable *cancellable, GError **error)
{
  TestEnumerator *self = (TestEnumerator *) enumerator;

  if (self->mode == TEST_FILE_WAITS_AT_END)
    {
      g_atomic_int_inc (&n_calls);
      g_mutex_lock (&closing.mutex);
      while (!closing.may_close)
        g_cond_wait (&closing.cond, &closing.mutex);
      closing.may_close = FALSE;
      g_mutex_unlock (&closing.mutex);
    }
  g_atomic_int_inc (&n_closed);
  return g_file_enumerator_close (self->real, cancellable, error);
}

static void
test_enumerator_finalize (GObject *object)
{
  GFileEnumerator *real = ((TestEnumerator *) object)->real;

  /* The parent's function closes the enumerator. */
  G_OBJECT_CLASS (test_enumerator_parent_class)->finalize (object);
  g_object_unref (real);
}

static void
test_enumerator_class_init (TestEnumeratorClass *class)
{
  G_OBJECT_CLASS (class)->finalize = test_enumerator_finalize;
  G_FILE_ENUMERATOR_CLASS (class)->next_file = test_enumerator_next_file;
  G_FILE_ENUMERATOR_CLASS (class)->close_fn = test_enumerator_close;
}

static void
test_enumerator_init (TestEnumerator *self)
{
}

/* Takes @real. */
static GFileEnumerator *
test_enumerator_new (GFile *folder, GFileEnumerator *real, TestFileMode mode)
{
  TestEnumerator *self = g_object_new (test_enumerator_get_type (), "container", folder, NULL);

  self->real = real;
  self->mode = mode;
  return &self->parent_instance;
}

/* ---- The file ---- */

typedef struct
{
  GObject parent_instance;
  GFile *real;
  gboolean is_native;
  TestFileMode mode;
  TestFileCopyFunc copy;
  gpointer copy_data;
} TestFile;

typedef struct
{
  GObjectClass parent_class;
} TestFileClass;

static GType test_file_get_type (void);
static void test_file_iface_init (GFileIface *iface);

G_DEFINE_TYPE_WITH_CODE (TestFile, test_file, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_FILE, test_file_iface_init))

static gboolean
is_test_file (GFile *file)
{
  return G_TYPE_CHECK_INSTANCE_TYPE (file, test_file_get_type ());
}

static GFile *
real_of (GFile *file)
{
  return is_test_file (file) ? ((TestFile *) file)->real : file;
}

/* Returns the GCancellable for the real operation. */
static GCancellable *
enter (GFile *file, GCancellable *cancellable)
{
  TestFile *self = (TestFile *) file;

  g_atomic_int_inc (&n_calls);
  if (self->mode == TEST_FILE_IS_SLOW)
    g_usleep (20000);
  if (self->mode == TEST_FILE_WAITS || self->mode == TEST_FILE_IS_DEAF)
    wait_until_cancelled (cancellable);
  return self->mode == TEST_FILE_IS_DEAF ? NULL : cancellable;
}

/* Takes @real. */
static GFile *
wrap (GFile *file, GFile *real)
{
  TestFile *self = (TestFile *) file;
  GFile *wrapped = real ? test_file_new (real, self->is_native, self->mode) : NULL;

  g_clear_object (&real);
  return wrapped;
}

static GFile *
test_file_dup (GFile *file)
{
  return wrap (file, g_file_dup (real_of (file)));
}

static guint
test_file_hash (GFile *file)
{
  return g_file_hash (real_of (file));
}

static gboolean
test_file_equal (GFile *file, GFile *other)
{
  return g_file_equal (real_of (file), real_of (other));
}

static gboolean
test_file_is_native (GFile *file)
{
  return ((TestFile *) file)->is_native;
}

static gboolean
test_file_has_uri_scheme (GFile *file, const char *scheme)
{
  return g_file_has_uri_scheme (real_of (file), scheme);
}

static char *
test_file_get_uri (GFile *file)
{
  return g_file_get_uri (real_of (file));
}

static GFile *
test_file_get_parent (GFile *file)
{
  return wrap (file, g_file_get_parent (real_of (file)));
}

static GFile *
test_file_resolve_relative_path (GFile *file, const char *path)
{
  return wrap (file, g_file_resolve_relative_path (real_of (file), path));
}

static GFileEnumerator *
test_file_enumerate_children (GFile *file, const char *attributes, GFileQueryInfoFlags flags,
                              GCancellable *cancellable, GError **error)
{
  TestFileMode mode = ((TestFile *) file)->mode;
  gboolean is_inside = mode >= TEST_FILE_BREAKS_INSIDE && mode <= TEST_FILE_WAITS_AT_END;
  GFileEnumerator *real;

  if (!is_inside)
    cancellable = enter (file, cancellable);
  real = g_file_enumerate_children (real_of (file), attributes, flags, cancellable, error);
  return real && is_inside ? test_enumerator_new (file, real, mode) : real;
}

static GFileInfo *
test_file_query_info (GFile *file, const char *attributes, GFileQueryInfoFlags flags,
                      GCancellable *cancellable, GError **error)
{
  return g_file_query_info (real_of (file), attributes, flags, enter (file, cancellable), error);
}

/* A file that ignores cancellation opens it at once, and the test must wait for the
 * end. */
static GFileInputStream *
test_file_read (GFile *file, GCancellable *cancellable, GError **error)
{
  GFileInputStream *stream;

  if (((TestFile *) file)->mode != TEST_FILE_IS_DEAF)
    return g_file_read (real_of (file), enter (file, cancellable), error);
  g_atomic_int_inc (&n_calls);
  stream = g_file_read (real_of (file), NULL, error);
  return stream ? test_stream_new (stream) : NULL;
}

static GFileOutputStream *
test_file_append_to (GFile *file, GFileCreateFlags flags, GCancellable *cancellable, GError **error)
{
  return g_file_append_to (real_of (file), flags, enter (file, cancellable), error);
}

static GFileOutputStream *
test_file_replace (GFile *file, const char *etag, gboolean make_backup, GFileCreateFlags flags,
                   GCancellable *cancellable, GError **error)
{
  return g_file_replace (real_of (file), etag, make_backup, flags, enter (file, cancellable), error);
}

static gboolean
test_file_delete (GFile *file, GCancellable *cancellable, GError **error)
{
  return g_file_delete (real_of (file), enter (file, cancellable), error);
}

static gboolean
test_file_trash (GFile *file, GCancellable *cancellable, GError **error)
{
  return g_file_trash (real_of (file), enter (file, cancellable), error);
}

static gboolean
test_file_make_directory (GFile *file, GCancellable *cancellable, GError **error)
{
  return g_file_make_directory (real_of (file), enter (file, cancellable), error);
}

/* GIO asks the destination's class first, and the source may have another class. */
static gboolean
test_file_copy (GFile *source, GFile *destination, GFileCopyFlags flags, GCancellable *cancellable,
                GFileProgressCallback progress, gpointer progress_data, GError **error)
{
  TestFile *self = (TestFile *) (is_test_file (source) ? source : destination);

  cancellable = enter ((GFile *) self, cancellable);
  if (self->copy)
    return self->copy (progress, progress_data, cancellable, self->copy_data, error);
  return g_file_copy (real_of (source), real_of (destination), flags, cancellable, progress, progress_data, error);
}

typedef struct
{
  GTask *task;
  GFileProgressCallback progress;
  gpointer progress_data;
} LateCopy;

static gpointer
tell (gpointer data)
{
  LateCopy *late = data;

  late->progress (1, 1, late->progress_data);
  return NULL;
}

/* The task goes on in this turn of the main loop. */
static gboolean
tell_and_return (gpointer data)
{
  LateCopy *late = data;

  g_thread_join (g_thread_new ("tells", tell, late));
  g_task_return_boolean (late->task, TRUE);
  g_object_unref (late->task);
  g_free (late);
  return G_SOURCE_REMOVE;
}

static void
test_file_copy_async (GFile *source, GFile *destination, GFileCopyFlags flags, int priority,
                      GCancellable *cancellable, GFileProgressCallback progress, gpointer progress_data,
                      GAsyncReadyCallback callback, gpointer data)
{
  GFileIface *iface = g_type_default_interface_peek (G_TYPE_FILE);
  LateCopy *late;

  if (((TestFile *) source)->mode != TEST_FILE_TELLS_LATE)
    {
      iface->copy_async (source, destination, flags, priority, cancellable, progress, progress_data, callback, data);
      return;
    }
  late = g_new (LateCopy, 1);
  late->task = g_task_new (source, cancellable, callback, data);
  late->progress = progress;
  late->progress_data = progress_data;
  g_idle_add (tell_and_return, late);
}

static gboolean
test_file_move (GFile *source, GFile *destination, GFileCopyFlags flags, GCancellable *cancellable,
                GFileProgressCallback progress, gpointer progress_data, GError **error)
{
  TestFile *self = (TestFile *) (is_test_file (source) ? source : destination);

  cancellable = enter ((GFile *) self, cancellable);
  if (self->copy)
    return self->copy (progress, progress_data, cancellable, self->copy_data, error);
  return g_file_move (real_of (source), real_of (destination), flags, cancellable, progress, progress_data, error);
}

static void
test_file_iface_init (GFileIface *iface)
{
  iface->dup = test_file_dup;
  iface->hash = test_file_hash;
  iface->equal = test_file_equal;
  iface->is_native = test_file_is_native;
  iface->has_uri_scheme = test_file_has_uri_scheme;
  iface->get_uri = test_file_get_uri;
  iface->get_parse_name = test_file_get_uri;
  iface->get_parent = test_file_get_parent;
  iface->resolve_relative_path = test_file_resolve_relative_path;
  iface->enumerate_children = test_file_enumerate_children;
  iface->query_info = test_file_query_info;
  iface->read_fn = test_file_read;
  iface->append_to = test_file_append_to;
  iface->replace = test_file_replace;
  iface->delete_file = test_file_delete;
  iface->trash = test_file_trash;
  iface->make_directory = test_file_make_directory;
  iface->copy = test_file_copy;
  iface->copy_async = test_file_copy_async;
  iface->move = test_file_move;
}

static void
test_file_finalize (GObject *object)
{
  g_object_unref (((TestFile *) object)->real);
  G_OBJECT_CLASS (test_file_parent_class)->finalize (object);
}

static void
test_file_class_init (TestFileClass *class)
{
  G_OBJECT_CLASS (class)->finalize = test_file_finalize;
}

static void
test_file_init (TestFile *self)
{
}

GFile *
test_file_new (GFile *real, gboolean is_native, TestFileMode mode)
{
  TestFile *self = g_object_new (test_file_get_type (), NULL);

  self->real = g_object_ref (real);
  self->is_native = is_native;
  self->mode = mode;
  return G_FILE (self);
}

void
test_file_set_copy (GFile *file, TestFileCopyFunc func, gpointer data)
{
  TestFile *self = (TestFile *) file;

  self->copy = func;
  self->copy_data = data;
}
