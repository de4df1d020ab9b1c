/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gtx_race () and gtx_any () in a task that is cancelled: before, while it waits for the first, and while it
 * waits for the others. */

#include "fixture.h"

/* Notes its end, a second after each request to cancel. */
static gboolean
clean_up (const char *word, GError **error)
{
  gboolean slept = gtx_sleep (1000, error);

  g_assert_false (slept);
  g_assert_true (gtx_sleep (1, NULL));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  note (word);
  return FALSE;
}

/* A race of a task that ends after a second, and of one that then cleans up for a second. */
static gboolean
race (GPtrArray *tasks, GError **error)
{
  GtxTask *first;

  g_ptr_array_add (tasks, sleeper ("1000:first"));
  g_ptr_array_add (tasks, gtx_create_task (clean_up, "other", NULL));
  first = gtx_race (tasks, error);
  g_assert_true (first == NULL || first == tasks->pdata[0]);
  note (first ? "returned" : "cancelled");
  return first && gtx_sleep (0, error);
}

typedef struct
{
  GPtrArray *tasks;
  GtxTask *racing;
} Course;

static Course
start_race (GtxCoroutine coroutine)
{
  Course self = { g_ptr_array_new_with_free_func (g_object_unref), NULL };

  self.racing = gtx_create_task_named ("race", coroutine, self.tasks, NULL);
  return self;
}

static void
end_race (Course *self)
{
  assert_ends_cancelled (self->racing);
  for (guint i = 0; i < self->tasks->len; i++)
    g_assert_true (gtx_future_is_done (self->tasks->pdata[i]));
  g_clear_object (&self->racing);
  g_clear_pointer (&self->tasks, g_ptr_array_unref);
}

/* All are cancelled and waited for. */
static gboolean
test_first_awaited (gpointer data, GError **error)
{
  Course course = start_race ((GtxCoroutine) race);

  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (course.racing);
  end_race (&course);
  assert_trace ("first! other cancelled");
  g_assert_cmpfloat (gtx_get_time (), ==, 1.5);
  return TRUE;
}

/* A second request does not disturb the clean-up, and is delivered with the first. */
static gboolean
go_on_after_race (GPtrArray *tasks, GError **error)
{
  GtxTask *self = gtx_current_task ();

  g_assert_false (race (tasks, error));
  g_assert_cmpuint (gtx_cancelling (self), ==, 2);
  g_assert_true (gtx_sleep (1, NULL));
  note ("went on");
  return FALSE;
}

static gboolean
test_twice (gpointer data, GError **error)
{
  Course course = start_race ((GtxCoroutine) go_on_after_race);

  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (course.racing);
  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (course.racing);
  end_race (&course);
  assert_trace ("first! other cancelled went on");
  g_assert_cmpfloat (gtx_get_time (), ==, 2.5);
  return TRUE;
}

/* The request stands, and the next await delivers it. */
static gboolean
test_others_awaited (gpointer data, GError **error)
{
  Course course = start_race ((GtxCoroutine) race);

  g_assert_true (gtx_sleep (1.5, error));
  gtx_cancel (course.racing);
  gtx_cancel (course.racing);
  end_race (&course);
  assert_trace ("first other returned");
  g_assert_cmpfloat (gtx_get_time (), ==, 2);
  return TRUE;
}

/* A timeout that begins while the request stands does not take it for its own, though its time is over when the
 * request is delivered. */
