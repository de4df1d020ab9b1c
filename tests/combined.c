/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recipes that take values one after the other and combine them, with requests, time limits, errors and ends at
 * each moment: ticks, files, the last value after a pause, several sources in one queue, lists. */

#include "fixture.h"
#include "recipes.h"

#include <glib/gstdio.h>

/* ---- Ticks ---- */

static gboolean
test_ticks (gpointer data, GError **error)
{
  Ticks ticks = { .interval = 1, .next = gtx_get_time () };
  g_autoptr (GError) failure = NULL;

  g_assert_true (next_tick (&ticks, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  /* The work takes longer than the interval: what is late comes at once, and the next tick when it should. */
  g_assert_true (gtx_sleep (2.5, error));
  g_assert_true (next_tick (&ticks, error) && next_tick (&ticks, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 2.5);
  g_assert_true (next_tick (&ticks, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 3);
  /* A wait that is cancelled leaves its tick. */
  g_assert_false (gtx_call_with_timeout (0.5, next_tick, &ticks, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  gtx_cancel (gtx_current_task ());
  g_assert_false (next_tick (&ticks, NULL));
  g_assert_true (next_tick (&ticks, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 4);
  return TRUE;
}

/* ---- Files ---- */

#define N_FILES 130

static char *
make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp (NULL, &error);

  g_assert_no_error (error);
  for (int i = 0; i < N_FILES; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%d", folder, i);

      g_file_set_contents (path, "", 0, &error);
      g_assert_no_error (error);
    }
  return folder;
}

static gboolean
cancel_again_and_again (GtxTask *task, GError **error)
{
  while (gtx_sleep (0, error))
    gtx_cancel (task);
  return FALSE;
}

/* Each file comes once, and is removed, whatever requests come meanwhile. */
static gboolean
take_files (const char *folder, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  g_autoptr (GFileEnumerator) enumerator = g_file_enumerate_children (file, G_FILE_ATTRIBUTE_STANDARD_NAME,
                                                                      G_FILE_QUERY_INFO_NONE, NULL, error);
  g_autoptr (GError) failure = NULL;
  GList *files;
  guint n_files = 0, n_cancelled = 0;

  while ((files = next_files (enumerator, &failure)))
    {
      for (GList *link = files; link; link = link->next)
        {
          g_autofree char *path = g_build_filename (folder, g_file_info_get_name (link->data), NULL);

          g_assert_cmpint (g_unlink (path), ==, 0);
          n_files++;
        }
      g_list_free_full (files, g_object_unref);
      n_cancelled += !gtx_sleep (0, NULL);
    }
  g_assert_no_error (failure);
  g_assert_cmpuint (n_files, ==, N_FILES);
  g_assert_cmpuint (n_cancelled, >, 0);
  return TRUE;
}

static gboolean
test_files (gpointer data, GError **error)
{
  g_autofree char *folder = make_folder ();
  g_autoptr (GtxTask) taking = gtx_create_task (take_files, folder, NULL);
  g_autoptr (GtxTask) cancelling = gtx_create_task (cancel_again_and_again, taking, NULL);

  gtx_await (taking, NULL);
  gtx_cancel (cancelling);
  gtx_await (cancelling, NULL);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return TRUE;
}

/* ---- The last value after a pause ---- */

static gboolean
note_after_pause (Typing *typing, GError **error)
{
  g_autofree char *text = text_after_pause (typing, error);

  if (text)
    note (text);
  return text != NULL;
}

static void
put (GtxQueue *queue, const char *word)
{
  g_assert_true (gtx_queue_put_nowait (queue, g_strdup (word), NULL));
}

/* A request in the pause, or a time limit, leaves the text to the next call. */
static gboolean
test_pause_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) texts = gtx_queue_new (0, count_free);
  Typing typing = { .texts = texts };
  g_autoptr (GtxTask) task = gtx_create_task (note_after_pause, &typing, NULL);
  g_autoptr (GError) failure = NULL;

  put (texts, "a");
  put (texts, "b");
  g_assert_true (gtx_sleep (0.05, error));
  gtx_cancel (task);
  assert_ends_cancelled (task);
  g_assert_cmpstr (typing.last, ==, "b");
  g_assert_false (gtx_call_with_timeout (0.05, note_after_pause, &typing, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  assert_trace ("");
  g_assert_true (note_after_pause (&typing, error));
  assert_trace ("b");
  g_assert_null (typing.last);
  return TRUE;
}

/* A request before the first text, and one as the pause is over. */
static gboolean
test_pause_requests (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) texts = gtx_queue_new (0, count_free);
  Typing typing = { .texts = texts };
  g_autoptr (GtxTask) task = gtx_create_task (note_after_pause, &typing, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  assert_ends_cancelled (task);
  put (texts, "a");
  g_clear_object (&task);
  task = gtx_create_task (note_after_pause, &typing, NULL);
  g_assert_true (gtx_sleep (0.1, error));
  gtx_cancel (task);
  gtx_await (task, NULL);
  /* The pause has ended first or the request: there is the text, here or there. */
  if (typing.last)
    g_assert_true (note_after_pause (&typing, error));
  assert_trace ("a");
  return TRUE;
}

static gboolean
test_pause_end (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) texts = gtx_queue_new (0, count_free);
  Typing typing = { .texts = texts };
  g_autoptr (GError) failure = NULL;

  put (texts, "a");
  gtx_queue_shutdown (texts, GTX_SHUTDOWN_DRAIN);
  g_assert_true (note_after_pause (&typing, error));
  assert_trace ("a");
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  g_assert_false (note_after_pause (&typing, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  return TRUE;
}

/* ---- Several sources ---- */

/* A source of letters: '.' is a pause, '!' an error, and the end of the string the end. */
static char *
next_letter (gpointer data, GError **error)
{
  const char **letters = data;

  while (**letters == '.')
    {
      if (!gtx_sleep (1, error))
        {
          note ("stopped");
          return NULL;
        }
      ++*letters;
    }
  if (**letters == '!')
    fail ("broken", error);
  return **letters == '!' || **letters == '\0' ? NULL : g_strndup ((*letters)++, 1);
}

static gboolean
note_letter (const char *letter, GError **error)
{
  note (letter);
  return strcmp (letter, "x") || fail ("no more, please", error);
}

/* Takes time for each. */
static gboolean
note_slowly (const char *letter, GError **error)
{
  note (letter);
  return gtx_sleep (1, error);
}

typedef struct
{
  const char *left, *right;
  UseFunc use;
} Two;

static gboolean
take_from_two (Two *two, GError **error)
{
  g_autoptr (GtxQueue) queue = gtx_queue_new (1, count_free);
  Merge merge = { .values = queue };
  Source sources[] = { { &merge, next_letter, &two->left }, { &merge, next_letter, &two->right } };

  return take_from_all (&merge, sources, G_N_ELEMENTS (sources), two->use, error);
}

static gboolean
test_merge_all (gpointer data, GError **error)
{
  Two together = { "a.b.c", "1..2", note_letter };
  Two one_ends = { "", ".1.2", note_letter };
  Two none = { "", "", note_letter };
  Two slow = { "abc", "12", note_slowly };

  g_assert_true (take_from_two (&together, error));
  assert_trace ("a 1 b c 2");
  g_assert_true (take_from_two (&one_ends, error));
  assert_trace ("1 2");
  g_assert_true (take_from_two (&none, error));
  assert_trace ("");
  /* The sources wait for who takes, and put in turn. */
  g_assert_true (take_from_two (&slow, error));
  assert_trace ("a b 1 c 2");
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

/* An error of a source, or of who takes, ends all; nothing is left running. */
static gboolean
test_merge_fails (gpointer data, GError **error)
{
  Two source_fails = { "a.!", "1........2", note_letter };
  Two taker_fails = { "a.x", "1........2", note_letter };
  g_autoptr (GError) failure = NULL;

  g_assert_false (take_from_two (&source_fails, &failure));
  assert_trace ("a 1 stopped");
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_cmpuint (gtx_error_get_n_errors (failure), ==, 1);
  g_assert_cmpstr (gtx_error_get_error (failure, 0)->message, ==, "broken");
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  g_clear_error (&failure);

  g_assert_false (take_from_two (&taker_fails, &failure));
  assert_trace ("a 1 x stopped");
  g_assert_cmpstr (gtx_error_get_error (failure, 0)->message, ==, "no more, please");
  g_assert_cmpfloat (gtx_get_time (), ==, 2);
  return TRUE;
}

/* What was not taken is freed: one value is in the queue, and one of each source waits for room. */
static gboolean
test_merge_cancelled (gpointer data, GError **error)
{
  Two slow = { "abc", "1........2", note_slowly };
  g_autoptr (GtxTask) task = gtx_create_task (take_from_two, &slow, NULL);
  g_autoptr (GtxTask) late = NULL;
  g_autoptr (GError) failure = NULL;
  Two again = { "a.b", "1..2", note_letter };

  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (task);
  assert_ends_cancelled (task);
  assert_trace ("a");
  g_assert_cmpint (n_freed, ==, 3);

  late = gtx_create_task (take_from_two, &again, NULL);
  g_assert_false (gtx_wait_for (late, 1.5, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  assert_trace ("a 1 b stopped");
  return TRUE;
}

/* ---- Lists ---- */

static void
count_signal (GListModel *list, guint position, guint n_removed, guint n_added, guint *n_signals)
{
  g_assert_cmpuint (n_removed, ==, 0);
  g_assert_cmpuint (position + n_added, ==, g_list_model_get_n_items (list));
  ++*n_signals;
}

/* All items come, in order, and a request to cancel takes none. */
static gboolean
test_list (gpointer data, GError **error)
{
  g_autoptr (GListStore) list = g_list_store_new (G_TYPE_OBJECT);
  g_autoptr (GtxQueue) found = gtx_queue_new (0, g_object_unref);
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autoptr (GError) failure = NULL;
  guint n_signals = 0;

  g_signal_connect (list, "items-changed", G_CALLBACK (count_signal), &n_signals);
  gtx_cancel (gtx_current_task ());
  g_assert_false (append_next (list, found, &failure));
  assert_cancelled (failure);
  g_clear_error (&failure);
  for (guint i = 0; i < 201; i++)
    {
      g_ptr_array_add (all, g_object_new (G_TYPE_OBJECT, NULL));
      g_assert_true (gtx_queue_put_nowait (found, all->pdata[i], NULL));
    }
  gtx_queue_shutdown (found, GTX_SHUTDOWN_DRAIN);
  while (append_next (list, found, &failure))
    ;
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_assert_cmpuint (n_signals, ==, 3);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (list)), ==, all->len);
  for (guint i = 0; i < all->len; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_item (G_LIST_MODEL (list), i);

      g_assert_true (item == all->pdata[i]);
    }
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/combined/ticks", test_ticks);
  add_coroutine ("/combined/files", test_files);
  add_coroutine ("/combined/pause-cancelled", test_pause_cancelled);
  add_coroutine ("/combined/pause-requests", test_pause_requests);
  add_coroutine ("/combined/pause-end", test_pause_end);
  add_coroutine ("/combined/merge-all", test_merge_all);
  add_coroutine ("/combined/merge-fails", test_merge_fails);
  add_coroutine ("/combined/merge-cancelled", test_merge_cancelled);
  add_coroutine ("/combined/list", test_list);
  return g_test_run ();
}
