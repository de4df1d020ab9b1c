/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* An action is an object with a signal that has an argument. */
static GSimpleAction *
action_new (void)
{
  return g_simple_action_new ("act", G_VARIANT_TYPE_INT32);
}

/* One with signals of all kinds. */
typedef struct
{
  GObject parent_instance;
  gboolean stays;               /* takes itself back when its last reference goes */
} Job;

typedef GObjectClass JobClass;

static GType job_get_type (void);

G_DEFINE_TYPE (Job, job, G_TYPE_OBJECT)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, g_object_unref)

static guint finished, asked, looped;

static void
job_looped (Job *self)
{
  for (int i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
}

static void
job_dispose (GObject *object)
{
  Job *self = (Job *) object;

  G_OBJECT_CLASS (job_parent_class)->dispose (object);
  if (self->stays)
    g_object_ref (self);
  self->stays = FALSE;
}

static void
job_class_init (JobClass *class)
{
  GType type = G_TYPE_FROM_CLASS (class);

  class->dispose = job_dispose;
  finished = g_signal_new ("finished", type, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0,
                           NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  asked = g_signal_new ("asked", type, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0,
                        g_signal_accumulator_first_wins, NULL, NULL, G_TYPE_INT, 0);
  looped = g_signal_new_class_handler ("looped", type, G_SIGNAL_RUN_FIRST, G_CALLBACK (job_looped),
                                       NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
job_init (Job *self)
{
}

static Job *
job_new (void)
{
  return g_object_new (job_get_type (), NULL);
}

static gboolean
await_activation (GSimpleAction *action, GError **error)
{
  g_autoptr (GArray) arguments = gtx_await_signal (action, "activate", error);
  g_autofree char *what = NULL;

  if (arguments == NULL)
    return FALSE;
  g_assert_cmpuint (arguments->len, ==, 1);
  what = g_strdup_printf ("%d", g_variant_get_int32 (g_value_get_variant (&g_array_index (arguments, GValue, 0))));
  note (what);
  return TRUE;
}

static gboolean
test_arguments (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) a = gtx_create_task (await_activation, action, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_action_activate (G_ACTION (action), g_variant_new_int32 (42));
  /* The emitter goes on; nobody else ran. */
  assert_trace ("");
  g_action_activate (G_ACTION (action), g_variant_new_int32 (43));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("42 42");
  return TRUE;
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_action_activate (G_ACTION (action), g_variant_new_int32 (42));
  assert_trace ("");
  return TRUE;
}

static gboolean
test_timeout (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_task_new (await_activation, action, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (task, 5, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpfloat (gtx_test_get_time (), ==, 5);
  return TRUE;
}

static void
assert_gone (GtxTask *task)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
}

static gboolean
test_finalized (gpointer data, GError **error)
{
  GSimpleAction *action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_object_unref (action);
  assert_gone (task);
  return TRUE;
}

static gboolean
test_disposed (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (action));
  assert_gone (task);
  return TRUE;
}

/* What was emitted before the object went is not lost. */
static gboolean
test_emitted_then_disposed (gpointer data, GError **error)
{
  GSimpleAction *action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_action_activate (G_ACTION (action), g_variant_new_int32 (42));
  g_object_run_dispose (G_OBJECT (action));
  g_object_unref (action);
  g_assert_true (gtx_await (task, error));
  assert_trace ("42");
  return TRUE;
}

static gpointer
activate_in_thread (gpointer action)
{
  g_action_activate (action, g_variant_new_int32 (7));
  return NULL;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);
  GThread *thread;

  g_assert_true (gtx_sleep (0, error));
  thread = g_thread_new ("emitter", activate_in_thread, action);
  g_assert_true (gtx_await (task, error));
  g_thread_join (thread);
  assert_trace ("7");
  return TRUE;
}

static gboolean
await_disabled (GSimpleAction *action, GError **error)
{
  while (g_action_get_enabled (G_ACTION (action)))
    if (!gtx_await_notify (action, "enabled", error))
      return FALSE;
  note ("disabled");
  return TRUE;
}

static gboolean
await_state_type (GSimpleAction *action, GError **error)
{
  note (gtx_await_notify (action, "state_type", error) ? "notified" : "not notified");
  return TRUE;
}

static gboolean
test_notify (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_disabled, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_object_notify (G_OBJECT (action), "enabled");
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  g_simple_action_set_enabled (action, FALSE);
  g_assert_true (gtx_await (task, error));
  assert_trace ("disabled");
  return TRUE;
}

/* Under its other name. */
static gboolean
test_notify_underscore (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_state_type, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_object_notify (G_OBJECT (action), "state-type");
  g_assert_true (gtx_wait_for (task, 1, error));
  assert_trace ("notified");
  return TRUE;
}

static gboolean
test_no_such (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_await_signal (action, "deactivate", &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_false (gtx_await_notify (action, "colour", &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_await_signal (action, "activate", &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

/* ---- Handlers and details ---- */

static gboolean
await_finished (Job *job, GError **error)
{
  g_autoptr (GArray) arguments = gtx_await_signal (job, "finished", error);
  g_autofree char *what = NULL;

  if (arguments == NULL)
    return FALSE;
  what = g_strdup_printf ("%d", g_value_get_int (&g_array_index (arguments, GValue, 0)));
  note (what);
  return TRUE;
}

static gboolean
await_first (Job *job, GError **error)
{
  g_autoptr (GArray) arguments = gtx_await_signal (job, "finished::first", error);

  note (arguments ? "first" : "first!");
  return arguments != NULL;
}

static gboolean
await_second (Job *job, GError **error)
{
  g_autoptr (GArray) arguments = gtx_await_signal (job, "finished::second", error);

  note (arguments ? "second" : "second!");
  return arguments != NULL;
}

static gboolean
test_details (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) first = gtx_create_task (await_first, job, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (await_second, job, NULL);
  g_autoptr (GtxTask) any = gtx_create_task (await_finished, job, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_signal_emit (job, finished, g_quark_from_string ("second"), 2);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, second, any, NULL));
  assert_trace ("second 2");
  g_signal_emit (job, finished, 0, 3);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  g_signal_emit (job, finished, g_quark_from_string ("first"), 4);
  g_assert_true (gtx_await (first, error));
  assert_trace ("first");
  g_assert_false (g_signal_has_handler_pending (job, finished, g_quark_from_string ("first"), FALSE));
  return TRUE;
}

/* In the order in which they came, whoever leaves in between. */
static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxTask *tasks[6];

  for (int i = 0; i < 6; i += 2)
    {
      tasks[i] = gtx_create_task (await_finished, job, NULL);
      tasks[i + 1] = gtx_create_task (await_first, job, NULL);
    }
  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (tasks[2]);
  gtx_cancel (tasks[3]);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("first!");
  g_signal_emit (job, finished, g_quark_from_string ("first"), 7);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("7 first 7 first");
  for (int i = 0; i < 6; i++)
    g_object_unref (tasks[i]);
  return TRUE;
}

static int
answer (GObject *object, gpointer value)
{
  return GPOINTER_TO_INT (value);
}

static int
ask (Job *job, const char *detail)
{
  int answered = -1;

  g_signal_emit (job, asked, detail ? g_quark_from_string (detail) : 0, &answered);
  return answered;
}

static gboolean
await_asked (Job *job, GError **error)
{
  g_autoptr (GArray) arguments = gtx_await_signal (job, "asked::here", error);

  note (arguments ? "asked" : "asked!");
  return arguments != NULL;
}

/* A task has a say only while it waits, and for its detail. */
static gboolean
test_value (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_asked, job, NULL);
  g_autoptr (GtxTask) cancelled = NULL;

  g_assert_true (gtx_sleep (1, error));
  g_signal_connect (job, "asked", G_CALLBACK (answer), GINT_TO_POINTER (7));
  g_assert_cmpint (ask (job, NULL), ==, 7);
  g_assert_cmpint (ask (job, "there"), ==, 7);
  g_assert_cmpint (ask (job, "here"), ==, 0);
  g_assert_cmpint (ask (job, "here"), ==, 7);
  g_assert_true (gtx_await (task, error));

  cancelled = gtx_create_task (await_asked, job, NULL);
  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (cancelled);
  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpint (ask (job, "here"), ==, 7);
  assert_trace ("asked asked!");
  return TRUE;
}

static void
stop_emission (GObject *object, int number, gpointer data)
{
  g_signal_stop_emission (object, finished, 0);
}

static gboolean
test_stopped (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) before = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) after = NULL;
  gulong handler;

  g_assert_true (gtx_sleep (1, error));
  handler = g_signal_connect (job, "finished", G_CALLBACK (stop_emission), NULL);
  g_signal_emit (job, finished, 0, 1);
  g_assert_true (gtx_await (before, error));
  after = gtx_create_task (await_finished, job, NULL);
  g_assert_true (gtx_sleep (1, error));
  g_signal_emit (job, finished, 0, 2);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("1");
  g_signal_handler_disconnect (job, handler);
  g_signal_emit (job, finished, 0, 3);
  assert_trace ("");
  return gtx_await (after, error);
}

/* Nothing of ours stays connected. */
static gboolean
test_disconnected (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();

  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GtxTask) a = gtx_create_task (await_finished, job, NULL);
      g_autoptr (GtxTask) b = gtx_create_task (await_first, job, NULL);

      g_assert_false (g_signal_has_handler_pending (job, finished, 0, FALSE));
      g_assert_true (gtx_sleep (1, error));
      g_assert_true (g_signal_has_handler_pending (job, finished, 0, FALSE));
      gtx_cancel (a);
      g_assert_true (gtx_sleep (1, error));
      g_assert_true (g_signal_has_handler_pending (job, finished, 0, FALSE));
      if (i == 0)
        gtx_cancel (b);
      else
        g_signal_emit (job, finished, g_quark_from_string ("first"), 1);
      g_assert_true (gtx_sleep (1, error));
      g_assert_false (g_signal_has_handler_pending (job, finished, 0, FALSE));
    }
  assert_trace ("first! first");
  return TRUE;
}

/* By whoever meant somebody else's: who waits from then on is told. */
static gboolean
test_all_disconnected (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) before = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) after = gtx_task_new (await_first, job, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_signal_handlers_destroy (job);
  gtx_task_start (after);
  g_assert_true (gtx_sleep (1, error));
  g_signal_emit (job, finished, g_quark_from_string ("first"), 1);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, before, after, NULL));
  assert_trace ("1 first");
  return TRUE;
}

