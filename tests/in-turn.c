/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values that come one after the other: emissions, items of queues, channels and broadcasts, lines of streams.
 * Each test runs with each source.  A call for the next value that is cancelled, or out of time, loses no value,
 * whenever the request comes; and each source ends for good, when its last value was taken. */

#include "object-job.h"
#include "recipes.h"
#include "stream-ends.h"

/* ---- The sources ---- */

typedef struct
{
  const char *name;
  void (*open) (void);
  void (*give) (int value);
  void (*end) (void);           /* no value will come any more */
  gboolean (*next) (int *value, GError **error);
  void (*clear) (void);
  int end_code;                 /* of GTX_ERROR; 0: the end is no error */
  /* What a second task that asks for the next value fails with; NULL: it is served in its turn. */
  GQuark (*second_domain) (void);
  int second_code;
} Values;

static const Values *values;    /* the source of the test that runs */
static gpointer giver, taker;

static void
clear_both (void)
{
  g_clear_object (&taker);
  g_clear_object (&giver);
}

/* What has a pointer other than NULL. */
static gboolean
set_value (int *value, gpointer item)
{
  if (item)
    *value = GPOINTER_TO_INT (item) - 1;
  return item != NULL;
}

static void
emissions_open (void)
{
  giver = job_new ();
  taker = gtx_emissions_new (giver, "finished", NULL);
}

static void
emissions_give (int value)
{
  g_signal_emit (giver, finished, 0, value);
}

static void
emissions_end (void)
{
  g_clear_object (&giver);
}

static gboolean
emissions_next (int *value, GError **error)
{
  return gtx_emissions_next (taker, error, value);
}

static void
queue_open (void)
{
  taker = gtx_queue_new (0, NULL);
}

static void
queue_give (int value)
{
  g_assert_true (gtx_queue_put_nowait (taker, GINT_TO_POINTER (value + 1), NULL));
}

static void
queue_end (void)
{
  gtx_queue_shutdown (taker, GTX_SHUTDOWN_DRAIN);
}

static gboolean
queue_next (int *value, GError **error)
{
  return set_value (value, gtx_queue_get (taker, error));
}

static void
channel_open (void)
{
  taker = gtx_channel_new (0, NULL);
}

static void
channel_give (int value)
{
  g_assert_true (gtx_channel_try_send (taker, GINT_TO_POINTER (value + 1), NULL));
}

static void
channel_end (void)
{
  gtx_channel_close (taker);
}

static gboolean
channel_next (int *value, GError **error)
{
  return set_value (value, gtx_channel_receive (taker, error));
}

static void
broadcast_open (void)
{
  giver = gtx_broadcast_new (1000, NULL, NULL);
  taker = gtx_broadcast_subscribe (giver);
}

static void
broadcast_give (int value)
{
  g_assert_true (gtx_broadcast_send (giver, GINT_TO_POINTER (value + 1), NULL));
}

static void
broadcast_end (void)
{
  gtx_broadcast_close (giver);
}

static gboolean
broadcast_next (int *value, GError **error)
{
  guint64 n_missed = 0;
  gboolean has_value = set_value (value, gtx_subscription_receive (taker, &n_missed, error));

  g_assert_cmpuint (n_missed, ==, 0);
  return has_value;
}

static Ends *ends;

static void
lines_open_kind (EndsKind kind)
{
  ends = ends_new (kind);
  taker = g_data_input_stream_new (ends->input);
}

static void
lines_open (void)
{
  lines_open_kind (ENDS_ARE_SOCKETS);
}

static void
lines_open_converted (void)
{
  lines_open_kind (ENDS_ARE_CONVERTED);
}

static void
lines_give (int value)
{
  g_autofree char *line = g_strdup_printf ("%d\n", value);

  ends_put (ends, line);
}

static void
lines_end (void)
{
  ends_finish (ends);
}

/* The recipe's function. */
static gboolean
lines_next (int *value, GError **error)
{
  gint64 number;

  if (!next_number (taker, &number, error))
    return FALSE;
  *value = (int) number;
  return TRUE;
}

static void
lines_clear (void)
{
  clear_both ();
  g_clear_pointer (&ends, ends_free);
}

static const Values all[] = {
  { "emissions", emissions_open, emissions_give, emissions_end, emissions_next, clear_both,
    GTX_ERROR_OBJECT_GONE, gtx_error_quark, GTX_ERROR_INVALID_ARGUMENT },
  { "queue", queue_open, queue_give, queue_end, queue_next, clear_both, GTX_ERROR_QUEUE_SHUT_DOWN, NULL, 0 },
  { "channel", channel_open, channel_give, channel_end, channel_next, clear_both,
    GTX_ERROR_QUEUE_SHUT_DOWN, NULL, 0 },
  { "broadcast", broadcast_open, broadcast_give, broadcast_end, broadcast_next, clear_both,
    GTX_ERROR_QUEUE_SHUT_DOWN, NULL, 0 },
  { "lines", lines_open, lines_give, lines_end, lines_next, lines_clear,
    0, g_io_error_quark, G_IO_ERROR_PENDING },
  { "lines-converted", lines_open_converted, lines_give, lines_end, lines_next, lines_clear,
    0, g_io_error_quark, G_IO_ERROR_PENDING },
};

