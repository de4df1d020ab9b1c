/* Leaves a function in a thread behind that takes no notice of its GCancellable. */
#include "recipes.h"

/* All that the thread uses belongs to the thread's task, and nothing to the task that asks. */
typedef struct
{
  char *words;
  GMutex *may_answer;           /* only so that this example knows when the thread ends */
} Question;

static void
question_free (Question *self)
{
  g_free (self->words);
  g_free (self);
}

/* Runs in a thread. */
static char *
look_up (Question *self, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (self->may_answer);
  g_mutex_unlock (self->may_answer);
  return g_strdup_printf ("the answer to %s", self->words);
}

static char *
look_up_apart (Question *question, GError **error)
{
  return gtx_to_thread_pointer (look_up, question, error);
}

/* A request to cancel ends the wait at once.  The thread is left behind, and its task frees the question and
 * the answer when the thread has ended. */
static char *
ask (Question *question, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (look_up_apart, question, (GDestroyNotify) question_free, g_free);
  g_autoptr (GtxFuture) shielded = gtx_shield (task);
  char *answer = gtx_await_pointer (shielded, error);

  if (answer == NULL)
    gtx_cancel (task);          /* for threads that do take notice */
  return answer;
}

static Question *
question_new (const char *words, GMutex *may_answer)
{
  Question *self = g_new (Question, 1);

  *self = (Question) { g_strdup (words), may_answer };
  return self;
}

gboolean
recipe_abandon (gpointer data, GError **error)
{
  static GMutex may_answer;
  g_autofree char *answer = ask (question_new ("the first question", &may_answer), error);
  g_autoptr (GtxTask) asking = NULL;
  g_autoptr (GError) failure = NULL;
  gboolean slept;

  if (answer == NULL)
    return FALSE;
  g_print ("%s\n", answer);

  g_mutex_lock (&may_answer);
  asking = gtx_create_task_pointer (ask, question_new ("the second question", &may_answer), NULL, g_free);
  slept = gtx_sleep (0, error);
  gtx_cancel (asking);
  if (slept && !gtx_await (asking, &failure))
    g_print ("%s\n", failure->message);
  g_mutex_unlock (&may_answer);
  return slept;
}