static gboolean
await_looped (Job *job, GError **error)
{
  g_autoptr (GArray) arguments = gtx_await_signal (job, "looped", error);

  note (arguments ? "looped" : "looped!");
  return arguments != NULL;
}

static void
on_looped (GObject *job, gpointer data)
{
  note ("handler");
}

static gboolean
emit_looped (gpointer job)
{
  g_signal_emit (job, looped, 0);
  return G_SOURCE_REMOVE;
}

/* The class handler runs the main loop, in which tasks begin to wait: for the
 * next emission. */
static gboolean
test_looped (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) before = gtx_create_task (await_looped, job, NULL);
  g_autoptr (GtxTask) meanwhile = NULL;
  g_autoptr (GtxTask) too = NULL;
  gulong handler;

  handler = g_signal_connect (job, "looped", G_CALLBACK (on_looped), NULL);
  g_assert_true (gtx_sleep (0, error));
  meanwhile = gtx_create_task (await_looped, job, NULL);
  too = gtx_create_task (await_looped, job, NULL);
  emit_looped (job);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("handler looped");
  g_idle_add (emit_looped, job);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, before, meanwhile, too, NULL));
  assert_trace ("handler looped looped");
  g_signal_handler_disconnect (job, handler);
  g_assert_false (g_signal_has_handler_pending (job, looped, 0, FALSE));
  return TRUE;
}

