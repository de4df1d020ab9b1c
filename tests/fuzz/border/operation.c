/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "operation.h"

#include <stdlib.h>
#include <string.h>

__thread int cancelling;

guint
index_of (const char *word, const char *const *words)
{
  guint i = 0;

  while (words[i] && strcmp (words[i], word) != 0)
    i++;
  if (words[i] == NULL)
    g_error ("%s: this word is not known", word);
  return i;
}

static OperationEnd
end_of (const char *word)
{
  static const char *const ends[] = {
    "succeed", "fail", "obey", "abort", "cancel_succeed", "cancel_fail", NULL
  };

  return index_of (word, ends);
}

/* ---- A result that is no GTask ---- */

typedef struct
{
  GObject parent_instance;
  gpointer data;
  GError *error;
} OtherResult;

typedef GObjectClass OtherResultClass;

static gpointer
get_user_data (GAsyncResult *result)
{
  return ((OtherResult *) result)->data;
}

static GObject *
get_source (GAsyncResult *result)
{
  return NULL;
}

static void
result_init (GAsyncResultIface *interface)
{
  interface->get_user_data = get_user_data;
  interface->get_source_object = get_source;
}

static GType other_result_get_type (void);

G_DEFINE_TYPE_WITH_CODE (OtherResult, other_result, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, result_init))

static void
other_result_finalize (GObject *object)
{
  g_clear_error (&((OtherResult *) object)->error);
  G_OBJECT_CLASS (other_result_parent_class)->finalize (object);
}

static void
other_result_class_init (OtherResultClass *class)
{
  class->finalize = other_result_finalize;
}

static void
other_result_init (OtherResult *self)
{
}

/* ---- An operation ---- */

Operation *
operation_new (Task *owner, char **words)
{
  static const char *const kinds[] = { "task", "blind", "deaf", "own", "other", NULL };
  static const char *const whens[] = { "now", "late", "thread", "elsewhere", NULL };
  Operation *self = g_new0 (Operation, 1);

  self->owner = owner;
  self->home = owner->home;
  self->kind = index_of (words[0], kinds);
  self->when = index_of (words[1], whens);
  self->end = end_of (words[2]);
  self->moments = (guint) atoi (words[3]);
  self->n_references = 1;
  return self;
}

static Operation *
operation_ref (Operation *self)
{
  g_atomic_int_inc (&self->n_references);
  return self;
}

/* Not to be called inside the GCancellable's signal, where disconnecting would wait for itself. */
static void
stop_watching (Operation *self)
{
  g_cancellable_disconnect (self->cancellable, self->handler);
  self->handler = 0;
}

void
operation_unref (Operation *self)
{
  if (!g_atomic_int_dec_and_test (&self->n_references))
    return;
  g_clear_object (&self->cancellable);
  g_clear_object (&self->result);
  g_free (self);
}

gboolean
operation_obeys (const Operation *self)
{
  return self->end == OBEY || self->end == ABORT;
}

static void
on_ready (GObject *source, GAsyncResult *result, gpointer data)
{
  Operation *self = data;

  mark (&self->has_called_back);
  self->callback (source, result, self->data);
}

static GError *
own_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "It failed by itself");
}

static GError *
end_error (Operation *self, gboolean cancelled)
{
  if (cancelled)
    {
      mark (&self->says_cancelled);
      return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "It was cancelled");
    }
  return self->end == FAIL_BY_ITSELF || self->end == CANCEL_AND_FAIL ? own_error () : NULL;
}

static gboolean
call_back (gpointer data)
{
  Operation *self = data;

  on_ready (NULL, self->result, self);
  operation_unref (self);
  return G_SOURCE_REMOVE;
}

static void
settle (Operation *self, gboolean cancelled)
{
  GError *error = end_error (self, cancelled);

  if (self->kind == OTHER)
    ((OtherResult *) self->result)->error = error;
  else if (error)
    g_task_return_error (G_TASK (self->result), error);
  else
    g_task_return_boolean (G_TASK (self->result), TRUE);
}

/* A GTask that calls back by itself has the callback. */
static gboolean
calls_back_by_itself (Operation *self)
{
  return self->kind != OTHER && (self->when == LATE || self->when == IN_THREAD) && self->end != ABORT;
}

/* An operation of kind OWN cancels a GCancellable of its own, which is no request to the task. */
static void
book_cancelling (Operation *self)
{
  if (self->kind == OWN)
    return;
  if (home_here () == self->home)
    book_request (self->owner);
  else
    {
      book_elsewhere (self->owner);
      mark (&self->has_cancelled);
    }
}

static void
cancel_itself (Operation *self)
{
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  book_cancelling (self);
  cancelling++;
  g_cancellable_cancel (self->cancellable);
  cancelling--;
}

