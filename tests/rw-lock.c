/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxRWLock *lock;         /* a new one for each test */

static gboolean
read_and_note (const char *word, GError **error)
{
  if (!gtx_rw_lock_read_acquire (lock, error))
    return FALSE;
  note (word);
  return TRUE;
}

static gboolean
write_and_note (const char *word, GError **error)
{
  if (!gtx_rw_lock_write_acquire (lock, error))
    return FALSE;
  note (word);
  return TRUE;
}

/* These hold the lock for a second. */

static gboolean
read_a_while (const char *word, GError **error)
{
  g_autoptr (GtxRWLockReadHolder) holder = gtx_rw_lock_read_hold (lock, error);

  if (holder == NULL)
    return FALSE;
  note (word);
  return gtx_sleep (1, error);
}

static gboolean
write_a_while (const char *word, GError **error)
{
  g_autoptr (GtxRWLockWriteHolder) holder = gtx_rw_lock_write_hold (lock, error);

  if (holder == NULL)
    return FALSE;
  note (word);
  return gtx_sleep (1, error);
}

static GtxTask *
reader (const char *word)
{
  return gtx_create_task (read_and_note, word, NULL);
}

static GtxTask *
writer (const char *word)
{
  return gtx_create_task (write_and_note, word, NULL);
}

/* A new task that reads or writes would not wait. */
static void
assert_free (void)
{
  g_assert_true (gtx_rw_lock_write_acquire (lock, NULL));
  g_assert_true (gtx_rw_lock_write_release (lock));
}

/* ---- Turns ---- */

static gboolean
test_free (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  g_assert_true (gtx_rw_lock_read_acquire (lock, error));
  g_assert_true (gtx_rw_lock_read_acquire (lock, error));
  g_assert_true (gtx_rw_lock_read_release (lock));
  g_assert_true (gtx_rw_lock_read_release (lock));
  g_assert_true (gtx_rw_lock_write_acquire (lock, error));
  g_assert_true (gtx_rw_lock_write_release (lock));
  assert_trace ("");
  return gtx_await (other, error);
}

/* Those who read do so together; nobody overtakes a task that waits. */
static gboolean
test_in_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) r1 = gtx_create_task (read_a_while, "r1", NULL);
  g_autoptr (GtxTask) r2 = gtx_create_task (read_a_while, "r2", NULL);
  g_autoptr (GtxTask) w1 = gtx_create_task (write_a_while, "w1", NULL);
  g_autoptr (GtxTask) r3 = gtx_create_task (read_a_while, "r3", NULL);
  g_autoptr (GtxTask) r4 = gtx_create_task (read_a_while, "r4", NULL);
  g_autoptr (GtxTask) w2 = gtx_create_task (write_a_while, "w2", NULL);
  g_autoptr (GtxTask) w3 = gtx_create_task (write_a_while, "w3", NULL);

  g_assert_true (gtx_sleep (0.5, error));
  assert_trace ("r1 r2");
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("w1");
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("r3 r4");
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("w2");
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, r1, r2, r3, r4, w1, w2, w3, NULL));
  assert_trace ("w3");
  g_assert_cmpfloat (gtx_get_time (), ==, 5);
  assert_free ();
  return TRUE;
}

static gboolean
read_again_and_again (gpointer data, GError **error)
{
  for (int i = 0; i < 10; i++)
    if (!read_a_while (data, error))
      return FALSE;
  return TRUE;
}

/* Those who read by turns let a task write. */
static gboolean
test_writer_not_starved (gpointer data, GError **error)
{
  g_autoptr (GtxTask) r1 = gtx_create_task (read_again_and_again, (gpointer) "r", NULL);
  g_autoptr (GtxTask) w = NULL;
  g_autoptr (GtxTask) r2 = NULL;

  g_assert_true (gtx_sleep (0.5, error));
  r2 = gtx_create_task (read_again_and_again, (gpointer) "r", NULL);
  g_assert_true (gtx_sleep (0, error));
  w = gtx_create_task (write_a_while, "w", NULL);
  g_assert_true (gtx_await (w, error));
  g_assert_true (g_str_has_prefix (trace->str, "r r w"));
  g_assert_cmpfloat (gtx_get_time (), ==, 2.5);
  return gtx_gather_list (GTX_GATHER_NONE, error, r1, r2, NULL);
}

/* The lock is theirs before they go on. */
static gboolean
test_no_overtaking (gpointer data, GError **error)
{
  g_autoptr (GtxTask) w = NULL;
  g_autoptr (GtxTask) late = NULL;

  g_assert_true (gtx_rw_lock_read_acquire (lock, error));
  w = writer ("w");
  g_assert_true (gtx_sleep (0, error));
  gtx_rw_lock_read_release (lock);
  late = writer ("late");
  g_assert_false (gtx_call_with_timeout (1, read_and_note, "timed-out", NULL));
  assert_trace ("w");
  gtx_rw_lock_write_release (lock);
  g_assert_true (gtx_await (late, error));
  assert_trace ("late");
  return TRUE;
}

/* ---- Requests to cancel ---- */