/* ---- Objects that go ---- */

static gboolean
await_all_finished (Job *job, GError **error)
{
  g_autoptr (GError) failure = NULL;

  while (await_finished (job, &failure))
    ;
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
  note ("gone");
  return TRUE;
}

/* Disposed of while the task does something else, and keeps it. */
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

/* What took itself back is as new. */
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

/* The task's is the last reference, which goes with it. */
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

/* What is emitted already is for nobody who comes meanwhile, whoever waits since an emission
 * before it. */
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

/* Whoever is told that the only reference has got company, as bindings of other languages are,
 * may use the object then. */
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

/* The task may have one as well. */
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

/* ---- Threads ---- */

#define N_JOBS (UNDER_TSAN || UNDER_ASAN || RUNNING_ON_VALGRIND ? 300 : 5000)

typedef struct
{
  GAsyncQueue *jobs;            /* the queue itself is the end */
  guint n_emissions;
  gboolean disposes;
  guint n;
} Worker;

static void
tidy_up (guint how_long)
{
  for (guint i = 0; i < how_long; i++)
    __asm__ volatile ("" ::: "memory");
}

static gpointer
work (gpointer data)
{
  Worker *self = data;
  gpointer job;

  while ((job = g_async_queue_pop (self->jobs)) != self->jobs)
    {
      for (guint i = 0; i < self->n_emissions; i++)
        {
          g_signal_emit (job, finished, i % 2 ? g_quark_from_string ("first") : 0, (int) i);
          tidy_up (self->n++ % 4000);
        }
      if (self->n_emissions == 0)
        tidy_up (self->n++ % 4000);
      if (self->disposes)
        g_object_run_dispose (job);
      g_object_unref (job);
    }
  return NULL;
}

