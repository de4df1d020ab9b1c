/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends, receives, requests to cancel and closings in random order, in several main contexts, each in
 * a thread of its own.  One acts at a time, but what a thread does to another's task is on its way
 * until that thread's main context runs.  A plain queue says what each outcome must be. */

#include "puppet.h"

#include "fixture.h"

#define N_PUPPETS 3
#define MOST_ALIVE 12
#define N_STEPS 300

typedef struct
{
  Puppet *puppet;
  GtxTask *task;
  guint item;                   /* of a sender; a receiver has 0 */
  enum
  {
    BEGINS,
    WAITS,                      /* in line */
    SERVED,                     /* sent, or promised an item; if the task has not ended, it will */
    REFUSED,
    ASKED                       /* has left the line for a request to cancel */
  } state;
  gboolean asked;
} Actor;

static Puppet puppets[N_PUPPETS];
static GtxChannel *channel;

/* ---- The model ---- */

static GArray *items;           /* guint */
static GPtrArray *line;         /* actors that wait; all are senders, or all are receivers */
static guint n_promised;
static guint capacity;
static gboolean is_closed;
static guint n_unsent;
static guint n_lost;            /* items that the channel has freed */

static guint
count_free_items (void)
{
  return items->len - n_promised;
}

static gboolean
has_room (void)
{
  return capacity == 0 || count_free_items () < capacity;
}

static Actor *
first_in_line (gboolean is_sender)
{
  Actor *first = line->len > 0 ? line->pdata[0] : NULL;

  return first && (first->item > 0) == is_sender ? first : NULL;
}

static void
promise_next (void)
{
  Actor *first = first_in_line (FALSE);

  if (first == NULL)
    return;
  g_assert_cmpuint (count_free_items (), >, 0);
  g_ptr_array_remove_index (line, 0);
  first->state = SERVED;
  n_promised++;
}

static void
add_item (guint item)
{
  g_array_append_val (items, item);
  promise_next ();
}

static void
refuse_all (gboolean is_sender)
{
  Actor *first;

  while ((first = first_in_line (is_sender)))
    {
      g_ptr_array_remove_index (line, 0);
      first->state = REFUSED;
    }
}

static guint
remove_item (void)
{
  guint item = g_array_index (items, guint, 0);
  Actor *first;

  g_array_remove_index (items, 0);
  first = first_in_line (TRUE);
  if (first && has_room ())
    {
      g_ptr_array_remove_index (line, 0);
      first->state = SERVED;
      add_item (first->item);
    }
  if (is_closed && items->len == 0)
    refuse_all (FALSE);
  return item;
}

/* ---- The tasks ---- */

static gpointer
item_new (guint item)
{
  return g_memdup2 (&item, sizeof item);
}

static guint
item_take (gpointer item)
{
  guint number = item ? *(guint *) item : 0;

  g_free (item);
  return number;
}

static void
item_lost (gpointer item)
{
  n_lost++;
  g_free (item);
}

static void
enter_line (Actor *self)
{
  self->state = WAITS;
  g_ptr_array_add (line, self);
}

/* These tell how it must go on.  What needs no wait happens here, before the task may let others run. */

static void
model_send (Actor *self)
{
  if (is_closed)
    self->state = REFUSED;
  else if (has_room ())
    {
      add_item (self->item);
      self->state = SERVED;
    }
  else
    enter_line (self);
}

static guint
model_receive (Actor *self)
{
  if (count_free_items () > 0)
    return remove_item ();
  if (is_closed && items->len == 0)
    self->state = REFUSED;
  else
    enter_line (self);
  return 0;
}

static void
assert_failed (Actor *self, const GError *error)
{
  if (self->asked)
    {
      assert_cancelled (error);
      return;
    }
  g_assert_error (error, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN);
  g_assert_cmpint (self->state, ==, REFUSED);
}

static gboolean
send_item (Actor *self, GError **error)
{
  model_send (self);
  if (gtx_channel_send (channel, item_new (self->item), error))
    {
      g_assert_cmpint (self->state, ==, SERVED);
      return TRUE;
    }
  assert_failed (self, *error);
  g_assert_cmpuint (n_lost, ==, ++n_unsent);
  return FALSE;
}

static void
give_up_promise (void)
{
  n_promised--;
  promise_next ();
}

static gboolean
receive_item (Actor *self, GError **error)
{
  guint at_once = model_receive (self);
  guint item = item_take (gtx_channel_receive (channel, error));

  if (item == 0)
    {
      g_assert_cmpuint (at_once, ==, 0);
      assert_failed (self, *error);
      if (self->state == SERVED)
        give_up_promise ();
      return FALSE;
    }
  if (at_once == 0)
    {
      g_assert_true (self->state == SERVED && !self->asked);
      n_promised--;
      at_once = remove_item ();
    }
  g_assert_cmpuint (item, ==, at_once);
  return TRUE;
}

/* ---- What happens at random ---- */

static GPtrArray *actors;       /* whose tasks have not ended, as far as is known */
static guint last_item;

