/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions of file.h compared with GIO's blocking functions: on the same files they have the
 * same results and errors. */

#include "fixture.h"

#include "file-cases.h"
#include "test-file.h"

/* ---- Beside GIO ---- */

typedef struct
{
  char *text;                   /* the outcome, and the contents of the tree */
  GError *error;
} FileOutcome;

static void
outcome_clear (FileOutcome *outcome)
{
  g_free (outcome->text);
  g_clear_error (&outcome->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FileOutcome, outcome_clear)

/* The name of a file in the trash depends on the trash's contents, which are not in the
 * tree. */
static void
run_case (const FileCase *each, GFile *tree, GFile *file, gboolean ours, FileOutcome *outcome)
{
  g_autofree char *result = NULL;
  g_autofree char *printed = NULL;

  file_tree_restore (tree);
  result = each->run (file, ours, &outcome->error);
  g_assert_true ((result == NULL) == (outcome->error != NULL));
  printed = file_tree_print (tree);
  outcome->text = g_strconcat (result ? result : "failed", "\n", printed, NULL);
}

static void
assert_same (const FileCase *each, const char *name, const FileOutcome *ours, const FileOutcome *theirs)
{
  gboolean has_same_error = (ours->error == NULL && theirs->error == NULL) ||
                            (ours->error && theirs->error && ours->error->domain == theirs->error->domain &&
                             ours->error->code == theirs->error->code &&
                             g_str_equal (ours->error->message, theirs->error->message));

  if (has_same_error && g_str_equal (ours->text, theirs->text))
    return;
  g_error ("%s of %s:\n%s%s\nand not, as of GIO:\n%s%s", each->name, name, ours->text,
           ours->error ? ours->error->message : "", theirs->text, theirs->error ? theirs->error->message : "");
}

typedef GFile *(*WrapFunc) (GFile *real);

static void
compare_case (const FileCase *each, GFile *tree, const char *name, WrapFunc wrap)
{
  g_autoptr (GFile) real = g_file_resolve_relative_path (tree, name);
  g_autoptr (GFile) file = wrap (real);
  g_auto (FileOutcome) ours = { NULL, NULL };
  g_auto (FileOutcome) theirs = { NULL, NULL };

  run_case (each, tree, real, FALSE, &theirs);
  run_case (each, tree, file, TRUE, &ours);
  assert_same (each, name, &ours, &theirs);
}

static void
compare_all (WrapFunc wrap)
{
  GFile *tree = file_tree_new ();

  for (guint i = 0; i < n_file_cases; i++)
    for (const char *const *name = file_case_names; *name; name++)
      compare_case (&file_cases[i], tree, *name, wrap);
  file_tree_remove (tree);
}

static GFile *
as_it_is (GFile *real)
{
  return g_object_ref (real);
}

static gboolean
test_native (gpointer data, GError **error)
{
  compare_all (as_it_is);
  return TRUE;
}

static GFile *
other_than_native (GFile *real)
{
  return test_file_new (real, FALSE, TEST_FILE_PASSES);
}

/* GIO's operations do the work. */
static gboolean
test_other (gpointer data, GError **error)
{
  guint n_calls = test_file_n_calls ();

  compare_all (other_than_native);
  g_assert_cmpuint (test_file_n_calls (), >=, n_calls + n_file_cases);
  return TRUE;
}

/* If either file is not native, GIO's operations copy it. */
static gboolean
test_copy_between (gpointer data, GError **error)
{
  GFile *tree = file_tree_new ();
  g_autoptr (GFile) native = g_file_get_child (tree, "file");
  g_autoptr (GFile) real = g_file_get_child (tree, "other");
  g_autoptr (GFile) other = other_than_native (real);
  g_autofree char *text = NULL;

  g_assert_true (gtx_file_copy (native, other, G_FILE_COPY_NONE, NULL, NULL, error));
  g_assert_true (gtx_file_delete (native, error));
  g_assert_true (gtx_file_move (other, native, G_FILE_COPY_NONE, NULL, NULL, error));
  g_assert_true (gtx_file_load_contents (native, &text, NULL, NULL, error));
  g_assert_cmpstr (text, ==, "what is in it");
  g_assert_false (g_file_query_exists (real, NULL));
  file_tree_remove (tree);
  return TRUE;
}

/* ---- Results that GIO returns in parts ---- */

#define N_CHILDREN 250

static gboolean
enumerate_many (WrapFunc wrap, GError **error)
{
  GFile *tree = file_tree_new ();
  g_autoptr (GFile) real = g_file_get_child (tree, "empty folder");
  g_autoptr (GFile) folder = wrap (real);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) infos = NULL;

  for (int i = 0; i < N_CHILDREN; i++)
    {
      g_autofree char *name = g_strdup_printf ("%d", i);
      g_autoptr (GFile) child = g_file_get_child (real, name);

      g_object_unref (g_file_create (child, G_FILE_CREATE_NONE, NULL, NULL));
    }
  infos = gtx_file_enumerate (folder, G_FILE_ATTRIBUTE_STANDARD_NAME, G_FILE_QUERY_INFO_NONE, error);
  g_assert_nonnull (infos);
  for (guint i = 0; i < infos->len; i++)
    g_hash_table_add (names, (gpointer) g_file_info_get_name (infos->pdata[i]));
  g_assert_cmpuint (infos->len, ==, N_CHILDREN);
  g_assert_cmpuint (g_hash_table_size (names), ==, N_CHILDREN);
  file_tree_remove (tree);
  return TRUE;
}

