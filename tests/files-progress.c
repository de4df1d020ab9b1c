/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress of a copy: it is reported in the task's thread, and never after the end of the copy. */

#include "fixture.h"

#include "file-cases.h"
#include "test-file.h"

typedef gboolean (*CopyFunc) (GFile *, GFile *, GFileCopyFlags, GFileProgressCallback, gpointer, GError **);

/* The reported progress, and the event for which the copying side waits. */
typedef struct
{
  GFile *source;
  GFile *destination;
  CopyFunc copy;
  GThread *thread;
  GtxTask *task;                /* the task that the report cancels, or NULL */
  gboolean has_returned;
  guint n_told;
  goffset n_done;
  goffset n_total;

  GMutex mutex;                 /* protects the fields below */
  GCond cond;
  gboolean may_go_on;
} Copying;

static void
let_go_on (Copying *self)
{
  g_mutex_lock (&self->mutex);
  self->may_go_on = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}

static void
wait_to_go_on (Copying *self)
{
  g_mutex_lock (&self->mutex);
  while (!self->may_go_on)
    g_cond_wait (&self->cond, &self->mutex);
  g_mutex_unlock (&self->mutex);
}

static void
take_progress (goffset n_done, goffset n_total, gpointer data)
{
  Copying *self = data;

  g_assert_true (g_thread_self () == self->thread);
  g_assert_null (gtx_current_task ());
  g_assert_false (self->has_returned);
  g_assert_cmpint (n_done, >=, self->n_done);
  self->n_told++;
  self->n_done = n_done;
  self->n_total = n_total;
  if (self->task)
    gtx_cancel (self->task);
  let_go_on (self);
}

static gboolean
run_copying (Copying *self, GError **error)
{
  gboolean succeeded;

  self->thread = g_thread_self ();
  succeeded = self->copy (self->source, self->destination, G_FILE_COPY_OVERWRITE, take_progress, self, error);
  self->has_returned = TRUE;
  return succeeded;
}

/* Waits after the copy, so that a late report would arrive. */
static gboolean
run_and_wait (Copying *self, GError **error)
{
  if (!run_copying (self, error))
    return FALSE;
  for (int i = 0; i < 10; i++)
    g_assert_true (gtx_sleep (0, error));
  return TRUE;
}

/* ---- Real files ---- */

#define SIZE (3 * 1024 * 1024 + 1)

static void
make_large (GFile *file)
{
  g_autofree char *contents = g_malloc0 (SIZE);

  g_assert_true (g_file_replace_contents (file, contents, SIZE, NULL, FALSE, G_FILE_CREATE_NONE, NULL, NULL, NULL));
}

/* A move of the file renames it, and reports nothing. */
static gboolean
copy_large (gboolean is_native, GError **error)
{
  GFile *tree = file_tree_new ();
  g_autoptr (GFile) source = g_file_get_child (tree, "file");
  g_autoptr (GFile) real = g_file_get_child (tree, "other");
  g_autoptr (GFile) destination = test_file_new (real, is_native, TEST_FILE_PASSES);
  Copying copying = { .source = source, .destination = destination, .copy = gtx_file_copy };
  g_autoptr (GFileInfo) info = NULL;

  make_large (source);
  g_assert_true (run_and_wait (&copying, error));
  g_assert_cmpuint (copying.n_told, >=, 1);
  g_assert_cmpint (copying.n_done, ==, SIZE);
  g_assert_cmpint (copying.n_total, ==, SIZE);
  info = gtx_file_query_info (destination, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, error);
  g_assert_cmpint (g_file_info_get_size (info), ==, SIZE);

  copying = (Copying) { .source = source, .destination = destination, .copy = gtx_file_move };
  g_assert_true (run_and_wait (&copying, error));
  g_assert_false (g_file_query_exists (source, NULL));
  file_tree_remove (tree);
  return TRUE;
}

static gboolean
test_native (gpointer data, GError **error)
{
  return copy_large (TRUE, error);
}

static gboolean
test_other (gpointer data, GError **error)
{
  return copy_large (FALSE, error);
}

/* ---- When progress is reported ---- */