/* ---- Steps of the tests ---- */

static void
note_number (int value)
{
  g_autofree char *word = g_strdup_printf ("%d", value);

  note (word);
}

/* Notes the next value, or why there is none. */
static gboolean
note_next (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  int value = -1;

  if (values->next (&value, &failure))
    note_number (value);
  else
    note (failure == NULL ? "end"
          : g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? "cancelled" : failure->message);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Asks for two values, whatever becomes of the first call. */
static gboolean
note_two (gpointer data, GError **error)
{
  note_next (NULL, NULL);
  note_next (NULL, NULL);
  return TRUE;
}

/* ---- Requests to cancel ---- */

/* The request is there before the call, and so may a value be; a value that is there may be taken at once. */
static gboolean
test_before (gpointer data, GError **error)
{
  gtx_cancel (gtx_current_task ());
  note_next (NULL, NULL);
  values->give (1);
  note_next (NULL, NULL);
  assert_trace ("cancelled 1");

  values->give (2);
  values->give (3);
  gtx_cancel (gtx_current_task ());
  while (strstr (trace->str, "3") == NULL)
    note_next (NULL, NULL);
  if (strstr (trace->str, "cancelled") == NULL)
    g_assert_false (gtx_sleep (0, NULL));
  if (g_str_has_prefix (trace->str, "cancelled "))
    g_string_erase (trace, 0, strlen ("cancelled "));
  assert_trace ("2 3");
  return gtx_sleep (0, error);
}

static gboolean
test_while (gpointer data, GError **error)
{
  GtxTask *task = begin (note_two, NULL);

  gtx_cancel (task);
  let_loop_rest ();
  assert_trace ("cancelled");
  values->give (1);
  assert_succeeds (task);
  assert_trace ("1");
  return TRUE;
}

/* The value and the request come in one turn, or the second @n_turns after the first. */
static void
give_and_cancel (gboolean gives_first, guint n_turns)
{
  GtxTask *task = begin (note_two, NULL);

  if (gives_first)
    values->give (1);
  else
    gtx_cancel (task);
  for (guint i = 0; i < n_turns; i++)
    g_assert_true (gtx_sleep (0, NULL));
  if (gives_first)
    gtx_cancel (task);
  else
    values->give (1);
  values->give (2);
  assert_succeeds (task);
  /* Both calls took a value, and the request waits for the next await; or it ended one of them. */
  if (g_str_equal (trace->str, "1 2"))
    {
      assert_trace ("1 2");
      return;
    }
  note_next (NULL, NULL);
  if (g_str_has_prefix (trace->str, "cancelled"))
    assert_trace ("cancelled 1 2");
  else
    assert_trace ("1 cancelled 2");
}

static gboolean
test_together (gpointer data, GError **error)
{
  for (guint n_turns = 0; n_turns < 4; n_turns++)
    {
      give_and_cancel (TRUE, n_turns);
      give_and_cancel (FALSE, n_turns);
    }
  return TRUE;
}

static gboolean
test_after (gpointer data, GError **error)
{
  GtxTask *task = begin (note_next, NULL);

  values->give (1);
  values->give (2);
  g_assert_true (gtx_await (task, error));
  g_assert_false (gtx_cancel (task));
  g_object_unref (task);
  note_next (NULL, NULL);
  assert_trace ("1 2");
  return TRUE;
}

/* ---- Time limits, ends, several tasks ---- */

static gboolean
test_out_of_time (gpointer data, GError **error)
{
  for (int value = 0; value < 4; value++)
    {
      g_autoptr (GError) failure = NULL;

      /* The second call has a value, though its time is over as it begins. */
      g_assert_false (gtx_call_with_timeout (value % 2 ? 0.001 : 0, note_next, NULL, &failure));
      g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      values->give (value);
      let_loop_rest ();
      g_clear_error (&failure);
      if (!gtx_call_with_timeout (0, note_next, NULL, &failure))
        g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      if (failure)
        note_next (NULL, NULL);
    }
  for (char *word; (word = strstr (trace->str, "cancelled ")); )
    g_string_erase (trace, word - trace->str, strlen ("cancelled "));
  assert_trace ("0 1 2 3");
  return TRUE;
}

static void
assert_end (void)
{
  g_autoptr (GError) failure = NULL;
  int value;

  g_assert_false (values->next (&value, &failure));
  if (values->end_code)
    g_assert_error (failure, GTX_ERROR, values->end_code);
  else
    g_assert_no_error (failure);
}

/* What came before the end is taken first; a task that waits gets the end. */
static gboolean
test_end (gpointer data, GError **error)
{
  GtxTask *task;

  values->give (1);
  values->give (2);
  values->end ();
  note_next (NULL, NULL);
  note_next (NULL, NULL);
  assert_trace ("1 2");
  assert_end ();
  assert_end ();

  values->clear ();
  values->open ();
  task = begin (note_next, NULL);
  values->end ();
  g_assert_cmpint (gtx_await (task, NULL), ==, values->end_code == 0);
  g_object_unref (task);
  assert_end ();
  return TRUE;
}

/* A second task is refused or served in its turn; the first one gets what it waits for in either case. */
static gboolean
test_two_tasks (gpointer data, GError **error)
{
  GtxTask *first = begin (note_next, NULL);
  GtxTask *second = gtx_create_task (note_next, NULL, NULL);

  let_loop_rest ();
  if (values->second_domain)
    assert_fails (second, values->second_domain (), values->second_code);
  g_string_truncate (trace, 0);
  values->give (1);
  values->give (2);
  assert_succeeds (first);
  if (values->second_domain)
    note_next (NULL, NULL);
  else
    assert_succeeds (second);
  assert_trace ("1 2");
  return TRUE;
}

/* The source is dropped while values are left. */
static gboolean
test_dropped (gpointer data, GError **error)
{
  GtxTask *task = begin (note_two, NULL);

  values->give (1);
  values->give (2);
  values->give (3);
  assert_succeeds (task);
  assert_trace ("1 2");
  return TRUE;
}

/* ---- Anything in any order ---- */

#define N_VALUES 300

static gboolean
let_others_run (guint n_turns)
{
  for (guint i = 0; i < n_turns; i++)
    if (!gtx_sleep (0, NULL))
      return FALSE;
  return TRUE;
}

static gboolean
give_all (gpointer data, GError **error)
{
  for (int value = 0; value < N_VALUES; )
    {
      for (int n = g_random_int_range (0, 4); n > 0 && value < N_VALUES; n--)
        values->give (value++);
      g_assert_true (let_others_run (g_random_int_range (0, 4)));
    }
  return TRUE;
}

/* Cancels the task at any time until it has ended. */
static gboolean
keep_cancelling (GtxTask *task, GError **error)
{
  while (!gtx_future_is_done (task))
    {
      gtx_cancel (task);
      g_assert_true (let_others_run (g_random_int_range (0, 5)));
    }
  return TRUE;
}

static int n_taken, n_failed;

static gboolean
take_one (gpointer data, GError **error)
{
  int value;

  if (!values->next (&value, error))
    return FALSE;
  g_assert_cmpint (value, ==, n_taken);
  n_taken++;
  return TRUE;
}

/* Takes all values, in order, although most calls are cancelled or out of time. */
static gboolean
take_all (gpointer data, GError **error)
{
  while (n_taken < N_VALUES)
    {
      g_autoptr (GError) failure = NULL;
      gboolean has_limit = g_random_boolean ();

      if (has_limit ? gtx_call_with_timeout (0, take_one, NULL, &failure) : take_one (NULL, &failure))
        continue;
      n_failed++;
      if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        assert_cancelled (failure);
      if (g_random_boolean ())
        let_others_run (1);
    }
  return TRUE;
}

static gboolean
test_anything (gpointer data, GError **error)
{
  for (int round = 0; round < 5; round++)
    {
      g_autoptr (GtxTask) giving = gtx_create_task (give_all, NULL, NULL);
      g_autoptr (GtxTask) taking = gtx_create_task (take_all, NULL, NULL);
      g_autoptr (GtxTask) cancelling = gtx_create_task (keep_cancelling, taking, NULL);

      n_taken = n_failed = 0;
      g_assert_true (gtx_await (giving, error));
      gtx_await (taking, NULL);         /* a request may come with the last value */
      g_assert_true (gtx_await (cancelling, error));
      g_assert_cmpint (n_taken, ==, N_VALUES);
      g_assert_cmpint (n_failed, >, 0);
    }
  return TRUE;
}

/* ---- All of them ---- */

static const struct
{
  const char *name;
  GtxCoroutine coroutine;
} tests[] = {
  { "before", test_before },
  { "while", test_while },
  { "together", test_together },
  { "after", test_after },
  { "out-of-time", test_out_of_time },
  { "end", test_end },
  { "two-tasks", test_two_tasks },
  { "dropped", test_dropped },
  { "anything", test_anything },
};

static void
run_test (gconstpointer index)
{
  guint number = GPOINTER_TO_UINT (index);
  GtxCoroutine coroutine = tests[number % G_N_ELEMENTS (tests)].coroutine;

  values = &all[number / G_N_ELEMENTS (tests)];
  values->open ();
  /* Virtual time stands still while a task waits for a descriptor. */
  if (values->open == lines_open || values->open == lines_open_converted)
    run_real_coroutine (&coroutine);
  else
    run_coroutine (&coroutine);
  values->clear ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (all) * G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/in-turn/%s/%s", all[i / G_N_ELEMENTS (tests)].name,
                                               tests[i % G_N_ELEMENTS (tests)].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), run_test);
    }
  return g_test_run ();
}