typedef gboolean (*JobFunc) (Job *job, GAsyncQueue *jobs);

/* The main loop has other things to do, and does not sleep. */
static gboolean
keep_busy (gpointer data, GError **error)
{
  while (gtx_sleep (0, error))
    ;
  return FALSE;
}

static gboolean
run_jobs (guint n_workers, guint n_emissions, gboolean disposes, JobFunc begin)
{
  GAsyncQueue *jobs = g_async_queue_new ();
  Worker workers[2] = { { jobs, n_emissions, disposes, 0 }, { jobs, n_emissions, FALSE, 500 } };
  g_autoptr (GtxTask) busy = gtx_create_task (keep_busy, NULL, NULL);
  GThread *threads[2];

  for (guint i = 0; i < n_workers; i++)
    threads[i] = g_thread_new ("worker", work, &workers[i]);
  for (guint i = 0; i < N_JOBS; i++)
    {
      g_autoptr (Job) job = job_new ();

      g_assert_true (begin (job, jobs));
      g_string_truncate (trace, 0);
    }
  for (guint i = 0; i < n_workers; i++)
    g_async_queue_push (jobs, jobs);
  for (guint i = 0; i < n_workers; i++)
    g_thread_join (threads[i]);
  g_async_queue_unref (jobs);
  gtx_cancel (busy);
  g_assert_false (gtx_await (busy, NULL));
  return TRUE;
}

static gboolean
emit_once (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_finished, g_object_ref (job), g_object_unref);

  gtx_sleep (0, NULL);
  g_async_queue_push (jobs, g_object_ref (job));
  return gtx_await (task, NULL);
}

static gboolean
test_thread_emits_and_disposes (gpointer data, GError **error)
{
  return run_jobs (1, 1, TRUE, emit_once);
}

static gboolean
await_to_end (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_all_finished, g_object_ref (job), g_object_unref);

  gtx_sleep (0, NULL);
  g_async_queue_push (jobs, g_object_ref (job));
  return gtx_await (task, NULL);
}

static gboolean
test_thread_until_gone (gpointer data, GError **error)
{
  return run_jobs (1, 3, TRUE, await_to_end);
}

