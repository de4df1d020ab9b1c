/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The recipes run and print what they should, in virtual time, and docs/recipes.md has their lines.  The last
 * tests show what a race of tasks that take can lose, and that the recipe does not. */

#include "fixture.h"
#include "recipes.h"

#define DOCUMENT "recipes.md"

/* ---- Each recipe ---- */

static const struct
{
  const char *name;
  const char *output;           /* a pattern */
} expected[] = {
  { "abandon", "the answer to the first question\nThe task was cancelled\n" },
  { "actor", "the balance is 70\nThe queue was shut down\n" },
  { "by-value", "68 and -40\n" },
  { "cached", "shows a spinner\nshows the text of page 1\nshows the text of page 1\n" },
  { "crowd", "10 calls, at most 3 at once\n10 calls, at most 3 at once\n" },
  { "debounce", "searching ta\nsearching task\nfound task\n" },
  { "folder", "50 files\n50 files\n20 files\n" },
  { "in-time", "Ann answers\nBob answers\n" },
  { "interval", "at 0.0\nat 0.1\nat 0.2\nat 0.3\n" },
  { "latest", "20 degrees\n23 degrees\n26 degrees\n27 degrees\n" },
  { "list", "30 more\n100 more\n100 more\n20 more\n" },
  { "merge", "quick\nquick\nslow\nquick\n" },
  { "mirrors", "a file from Rome\nNone of the futures succeeded: Oslo does not have it; "
               "Graz does not have it; Rome does not have it\n" },
  { "numbers", "4\n9\n16\n" },
  { "pause", "ta\ntask\n" },
  { "places", "8 tasks, at most two at once\n" },
  { "poll", "2 pages left\n1 pages left\n0 pages left\nprinted\n"
            "200 pages left\n199 pages left\n198 pages left\nTimed out\n" },
  /* The thread is as quick as it likes. */
  { "progress", "* %\n100 %\n" },
  { "ready", "good is ready\nbroken: the port is taken\n" },
  { "restart", "broken is given up: start 3 failed\nsteady: 1 starts\nshaky: 3 starts\nbroken: 3 starts\n" },
  { "save", "saved: a letter\nThe task was cancelled\n" },
  { "sources", "tick\npressed\ntick\n" },
  { "takers", "item 0\nitem 1\n" },
};

static GString *printed;

static void
keep (const char *text)
{
  g_string_append (printed, text);
}

static void
test_recipe (gconstpointer index)
{
  const Recipe *recipe = &recipes[GPOINTER_TO_UINT (index)];
  const char *pattern = expected[GPOINTER_TO_UINT (index)].output;
  g_autoptr (GString) output = printed = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  GPrintFunc old = g_set_print_handler (keep);
  gboolean succeeded = gtx_test_run_named (recipe->name, recipe->coroutine, NULL, &error);

  g_set_print_handler (old);
  g_assert_no_error (error);
  g_assert_true (succeeded);
  g_assert_cmpstr (recipe->name, ==, expected[GPOINTER_TO_UINT (index)].name);
  if (!g_pattern_match_simple (pattern, output->str))
    g_error ("%s printed something else: %s", recipe->name, output->str);
}

/* ---- The document ---- */

static char *
read_file (const char *folder, const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", folder, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* The block's lines are among those of the file, one after the other. */
static void
assert_in_file (const char *name, const char *block)
{
  g_autofree char *file = read_file ("examples/recipes", name);
  g_autofree char *lines = g_strconcat ("\n", block, NULL);

  if (strstr (file, lines) == NULL)
    g_error (DOCUMENT " has lines that %s does not have:\n%s", name, block);
}

/* Each block of C belongs to the last file that was linked before it, and each recipe has a block. */
static void
test_document (void)
{
  g_autofree char *text = read_file ("docs", DOCUMENT);
  g_autoptr (GRegex) parts = g_regex_new ("\\(\\.\\./examples/recipes/([a-z-]+\\.c)\\)|^```c\n(.*?^)```$",
                                          G_REGEX_MULTILINE | G_REGEX_DOTALL, 0, NULL);
  g_autoptr (GHashTable) shown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *file = NULL;

  for (g_regex_match (parts, text, 0, &match); g_match_info_matches (match); g_match_info_next (match, NULL))
    {
      g_autofree char *link = g_match_info_fetch (match, 1);
      g_autofree char *block = g_match_info_fetch (match, 2);

      if (link[0])
        {
          g_free (file);
          file = g_steal_pointer (&link);
          continue;
        }
      g_assert_nonnull (file);
      assert_in_file (file, block);
      g_hash_table_add (shown, g_strndup (file, strlen (file) - 2));
    }
  for (const Recipe *recipe = recipes; recipe->name; recipe++)
    if (!g_hash_table_contains (shown, recipe->name))
      g_error (DOCUMENT " shows nothing of %s.c", recipe->name);
  g_assert_cmpuint (g_hash_table_size (shown), ==, G_N_ELEMENTS (expected));
}

/* ---- Races of tasks that take ---- */

static char *
take (GtxQueue *queue, GError **error)
{
  return gtx_queue_get (queue, error);
}

static GPtrArray *
two_queues (void)
{
  GPtrArray *queues = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 2; i++)
    g_ptr_array_add (queues, gtx_queue_new (0, count_free));
  return queues;
}

