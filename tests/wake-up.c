/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main loop does not wait after a task was woken, whatever code wakes the task, and at any
 * moment of the loop's turn.  The test has its own poll function, so nothing takes time here. */

#include "fixture.h"

#include <gio/gio.h>

/* ---- Events that wake the task ---- */

typedef enum
{
  FUTURE,                       /* is settled */
  TIMER,                        /* is armed, for a moment later */
  CALLBACK,                     /* of an operation of GIO is called */
  N_WHATS
} What;

/* A moment in a function of a source, or between two. */
typedef enum
{
  IN_PREPARE,
  BEFORE_POLL,                  /* if the test iterates by hand */
  IN_POLL,
  AFTER_POLL,
  IN_CHECK,
  BEFORE_DISPATCH,
  N_MOMENTS
} Moment;

typedef struct
{
  What what;
  Moment moment;
  gint priority;                /* priority of the source */
  gboolean is_older;            /* the source is older than the scheduler */
  gboolean by_hand;             /* the test iterates the context by hand */
  gboolean is_nested;           /* a task iterates the context */
  gboolean may_block;
} Case;

static Case current;
static gboolean armed;
static GtxFuture *future;
static GtxFuture *timer;
static GAsyncReadyCallback callback;
static gpointer callback_data;
static gboolean is_done;
static guint n_vain_waits;

static void
end_sleep (gpointer sleep, gpointer data)
{
  gtx_future_set_result (future, NULL, NULL);
}

/* Calls back directly.  GLib does not notice the source of a GTask that is attached while other
 * sources are checked. */
static void
call_back (void)
{
  g_autoptr (GTask) result = g_task_new (NULL, NULL, NULL, NULL);

  callback (NULL, G_ASYNC_RESULT (result), callback_data);
}

static void
now_is (Moment moment)
{
  if (!armed || current.moment != moment)
    return;
  armed = FALSE;
  switch (current.what)
    {
    case FUTURE:
      gtx_future_set_result (future, NULL, NULL);
      break;
    case TIMER:
      timer = gtx_sleep_future (0.002);
      gtx_future_add_done_callback (timer, end_sleep, NULL, NULL);
      break;
    default:
      call_back ();
    }
}

/* ---- The main loop ---- */

static gboolean
hook_prepare (GSource *source, gint *timeout)
{
  *timeout = -1;
  now_is (IN_PREPARE);
  return FALSE;
}

static gboolean
hook_check (GSource *source)
{
  now_is (IN_CHECK);
  return FALSE;
}

static GSourceFuncs hook_funcs = { hook_prepare, hook_check, NULL, NULL, NULL, NULL };

/* A poll that waits for ever has missed the wake-up. */
static gint
poll_in_no_time (GPollFD *descriptors, guint n, gint timeout)
{
  gint n_ready;

  now_is (IN_POLL);
  n_ready = g_poll (descriptors, n, 0);
  if (n_ready > 0 || timeout == 0 || armed || is_done)
    return n_ready;
  if (timeout > 0)
    return g_poll (descriptors, n, timeout);
  n_vain_waits++;
  return 0;
}

static void
iterate_by_hand (GMainContext *context)
{
  GPollFD descriptors[16];
  gint priority, timeout, n;

  g_main_context_prepare (context, &priority);
  n = g_main_context_query (context, priority, &timeout, descriptors, G_N_ELEMENTS (descriptors));
  now_is (BEFORE_POLL);
  poll_in_no_time (descriptors, (guint) n, current.may_block ? timeout : 0);
  now_is (AFTER_POLL);
  g_main_context_check (context, priority, descriptors, n);
  now_is (BEFORE_DISPATCH);
  g_main_context_dispatch (context);
}

static void
iterate (GMainContext *context)
{
  if (current.by_hand)
    iterate_by_hand (context);
  else
    g_main_context_iteration (context, current.may_block);
}

/* ---- Cases ---- */

static void
begin_async (GCancellable *cancellable, GAsyncReadyCallback ready, gpointer data)
{
  callback = ready;
  callback_data = data;
}

static gboolean
wait_for_it (gpointer data, GError **error)
{
  if (current.what != CALLBACK)
    return is_done = gtx_await (future, error);
  begin_async (GTX_ASYNC);
  return is_done = G_IS_TASK (gtx_await_result ());
}

/* Without blocking, the number of turns depends on the timer. */
static void
iterate_until_done (GMainContext *context)
{
  gint64 start = g_get_monotonic_time ();

  armed = TRUE;
  n_vain_waits = 0;
  while (!is_done && n_vain_waits == 0 && g_get_monotonic_time () < start + 60 * G_USEC_PER_SEC)
    iterate (context);
}