/* One thread emits while the other disposes.  Each waits once: GObject does not
 * bear that a handler is connected anew meanwhile. */
static gboolean
await_in_two (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) a = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_first, job, NULL);
  g_autoptr (GtxTask) c = gtx_create_task (await_finished, job, NULL);

  gtx_sleep (0, NULL);
  g_async_queue_push (jobs, g_object_ref (job));
  g_async_queue_push (jobs, g_object_ref (job));
  gtx_gather_list (GTX_GATHER_RETURN_ERRORS, NULL, a, b, c, NULL);
  return TRUE;
}

static gboolean
test_two_threads (gpointer data, GError **error)
{
  return run_jobs (2, 4, TRUE, await_in_two);
}

static gboolean
cancel_meanwhile (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) a = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_first, job, NULL);

  gtx_sleep (0, NULL);
  g_async_queue_push (jobs, g_object_ref (job));
  tidy_up ((guint) g_random_int_range (0, 4000));
  gtx_cancel (a);
  gtx_sleep (0, NULL);
  gtx_cancel (b);
  gtx_gather_list (GTX_GATHER_RETURN_ERRORS, NULL, a, b, NULL);
  return TRUE;
}

static gboolean
test_thread_cancelled (gpointer data, GError **error)
{
  return run_jobs (1, 2, FALSE, cancel_meanwhile) && run_jobs (1, 2, TRUE, cancel_meanwhile);
}

/* ---- Several main contexts ---- */

typedef struct
{
  Job *job;
  gint n_waiting;
  guint n_heard;                /* of all emissions, by both threads */
} Audience;

static gboolean
count_until_gone (Audience *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  for (;;)
    {
      g_autoptr (GArray) arguments = gtx_await_signal (self->job, "finished", &failure);

      if (arguments == NULL)
        break;
      g_atomic_int_inc (&self->n_heard);
    }
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
  return TRUE;
}

static gboolean
listen (Audience *self, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (count_until_gone, self, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (count_until_gone, self, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_atomic_int_inc (&self->n_waiting);
  return gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL);
}

static gpointer
listen_in_thread (gpointer audience)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (listen, (Audience *) audience, NULL));
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* Tasks of two others hear what this thread emits, which disposes at last. */
static gboolean
test_contexts (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  Audience audience = { job, 0, 0 };
  GThread *threads[2];

  for (int i = 0; i < 2; i++)
    threads[i] = g_thread_new ("listener", listen_in_thread, &audience);
  while (g_atomic_int_get (&audience.n_waiting) < 2)
    g_thread_yield ();
  for (int i = 0; i < N_JOBS; i++)
    g_signal_emit (job, finished, 0, i);
  g_object_run_dispose (G_OBJECT (job));
  for (int i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (audience.n_heard, >=, 4);
  return TRUE;
}

/* A thread that stands in the middle of disposing of a job. */
typedef struct
{
  Job *job;
  GAsyncQueue *arrived;
  GAsyncQueue *go;
  GThread *thread;
} Disposal;

static void
stand_still (gpointer data, GObject *object)
{
  Disposal *self = data;

  g_async_queue_push (self->arrived, self);
  g_async_queue_pop (self->go);
}

static gpointer
dispose_in_thread (gpointer job)
{
  g_object_run_dispose (job);
  return NULL;
}

/* To be called before anything else has to do with the job. */
static void
disposal_prepare (Disposal *self, Job *job)
{
  self->job = job;
  self->arrived = g_async_queue_new ();
  self->go = g_async_queue_new ();
  g_object_weak_ref (G_OBJECT (job), stand_still, self);
}

static void
disposal_begin (Disposal *self)
{
  self->thread = g_thread_new ("disposer", dispose_in_thread, self->job);
  g_async_queue_pop (self->arrived);
}

static void
disposal_end (Disposal *self)
{
  g_async_queue_push (self->go, self);
  g_thread_join (self->thread);
  g_async_queue_unref (self->arrived);
  g_async_queue_unref (self->go);
}

static gboolean
test_cancelled_in_disposal (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) other = NULL;
  Disposal disposal;

  disposal_prepare (&disposal, job);
  task = gtx_create_task (await_finished, job, NULL);
  other = gtx_create_task (await_first, job, NULL);
  g_assert_true (gtx_sleep (0, error));
  disposal_begin (&disposal);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  disposal_end (&disposal);
  assert_gone (other);
  return TRUE;
}