#define N_PARTS 100

/* Calls @func for the work of gtx_file_copy () or gtx_file_move (). */
static gboolean
run_by (TestFileCopyFunc func, CopyFunc copy, gboolean is_native, GtxCoroutine coroutine, Copying *self,
        GError **error)
{
  g_autoptr (GFile) real = g_file_new_for_path ("/");
  g_autoptr (GFile) file = test_file_new (real, is_native, TEST_FILE_PASSES);

  self->source = self->destination = file;
  self->copy = copy;
  test_file_set_copy (file, func, self);
  return coroutine (self, error);
}

static void
run_all (TestFileCopyFunc func, GtxCoroutine coroutine, void (*check) (Copying *self))
{
  for (int i = 0; i < 4; i++)
    {
      Copying copying = { .n_told = 0 };

      g_assert_true (run_by (func, i % 2 ? gtx_file_move : gtx_file_copy, i / 2, coroutine, &copying, NULL));
      check (&copying);
    }
}

/* Progress is reported while the copy is under way. */
static gboolean
tell_and_wait (GFileProgressCallback progress, gpointer progress_data, GCancellable *cancellable, gpointer data,
               GError **error)
{
  progress (1, N_PARTS, progress_data);
  wait_to_go_on (data);
  return TRUE;
}

static void
check_one (Copying *self)
{
  g_assert_cmpuint (self->n_told, ==, 1);
  g_assert_cmpint (self->n_done, ==, 1);
  g_assert_cmpint (self->n_total, ==, N_PARTS);
}

static gboolean
test_meanwhile (gpointer data, GError **error)
{
  run_all (tell_and_wait, (GtxCoroutine) run_and_wait, check_one);
  return TRUE;
}

static gboolean
tell_all (GFileProgressCallback progress, gpointer progress_data, GCancellable *cancellable, gpointer data,
          GError **error)
{
  for (int i = 1; i <= N_PARTS; i++)
    progress (i, N_PARTS, progress_data);
  let_go_on (data);
  return TRUE;
}

static gboolean
block_main_loop (Copying *self, GError **error)
{
  wait_to_go_on (self);
  return TRUE;
}

static gboolean
run_beside_block (Copying *self, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (run_and_wait, self, NULL);
  g_autoptr (GtxTask) blocking = gtx_create_task (block_main_loop, self, NULL);

  return gtx_gather_list (GTX_GATHER_NONE, error, task, blocking, NULL);
}

/* A task that is busy during the copy gets one report, the latest. */
static gboolean
test_latest (gpointer data, GError **error)
{
  Copying copying = { .n_told = 0 };

  g_assert_true (run_by (tell_all, gtx_file_copy, TRUE, (GtxCoroutine) run_beside_block, &copying, error));
  g_assert_cmpuint (copying.n_told, ==, 1);
  g_assert_cmpint (copying.n_done, ==, N_PARTS);
  return TRUE;
}

static void
check_end (Copying *self)
{
  g_assert_cmpuint (self->n_told, >=, 1);
  g_assert_cmpint (self->n_done, ==, N_PARTS);
}

/* The end is always reported. */
static gboolean
test_end (gpointer data, GError **error)
{
  for (int i = 0; i < 100; i++)
    run_all (tell_all, (GtxCoroutine) run_and_wait, check_end);
  return TRUE;
}

static gboolean
tell_and_fail (GFileProgressCallback progress, gpointer progress_data, GCancellable *cancellable, gpointer data,
               GError **error)
{
  progress (1, N_PARTS, progress_data);
  return fail ("in the middle", error);
}

static gboolean
run_and_fail (Copying *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (run_copying (self, &failure));
  g_assert_cmpstr (failure->message, ==, "in the middle");
  for (int i = 0; i < 10; i++)
    g_assert_true (gtx_sleep (0, error));
  return TRUE;
}

static gboolean
test_failed (gpointer data, GError **error)
{
  run_all (tell_and_fail, (GtxCoroutine) run_and_fail, check_one);
  return TRUE;
}

