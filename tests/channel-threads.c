/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Channels between threads that send, receive and cancel all at once: the counts must balance. */

#include "fixture.h"

static GtxChannel *channel;

/* ---- Virtual time ---- */

static gpointer
send_soon (gpointer data)
{
  g_usleep (20000);
  g_assert_true (gtx_channel_try_send (channel, g_strdup ("x"), NULL));
  return NULL;
}

static gboolean
receive_in_time (gpointer data, GError **error)
{
  g_autofree char *item = gtx_channel_receive (channel, error);

  g_assert_cmpstr (item, ==, "x");
  return item != NULL;
}

/* The test holds virtual time, which does not know of the thread. */
static gboolean
test_held (gpointer data, GError **error)
{
  GThread *thread;

  channel = gtx_channel_new (1, g_free);
  thread = g_thread_new ("sender", send_soon, NULL);
  gtx_test_hold ();
  g_assert_true (gtx_call_with_timeout (1, receive_in_time, NULL, error));
  gtx_test_release ();
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  g_thread_join (thread);
  g_clear_object (&channel);
  return TRUE;
}

/* ---- All at once ---- */

#define N_HOMES 4
#define N_TASKS 4               /* senders and receivers each, in each main context */
#define N_PLAIN 2               /* threads that send or receive each, without a main context */
#define N_SENDERS (N_HOMES * N_TASKS + N_PLAIN)

static guint n_each;            /* items that a sender sends */
static gint n_senders_left;
static gint n_senders_begun;
static gint *n_received;        /* by item */
static gint n_taken;

static void
begin_all (guint capacity)
{
  n_each = RUNNING_ON_VALGRIND ? 300 : 3000;
  channel = gtx_channel_new (capacity, NULL);
  n_received = g_new0 (gint, N_SENDERS * n_each);
  n_senders_left = N_SENDERS;
  n_senders_begun = 0;
  n_taken = 0;
}

static void
end_all (void)
{
  for (guint i = 0; i < N_SENDERS * n_each; i++)
    g_assert_cmpint (n_received[i], ==, 1);
  g_assert_cmpuint (gtx_channel_get_size (channel), ==, 0);
  g_free (n_received);
  g_clear_object (&channel);
}

static gpointer
item_of (guint sender, guint index)
{
  return GUINT_TO_POINTER (1 + sender * n_each + index);
}

/* The last sender closes the channel. */
static void
end_sending (void)
{
  if (g_atomic_int_dec_and_test (&n_senders_left))
    gtx_channel_close (channel);
}

/* @next: by sender, the least index that this receiver may still receive. */
static void
take_item (gpointer item, guint *next)
{
  guint number = GPOINTER_TO_UINT (item) - 1;
  guint sender = number / n_each;

  g_assert_cmpuint (number % n_each, >=, next[sender]);
  next[sender] = number % n_each + 1;
  g_atomic_int_inc (&n_received[number]);
}

static gboolean
send_all (gpointer data, GError **error)
{
  guint sender = (guint) g_atomic_int_add (&n_senders_begun, 1);

  for (guint i = 0; i < n_each; i++)
    if (!gtx_channel_send (channel, item_of (sender, i), error))
      return FALSE;
  end_sending ();
  return TRUE;
}

static gboolean
receive_all (gpointer data, GError **error)
{
  guint next[N_SENDERS] = { 0 };
  g_autoptr (GError) end = NULL;
  gpointer item;

  while ((item = gtx_channel_receive (channel, &end)))
    take_item (item, next);
  g_assert_error (end, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  return TRUE;
}

static gboolean
send_and_receive (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < N_TASKS; i++)
    {
      g_ptr_array_add (tasks, gtx_create_task (receive_all, NULL, NULL));
      g_ptr_array_add (tasks, gtx_create_task (send_all, NULL, NULL));
    }
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static gpointer
run_home (gpointer coroutine)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run_named ("home", *(GtxCoroutine *) coroutine, NULL, &error));
  g_assert_no_error (error);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static gpointer
send_plainly (gpointer data)
{
  guint sender = (guint) g_atomic_int_add (&n_senders_begun, 1);

  for (guint i = 0; i < n_each;)
    if (gtx_channel_try_send (channel, item_of (sender, i), NULL))
      i++;
    else
      g_thread_yield ();
  end_sending ();
  return NULL;
}