/* Those who wait to read behind a task that gives up writing go on. */
static gboolean
test_writer_asked (gpointer data, GError **error)
{
  g_autoptr (GtxTask) w = NULL;
  g_autoptr (GtxTask) r1 = NULL;
  g_autoptr (GtxTask) r2 = NULL;
  g_autoptr (GtxTask) last = NULL;

  g_assert_true (gtx_rw_lock_read_acquire (lock, error));
  w = writer ("w");
  r1 = reader ("r1");
  r2 = reader ("r2");
  last = writer ("last");
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (w);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, r1, r2, NULL));
  assert_ends_cancelled (w);
  assert_trace ("r1 r2");
  for (int i = 0; i < 3; i++)
    g_assert_true (gtx_rw_lock_read_release (lock));
  g_assert_true (gtx_await (last, error));
  return TRUE;
}

/* A request that comes when the task has the lock, and has not gone on yet. */
static gboolean
test_writer_asked_when_called (gpointer data, GError **error)
{
  g_autoptr (GtxTask) w = NULL;
  g_autoptr (GtxTask) next = NULL;

  g_assert_true (gtx_rw_lock_read_acquire (lock, error));
  w = writer ("w");
  next = writer ("next");
  g_assert_true (gtx_sleep (0, error));
  gtx_rw_lock_read_release (lock);
  gtx_cancel (w);
  g_assert_true (gtx_await (next, error));
  assert_ends_cancelled (w);
  assert_trace ("next");
  gtx_rw_lock_write_release (lock);
  assert_free ();
  return TRUE;
}

static gboolean
test_reader_asked_when_called (gpointer data, GError **error)
{
  g_autoptr (GtxTask) r1 = NULL;
  g_autoptr (GtxTask) r2 = NULL;
  g_autoptr (GtxTask) w = NULL;

  g_assert_true (gtx_rw_lock_write_acquire (lock, error));
  r1 = reader ("r1");
  r2 = reader ("r2");
  w = writer ("w");
  g_assert_true (gtx_sleep (0, error));
  gtx_rw_lock_write_release (lock);
  gtx_cancel (r1);
  g_assert_true (gtx_await (r2, error));
  assert_ends_cancelled (r1);
  assert_trace ("r2");
  gtx_rw_lock_read_release (lock);
  g_assert_true (gtx_await (w, error));
  return TRUE;
}

static gboolean
ask_and_write (const char *word, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return write_and_note (word, error);
}

/* The request is delivered where the task waits. */
static gboolean
test_asked_before (gpointer data, GError **error)
{
  g_autoptr (GtxTask) w = NULL;

  g_assert_true (gtx_rw_lock_read_acquire (lock, error));
  w = gtx_create_task (ask_and_write, "w", NULL);
  assert_ends_cancelled (w);
  gtx_rw_lock_read_release (lock);
  assert_free ();
  return TRUE;
}

/* The last of the tasks that were cancelled all at once wakes nobody too early. */
static gboolean
test_all_asked (gpointer data, GError **error)
{
  g_autoptr (GtxTask) w = NULL;
  g_autoptr (GtxTask) r = NULL;
  g_autoptr (GtxTask) w2 = NULL;

  g_assert_true (gtx_rw_lock_write_acquire (lock, error));
  w = writer ("w");
  r = reader ("r");
  w2 = writer ("w2");
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (r);
  gtx_cancel (w);
  assert_ends_cancelled (r);
  assert_ends_cancelled (w);
  g_assert_false (gtx_future_is_done (w2));
  gtx_rw_lock_write_release (lock);
  g_assert_true (gtx_await (w2, error));
  assert_trace ("w2");
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
test_released_twice (gpointer data, GError **error)
{
  g_assert_true (gtx_rw_lock_read_acquire (lock, error));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_rw_lock_write_release: no task writes*");
  g_assert_false (gtx_rw_lock_write_release (lock));
  g_test_assert_expected_messages ();
  g_assert_true (gtx_rw_lock_read_release (lock));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_rw_lock_read_release: no task reads*");
  g_assert_false (gtx_rw_lock_read_release (lock));
  g_test_assert_expected_messages ();
  assert_free ();
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GtxRWLock) own = gtx_rw_lock_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_rw_lock_read_acquire (own, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (&error);
  g_assert_null (gtx_rw_lock_write_hold (own, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

/* The waiting task has the last reference. */
static gboolean
test_let_go (gpointer data, GError **error)
{
  g_autoptr (GtxTask) w = NULL;

  g_assert_true (gtx_rw_lock_read_acquire (lock, error));
  w = writer ("w");
  g_assert_true (gtx_sleep (0, error));
  g_object_add_weak_pointer (G_OBJECT (lock), (gpointer *) &lock);
  g_object_unref (lock);
  g_assert_nonnull (lock);
  gtx_rw_lock_read_release (lock);
  g_assert_true (gtx_await (w, error));
  g_assert_null (lock);
  return TRUE;
}

static void
run_with_lock (gconstpointer data)
{
  lock = gtx_rw_lock_new ();
  run_coroutine (data);
  g_clear_object (&lock);
}

#define add(path, coroutine) add_run_ ("/rw-lock/" path, (coroutine), run_with_lock)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("free", test_free);
  add ("in-order", test_in_order);
  add ("writer-not-starved", test_writer_not_starved);
  add ("no-overtaking", test_no_overtaking);
  add ("asked-before", test_asked_before);
  add ("writer-asked", test_writer_asked);
  add ("writer-asked/when-called", test_writer_asked_when_called);
  add ("reader-asked/when-called", test_reader_asked_when_called);
  add ("all-asked", test_all_asked);
  add ("released-twice", test_released_twice);
  add ("let-go", test_let_go);
  g_test_add_func ("/rw-lock/outside", test_outside);
  return g_test_run ();
}