static gboolean
test_ended_in_disposal (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "task", NULL);
  g_autoptr (GtxTask) other = gtx_create_task (sleep_long, NULL, NULL);
  Disposal disposal;

  disposal_prepare (&disposal, job);
  gtx_task_bind (task, job);
  gtx_task_bind (other, job);
  disposal_begin (&disposal);
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_sleep (0, error));
  disposal_end (&disposal);
  g_assert_false (gtx_await (other, NULL));
  g_assert_true (gtx_future_is_cancelled (other));
  return TRUE;
}

static gboolean
sleep_once (Job *job, GError **error)
{
  return gtx_sleep (0, error);
}

/* A task ends while its object is disposed of. */
static gboolean
bind_meanwhile (Job *job, GAsyncQueue *jobs)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_once, g_object_ref (job), g_object_unref);
  g_autoptr (GtxTask) other = gtx_create_task (sleep_once, job, NULL);

  gtx_task_bind (task, job);
  g_async_queue_push (jobs, g_object_ref (job));
  gtx_task_bind (other, job);
  gtx_gather_list (GTX_GATHER_RETURN_ERRORS, NULL, task, other, NULL);
  return TRUE;
}

static gboolean
test_thread_bound (gpointer data, GError **error)
{
  return run_jobs (1, 0, TRUE, bind_meanwhile);
}

/* ---- Bound tasks ---- */

static gboolean
test_bind (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, window);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (window));
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("task!");
  return TRUE;
}

static gboolean
test_bind_finalized (gpointer data, GError **error)
{
  GSimpleAction *window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, window);
  g_object_unref (window);
  g_assert_false (gtx_await (task, NULL));
  return TRUE;
}

static gpointer
get_from (GtxQueue *queue, GError **error)
{
  return gtx_queue_get (queue, error);
}

/* One of our own, which a task waits for at that moment. */
static gboolean
test_bind_disposed_in_use (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, g_free);
  g_autoptr (GtxTask) user = gtx_create_task_pointer (get_from, queue, NULL, g_free);
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, queue);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (queue));
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("task!");
  g_assert_true (gtx_queue_put_nowait (queue, g_strdup ("item"), error));
  g_assert_cmpstr (gtx_await_peek_pointer (user, error), ==, "item");
  return TRUE;
}

/* Disposed of before, as tasks that had to do with it know. */
static gboolean
test_bind_too_late (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) first = gtx_create_task (sleep_and_note, "9000:first", NULL);
  g_autoptr (GtxTask) second = gtx_create_task (sleep_and_note, "9000:second", NULL);

  gtx_task_bind (first, window);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (window));
  gtx_task_bind (second, window);
  g_assert_false (gtx_await (first, NULL));
  g_assert_false (gtx_await (second, NULL));
  assert_trace ("first! second!");
  return TRUE;
}

/* What a task drops at its end does not cancel it: its result counts. */
static char *
return_name (Job *job, GError **error)
{
  return gtx_sleep (0, error) ? g_strdup (G_OBJECT_TYPE_NAME (job)) : NULL;
}

static gboolean
test_bind_last_reference (gpointer data, GError **error)
{
  for (int i = 0; i < 2; i++)
    {
      Job *job = job_new ();
      g_autoptr (GtxTask) task = gtx_task_new_pointer (return_name, job, g_object_unref, g_free);
      g_autofree char *name = NULL;

      gtx_task_bind (task, job);
      if (i == 0)
        gtx_task_start (task);
      name = gtx_await_pointer (task, error);
      g_assert_cmpstr (name, ==, "Job");
      g_assert_true (gtx_sleep (0, error));
    }
  return TRUE;
}