/* Puts an item into each, in this turn or in two that follow each other. */
static void
fill (GPtrArray *queues, gboolean in_one_turn)
{
  gtx_queue_put_nowait (queues->pdata[0], g_strdup ("first"), NULL);
  if (!in_one_turn)
    g_assert_true (gtx_sleep (0, NULL));
  gtx_queue_put_nowait (queues->pdata[1], g_strdup ("second"), NULL);
}

static gboolean
race_takers (GPtrArray *queues, GError **error)
{
  g_autoptr (GPtrArray) takers = g_ptr_array_new_with_free_func (g_object_unref);
  g_autofree char *item = NULL;
  GtxTask *first;

  for (guint i = 0; i < queues->len; i++)
    g_ptr_array_add (takers, gtx_create_task_pointer (take, queues->pdata[i], NULL, count_free));
  first = gtx_race (takers, error);
  item = first ? gtx_await_pointer (first, error) : NULL;
  if (item)
    note (item);
  return item != NULL;
}

/* The loser has taken an item, which is freed with it. */
static gboolean
test_race_loses (gpointer data, GError **error)
{
  for (int in_one_turn = 0; in_one_turn < 2; in_one_turn++)
    {
      g_autoptr (GPtrArray) queues = two_queues ();
      g_autoptr (GtxTask) task = gtx_create_task (race_takers, queues, NULL);

      n_freed = 0;
      g_assert_true (gtx_sleep (1, error));
      fill (queues, in_one_turn);
      g_assert_true (gtx_await (task, error));
      assert_trace ("first");
      g_assert_cmpint (n_freed, ==, 1);
      g_assert_true (gtx_queue_is_empty (queues->pdata[1]));
    }
  return TRUE;
}

/* If the loser has not taken yet, the item stays in its queue. */
static gboolean
test_race_keeps (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) queues = two_queues ();
  g_autoptr (GtxTask) task = gtx_create_task (race_takers, queues, NULL);

  g_assert_true (gtx_sleep (1, error));
  gtx_queue_put_nowait (queues->pdata[0], g_strdup ("first"), NULL);
  g_assert_true (gtx_await (task, error));
  gtx_queue_put_nowait (queues->pdata[1], g_strdup ("second"), NULL);
  g_assert_cmpuint (gtx_queue_get_size (queues->pdata[1]), ==, 1);
  assert_trace ("first");
  return TRUE;
}

static gboolean
note_taken (GPtrArray *queues, GError **error)
{
  g_autoptr (GPtrArray) items = take_from_any (queues, error);

  for (guint i = 0; items && i < items->len; i++)
    note (items->pdata[i]);
  return items != NULL;
}

/* What is in @queue, which may be "". */
static void
assert_item (GtxQueue *queue, const char *expected_item)
{
  g_autofree char *item = gtx_queue_get_nowait (queue, NULL);

  g_assert_cmpstr (item ? item : "", ==, expected_item);
  g_assert_true (gtx_queue_is_empty (queue));
}

/* The recipe: what was taken is given to the caller, or is in its queue again after a request to cancel, which
 * comes some turns after the items. */
static gboolean
test_takers_keep (gpointer data, GError **error)
{
  guint n_given = 0;

  for (guint turns = 0; turns < 8; turns++)
    {
      g_autoptr (GPtrArray) queues = two_queues ();
      g_autoptr (GtxTask) task = gtx_create_task (note_taken, queues, NULL);
      gboolean is_given;

      g_assert_true (gtx_sleep (1, error));
      fill (queues, turns % 2);
      for (guint i = 0; i < turns / 2; i++)
        g_assert_true (gtx_sleep (0, error));
      gtx_cancel (task);
      /* The request may come when the task has its items: it then ends as cancelled, and has them. */
      gtx_await (task, NULL);
      is_given = trace->len > 0;
      assert_trace (is_given ? "first second" : "");
      assert_item (queues->pdata[0], is_given ? "" : "first");
      assert_item (queues->pdata[1], is_given ? "" : "second");
      n_given += is_given;
    }
  g_assert_cmpuint (n_given, >, 0);
  g_assert_cmpuint (n_given, <, 8);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  /* GIO prints which file system it has found, and not among what a recipe prints. */
  g_vfs_get_default ();
  for (guint i = 0; recipes[i].name; i++)
    {
      g_autofree char *path = g_strconcat ("/recipes/", recipes[i].name, NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_recipe);
    }
  g_test_add_func ("/recipes/document", test_document);
  add_coroutine ("/recipes/race-loses", test_race_loses);
  add_coroutine ("/recipes/race-keeps", test_race_keeps);
  add_coroutine ("/recipes/takers-keep", test_takers_keep);
  return g_test_run ();
}
