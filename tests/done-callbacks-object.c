/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Done callbacks that end with an object. */

#include "note-done.h"

static void
note_with_object (gpointer future, gpointer object)
{
  g_assert_true (gtx_future_is_done (future));
  g_assert_null (gtx_current_task ());
  g_assert_true (G_IS_OBJECT (object));
  g_assert_cmpint (G_OBJECT (object)->ref_count, >=, 1);
  note ("called");
}

static GObject *
new_object (void)
{
  return g_object_new (G_TYPE_OBJECT, NULL);
}

static gboolean
test_called (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GObject) object = new_object ();

  gtx_future_add_done_callback (future, note_done, "before", NULL);
  gtx_future_add_done_callback_object (future, note_with_object, object);
  gtx_future_add_done_callback (future, note_done, "after", NULL);
  g_assert_cmpint (object->ref_count, ==, 1);
  gtx_future_set_result (future, NULL, NULL);
  assert_trace ("");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("before called after");
  g_assert_cmpint (object->ref_count, ==, 1);

  gtx_future_add_done_callback_object (future, note_with_object, object);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("called");
  return TRUE;
}

/* The object goes while the future is pending, or done with the callback due. */
static gboolean
test_object_first (gpointer data, GError **error)
{
  for (int is_done = 0; is_done < 2; is_done++)
    for (int is_run = 0; is_run < 2; is_run++)
      {
        g_autoptr (GtxFuture) future = gtx_future_new ();
        GObject *object = new_object ();

        gtx_future_add_done_callback_object (future, note_with_object, object);
        if (is_done)
          gtx_future_set_result (future, NULL, NULL);
        /* The reference that is left is not enough: the object is disposed of. */
        if (is_run)
          g_object_run_dispose (object);
        else
          g_clear_object (&object);
        if (!is_done)
          gtx_future_set_result (future, NULL, NULL);
        g_assert_true (gtx_sleep (0, error));
        assert_trace ("");
        /* An object that was disposed of gets no callbacks any more. */
        if (object)
          {
            gtx_future_add_done_callback_object (future, note_with_object, object);
            g_assert_true (gtx_sleep (0, error));
            assert_trace ("");
            g_object_unref (object);
          }
      }
  return TRUE;
}

/* The values of the adder are destroyed when the callback is taken back, and not only with the future. */
static GtxTaskLocal word = GTX_TASK_LOCAL_INIT (count_free);

static void
note_word (gpointer future, gpointer object)
{
  note (gtx_task_local_get (&word));
}

static gboolean
test_taken_back (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GObject) kept = new_object ();
  GObject *object = new_object ();

  gtx_task_local_set (&word, g_strdup ("one"));
  gtx_future_add_done_callback_object (future, note_word, object);
  gtx_task_local_set (&word, g_strdup ("two"));
  gtx_future_add_done_callback_object (future, note_word, kept);
  gtx_task_local_set (&word, NULL);
  g_assert_cmpint (n_freed, ==, 0);
  g_object_unref (object);
  g_assert_cmpint (n_freed, ==, 1);
  gtx_future_set_result (future, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("two");
  g_assert_cmpint (n_freed, ==, 2);
  return TRUE;
}

/* The future goes first, and the object knows nothing of it any more. */
static gboolean
test_future_first (gpointer data, GError **error)
{
  GObject *object = new_object ();
  GtxFuture *future = gtx_future_new ();

  gtx_task_local_set (&word, g_strdup ("one"));
  gtx_future_add_done_callback_object (future, note_word, object);
  gtx_task_local_set (&word, NULL);
  g_object_unref (future);
  g_assert_cmpint (n_freed, ==, 1);
  g_object_unref (object);
  assert_trace ("");
  return TRUE;
}

/* ---- While callbacks are called ---- */

static void
drop_object (gpointer future, gpointer object)
{
  note ("dropped");
  g_object_unref (object);
}

static void
note_gone (gpointer data, GObject *object)
{
  note ("gone");
}

/* A callback drops the object's last reference: the object lives until the callback returns, and the
 * other callbacks of the object are not called. */
