/* An actor: one task owns a thing, and others send it messages. */
#include "recipes.h"

typedef struct
{
  GtxQueue *inbox;              /* of Messages */
  int balance;                  /* only the actor's task uses it */
} Account;

typedef struct
{
  int amount;
  int balance;                  /* the answer */
  GtxFuture *answered;
} Message;

/* A sender whose message is not answered does not wait for ever: its await fails with G_IO_ERROR_CANCELLED. */
static void
message_free (gpointer message)
{
  Message *self = message;

  gtx_cancel (self->answered);
  g_object_unref (self->answered);
  g_atomic_rc_box_release (self);
}

static gboolean
run_account (Account *self, GError **error)
{
  Message *message;

  while ((message = gtx_queue_get (self->inbox, error)))
    {
      message->balance = self->balance += message->amount;
      gtx_future_set_result (message->answered, NULL, NULL);
      message_free (message);
    }
  gtx_queue_shutdown (self->inbox, GTX_SHUTDOWN_IMMEDIATE);
  return FALSE;
}

/* The message has two owners: the sender may be cancelled before the actor gets to it. */
static gboolean
deposit (Account *account, int amount, int *balance, GError **error)
{
  g_autoptr (GtxFuture) answered = gtx_future_new ();
  Message *message = g_atomic_rc_box_new0 (Message);
  gboolean is_answered;

  *message = (Message) { .amount = amount, .answered = g_object_ref (answered) };
  is_answered = gtx_queue_put (account->inbox, g_atomic_rc_box_acquire (message), error) &&
                gtx_await (answered, error);
  if (is_answered)
    *balance = message->balance;
  g_atomic_rc_box_release (message);
  return is_answered;
}

gboolean
recipe_actor (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) inbox = gtx_queue_new (8, message_free);
  Account account = { inbox, 100 };
  g_autoptr (GtxTask) task = gtx_create_task (run_account, &account, NULL);
  g_autoptr (GError) failure = NULL;
  gboolean succeeded;
  int balance = 0;

  succeeded = deposit (&account, 20, &balance, error) && deposit (&account, -50, &balance, error);
  gtx_cancel (task);
  gtx_gather_list (GTX_GATHER_RETURN_ERRORS, NULL, task, NULL);
  if (!succeeded)
    return FALSE;
  g_print ("the balance is %d\n", balance);
  if (!deposit (&account, 1, &balance, &failure))
    g_print ("%s\n", failure->message);
  return TRUE;
}
