/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page of the tasks in GTK's inspector: the tree, what it keeps over updates, the search,
 * cancelling, and many tasks. */

#include "inspector-driver.h"

#define N_MANY (RUNNING_ON_VALGRIND || UNDER_ASAN ? 1000 : 10000)

static GtkWidget *page;

#define assert_rows(expected)                                                  \
  G_STMT_START {                                                               \
    g_autofree char *rows_ = print_rows (page);                                \
                                                                               \
    g_assert_cmpstr (rows_, ==, (expected));                                   \
  } G_STMT_END

/* ---- Tasks ---- */

static GtxTask *
named (GtxTask *task, const char *name)
{
  gtx_task_set_name (task, name);
  return task;
}

static gboolean
wait_for_event (GtxEvent *event, GError **error)
{
  return gtx_event_wait (event, error);
}

static GtxTask *
create_waiting (GtxEvent *event, const char *name)
{
  return named (gtx_create_task (wait_for_event, event, NULL), name);
}

static gboolean
await_one (GtxTask *other, GError **error)
{
  return gtx_await (other, error);
}

static GtxTask *
create_awaiting (GtxTask *other, const char *name)
{
  return named (gtx_create_task (await_one, other, NULL), name);
}

/* First the event, and then the task. */
typedef struct
{
  GtxEvent *event;
  GtxTask *task;
} EventThenTask;

static gboolean
wait_then_await (EventThenTask *what, GError **error)
{
  return gtx_event_wait (what->event, error) && gtx_await (what->task, error);
}

static gboolean
do_all_wait (void)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  for (guint i = 0; i < tasks->len; i++)
    {
      g_autofree char *state = gtx_task_describe_state (tasks->pdata[i]);

      if (!g_str_has_prefix (state, "waits for "))
        return FALSE;
    }
  return TRUE;
}

/* Waits for an update that sees all tasks where they will stay. */
static void
look_again (void)
{
  iterate_until (do_all_wait ());
  await_update (page);
}

static void
end_all_tasks (void)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  for (guint i = 0; i < tasks->len; i++)
    gtx_cancel (tasks->pdata[i]);
  iterate_until (no_tasks ());
  look_again ();
}

static GtkTreeListRow *
get_row (guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (get_rows (page)), position);
}

static void
select_task (GtxTask *task)
{
  gtk_single_selection_set_selected (get_rows (page), find_row (page, task));
}

static gboolean
is_selected (GtxTask *task)
{
  return gtk_single_selection_get_selected (get_rows (page)) == find_row (page, task);
}

static GtkWidget *
get_cancel (void)
{
  return find_part (page, "GtkButton");
}

/* ---- The page ---- */

static void
test_title (void)
{
  g_autofree char *title = NULL;

  g_object_get (page, "title", &title, NULL);
  g_assert_cmpstr (title, ==, "Tasks");
  gtx_inspector_add_page ();
  g_assert_true (gtk_widget_get_mapped (page));
}

static void
test_empty (void)
{
  g_assert_cmpstr (get_view (page), ==, "empty");
  assert_rows ("");
  g_assert_false (gtk_widget_get_sensitive (get_cancel ()));
}

/* Tasks are measured while the page is mapped, and not looked at otherwise. */
static void
test_unmapped (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxTask) task = NULL;

  show_page (page, FALSE);
  task = create_waiting (event, "waiting");
  iterate ();
  g_assert_cmpfloat (gtx_task_get_processor_time (task), ==, -1);
  assert_rows ("");
  show_page (page, TRUE);
  assert_rows ("waiting\n");
  gtx_event_set (event);
  iterate_until (no_tasks ());
  look_again ();
  assert_rows ("");
}

/* ---- The tree ---- */

static void
test_tree (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxTask) inner = create_waiting (event, "inner");
  g_autoptr (GtxTask) middle = create_awaiting (inner, "middle");

  g_object_unref (create_awaiting (middle, "outer"));
  g_object_unref (create_awaiting (inner, "other"));
  look_again ();
  g_assert_cmpstr (get_view (page), ==, "tasks");
  assert_rows ("outer\n"
               "  middle\n"
               "    inner\n"
               "other\n"
               "  inner\n");
  gtx_cancel (middle);
  gtx_event_set (event);
  iterate_until (no_tasks ());
  look_again ();
  g_assert_cmpstr (get_view (page), ==, "empty");
}