/* Returns whether this caller is the first to end the operation. */
static gboolean
claim (Operation *self)
{
  return g_atomic_int_compare_and_exchange (&self->has_ended, FALSE, TRUE);
}

/* Takes a reference.  May be called in any thread. */
static void
end (Operation *self, gboolean cancelled)
{
  if (self->end >= CANCEL_AND_SUCCEED && self->cancellable)
    cancel_itself (self);
  settle (self, cancelled);
  if (calls_back_by_itself (self))
    operation_unref (self);
  else if (self->when == IN_THREAD)
    do_in_loop (self->home, 0, call_back, self);
  else
    call_back (self);
}

static gboolean
end_by_itself (gpointer data)
{
  Operation *self = data;

  if (self->kind == OWN && operation_obeys (self))
    {
      cancel_itself (self);
      operation_unref (self);
    }
  else if (claim (self))
    end (self, FALSE);
  else
    operation_unref (self);
  return G_SOURCE_REMOVE;
}

static void
end_in_thread (gpointer data)
{
  g_usleep (((Operation *) data)->moments * moment);
  end_by_itself (data);
}

static gboolean
end_cancelled (gpointer data)
{
  end (data, TRUE);
  return G_SOURCE_REMOVE;
}

static void
end_cancelled_in_thread (gpointer data)
{
  end (data, TRUE);
}

/* May be called in any thread. */
static void
on_cancelled (GCancellable *cancellable, Operation *self)
{
  if (!claim (self))
    return;
  operation_ref (self);
  if (self->end == ABORT)
    end (self, TRUE);
  else if (self->when == NOW || self->when == LATE)
    do_in_loop (self->home, 0, end_cancelled, self);
  else
    do_in_thread (end_cancelled_in_thread, self);
}

static void
make_result (Operation *self)
{
  gboolean has_callback = calls_back_by_itself (self);

  if (self->kind == OTHER)
    {
      self->result = g_object_new (other_result_get_type (), NULL);
      return;
    }
  self->result = G_ASYNC_RESULT (g_task_new (NULL, self->cancellable, has_callback ? on_ready : NULL, self));
  g_task_set_check_cancellable (G_TASK (self->result), self->kind == TASK || self->kind == OWN);
}

void
operation_start (Operation *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  if (self->kind == OWN)
    self->cancellable = g_cancellable_new ();
  else if (self->kind != DEAF && cancellable)
    self->cancellable = g_object_ref (cancellable);
  self->callback = callback;
  self->data = data;
  make_result (self);
  operation_ref (self);
  if (operation_obeys (self) && self->cancellable)
    self->handler = g_cancellable_connect (self->cancellable, G_CALLBACK (on_cancelled), self, NULL);
  if (self->when == NOW)
    end_by_itself (self);
  else if (self->when == LATE)
    do_in_loop (self->home, self->moments, end_by_itself, self);
  else
    do_in_thread (end_in_thread, self);
}

gboolean
operation_finish (Operation *self, GAsyncResult *result, GError **error)
{
  if (self->handler)
    stop_watching (self);
  if (result != self->result)
    broken ("%s: an operation has got the result of another", self->owner->coroutine);
  if (self->kind != OTHER)
    return g_task_propagate_boolean (G_TASK (result), error);
  if (((OtherResult *) result)->error == NULL)
    return TRUE;
  g_propagate_error (error, g_error_copy (((OtherResult *) result)->error));
  return FALSE;
}

/* ---- A function for a thread ---- */

void
function_init (Function *self, Task *owner, char **words)
{
  self->owner = owner;
  self->end = end_of (words[0]);
  self->moments = (guint) atoi (words[1]);
}

static gboolean
waits_until_cancelled (Function *self, GCancellable *cancellable)
{
  for (guint i = 0; i <= self->moments; i++)
    {
      if (g_cancellable_is_cancelled (cancellable))
        return TRUE;
      g_usleep (moment);
    }
  return FALSE;
}

gboolean
function_run (Function *self, GCancellable *cancellable, GError **error)
{
  mark (&self->has_begun);
  if (self->end == OBEY || self->end == ABORT)
    {
      if (!waits_until_cancelled (self, cancellable))
        return TRUE;
      mark (&self->says_cancelled);
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "It was cancelled");
      return FALSE;
    }
  g_usleep (self->moments * moment);
  if (self->end >= CANCEL_AND_SUCCEED && !g_cancellable_is_cancelled (cancellable))
    {
      book_elsewhere (self->owner);
      mark (&self->has_cancelled);
      g_cancellable_cancel (cancellable);
    }
  if (self->end == SUCCEED || self->end == CANCEL_AND_SUCCEED)
    return TRUE;
  g_propagate_error (error, own_error ());
  return FALSE;
}