static gboolean
test_bind_outlived (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "1:task", NULL);
  gpointer weak = task;

  gtx_task_bind (task, window);
  g_object_add_weak_pointer (G_OBJECT (task), &weak);
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_sleep (1, error));
  g_clear_object (&task);
  g_assert_null (weak);
  return TRUE;
}

/* Bound when it is done already: nothing is kept. */
static gboolean
test_bind_done (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "task", NULL);

  g_assert_true (gtx_await (task, error));
  gtx_task_bind (task, window);
  g_object_run_dispose (G_OBJECT (window));
  return gtx_sleep (1, error);
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
  g_autoptr (GArray) arguments = gtx_await_signal (object, "used", error);

  return arguments != NULL;
}

/* As pools do: it is as new, and gathers no handlers. */
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
  add_coroutine ("/object/signal/arguments", test_arguments);
  add_coroutine ("/object/signal/cancelled", test_cancelled);
  add_coroutine ("/object/signal/timeout", test_timeout);
  add_coroutine ("/object/signal/finalized", test_finalized);
  add_coroutine ("/object/signal/disposed", test_disposed);
  add_coroutine ("/object/signal/emitted-then-disposed", test_emitted_then_disposed);
  add_real_coroutine ("/object/signal/thread", test_thread);
  add_coroutine ("/object/signal/no-such", test_no_such);
  g_test_add_func ("/object/signal/outside", test_outside);
  add_coroutine ("/object/notify", test_notify);
  add_coroutine ("/object/notify/underscore", test_notify_underscore);
  add_coroutine ("/object/signal/details", test_details);
  add_coroutine ("/object/signal/order", test_order);
  add_coroutine ("/object/signal/value", test_value);
  add_coroutine ("/object/signal/stopped", test_stopped);
  add_coroutine ("/object/signal/disconnected", test_disconnected);
  add_coroutine ("/object/signal/all-disconnected", test_all_disconnected);
  add_real_coroutine ("/object/signal/looped", test_looped);
  add_coroutine ("/object/signal/disposed-meanwhile", test_disposed_meanwhile);
  add_coroutine ("/object/signal/taken-back", test_taken_back);
  add_coroutine ("/object/signal/last-reference", test_last_reference);
  add_coroutine ("/object/signal/begun-before", test_begun_before);
  add_coroutine ("/object/signal/toggled", test_toggled);
  add_coroutine ("/object/bind/toggled", test_bind_toggled);
  add_coroutine ("/object/bind/toggled-task", test_bind_toggled_task);
  add_real_coroutine ("/object/thread/emits-and-disposes", test_thread_emits_and_disposes);
  add_real_coroutine ("/object/thread/until-gone", test_thread_until_gone);
  add_real_coroutine ("/object/thread/two", test_two_threads);
  add_real_coroutine ("/object/thread/cancelled", test_thread_cancelled);
  add_real_coroutine ("/object/thread/cancelled-in-disposal", test_cancelled_in_disposal);
  add_real_coroutine ("/object/thread/contexts", test_contexts);
  add_real_coroutine ("/object/thread/bound", test_thread_bound);
  add_real_coroutine ("/object/thread/ended-in-disposal", test_ended_in_disposal);
  add_coroutine ("/object/bind/disposed", test_bind);
  add_coroutine ("/object/bind/too-late", test_bind_too_late);
  add_coroutine ("/object/bind/disposed-in-use", test_bind_disposed_in_use);
  add_coroutine ("/object/bind/finalized", test_bind_finalized);
  add_coroutine ("/object/bind/last-reference", test_bind_last_reference);
  add_coroutine ("/object/bind/outlived", test_bind_outlived);
  add_coroutine ("/object/bind/done", test_bind_done);
  add_coroutine ("/object/signal/pooled", test_pooled);
  return g_test_run ();
}