static gpointer
receive_plainly (gpointer data)
{
  guint next[N_SENDERS] = { 0 };

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      gpointer item = gtx_channel_try_receive (channel, &error);

      if (item)
        take_item (item, next);
      else if (g_error_matches (error, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
        return NULL;
      else
        g_thread_yield ();
    }
}

static void
all_at_once (guint capacity)
{
  GtxCoroutine coroutine = send_and_receive;
  GThread *threads[N_HOMES + 2 * N_PLAIN];
  guint n = 0;

  begin_all (capacity);
  for (guint i = 0; i < N_HOMES; i++)
    threads[n++] = g_thread_new ("home", run_home, &coroutine);
  for (guint i = 0; i < N_PLAIN; i++)
    {
      threads[n++] = g_thread_new ("sender", send_plainly, NULL);
      threads[n++] = g_thread_new ("receiver", receive_plainly, NULL);
    }
  while (n > 0)
    g_thread_join (threads[--n]);
  end_all ();
}

static void
test_all_at_once (void)
{
  all_at_once (3);
  all_at_once (1);
  all_at_once (0);
}

/* ---- All at once, and requests to cancel ---- */

#define N_ROUNDS 100
#define N_PER_ROUND 20

static gint n_sent, n_lost, n_made;

static gpointer
make_item (void)
{
  g_atomic_int_inc (&n_made);
  return g_strdup ("item");
}

static void
free_unsent (gpointer item)
{
  g_atomic_int_inc (&n_lost);
  g_free (item);
}

static gboolean
send_one (gpointer data, GError **error)
{
  if (!gtx_channel_send (channel, make_item (), error))
    return FALSE;
  g_atomic_int_inc (&n_sent);
  return TRUE;
}

static gboolean
receive_one (gpointer data, GError **error)
{
  g_autofree char *item = gtx_channel_receive (channel, error);

  if (item == NULL)
    return FALSE;
  g_atomic_int_inc (&n_taken);
  return TRUE;
}

static gboolean
ask_some (gpointer data, GError **error)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) g_atomic_int_add (&n_senders_begun, 1));

  for (guint round = 0; round < N_ROUNDS; round++)
    {
      g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

      for (guint i = 0; i < N_PER_ROUND; i++)
        g_ptr_array_add (tasks, gtx_create_task (g_rand_boolean (rand) ? send_one : receive_one, NULL, NULL));
      for (gint i = g_rand_int_range (rand, 0, 5); i > 0; i--)
        g_assert_true (gtx_sleep (0, error));
      for (guint i = 0; i < N_PER_ROUND; i++)
        gtx_cancel (tasks->pdata[g_rand_int_range (rand, 0, N_PER_ROUND)]);
      g_assert_true (gtx_sleep (0, error));
      for (guint i = 0; i < N_PER_ROUND; i++)
        gtx_cancel (tasks->pdata[i]);
      g_assert_true (gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, error));
    }
  return TRUE;
}

/* Each item is freed unsent, received, or left. */
static void
test_asked_at_random (void)
{
  GtxCoroutine coroutine = ask_some;
  GThread *threads[N_HOMES];
  gint n_unsent;

  n_senders_begun = n_sent = n_lost = n_made = n_taken = 0;
  channel = gtx_channel_new (2, free_unsent);
  for (guint i = 0; i < N_HOMES; i++)
    threads[i] = g_thread_new ("home", run_home, &coroutine);
  for (guint i = 0; i < N_HOMES; i++)
    g_thread_join (threads[i]);
  n_unsent = n_lost;
  g_assert_cmpint (n_unsent + n_sent, ==, n_made);
  g_assert_cmpint (n_sent - n_taken, ==, (gint) gtx_channel_get_size (channel));
  g_assert_cmpint (n_taken, >, 0);
  g_assert_cmpint (n_unsent, >, 0);
  g_clear_object (&channel);
  g_assert_cmpint (n_lost + n_taken, ==, n_made);
  g_test_message ("%d items, %d received, %d not sent", n_made, n_taken, n_unsent);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  gtx_test_add_func ("/channel-threads/held", test_held);
  g_test_add_func ("/channel-threads/all-at-once", test_all_at_once);
  g_test_add_func ("/channel-threads/asked-at-random", test_asked_at_random);
  return g_test_run ();
}