static gboolean
test_dropped_in_callback (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  GObject *object = new_object ();

  g_object_weak_ref (object, note_gone, NULL);
  gtx_future_add_done_callback_object (future, drop_object, object);
  gtx_future_add_done_callback (future, note_done, "between", NULL);
  gtx_future_add_done_callback_object (future, note_with_object, object);
  gtx_future_set_result (future, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("dropped gone between");
  return TRUE;
}

/* An object that its class keeps alive when it is disposed of. */
typedef GObject Survivor;
typedef GObjectClass SurvivorClass;

static GType survivor_get_type (void);

G_DEFINE_TYPE (Survivor, survivor, G_TYPE_OBJECT)

static void
survivor_dispose (GObject *object)
{
  G_OBJECT_CLASS (survivor_parent_class)->dispose (object);
  if (!g_object_get_data (object, "survived"))
    g_object_ref (object);
  g_object_set_data (object, "survived", object);
}

static void
survivor_class_init (SurvivorClass *class)
{
  class->dispose = survivor_dispose;
}

static void
survivor_init (Survivor *self)
{
}

/* The object was disposed of, and counts as a new one from then on: the callback that is due is for the
 * old one. */
static gboolean
test_survivor (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  GObject *object = g_object_new (survivor_get_type (), NULL);

  gtx_future_add_done_callback_object (future, note_with_object, object);
  gtx_future_set_result (future, NULL, NULL);
  g_object_unref (object);
  gtx_future_add_done_callback (future, note_done, "between", NULL);
  gtx_future_add_done_callback_object (future, note_with_object, object);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("between called");
  g_object_unref (object);
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
test_no_future (gpointer data, GError **error)
{
  g_autoptr (GObject) object = new_object ();

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "gtx_future_add_done_callback_object: takes a GtxFuture*GObject");
  gtx_future_add_done_callback_object (object, note_with_object, object);
  g_test_assert_expected_messages ();
  return TRUE;
}

/* ---- Many, and threads ---- */

#define N_OBJECTS 5000

/* A future that outlives many objects keeps nothing for them. */
static gboolean
test_many (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GPtrArray) objects = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < N_OBJECTS; i++)
    {
      gtx_task_local_set (&word, g_strdup ("many"));
      g_ptr_array_add (objects, new_object ());
      gtx_future_add_done_callback_object (future, note_with_object, objects->pdata[i]);
    }
  gtx_task_local_set (&word, NULL);
  g_assert_cmpint (n_freed, ==, 0);
  g_ptr_array_set_size (objects, 1);
  g_assert_cmpint (n_freed, ==, N_OBJECTS - 1);
  gtx_future_set_result (future, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("called");
  return TRUE;
}

/* Threads dispose of objects while the future ends.  No callback gets an object that was disposed of, and
 * each that is called has the object to itself meanwhile. */
typedef struct
{
  GObject parent_instance;
  gint is_disposed;
} Subject;

typedef GObjectClass SubjectClass;

static GType subject_get_type (void);

G_DEFINE_TYPE (Subject, subject, G_TYPE_OBJECT)

static gint n_called, n_disposed;

static void
subject_dispose (GObject *object)
{
  g_atomic_int_set (&((Subject *) object)->is_disposed, TRUE);
  g_atomic_int_inc (&n_disposed);
  G_OBJECT_CLASS (subject_parent_class)->dispose (object);
}

static void
subject_class_init (SubjectClass *class)
{
  class->dispose = subject_dispose;
}

static void
subject_init (Subject *self)
{
}

static void
check_subject (gpointer future, gpointer object)
{
  g_assert_false (g_atomic_int_get (&((Subject *) object)->is_disposed));
  g_thread_yield ();
  g_assert_false (g_atomic_int_get (&((Subject *) object)->is_disposed));
  n_called++;
}

static gpointer
unref_all (gpointer objects)
{
  g_ptr_array_unref (objects);
  return NULL;
}

static gpointer
add_and_drop (gpointer future)
{
  for (int i = 0; i < 2000; i++)
    {
      GObject *object = g_object_new (subject_get_type (), NULL);

      gtx_future_add_done_callback_object (future, check_subject, object);
      g_object_unref (object);
    }
  return NULL;
}

static gboolean
test_threads (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  GPtrArray *objects = g_ptr_array_new_with_free_func (g_object_unref);
  GThread *threads[2];

  n_called = n_disposed = 0;
  for (int i = 0; i < 2000; i++)
    {
      g_ptr_array_add (objects, g_object_new (subject_get_type (), NULL));
      gtx_future_add_done_callback_object (future, check_subject, objects->pdata[i]);
    }
  threads[0] = g_thread_new ("unref", unref_all, objects);
  threads[1] = g_thread_new ("add", add_and_drop, future);
  while (g_atomic_int_get (&n_disposed) < 1000)
    g_assert_true (gtx_sleep (0, error));
  gtx_future_set_result (future, NULL, NULL);
  for (int i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  g_assert_true (gtx_sleep (0, error) && gtx_sleep (0, error));
  g_assert_cmpint (g_atomic_int_get (&n_disposed), ==, 4000);
  g_assert_cmpint (G_OBJECT (future)->ref_count, ==, 1);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/done-callbacks-object/called", test_called);
  add_coroutine ("/done-callbacks-object/object-first", test_object_first);
  add_coroutine ("/done-callbacks-object/taken-back", test_taken_back);
  add_coroutine ("/done-callbacks-object/future-first", test_future_first);
  add_coroutine ("/done-callbacks-object/dropped-in-callback", test_dropped_in_callback);
  add_coroutine ("/done-callbacks-object/survivor", test_survivor);
  add_coroutine ("/done-callbacks-object/no-future", test_no_future);
  add_coroutine ("/done-callbacks-object/many", test_many);
  add_real_coroutine ("/done-callbacks-object/threads", test_threads);
  return g_test_run ();
}
