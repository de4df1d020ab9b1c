/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Eight threads at once use one another's tasks and futures, in four main contexts, at random and
 * in every permitted way.  At the end the counts must balance. */

#include "fixture.h"

#define N_HOMES 4
#define N_ACTORS 8
#define N_SLOTS 64
#define MOST_ALIVE 400
#define MOST_CALLBACKS 10000
#define MOST_FLUSHES 1000

static guint
n_operations (void)
{
  return RUNNING_ON_VALGRIND ? 20000 : UNDER_ASAN ? 400000 : UNDER_TSAN ? 1000000 : 4000000;
}

/* ---- Shared objects ---- */

typedef enum
{
  RETURNS,
  LETS_OTHERS_RUN,
  WAITS,                        /* waits for its own future, which all threads may settle */
  AWAITS,                       /* awaits an earlier task */
  SHIELDS,                      /* awaits a shield of such a task */
  STAYS,                        /* sleeps until it is cancelled */
  SWALLOWS,                     /* swallows its request, and carries on */
  N_KINDS
} Kind;

/* The record of a task, which is the task's data. */
typedef struct
{
  Kind kind;
  GtxTask *awaited;
  gint n_ended;
  gint n_freed;
  gint requested;               /* a thread has cancelled the task */
  guint cancelling;             /* the task's count of requests when it returned */
  gboolean failed;
} Record;

typedef struct
{
  GMutex mutex;
  gpointer object;
  Record *record;               /* of a task, or NULL */
} Slot;

typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
} Home;

static Home homes[N_HOMES];
static Slot tasks[N_SLOTS], futures[N_SLOTS], cancellables[N_SLOTS];

static Record *records;
static gint n_records, most_records;
static gint n_performed;
static gint n_results_made, n_results_freed;
static gint n_callbacks_added, n_callbacks_called, n_callbacks_freed;

static GMutex alive_mutex;
static GCond alive_cond;
static gint n_alive;            /* protected by the mutex */

static const char result_mark[] = "result";

static char *
make_result (void)
{
  g_atomic_int_inc (&n_results_made);
  return g_strdup (result_mark);
}

static void
free_result (gpointer result)
{
  g_atomic_int_inc (&n_results_freed);
  g_free (result);
}

static gpointer
slot_peek (Slot *slot, Record **record)
{
  gpointer object;

  g_mutex_lock (&slot->mutex);
  object = slot->object ? g_object_ref (slot->object) : NULL;
  if (record)
    *record = slot->record;
  g_mutex_unlock (&slot->mutex);
  return object;
}

/* Takes @object, and returns the previous object. */
static gpointer
slot_exchange (Slot *slot, gpointer object, Record **record)
{
  gpointer old;
  Record *new_record = *record;

  g_mutex_lock (&slot->mutex);
  old = slot->object;
  *record = slot->record;
  slot->object = object;
  slot->record = new_record;
  g_mutex_unlock (&slot->mutex);
  return old;
}

/* ---- The tasks ---- */

static void
not_called (gpointer future, gpointer data)
{
  g_assert_not_reached ();
}

static void
publish_cancellable (Record *record)
{
  GCancellable *cancellable = gtx_task_get_cancellable (gtx_current_task ());
  g_autoptr (GObject) old = NULL;

  old = slot_exchange (&cancellables[(record - records) % N_SLOTS], g_object_ref (cancellable), &record);
}

static gboolean
wait_for_future (Record *record, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxFuture) old = NULL;
  Record *none = NULL;
  gboolean succeeded;

  gtx_future_add_done_callback (future, not_called, record, NULL);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, not_called, record), ==, 1);
  old = slot_exchange (&futures[(record - records) % N_SLOTS], g_object_ref (future), &none);
  if (old)
    gtx_future_set_result (old, make_result (), free_result);

  succeeded = gtx_await (future, error);
  g_assert_true (gtx_future_is_done (future));
  gtx_future_get_error (future);
  return succeeded;
}