static gboolean
await_location (GtxTask **other, GError **error)
{
  return gtx_await (*other, error);
}

static void
test_ring (void)
{
  GtxTask *tasks[3];

  for (guint i = 0; i < 3; i++)
    tasks[i] = gtx_create_task (await_location, &tasks[(i + 1) % 3], NULL);
  named (tasks[0], "first");
  named (tasks[1], "second");
  named (tasks[2], "third");
  look_again ();
  assert_rows ("first\n"
               "  second\n"
               "    third\n"
               "      first\n");
  end_all_tasks ();
  for (guint i = 0; i < 3; i++)
    g_object_unref (tasks[i]);
}

/* Deeper than views and people follow. */
static void
test_deep (void)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtkTreeListRow) last = NULL;

  g_ptr_array_add (tasks, create_waiting (event, "innermost"));
  for (guint i = 1; i < 120; i++)
    g_ptr_array_add (tasks, create_awaiting (tasks->pdata[i - 1], "outer"));
  look_again ();
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (get_rows (page))), ==, 120);
  g_assert_cmpuint (find_row (page, tasks->pdata[119]), ==, 0);
  last = get_row (49);
  g_assert_cmpuint (gtk_tree_list_row_get_depth (last), ==, 49);
  gtx_event_set (event);
  iterate_until (no_tasks ());
  look_again ();
}

/* ---- What it keeps ---- */

static void
test_keeps (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxEvent) other_event = gtx_event_new ();
  g_autoptr (GtxTask) before = create_waiting (other_event, "before");
  g_autoptr (GtxTask) inner = create_waiting (event, "inner");
  g_autoptr (GtxTask) closed = NULL;
  g_autoptr (GtxTask) selected = NULL;
  g_autoptr (GtkTreeListRow) row = NULL;

  g_object_unref (create_awaiting (inner, "outer"));
  closed = create_awaiting (inner, "closed");
  selected = create_waiting (event, "selected");
  look_again ();
  select_task (selected);
  row = get_row (find_row (page, closed));
  gtk_tree_list_row_set_expanded (row, FALSE);
  assert_rows ("before\nouter\n  inner\nclosed\nselected\n");

  gtx_event_set (other_event);
  g_object_unref (create_waiting (event, "later"));
  iterate_until (gtx_future_is_done (before));
  look_again ();
  assert_rows ("outer\n  inner\nclosed\nselected\nlater\n");
  g_assert_true (is_selected (selected));
  g_assert_false (gtk_tree_list_row_get_expanded (row));
  end_all_tasks ();
  g_assert_true (gtk_single_selection_get_selected (get_rows (page)) == GTK_INVALID_LIST_POSITION);
}

/* The row of a task goes to another place when a task begins to wait for it. */
static void
test_keeps_selected_that_moves (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxEvent) start = gtx_event_new ();
  g_autoptr (GtxTask) inner = create_waiting (event, "inner");
  EventThenTask what = { start, inner };

  g_object_unref (named (gtx_create_task (wait_then_await, &what, NULL), "outer"));
  look_again ();
  assert_rows ("inner\nouter\n");
  select_task (inner);
  gtx_event_set (start);
  look_again ();
  assert_rows ("outer\n  inner\n");
  g_assert_true (is_selected (inner));
  gtx_cancel (inner);
  iterate_until (no_tasks ());
  look_again ();
}

static void
test_keeps_no_task_alive (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  GtxTask *task = create_waiting (event, "short");

  look_again ();
  select_task (task);
  look_again ();
  g_object_add_weak_pointer (G_OBJECT (task), (gpointer *) &task);
  g_object_unref (task);
  g_assert_nonnull (task);
  gtx_event_set (event);
  iterate_until (no_tasks ());
  g_assert_null (task);
  look_again ();
  assert_rows ("");
}

/* ---- The search ---- */

static void
test_search (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxTask) needle = create_waiting (event, "Needle");

  g_object_unref (create_awaiting (needle, "outer"));
  g_object_unref (create_waiting (event, "hay"));
  search_for (page, "needle");
  assert_rows ("outer\n  Needle\n");
  search_for (page, "AWAIT_ONE");
  assert_rows ("outer\n");
  search_for (page, "for event");
  assert_rows ("outer\n  Needle\nhay\n");
  search_for (page, "nobody");
  assert_rows ("");
  g_assert_cmpstr (get_view (page), ==, "nothing-found");
  search_for (page, "");
  assert_rows ("outer\n  Needle\nhay\n");
  end_all_tasks ();
}