static void
forget_ended (void)
{
  for (guint i = actors->len; i-- > 0;)
    {
      Actor *actor = actors->pdata[i];

      if (!gtx_future_is_done (actor->task))
        continue;
      gtx_future_get_error (actor->task);
      g_object_unref (actor->task);
      g_free (actor);
      g_ptr_array_remove_index (actors, i);
    }
}

static void
turn (Puppet *puppet)
{
  puppet_turn (puppet);
  for (guint i = 0; i < actors->len; i++)
    {
      Actor *actor = actors->pdata[i];

      /* Those that are left wait in line. */
      if (actor->puppet == puppet && !gtx_future_is_done (actor->task))
        g_assert_cmpint (actor->state, ==, WAITS);
    }
  forget_ended ();
}

/* The context has nothing else to do, so that the task begins at once and without a break. */
static void
begin_actor (Puppet *puppet, gboolean is_sender)
{
  Actor *actor;

  turn (puppet);
  if (actors->len >= MOST_ALIVE)
    return;
  actor = g_new0 (Actor, 1);
  actor->puppet = puppet;
  actor->item = is_sender ? ++last_item : 0;
  actor->task = gtx_create_task_in (puppet->context, is_sender ? send_item : receive_item, actor, NULL);
  g_ptr_array_add (actors, actor);
  turn (puppet);
}

static void
ask (Actor *actor)
{
  puppet_cancel (actor->puppet, actor->task);
  actor->asked = TRUE;
  if (actor->state == WAITS)
    {
      g_ptr_array_remove (line, actor);
      actor->state = ASKED;
    }
}

static void
try_send_item (void)
{
  last_item++;
  if (gtx_channel_try_send (channel, item_new (last_item), NULL))
    {
      g_assert_true (!is_closed && has_room ());
      add_item (last_item);
      return;
    }
  g_assert_true (is_closed || !has_room ());
  g_assert_cmpuint (n_lost, ==, ++n_unsent);
}

static void
try_receive_item (void)
{
  g_autoptr (GError) error = NULL;
  guint item = item_take (gtx_channel_try_receive (channel, &error));

  if (item == 0)
    {
      g_assert_cmpuint (count_free_items (), ==, 0);
      g_assert_cmpint (error->domain == GTX_ERROR ? error->code : -1, ==,
                       is_closed && items->len == 0 ? GTX_ERROR_QUEUE_SHUT_DOWN : GTX_ERROR_QUEUE_EMPTY);
      return;
    }
  g_assert_cmpuint (count_free_items (), >, 0);
  g_assert_cmpuint (item, ==, remove_item ());
}

static void
close_channel (void)
{
  gtx_channel_close (channel);
  is_closed = TRUE;
  refuse_all (TRUE);
  if (items->len == 0)
    refuse_all (FALSE);
}

static void
step (GRand *rand)
{
  Puppet *puppet = &puppets[g_rand_int_range (rand, 0, N_PUPPETS)];

  switch (g_rand_int_range (rand, 0, 12))
    {
    case 0: case 1: case 2: begin_actor (puppet, TRUE); break;
    case 3: case 4: case 5: begin_actor (puppet, FALSE); break;
    case 6: turn (puppet); break;
    case 7: try_send_item (); break;
    case 8: try_receive_item (); break;
    case 9: if (g_rand_int_range (rand, 0, 50) == 0) close_channel (); break;
    default: if (actors->len > 0) ask (actors->pdata[g_rand_int_range (rand, 0, (gint32) actors->len)]);
    }
  g_assert_cmpuint (gtx_channel_get_size (channel), ==, count_free_items ());
}

static void
end_round (void)
{
  for (guint i = 0; i < actors->len; i++)
    ask (actors->pdata[i]);
  for (guint i = 0; i < N_PUPPETS; i++)
    turn (&puppets[i]);
  g_assert_cmpuint (actors->len, ==, 0);
  g_assert_cmpuint (n_promised, ==, 0);
  while (items->len > 0)
    try_receive_item ();
  close_channel ();
  try_receive_item ();
}

static void
play (guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  g_test_message ("seed %u", seed);
  capacity = (guint) g_rand_int_range (rand, 0, 4);
  channel = gtx_channel_new (capacity, item_lost);
  items = g_array_new (FALSE, FALSE, sizeof (guint));
  line = g_ptr_array_new ();
  actors = g_ptr_array_new ();
  is_closed = FALSE;
  n_promised = n_unsent = n_lost = last_item = 0;
  for (guint i = 0; i < N_STEPS; i++)
    step (rand);
  end_round ();
  g_assert_cmpint (G_OBJECT (channel)->ref_count, ==, 1);
  g_object_unref (channel);
  g_array_unref (items);
  g_ptr_array_unref (line);
  g_ptr_array_unref (actors);
}

static void
test_model (void)
{
  guint n_rounds = RUNNING_ON_VALGRIND ? 10 : g_test_thorough () ? 1000 : 100;

  for (guint i = 0; i < N_PUPPETS; i++)
    puppet_begin (&puppets[i]);
  for (guint i = 0; i < n_rounds; i++)
    play (g_test_rand_int () & G_MAXINT32);
  for (guint i = 0; i < N_PUPPETS; i++)
    puppet_end (&puppets[i]);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/channel-model/random", test_model);
  return g_test_run ();
}