static gboolean
await_awaited (Record *record, GError **error)
{
  const char *result = gtx_await_peek_pointer (record->awaited, error);

  g_assert_true (result == NULL || g_str_equal (result, result_mark));
  return result != NULL;
}

static gboolean
shield_awaited (Record *record, GError **error)
{
  g_autoptr (GtxFuture) shield = gtx_shield (record->awaited);

  return gtx_await (shield, error);
}

static gboolean
let_others_run (guint n, GError **error)
{
  for (guint i = 0; i < n; i++)
    if (!gtx_sleep (0, error))
      return FALSE;
  return TRUE;
}

static gboolean
swallow (GError **error)
{
  g_autoptr (GtxFuture) never = gtx_future_new ();

  g_assert_false (gtx_await (never, NULL));
  return let_others_run (2, error);
}

static gboolean
live_as (Record *record, GError **error)
{
  g_autoptr (GtxFuture) never = NULL;

  switch (record->kind)
    {
    case LETS_OTHERS_RUN:
      return let_others_run (3, error);
    case WAITS:
      return wait_for_future (record, error);
    case AWAITS:
      return await_awaited (record, error);
    case SHIELDS:
      return shield_awaited (record, error);
    case STAYS:
      never = gtx_future_new ();
      return gtx_await (never, error);
    case SWALLOWS:
      return swallow (error);
    case RETURNS:
    default:
      return TRUE;
    }
}

static char *
live (Record *record, GError **error)
{
  gboolean succeeded;

  if (record->kind == WAITS || record->kind == STAYS)
    publish_cancellable (record);
  succeeded = live_as (record, error);
  record->failed = !succeeded;
  record->cancelling = gtx_cancelling (gtx_current_task ());
  return succeeded ? make_result () : NULL;
}

static void
free_record (gpointer data)
{
  Record *record = data;

  if (record->awaited)
    g_object_unref (record->awaited);
  g_atomic_int_inc (&record->n_freed);
}

/* A request to the task is not lost: the task saw it, or ends as cancelled. */
static void
on_ended (gpointer task, gpointer data)
{
  Record *record = data;
  const char *result = gtx_future_get_result (task);

  gtx_future_get_error (task);
  g_assert_true (gtx_future_is_done (task));
  g_assert_cmpint (g_atomic_int_add (&record->n_ended, 1), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&record->n_freed), ==, 1);
  g_assert_true (result == NULL || g_str_equal (result, result_mark));
  if (record->cancelling > 0 && record->kind != SWALLOWS)
    g_assert_true (record->failed || gtx_future_is_cancelled (task));

  g_mutex_lock (&alive_mutex);
  n_alive--;
  g_cond_signal (&alive_cond);
  g_mutex_unlock (&alive_mutex);
}

/* ---- Actions of the threads ---- */

static void
cancel_task (GtxTask *task, Record *record)
{
  g_atomic_int_set (&record->requested, TRUE);
  gtx_cancel (task);
}

/* Limits the number of live tasks.  A task that is in no slot ends by itself. */
static void
wait_for_room (void)
{
  g_mutex_lock (&alive_mutex);
  while (n_alive >= MOST_ALIVE)
    g_cond_wait (&alive_cond, &alive_mutex);
  n_alive++;
  g_mutex_unlock (&alive_mutex);
}

/* A task that swallows a request would swallow that of a task that awaits it. */
static GtxTask *
choose_awaited (GRand *rand)
{
  Record *record;
  GtxTask *task = slot_peek (&tasks[g_rand_int_range (rand, 0, N_SLOTS)], &record);

  if (task && record->kind == SWALLOWS)
    g_clear_object (&task);
  return task;
}