/* ---- Cancelling ---- */

static void
test_cancel (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxTask) second = create_waiting (event, "second");

  g_object_unref (create_waiting (event, "first"));
  look_again ();
  g_assert_false (gtk_widget_get_sensitive (get_cancel ()));
  select_task (second);
  g_assert_true (gtk_widget_get_sensitive (get_cancel ()));
  g_signal_emit_by_name (get_cancel (), "clicked");
  iterate_until (gtx_future_is_done (second));
  g_assert_true (gtx_future_is_cancelled (second));
  look_again ();
  assert_rows ("first\n");
  g_assert_false (gtk_widget_get_sensitive (get_cancel ()));
  end_all_tasks ();
}

/* ---- Details ---- */

static void
assert_details_have (const char *words)
{
  GtkWidget *details = find_part (page, "GtxInspectorDetails");
  g_autofree char *text = print_labels (details);

  g_test_message ("%s", text);
  g_assert_nonnull (strstr (text, words));
}

static gboolean
wait_and_return (GtxEvent *event, GError **error)
{
  gboolean succeeded = gtx_event_wait (event, error);

  /* Else the compiler would turn the call into a jump, and the caller would leave the stack. */
  __asm__ volatile ("" : : : "memory");
  return succeeded;
}

static void
test_details (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxTask) task = named (gtx_create_task (wait_and_return, event, NULL), "shown");

  look_again ();
  assert_details_have ("Select a task");
  select_task (task);
  assert_details_have ("shown");
  assert_details_have ("wait_and_return");
  assert_details_have ("waits for event");
  /* The frame of the coroutine, or the reason why there are none. */
  if (can_show_frames (page))
    assert_details_have ("inspector+0x");
  end_all_tasks ();
}

/* ---- Many tasks ---- */

static void
test_many (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  GListModel *rows = G_LIST_MODEL (get_rows (page));
  guint n_left;

  for (guint i = 0; i < N_MANY; i++)
    g_ptr_array_add (tasks, gtx_create_task (wait_for_event, event, NULL));
  look_again ();
  g_assert_cmpuint (g_list_model_get_n_items (rows), ==, N_MANY);
  g_test_message ("%u tasks appear: %.1f ms", N_MANY, get_update_time (page) * 1000);
  select_task (tasks->pdata[N_MANY / 2 + 1]);
  for (guint i = 0; i < 5; i++)
    {
      look_again ();
      g_test_message ("%u tasks stay: %.1f ms", N_MANY, get_update_time (page) * 1000);
    }

  for (guint i = 0; i < N_MANY; i += 100)
    gtx_cancel (tasks->pdata[i]);
  look_again ();
  n_left = N_MANY - N_MANY / 100;
  g_assert_cmpuint (g_list_model_get_n_items (rows), ==, n_left);
  g_assert_true (is_selected (tasks->pdata[N_MANY / 2 + 1]));
  g_test_message ("%u of them end: %.1f ms", N_MANY / 100, get_update_time (page) * 1000);
  search_for (page, "event");
  g_assert_cmpuint (g_list_model_get_n_items (rows), ==, n_left);
  g_test_message ("a search: %.1f ms", get_update_time (page) * 1000);
  search_for (page, "");
  gtx_event_set (event);
  iterate_until (no_tasks ());
  look_again ();
  g_test_message ("all end: %.1f ms", get_update_time (page) * 1000);
  assert_rows ("");
}

void
add_tests (void)
{
  show_window ();
  page = open_page ();
  g_test_add_func ("/inspector/title", test_title);
  g_test_add_func ("/inspector/empty", test_empty);
  g_test_add_func ("/inspector/unmapped", test_unmapped);
  g_test_add_func ("/inspector/tree", test_tree);
  g_test_add_func ("/inspector/ring", test_ring);
  g_test_add_func ("/inspector/deep", test_deep);
  g_test_add_func ("/inspector/keeps", test_keeps);
  g_test_add_func ("/inspector/keeps-selected-that-moves", test_keeps_selected_that_moves);
  g_test_add_func ("/inspector/keeps-no-task-alive", test_keeps_no_task_alive);
  g_test_add_func ("/inspector/search", test_search);
  g_test_add_func ("/inspector/cancel", test_cancel);
  g_test_add_func ("/inspector/details", test_details);
  g_test_add_func ("/inspector/many", test_many);
}
