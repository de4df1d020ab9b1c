/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which done callbacks are called, and in which order. */

#include "fixture.h"

static char words[] = "abc";

static void
note_one (gpointer future, gpointer letter)
{
  note ((char[]) { *(char *) letter, '\0' });
}

static void
add (GtxFuture *future, int index)
{
  gtx_future_add_done_callback (future, note_one, &words[index], NULL);
}

static guint
take_back (GtxFuture *future, int index)
{
  return gtx_future_remove_done_callback (future, note_one, &words[index]);
}

/* Ends a future that three wait for; nobody is called before. */
static void
assert_called (GtxFuture *future, const char *expected)
{
  assert_trace ("");
  gtx_future_set_result (future, (gpointer) "result", NULL);
  assert_trace ("");
  gtx_sleep (0, NULL);
  assert_trace (expected);
  g_assert_cmpstr (gtx_future_get_result (future), ==, "result");
  g_object_unref (future);
}

static GtxFuture *
future_for_three (void)
{
  GtxFuture *future = gtx_future_new ();

  for (int i = 0; i < 3; i++)
    add (future, i);
  return future;
}

/* What was taken back is not there to be taken back. */
static gboolean
test_removed (gpointer data, GError **error)
{
  GtxFuture *future = future_for_three ();

  g_assert_cmpuint (take_back (future, 0), ==, 1);
  g_assert_cmpuint (take_back (future, 0), ==, 0);
  assert_called (future, "b c");

  future = future_for_three ();
  g_assert_cmpuint (take_back (future, 0), ==, 1);
  g_assert_cmpuint (take_back (future, 1), ==, 1);
  g_assert_cmpuint (take_back (future, 0), ==, 0);
  assert_called (future, "c");

  future = future_for_three ();
  g_assert_cmpuint (take_back (future, 2), ==, 1);
  g_assert_cmpuint (take_back (future, 2), ==, 0);
  assert_called (future, "a b");
  return TRUE;
}

static gboolean
test_many_removed (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  add (future, 0);
  add (future, 1);
  g_assert_cmpuint (take_back (future, 1), ==, 1);
  g_assert_cmpuint (take_back (future, 2), ==, 0);
  add (future, 1);
  for (int i = 0; i < 5; i++)
    add (future, 0);
  g_assert_cmpuint (take_back (future, 0), ==, 6);
  assert_called (future, "b");
  return TRUE;
}

static gboolean
test_all_removed (gpointer data, GError **error)
{
  GtxFuture *future = future_for_three ();

  for (int i = 0; i < 3; i++)
    g_assert_cmpuint (take_back (future, i), ==, 1);
  assert_called (future, "");
  return TRUE;
}

static gboolean
test_result (gpointer data, GError **error)
{
  assert_called (future_for_three (), "a b c");
  return TRUE;
}

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = future_for_three ();

  gtx_future_set_error (future, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "broken"));
  assert_trace ("");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a b c");
  g_assert_error (gtx_future_get_error (future), G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = future_for_three ();

  gtx_cancel (future);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a b c");
  return TRUE;
}

static void
take_all_back (gpointer future, gpointer data)
{
  note ("first");
  for (int i = 0; i < 3; i++)
    g_assert_cmpuint (take_back (future, i), ==, 0);
}

/* They are on their way, and nobody takes them back. */
static gboolean
test_too_late (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_add_done_callback (future, take_all_back, NULL, NULL);
  for (int i = 0; i < 3; i++)
    add (future, i);
  assert_called (future, "first a b c");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/done-callbacks/result", test_result);
  add_coroutine ("/done-callbacks/error", test_error);
  add_coroutine ("/done-callbacks/cancelled", test_cancelled);
  add_coroutine ("/done-callbacks/removed", test_removed);
  add_coroutine ("/done-callbacks/removed/many", test_many_removed);
  add_coroutine ("/done-callbacks/removed/all", test_all_removed);
  add_coroutine ("/done-callbacks/removed/too-late", test_too_late);
  return g_test_run ();
}