static gboolean
iterate_in_task (GMainContext *context, GError **error)
{
  iterate_until_done (context);
  return TRUE;
}

static void
iterate_below_task (GMainContext *context)
{
  g_autoptr (GtxTask) task = gtx_create_task (iterate_in_task, context, NULL);

  while (!gtx_future_is_done (GTX_FUTURE (task)))
    g_main_context_iteration (context, TRUE);
}

/* After long work the main loop turns again before it waits. */
static void
come_to_rest (GMainContext *context)
{
  for (guint i = 0; i < 4; i++)
    {
      g_main_context_wakeup (context);
      g_main_context_iteration (context, TRUE);
    }
}

static GSource *
attach_hook (GMainContext *context)
{
  GSource *source = g_source_new (&hook_funcs, sizeof (GSource));

  g_source_set_priority (source, current.priority);
  g_source_attach (source, context);
  return source;
}

static void
run_case (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) hook = NULL;
  g_autoptr (GtxTask) task = NULL;

  g_main_context_set_poll_func (context, poll_in_no_time);
  g_main_context_push_thread_default (context);
  g_assert_true (g_main_context_acquire (context));
  if (current.is_older)
    hook = attach_hook (context);
  future = gtx_future_new ();
  is_done = FALSE;
  task = gtx_create_task (wait_for_it, NULL, NULL);
  come_to_rest (context);
  if (!current.is_older)
    hook = attach_hook (context);

  if (current.is_nested)
    iterate_below_task (context);
  else
    iterate_until_done (context);
  if (!is_done)
    g_error ("It was not noticed: what %d, moment %d, priority %d, older %d, by hand %d, nested %d, may block %d",
             current.what, current.moment, current.priority, current.is_older, current.by_hand,
             current.is_nested, current.may_block);
  g_source_destroy (hook);
  g_clear_object (&timer);
  g_clear_object (&future);
  g_main_context_release (context);
  g_main_context_pop_thread_default (context);
}

static void
run_at_priorities (Case this)
{
  const gint priorities[] = { G_PRIORITY_HIGH, G_PRIORITY_DEFAULT, 50, G_PRIORITY_HIGH_IDLE,
                              G_PRIORITY_DEFAULT_IDLE, G_PRIORITY_LOW };

  current = this;
  for (guint i = 0; i < G_N_ELEMENTS (priorities); i++)
    for (guint j = 0; j < 4; j++)
      {
        current.priority = priorities[i];
        current.is_older = j & 1;
        current.may_block = !(j & 2);
        run_case ();
      }
}

static void
run_iterations (What what, gboolean is_nested)
{
  const Moment moments[] = { IN_PREPARE, IN_POLL, IN_CHECK };

  for (guint i = 0; i < G_N_ELEMENTS (moments); i++)
    run_at_priorities ((Case) { what, moments[i], .is_nested = is_nested });
}

static void
test_iterations (gconstpointer what)
{
  run_iterations (GPOINTER_TO_INT (what), FALSE);
}

static void
test_nested (gconstpointer what)
{
  run_iterations (GPOINTER_TO_INT (what), TRUE);
}

static void
test_by_hand (gconstpointer what)
{
  for (Moment moment = 0; moment < N_MOMENTS; moment++)
    run_at_priorities ((Case) { GPOINTER_TO_INT (what), moment, .by_hand = TRUE });
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/wake-up/future", GINT_TO_POINTER (FUTURE), test_iterations);
  g_test_add_data_func ("/wake-up/timer", GINT_TO_POINTER (TIMER), test_iterations);
  g_test_add_data_func ("/wake-up/callback", GINT_TO_POINTER (CALLBACK), test_iterations);
  g_test_add_data_func ("/wake-up/by-hand/future", GINT_TO_POINTER (FUTURE), test_by_hand);
  g_test_add_data_func ("/wake-up/by-hand/timer", GINT_TO_POINTER (TIMER), test_by_hand);
  g_test_add_data_func ("/wake-up/by-hand/callback", GINT_TO_POINTER (CALLBACK), test_by_hand);
  g_test_add_data_func ("/wake-up/nested/future", GINT_TO_POINTER (FUTURE), test_nested);
  g_test_add_data_func ("/wake-up/nested/timer", GINT_TO_POINTER (TIMER), test_nested);
  g_test_add_data_func ("/wake-up/nested/callback", GINT_TO_POINTER (CALLBACK), test_nested);
  return g_test_run ();
}
