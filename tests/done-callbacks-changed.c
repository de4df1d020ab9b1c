/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Done callbacks change while others are removed or called: the function that frees the data of one
 * callback changes them. */

#include "note-done.h"

/* A callback whose data does something to the future when it is freed. */
typedef struct
{
  GtxFuture *future;
  enum
  {
    REMOVES,
    SETS,
    CANCELS,
    ADDS,
    UNREFS
  } what;
  guint n_calls;
  guint n_removed;
  gboolean succeeded;
} Meddler;

static void
note_data (gpointer future, gpointer data)
{
  note (GPOINTER_TO_UINT (data) == 1 ? "one" : "other");
}

static void
note_meddler (gpointer future, gpointer meddler)
{
  note ("meddler");
}

static void
meddle (gpointer data)
{
  Meddler *self = data;

  self->n_calls++;
  if (self->what == REMOVES)
    {
      self->n_removed += gtx_future_remove_done_callback (self->future, note_data, GUINT_TO_POINTER (1));
      self->n_removed += gtx_future_remove_done_callback (self->future, note_meddler, self);
    }
  else if (self->what == SETS)
    self->succeeded = gtx_future_set_result (self->future, NULL, NULL);
  else if (self->what == CANCELS)
    self->succeeded = gtx_cancel (self->future);
  else if (self->what == ADDS)
    gtx_future_add_done_callback (self->future, note_data, GUINT_TO_POINTER (2), NULL);
  else
    g_object_unref (self->future);
}

/* The meddler is removed together with its two duplicates: one is near it, the other is the
 * last. */
static guint
remove_meddler (Meddler *meddler, guint n_others)
{
  GtxFuture *future = gtx_future_new ();

  meddler->future = future;
  gtx_future_add_done_callback (future, note_meddler, meddler, meddle);
  gtx_future_add_done_callback (future, note_data, GUINT_TO_POINTER (1), NULL);
  gtx_future_add_done_callback (future, note_meddler, meddler, NULL);
  for (guint i = 0; i < n_others; i++)
    gtx_future_add_done_callback (future, note_done, "never", NULL);
  for (guint i = 0; i < n_others; i++)
    g_assert_cmpuint (gtx_future_remove_done_callback (future, note_done, GUINT_TO_POINTER (i)), ==, 0);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, note_done, "never"), ==, n_others);
  gtx_future_add_done_callback (future, note_data, GUINT_TO_POINTER (1), NULL);
  gtx_future_add_done_callback (future, note_data, GUINT_TO_POINTER (2), NULL);
  gtx_future_add_done_callback (future, note_meddler, meddler, NULL);
  return gtx_future_remove_done_callback (future, note_meddler, meddler);
}

static gboolean
test_removal_removes (gpointer data, GError **error)
{
  for (guint n_others = 0; n_others <= 100; n_others += 100)
    {
      Meddler meddler = { .what = REMOVES };

      g_assert_cmpuint (remove_meddler (&meddler, n_others), ==, 3);
      g_assert_cmpuint (meddler.n_calls, ==, 1);
      g_assert_cmpuint (meddler.n_removed, ==, 2);
      gtx_future_set_result (meddler.future, NULL, NULL);
      g_object_unref (meddler.future);
      gtx_sleep (0, NULL);
      assert_trace ("other");
    }
  return TRUE;
}

static gboolean
test_removal_settles (gpointer data, GError **error)
{
  gpointer one = GUINT_TO_POINTER (1);

  for (guint n_others = 0; n_others <= 100; n_others += 100)
    for (guint what = SETS; what <= CANCELS; what++)
      {
        Meddler meddler = { .what = what };

        g_assert_cmpuint (remove_meddler (&meddler, n_others), ==, 3);
        g_assert_true (meddler.succeeded);
        g_assert_cmpuint (gtx_future_remove_done_callback (meddler.future, note_data, one), ==, 0);
        g_object_unref (meddler.future);
        gtx_sleep (0, NULL);
        g_assert_cmpuint (meddler.n_calls, ==, 1);
        assert_trace ("one one other");
      }
  return TRUE;
}

static gboolean
test_removal_adds (gpointer data, GError **error)
{
  for (guint n_others = 0; n_others <= 100; n_others += 100)
    {
      Meddler meddler = { .what = ADDS };

      g_assert_cmpuint (remove_meddler (&meddler, n_others), ==, 3);
      g_assert_cmpuint (meddler.n_calls, ==, 1);
      gtx_future_set_result (meddler.future, NULL, NULL);
      g_object_unref (meddler.future);
      gtx_sleep (0, NULL);
      assert_trace ("one one other other");
    }
  return TRUE;
}

