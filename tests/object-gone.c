/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects that go while tasks wait for them or are bound to them, and objects that survive their
 * disposal. */

#include "object-job.h"

/* ---- Objects that go ---- */

/* The object is disposed of while the task does something else and keeps a reference. */
static gboolean
test_disposed_meanwhile (gpointer data, GError **error)
{
  Job *job = job_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_all_finished, g_object_ref (job), g_object_unref);

  g_assert_true (gtx_sleep (1, error));
  g_signal_emit (job, finished, 0, 1);
  g_object_run_dispose (G_OBJECT (job));
  g_object_run_dispose (G_OBJECT (job));
  g_object_unref (job);
  g_assert_true (gtx_await (task, error));
  assert_trace ("1 gone");
  return TRUE;
}

/* An object that survives its disposal is used like a new one. */
static gboolean
test_taken_back (gpointer data, GError **error)
{
  Job *job = job_new ();
  g_autoptr (GtxTask) before = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) bound = gtx_create_task (sleep_and_note, "9000:bound", NULL);
  g_autoptr (GtxTask) after = NULL;

  gtx_task_bind (bound, job);
  g_assert_true (gtx_sleep (1, error));
  job->stays = TRUE;
  g_object_unref (job);
  assert_gone (before);
  g_assert_false (gtx_await (bound, NULL));
  assert_trace ("bound!");

  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GtxTask) again = gtx_create_task (await_finished, job, NULL);

      g_assert_true (gtx_sleep (1, error));
      g_signal_emit (job, finished, 0, i);
      g_assert_true (gtx_await (again, error));
    }
  assert_trace ("0 1");
  after = gtx_create_task (await_finished, job, NULL);
  g_assert_true (gtx_sleep (1, error));
  g_object_unref (job);
  assert_gone (after);
  return TRUE;
}

/* The last reference to the object belongs to a task, and goes with it. */
static gboolean
test_last_reference (gpointer data, GError **error)
{
  Job *job = job_new ();
  gpointer weak = job;
  g_autoptr (GtxTask) a = gtx_create_task (await_finished, job, g_object_unref);
  g_autoptr (GtxTask) b = gtx_create_task (await_first, job, NULL);

  g_object_add_weak_pointer (G_OBJECT (job), &weak);
  g_assert_true (gtx_sleep (1, error));
  g_signal_emit (job, finished, 0, 1);
  g_assert_true (gtx_await (a, error));
  g_assert_null (weak);
  assert_gone (b);
  assert_trace ("1 first!");
  return TRUE;
}

static void
linger (GObject *object, int number, gpointer data)
{
  gtx_sleep (10, NULL);
}

static gboolean
emit_twice (Job *job, GError **error)
{
  g_signal_emit (job, finished, 0, 1);
  g_signal_emit (job, finished, 0, 2);
  return TRUE;
}

/* A task that begins to wait during an emission does not see it, even if other tasks wait
 * since an earlier one. */
static gboolean
test_begun_before (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) emitting = NULL;
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;

  g_signal_connect (job, "finished", G_CALLBACK (linger), NULL);
  emitting = gtx_create_task (emit_twice, job, NULL);
  g_assert_true (gtx_sleep (5, error));
  first = gtx_create_task (await_finished, job, NULL);
  g_assert_true (gtx_sleep (10, error));
  second = gtx_create_task (await_finished, job, NULL);
  g_assert_true (gtx_await (emitting, error));
  g_assert_true (gtx_await (first, error));
  g_assert_true (gtx_sleep (1, error));
  g_assert_false (gtx_future_is_done (second));
  g_signal_emit (job, finished, 0, 3);
  g_assert_true (gtx_await (second, error));
  assert_trace ("2 3");
  return TRUE;
}

/* ---- Toggle references ---- */

/* A toggle reference, as the bindings of other languages have, calls a function when it is no
 * longer the only reference.  That function may use the object. */
static gboolean is_to_emit;

static void
emit_on_company (gpointer data, GObject *job, gboolean is_last)
{
  if (is_last || !is_to_emit)
    return;
  is_to_emit = FALSE;
  g_signal_emit (job, finished, 0, 5);
}

static Job *
toggled_job_new (void)
{
  Job *job = job_new ();

  g_object_add_toggle_ref (G_OBJECT (job), emit_on_company, NULL);
  g_object_unref (job);
  return job;
}