static void
create_task (GRand *rand, Slot *slot)
{
  gint index = g_atomic_int_add (&n_records, 1);
  Record *record, *old_record;
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) old = NULL;

  g_assert_cmpint (index, <, most_records);
  wait_for_room ();
  record = old_record = &records[index];
  record->kind = (Kind) g_rand_int_range (rand, 0, N_KINDS);
  if (record->kind == AWAITS || record->kind == SHIELDS)
    record->awaited = choose_awaited (rand);
  if ((record->kind == AWAITS || record->kind == SHIELDS) && record->awaited == NULL)
    record->kind = RETURNS;

  task = gtx_create_task_pointer_in (homes[g_rand_int_range (rand, 0, N_HOMES)].context,
                                     live, record, free_record, free_result);
  gtx_future_add_done_callback (task, on_ended, record, NULL);
  old = slot_exchange (slot, g_object_ref (task), &old_record);
  if (old)
    cancel_task (old, old_record);
}

static void
on_callback (gpointer future, gpointer data)
{
  g_assert_true (gtx_future_is_done (future));
  g_atomic_int_inc (&n_callbacks_called);
}

static void
free_callback (gpointer data)
{
  g_atomic_int_inc (&n_callbacks_freed);
  g_free (data);
}

static void
add_callback (gpointer future)
{
  if (g_atomic_int_get (&n_callbacks_added) - g_atomic_int_get (&n_callbacks_called) > MOST_CALLBACKS)
    return;
  g_atomic_int_inc (&n_callbacks_added);
  gtx_future_add_done_callback (future, on_callback, g_strdup ("data"), free_callback);
}

static void
look (gpointer future)
{
  const char *result = gtx_future_get_result (future);

  if (gtx_future_is_cancelled (future))
    g_assert_error (gtx_future_get_error (future), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (result == NULL || g_str_equal (result, result_mark));
}

static void
act_on_task (GRand *rand, Slot *slot)
{
  Record *record;
  g_autoptr (GtxTask) task = slot_peek (slot, &record);

  if (task == NULL)
    return;
  switch (g_rand_int_range (rand, 0, 3))
    {
    case 0: cancel_task (task, record); break;
    case 1: add_callback (task); break;
    default: look (task);
    }
}

static void
act_on_future (GRand *rand, Slot *slot)
{
  g_autoptr (GtxFuture) future = slot_peek (slot, NULL);

  if (future == NULL)
    return;
  switch (g_rand_int_range (rand, 0, 5))
    {
    case 0: gtx_future_set_result (future, make_result (), free_result); break;
    case 1: gtx_future_set_error (future, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "set")); break;
    case 2: gtx_cancel (future); break;
    case 3: add_callback (future); break;
    default: look (future);
    }
}

static void
cancel_cancellable (Slot *slot)
{
  Record *record;
  g_autoptr (GCancellable) cancellable = slot_peek (slot, &record);

  if (cancellable == NULL)
    return;
  g_atomic_int_set (&record->requested, TRUE);
  g_cancellable_cancel (cancellable);
}

static gpointer
act (gpointer data)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (GPOINTER_TO_UINT (data));

  while (g_atomic_int_add (&n_performed, 1) < (gint) n_operations ())
    {
      guint slot = g_rand_int_range (rand, 0, N_SLOTS);

      switch (g_rand_int_range (rand, 0, 10))
        {
        case 0: create_task (rand, &tasks[slot]); break;
        case 1: cancel_cancellable (&cancellables[slot]); break;
        case 2: case 3: case 4: act_on_future (rand, &futures[slot]); break;
        default: act_on_task (rand, &tasks[slot]);
        }
    }
  return NULL;
}

/* ---- The homes ---- */

static gpointer
run_home (gpointer data)
{
  Home *home = data;

  g_main_context_push_thread_default (home->context);
  g_main_loop_run (home->loop);
  g_main_context_pop_thread_default (home->context);
  return NULL;
}