static gboolean
test_removal_unrefs (gpointer data, GError **error)
{
  for (guint n_others = 0; n_others <= 100; n_others += 100)
    {
      Meddler meddler = { .what = UNREFS };

      g_assert_cmpuint (remove_meddler (&meddler, n_others), ==, 3);
      g_assert_cmpuint (meddler.n_calls, ==, 1);
    }
  gtx_sleep (0, NULL);
  assert_trace ("");
  return TRUE;
}

/* A future that is being freed cannot be settled, and its callbacks cannot be removed. */
static gboolean
test_end_meddles (gpointer data, GError **error)
{
  for (guint what = REMOVES; what <= CANCELS; what++)
    {
      Meddler meddler = { .what = what };

      meddler.future = gtx_future_new ();
      gtx_future_add_done_callback (meddler.future, note_done, g_strdup ("before"), count_free);
      gtx_future_add_done_callback (meddler.future, note_meddler, &meddler, meddle);
      gtx_future_add_done_callback (meddler.future, note_data, GUINT_TO_POINTER (1), NULL);
      gtx_future_add_done_callback (meddler.future, note_done, g_strdup ("after"), count_free);
      g_object_unref (meddler.future);
      g_assert_cmpuint (meddler.n_calls, ==, 1);
      g_assert_cmpuint (meddler.n_removed, ==, 0);
      g_assert_false (meddler.succeeded);
      gtx_sleep (0, NULL);
      assert_trace ("");
    }
  g_assert_cmpint (n_freed, ==, 6);
  return TRUE;
}

static gboolean
test_end_adds (gpointer data, GError **error)
{
  Meddler meddler = { .what = ADDS };

  meddler.future = gtx_future_new ();
  gtx_future_add_done_callback (meddler.future, note_meddler, &meddler, meddle);
  gtx_future_add_done_callback (meddler.future, note_done, g_strdup ("after"), count_free);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "gtx_future_add_done_callback: the future is being freed*");
  g_object_unref (meddler.future);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (meddler.n_calls, ==, 1);
  g_assert_cmpint (n_freed, ==, 1);
  gtx_sleep (0, NULL);
  assert_trace ("");
  return TRUE;
}

/* A task that is being freed cannot be settled. */
static gboolean
meddled (Meddler *meddler, GError **error)
{
  return TRUE;
}

static gboolean
test_task_end_meddles (gpointer data, GError **error)
{
  Meddler meddler = { .what = CANCELS };
  GtxTask *task = gtx_task_new (meddled, &meddler, meddle);

  meddler.future = GTX_FUTURE (task);
  gtx_future_add_done_callback (task, note_data, GUINT_TO_POINTER (1), NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "coroutine 'meddled' was never awaited");
  g_object_unref (task);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (meddler.n_calls, ==, 1);
  g_assert_false (meddler.succeeded);
  gtx_sleep (0, NULL);
  assert_trace ("");
  return TRUE;
}

/* An object removes its second callback when it is disposed of.  The data of its first callback is
 * its last reference. */
static void
on_disposed (gpointer future, GObject *object)
{
  g_assert_cmpuint (gtx_future_remove_done_callback (future, note_done, object), ==, 1);
  n_freed++;
}

static gboolean
test_removal_disposes (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);

  g_object_weak_ref (object, on_disposed, future);
  gtx_future_add_done_callback (future, note_meddler, object, g_object_unref);
  gtx_future_add_done_callback (future, note_done, object, NULL);
  g_assert_cmpuint (gtx_future_remove_done_callback (future, note_meddler, object), ==, 1);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/done-callbacks-changed/removal/removes", test_removal_removes);
  add_coroutine ("/done-callbacks-changed/removal/settles", test_removal_settles);
  add_coroutine ("/done-callbacks-changed/removal/adds", test_removal_adds);
  add_coroutine ("/done-callbacks-changed/removal/unrefs", test_removal_unrefs);
  add_coroutine ("/done-callbacks-changed/removal/disposes", test_removal_disposes);
  add_coroutine ("/done-callbacks-changed/end/meddles", test_end_meddles);
  add_coroutine ("/done-callbacks-changed/end/task", test_task_end_meddles);
  add_coroutine ("/done-callbacks-changed/end/adds", test_end_adds);
  return g_test_run ();
}