static gboolean
test_enumerate_many (gpointer data, GError **error)
{
  return enumerate_many (as_it_is, error) && enumerate_many (other_than_native, error);
}

/* ---- Many at once ---- */

#define N_FILES 100

typedef struct
{
  GFile *file;
  guint number;
} Job;

/* The task writes its number, moves the file and finds it again. */
static gboolean
work_on_file (Job *job, GError **error)
{
  g_autoptr (GFile) folder = g_file_get_parent (job->file);
  g_autofree char *name = g_strdup_printf ("moved %u", job->number);
  g_autofree char *number = g_strdup_printf ("%u", job->number);
  g_autoptr (GFile) moved = g_file_get_child (folder, name);
  g_autoptr (GFileInfo) info = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (!gtx_file_replace_contents (job->file, number, strlen (number), NULL, FALSE, G_FILE_CREATE_NONE, NULL,
                                  error) ||
      !gtx_file_move (job->file, moved, G_FILE_COPY_NONE, NULL, NULL, error))
    return FALSE;
  info = gtx_file_query_info (moved, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, error);
  bytes = info ? gtx_file_load_bytes (moved, NULL, error) : NULL;
  if (bytes == NULL)
    return FALSE;
  g_assert_cmpint (g_file_info_get_size (info), ==, strlen (number));
  g_assert_cmpmem (number, strlen (number), g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return gtx_file_delete (moved, error);
}

static void
job_free (gpointer data)
{
  Job *job = data;

  g_object_unref (job->file);
  g_free (job);
}

static gboolean
work_on_many (WrapFunc wrap, GError **error)
{
  GFile *tree = file_tree_new ();
  g_autofree char *before = file_tree_print (tree);
  g_autofree char *after = NULL;
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < N_FILES; i++)
    {
      Job *job = g_new (Job, 1);
      g_autofree char *name = g_strdup_printf ("%u", i);
      g_autoptr (GFile) real = g_file_get_child (tree, name);

      job->file = wrap (real);
      job->number = i;
      g_ptr_array_add (tasks, gtx_create_task (work_on_file, job, job_free));
    }
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  after = file_tree_print (tree);
  g_assert_cmpstr (after, ==, before);
  file_tree_remove (tree);
  return TRUE;
}

static gboolean
test_many (gpointer data, GError **error)
{
  return work_on_many (as_it_is, error) && work_on_many (other_than_native, error);
}