static gboolean
sleep_in_time (GPtrArray *tasks, GError **error)
{
  GError *failure = NULL;

  g_ptr_array_add (tasks, sleeper ("1000:first"));
  g_ptr_array_add (tasks, gtx_create_task (clean_up, "other", NULL));
  g_assert_nonnull (gtx_race (tasks, error));
  g_assert_false (gtx_call_with_timeout (0, sleep_long, NULL, &failure));
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
test_others_awaited_then_timeout (gpointer data, GError **error)
{
  Course course = start_race ((GtxCoroutine) sleep_in_time);

  g_assert_true (gtx_sleep (1.5, error));
  gtx_cancel (course.racing);
  end_race (&course);
  assert_trace ("first other");
  return TRUE;
}

/* A done callback that cancels the task that races. */
static void
cancel_racing (gpointer future, gpointer racing)
{
  gtx_cancel (*(GtxTask **) racing);
}

/* The request comes when the first is done, and before the task goes on: nobody gets the first. */
static gboolean
test_same_round (gpointer data, GError **error)
{
  Course course = start_race ((GtxCoroutine) race);

  g_assert_true (gtx_sleep (0.5, error));
  gtx_future_add_done_callback (course.tasks->pdata[0], cancel_racing, &course.racing, NULL);
  end_race (&course);
  assert_trace ("first other cancelled");
  return TRUE;
}

/* The request comes when the last of the others is done, and before the task goes on. */
static gboolean
test_last_round (gpointer data, GError **error)
{
  Course course = start_race ((GtxCoroutine) race);

  g_assert_true (gtx_sleep (0.5, error));
  gtx_future_add_done_callback (course.tasks->pdata[1], cancel_racing, &course.racing, NULL);
  end_race (&course);
  assert_trace ("first other returned");
  return TRUE;
}

/* Tasks that have not begun never do. */
static gboolean
race_cancelled (GPtrArray *tasks, GError **error)
{
  g_ptr_array_add (tasks, gtx_task_new (note_and_return, "unstarted", NULL));
  g_ptr_array_add (tasks, sleeper ("0:begun"));
  gtx_cancel (gtx_current_task ());
  g_assert_null (gtx_any (tasks, error));
  g_assert_true (gtx_sleep (0, NULL));
  return FALSE;
}

static gboolean
test_before (gpointer data, GError **error)
{
  Course course = start_race ((GtxCoroutine) race_cancelled);

  end_race (&course);
  assert_trace ("unstarted begun!");
  return TRUE;
}

static gboolean
race_in_time (GPtrArray *tasks, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  GtxTask *first;

  g_ptr_array_add (tasks, sleeper ("1000:first"));
  g_ptr_array_add (tasks, gtx_create_task (clean_up, "other", NULL));
  gtx_timeout_begin (&timeout, tasks->len == 2 ? 1.5 : 0.5);
  first = gtx_race (tasks, &failure);
  if (first && gtx_timeout_expired (&timeout))
    note ("late");
  return gtx_timeout_end (&timeout, &failure, error) && gtx_sleep (1, error);
}

/* The time is over while the others clean up: the block has succeeded, and no request is left.  If it is over
 * before, the block has timed out. */
static gboolean
test_timeout (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) failure = NULL;

  g_assert_true (race_in_time (tasks, error));
  assert_trace ("first other late");
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);

  g_ptr_array_set_size (tasks, 0);
  g_ptr_array_add (tasks, gtx_future_new ());
  g_assert_false (race_in_time (tasks, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  assert_trace ("first! other");
  return TRUE;
}

/* A race whose members are races. */
static gboolean
race_of_races (GPtrArray *tasks, GError **error)
{
  for (guint i = 0; i < 2; i++)
    g_ptr_array_add (tasks, gtx_create_task (race, g_ptr_array_new_with_free_func (g_object_unref),
                                             (GDestroyNotify) g_ptr_array_unref));
  return gtx_any (tasks, error) != NULL;
}

static gboolean
test_nested (gpointer data, GError **error)
{
  Course course = start_race ((GtxCoroutine) race_of_races);

  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (course.racing);
  end_race (&course);
  assert_trace ("first! first! other other cancelled cancelled");
  return TRUE;
}

/* ---- Members that wait for the race ---- */

static GtxTask *racing;

static gboolean
await_race (gpointer data, GError **error)
{
  return gtx_await (racing, error);
}

static gboolean
race_in_ring (GPtrArray *tasks, GError **error)
{
  racing = gtx_current_task ();
  g_ptr_array_add (tasks, gtx_create_task (await_race, NULL, NULL));
  g_ptr_array_add (tasks, sleeper ("1000:first"));
  return gtx_race (tasks, error) != NULL;
}

/* The member is told to stop waiting, whether the race has a first or is cancelled. */
static gboolean
test_ring (gpointer data, GError **error)
{
  Course won = start_race ((GtxCoroutine) race_in_ring);

  g_assert_true (gtx_await (won.racing, error));
  g_assert_true (gtx_future_is_cancelled (won.tasks->pdata[0]));
  g_object_unref (won.racing);
  g_ptr_array_unref (won.tasks);

  won = start_race ((GtxCoroutine) race_in_ring);
  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (won.racing);
  end_race (&won);

  won = start_race ((GtxCoroutine) race_in_ring);
  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (won.tasks->pdata[0]);
  end_race (&won);
  assert_trace ("first first! first!");
  return TRUE;
}

/* ---- A handler that runs a main loop while the others are cancelled ---- */

/* All others end meanwhile. */
static void
on_cancelled (GCancellable *cancellable, gpointer other)
{
  while (!gtx_future_is_done (other))
    g_main_context_iteration (NULL, TRUE);
  note ("handled");
}

static gboolean
sleep_watched (GtxTask **self, GError **error)
{
  g_signal_connect (gtx_task_get_cancellable (*self), "cancelled", G_CALLBACK (on_cancelled), *self);
  return sleep_and_note ("1000:other", error);
}

/* The first ends later, or was done before.  The next wait of the task takes its time. */
static gboolean
test_main_loop (gpointer data, GError **error)
{
  for (guint is_done = 0; is_done < 2; is_done++)
    {
      g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
      double time = gtx_get_time ();
      GtxTask *watched;

      watched = gtx_create_task (sleep_watched, &watched, NULL);
      g_ptr_array_add (tasks, watched);
      g_ptr_array_add (tasks, sleeper ("10:first"));
      g_assert_true (gtx_sleep (is_done ? 0.02 : 0, error));
      g_assert_true (gtx_race (tasks, error) == tasks->pdata[1]);
      assert_trace ("first other! handled");
      g_assert_true (gtx_sleep (1, error));
      g_assert_cmpfloat (gtx_get_time (), >, time + 1);
    }
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/first-requests/before", test_before);
  add_coroutine ("/first-requests/first-awaited", test_first_awaited);
  add_coroutine ("/first-requests/twice", test_twice);
  add_coroutine ("/first-requests/others-awaited", test_others_awaited);
  add_coroutine ("/first-requests/others-awaited/then-timeout", test_others_awaited_then_timeout);
  add_coroutine ("/first-requests/same-round", test_same_round);
  add_coroutine ("/first-requests/last-round", test_last_round);
  add_coroutine ("/first-requests/timeout", test_timeout);
  add_coroutine ("/first-requests/nested", test_nested);
  add_coroutine ("/first-requests/ring", test_ring);
  add_coroutine ("/first-requests/main-loop", test_main_loop);
  return g_test_run ();
}