static gboolean
test_toggled (gpointer data, GError **error)
{
  Job *job = toggled_job_new ();
  g_autoptr (GtxTask) first = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) second = NULL;

  gtx_sleep (0, NULL);
  second = gtx_create_task (await_finished, job, NULL);
  is_to_emit = TRUE;
  gtx_sleep (0, NULL);
  g_assert_true (gtx_await (first, error));
  g_assert_false (gtx_future_is_done (second));
  g_signal_emit (job, finished, 0, 6);
  g_assert_true (gtx_await (second, error));
  assert_trace ("5 6");
  g_object_remove_toggle_ref (G_OBJECT (job), emit_on_company, NULL);
  return TRUE;
}

static gboolean
test_bind_toggled (gpointer data, GError **error)
{
  Job *job = toggled_job_new ();
  g_autoptr (GtxTask) listener = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) bound = gtx_create_task (sleep_long, NULL, NULL);

  gtx_sleep (0, NULL);
  is_to_emit = TRUE;
  gtx_task_bind (bound, job);
  g_assert_true (gtx_await (listener, error));
  g_object_remove_toggle_ref (G_OBJECT (job), emit_on_company, NULL);
  g_assert_false (gtx_await (bound, NULL));
  assert_trace ("5");
  return TRUE;
}

static void
bind_another (gpointer job, GObject *task, gboolean is_last)
{
  g_autoptr (GtxTask) another = is_last ? NULL : gtx_create_task (sleep_long, NULL, NULL);

  if (another)
    gtx_task_bind (another, job);
}

/* The task has a toggle reference, too. */
static gboolean
test_bind_toggled_task (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxTask *task = gtx_task_new (sleep_long, NULL, NULL);

  g_object_add_toggle_ref (G_OBJECT (task), bind_another, job);
  g_object_unref (task);
  gtx_task_bind (task, job);
  g_object_run_dispose (G_OBJECT (job));
  g_assert_true (gtx_future_is_cancelled (task));
  g_object_remove_toggle_ref (G_OBJECT (task), bind_another, job);
  return gtx_sleep (0, error);
}

/* ---- An object that its dispose () keeps ---- */

typedef struct
{
  GObject parent_instance;
} Pooled;

typedef GObjectClass PooledClass;

static GType pooled_get_type (void);

G_DEFINE_TYPE (Pooled, pooled, G_TYPE_OBJECT)

static GObject *pool;

static void
pooled_dispose (GObject *object)
{
  pool = g_object_ref (object);
}

static void
pooled_class_init (PooledClass *class)
{
  class->dispose = pooled_dispose;
  g_signal_new ("used", G_TYPE_FROM_CLASS (class), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
pooled_init (Pooled *self)
{
  (void) self;
}

static gboolean
await_used (gpointer object, GError **error)
{
  return gtx_await_signal (object, "used", error);
}

/* As in a pool, the object is used like a new one, and does not collect handlers. */
static gboolean
test_pooled (gpointer data, GError **error)
{
  guint used = 0;

  pool = g_object_new (pooled_get_type (), NULL);
  used = g_signal_lookup ("used", pooled_get_type ());
  for (guint i = 0; i < 4; i++)
    {
      GObject *object = g_steal_pointer (&pool);
      g_autoptr (GtxTask) task = gtx_create_task (await_used, (gpointer) object, NULL);

      gtx_sleep (0, NULL);
      g_assert_true (g_signal_has_handler_pending (object, used, 0, TRUE));
      gtx_cancel (task);
      g_assert_false (gtx_await (task, NULL));
      g_assert_false (g_signal_has_handler_pending (object, used, 0, TRUE));
      g_object_unref (object);
      g_assert_nonnull (pool);
    }
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/object/signal/disposed-meanwhile", test_disposed_meanwhile);
  add_coroutine ("/object/signal/taken-back", test_taken_back);
  add_coroutine ("/object/signal/last-reference", test_last_reference);
  add_coroutine ("/object/signal/begun-before", test_begun_before);
  add_coroutine ("/object/signal/toggled", test_toggled);
  add_coroutine ("/object/bind/toggled", test_bind_toggled);
  add_coroutine ("/object/bind/toggled-task", test_bind_toggled_task);
  add_coroutine ("/object/signal/pooled", test_pooled);
  return g_test_run ();
}