/* ---- Outside, and wrong ---- */

static void
refuse_outside (WrapFunc wrap)
{
  GFile *tree = file_tree_new ();
  g_autoptr (GFile) real = g_file_get_child (tree, "file");
  g_autoptr (GFile) file = wrap (real);
  g_autofree char *before = file_tree_print (tree);
  g_autofree char *after = NULL;

  for (guint i = 0; i < n_file_cases; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (file_cases[i].run (file, TRUE, &error));
      g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
      g_assert_true (g_str_has_prefix (error->message, "gtx_file_"));
    }
  after = file_tree_print (tree);
  g_assert_cmpstr (after, ==, before);
  file_tree_remove (tree);
}

static void
test_outside (void)
{
  guint n_calls = test_file_n_calls ();

  refuse_outside (as_it_is);
  refuse_outside (other_than_native);
  g_assert_cmpuint (test_file_n_calls (), ==, n_calls);
}

/* This is as in GIO's functions. */
static gboolean
test_refused (gpointer data, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*gtx_file_load_contents: *contents != NULL*");
  g_assert_false (gtx_file_load_contents (file, NULL, NULL, NULL, error));
  g_test_assert_expected_messages ();
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*gtx_file_copy: *G_IS_FILE (destination)*");
  g_assert_false (gtx_file_copy (file, NULL, G_FILE_COPY_NONE, NULL, NULL, error));
  g_test_assert_expected_messages ();
  g_assert_no_error (*error);
  return TRUE;
}

/* ---- The last reference ---- */

static gboolean
load_borrowed (GFile **file, GError **error)
{
  g_autofree char *text = NULL;

  return gtx_file_load_contents (*file, &text, NULL, NULL, error);
}

/* The library keeps a reference to the file during the work. */
static gboolean
let_go_meanwhile (gboolean is_native, GError **error)
{
  GFile *tree = file_tree_new ();
  g_autoptr (GFile) real = g_file_get_child (tree, "file");
  GFile *file = test_file_new (real, is_native, TEST_FILE_IS_SLOW);
  g_autoptr (GtxTask) task = gtx_create_task (load_borrowed, &file, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_clear_object (&file);
  g_assert_true (gtx_await (task, error));
  file_tree_remove (tree);
  return TRUE;
}

static gboolean
test_let_go (gpointer data, GError **error)
{
  return let_go_meanwhile (TRUE, error) && let_go_meanwhile (FALSE, error);
}

/* ---- Virtual time ---- */

/* Virtual time stands still during the work, so that a long sleep does not end before it. */
static gboolean
stand_still (gboolean is_native, GError **error)
{
  GFile *tree = file_tree_new ();
  g_autoptr (GFile) real = g_file_get_child (tree, "file");
  g_autoptr (GFile) file = test_file_new (real, is_native, TEST_FILE_IS_SLOW);
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_and_note, "1:slept", NULL);

  for (guint i = 0; i < n_file_cases; i++)
    g_free (file_cases[i].run (file, TRUE, NULL));
  assert_trace ("");
  file_tree_remove (tree);
  g_assert_true (gtx_await (sleeper, error));
  assert_trace ("slept");
  return TRUE;
}

static gboolean
test_time_stands_still (gpointer data, GError **error)
{
  return stand_still (TRUE, error) && stand_still (FALSE, error);
}

int
main (int argc, char *argv[])
{
  GFile *home = file_home_new ();
  int status;

  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/files/native", test_native);
  add_coroutine ("/files/other", test_other);
  add_coroutine ("/files/copy-between", test_copy_between);
  add_coroutine ("/files/enumerate-many", test_enumerate_many);
  add_coroutine ("/files/many", test_many);
  g_test_add_func ("/files/outside", test_outside);
  add_coroutine ("/files/refused", test_refused);
  add_coroutine ("/files/let-go", test_let_go);
  add_coroutine ("/files/time-stands-still", test_time_stands_still);
  status = g_test_run ();
  file_tree_remove (home);
  return status;
}