/* The file's own operation reports progress in a thread without a main loop. */
static gboolean
test_late (gpointer data, GError **error)
{
  g_autoptr (GFile) real = g_file_new_for_path ("/");
  g_autoptr (GFile) file = test_file_new (real, FALSE, TEST_FILE_TELLS_LATE);
  Copying copying = { .source = file, .destination = file, .copy = gtx_file_copy };

  g_assert_true (run_and_wait (&copying, error));
  g_assert_cmpuint (copying.n_told, ==, 1);
  return TRUE;
}

/* ---- Callbacks ---- */

static gboolean
tell_until_cancelled (GFileProgressCallback progress, gpointer progress_data, GCancellable *cancellable,
                      gpointer data, GError **error)
{
  progress (1, N_PARTS, progress_data);
  wait_to_go_on (data);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
run_and_cancel (Copying *self, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (run_and_wait, self, NULL);

  self->task = task;
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

static gboolean
test_cancels (gpointer data, GError **error)
{
  run_all (tell_until_cancelled, (GtxCoroutine) run_and_cancel, check_one);
  return TRUE;
}

static void
run_main_loop (goffset n_done, goffset n_total, gpointer data)
{
  Copying *self = data;

  self->n_told++;
  let_go_on (self);
  while (!self->has_returned)
    g_main_context_iteration (NULL, TRUE);
  self->n_done = n_done;
}

static gboolean
copy_with_main_loop (Copying *self, GError **error)
{
  gboolean succeeded;

  succeeded = self->copy (self->source, self->destination, G_FILE_COPY_NONE, run_main_loop, self, error);
  self->has_returned = TRUE;
  return succeeded;
}

static gboolean
run_with_main_loop (Copying *self, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (copy_with_main_loop, self, NULL);

  g_assert_true (gtx_await (task, error));
  while (self->n_done == 0)
    g_assert_true (gtx_sleep (0, error));
  return TRUE;
}

/* The copying function returns while its callback runs. */
static gboolean
test_runs_main_loop (gpointer data, GError **error)
{
  Copying copying = { .n_told = 0 };

  g_assert_true (run_by (tell_and_wait, gtx_file_copy, TRUE, (GtxCoroutine) run_with_main_loop, &copying, error));
  g_assert_cmpuint (copying.n_told, ==, 1);
  return TRUE;
}

static void
push_context (goffset n_done, goffset n_total, gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  let_go_on (data);
}

static gboolean
copy_and_push (Copying *self, GError **error)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*before it popped the main context*");
  g_assert_true (self->copy (self->source, self->destination, G_FILE_COPY_NONE, push_context, self, error));
  g_test_assert_expected_messages ();
  return TRUE;
}

/* A context that a callback leaves pushed would be pushed for the next callback, too. */
static gboolean
test_pushes (gpointer data, GError **error)
{
  Copying copying = { .n_told = 0 };

  return run_by (tell_and_wait, gtx_file_copy, TRUE, (GtxCoroutine) copy_and_push, &copying, error);
}

/* ---- Of another thread ---- */

static gpointer
copy_in_own_loop (gpointer data)
{
  Copying *self = data;
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (run_and_wait, self, NULL));
  g_main_context_pop_thread_default (context);
  return NULL;
}

static gboolean
copy_in_thread (Copying *self, GError **error)
{
  g_thread_join (g_thread_new ("copies", copy_in_own_loop, self));
  return TRUE;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  run_all (tell_and_wait, (GtxCoroutine) copy_in_thread, check_one);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/files-progress/native", test_native);
  add_coroutine ("/files-progress/other", test_other);
  add_coroutine ("/files-progress/meanwhile", test_meanwhile);
  add_coroutine ("/files-progress/latest", test_latest);
  add_coroutine ("/files-progress/end", test_end);
  add_coroutine ("/files-progress/failed", test_failed);
  add_real_coroutine ("/files-progress/late", test_late);
  add_coroutine ("/files-progress/cancels", test_cancels);
  add_real_coroutine ("/files-progress/runs-main-loop", test_runs_main_loop);
  add_coroutine ("/files-progress/pushes", test_pushes);
  add_coroutine ("/files-progress/thread", test_thread);
  return g_test_run ();
}
