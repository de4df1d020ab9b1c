/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A system without memory for another stack. */

#include "fixture.h"

#include "fiber/stack.h"
#include "task/task-private.h"

#include <errno.h>

/* No other test uses this size, so that there is no free stack of it. */
#define OWN_SIZE ((gsize) 2 << 20)

static void *
no_memory (gsize size)
{
  errno = ENOMEM;
  return NULL;
}

static gboolean
never_runs (char *data, GError **error)
{
  g_assert_not_reached ();
}

static gboolean
test_task_fails (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (sleep_and_note, "1:other", NULL);
  g_autoptr (GtxTask) task = gtx_task_new (never_runs, g_strdup ("data"), count_free);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  gtx_stack_set_map (no_memory);
  gtx_task_set_stack_size (task, OWN_SIZE);
  gtx_task_start (task);
  g_assert_false (gtx_await (task, &failure));
  gtx_stack_set_map (NULL);

  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NO_STACK);
  g_assert_nonnull (strstr (failure->message, "run fewer tasks at once"));
  g_assert_false (gtx_future_is_cancelled (task));
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_true (gtx_await (other, error));
  assert_trace ("other");
  return TRUE;
}

/* The running task switches to the next one, and finds that there is no stack for it. */
static gboolean
test_errno (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (never_runs, (char *) NULL, NULL);

  gtx_task_set_stack_size (task, OWN_SIZE);
  gtx_task_start (task);
  gtx_stack_set_map (no_memory);
  errno = EDOM;
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpint (errno, ==, EDOM);
  gtx_stack_set_map (NULL);
  g_assert_false (gtx_await (task, NULL));
  return TRUE;
}

static gboolean
test_recovers (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (sleep_and_note, "1:again", NULL);

  gtx_task_set_stack_size (task, OWN_SIZE);
  gtx_task_start (task);
  g_assert_true (gtx_await (task, error));
  assert_trace ("again");
  return TRUE;
}

/* There is no stack during the call, and then there is. */
static gboolean
test_eager_begins_later (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (note_and_return, "later", NULL);

  gtx_task_set_stack_size (task, 2 * OWN_SIZE);
  gtx_stack_set_map (no_memory);
  gtx_task_start_eager (task);
  gtx_stack_set_map (NULL);
  note ("main");
  g_assert_true (gtx_await (task, error));
  assert_trace ("main later");
  return TRUE;
}

static gboolean
test_eager_fails (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (never_runs, g_strdup ("data"), count_free);
  g_autoptr (GError) failure = NULL;

  gtx_task_set_stack_size (task, G_MAXSIZE / 2);
  gtx_task_start_eager (task);
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NO_STACK);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static gboolean
test_too_large (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (never_runs, (char *) NULL, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_task_set_stack_size (task, G_MAXSIZE / 2);
  gtx_task_start (task);
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NO_STACK);
  return TRUE;
}

/* A size that comes too late is not taken. */
static gboolean
test_too_late (gpointer data, GError **error)
{
  GtxTask *task = gtx_current_task ();

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_set_stack_size: *has run already*");
  gtx_task_set_stack_size (task, OWN_SIZE);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (task->stack_size, ==, 0);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/no-stack/task-fails", test_task_fails);
  add_coroutine ("/no-stack/errno", test_errno);
  add_coroutine ("/no-stack/recovers", test_recovers);
  add_coroutine ("/no-stack/too-large", test_too_large);
  add_coroutine ("/no-stack/too-late", test_too_late);
  add_coroutine ("/no-stack/eager/begins-later", test_eager_begins_later);
  add_coroutine ("/no-stack/eager/fails", test_eager_fails);
  return g_test_run ();
}