static void
homes_start (void)
{
  for (int i = 0; i < N_HOMES; i++)
    {
      homes[i].context = g_main_context_new ();
      homes[i].loop = g_main_loop_new (homes[i].context, FALSE);
      homes[i].thread = g_thread_new ("home", run_home, &homes[i]);
    }
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
homes_stop (void)
{
  for (int i = 0; i < N_HOMES; i++)
    {
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_callback (source, quit, homes[i].loop, NULL);
      g_source_attach (source, homes[i].context);
      g_thread_join (homes[i].thread);
      g_main_loop_unref (homes[i].loop);
      g_main_context_unref (homes[i].context);
    }
}

/* ---- The books ---- */

static guint
count_overdue (gboolean all)
{
  guint n = 0;

  for (gint i = 0; i < n_records; i++)
    if ((all || (records[i].kind == STAYS && g_atomic_int_get (&records[i].requested))) &&
        g_atomic_int_get (&records[i].n_ended) == 0)
      n++;
  return n;
}

static gboolean
let_all_run (gpointer data, GError **error)
{
  return let_others_run (1, error);
}

/* Returns when each home has handled its earlier messages, and has run a few rounds. */
static gboolean
flush_until_ended (gboolean *all, GError **error)
{
  for (guint i = 0; count_overdue (*all) > 0; i++)
    {
      g_assert_cmpuint (i, <, MOST_FLUSHES);
      for (int j = 0; j < N_HOMES; j++)
        {
          g_autoptr (GtxTask) task = gtx_create_task_in (homes[j].context, let_all_run, NULL, NULL);

          if (!gtx_await (task, error))
            return FALSE;
        }
    }
  return TRUE;
}

static void
assert_ended (gboolean all)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_run (flush_until_ended, &all, &error));
  g_assert_no_error (error);
}

static void
empty_slots (void)
{
  for (int i = 0; i < N_SLOTS; i++)
    {
      Record *record = NULL;
      g_autoptr (GtxFuture) future = slot_exchange (&futures[i], NULL, &record);
      g_autoptr (GtxTask) task = slot_exchange (&tasks[i], NULL, &record);
      g_autoptr (GObject) cancellable = NULL;

      if (task)
        cancel_task (task, record);
      if (future)
        gtx_future_set_result (future, make_result (), free_result);
      record = NULL;
      cancellable = slot_exchange (&cancellables[i], NULL, &record);
    }
}

static void
assert_balance (void)
{
  for (gint i = 0; i < n_records; i++)
    {
      g_assert_cmpint (records[i].n_ended, ==, 1);
      g_assert_cmpint (records[i].n_freed, ==, 1);
    }
  g_assert_cmpint (n_results_freed, ==, n_results_made);
  g_assert_cmpint (n_callbacks_called, ==, n_callbacks_added);
  g_assert_cmpint (n_callbacks_freed, ==, n_callbacks_added);
  g_assert_cmpint (n_alive, ==, 0);
}

static void
test_all_at_once (void)
{
  GThread *actors[N_ACTORS];

  gtx_set_default_stack_size (64 * 1024);
  most_records = n_operations () / 5;
  records = g_new0 (Record, most_records);
  homes_start ();
  for (int i = 0; i < N_ACTORS; i++)
    actors[i] = g_thread_new ("actor", act, GUINT_TO_POINTER (g_test_rand_int ()));
  for (int i = 0; i < N_ACTORS; i++)
    g_thread_join (actors[i]);

  assert_ended (FALSE);
  empty_slots ();
  assert_ended (TRUE);
  /* A task that began in the meantime has left its future in a slot. */
  empty_slots ();
  homes_stop ();
  assert_balance ();
  g_test_message ("%u operations, %d tasks, %d results, %d callbacks", n_operations (), n_records,
                  n_results_made, n_callbacks_added);
  g_free (records);
  gtx_set_default_stack_size (0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threads-stress/all-at-once", test_all_at_once);
  return g_test_run ();
}
