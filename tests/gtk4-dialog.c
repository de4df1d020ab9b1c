/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dialogs in the middle of a task: whatever ends them, the task goes on. */

#include "gtk4-driver.h"

static const char *const buttons[] = { "_Cancel", "_Discard", "_Save", NULL };

/* What a task asks, and what it got. */
typedef struct
{
  GtkWindow *parent;            /* a weak pointer */
  int chosen;
  GFile *file;
  GError *failure;
  gboolean is_done;
} Case;

static gboolean
choose (Case *self, GError **error)
{
  self->chosen = gtx_dialog_choose (self->parent, "Save the changes?", "They are lost otherwise.", buttons, &self->failure);
  self->is_done = TRUE;
  return TRUE;
}

static gboolean
open_file (Case *self, GError **error)
{
  gboolean succeeded = gtx_dialog_open_file (self->parent, "Open", &self->file, &self->failure);

  g_assert_true (succeeded == (self->failure == NULL));
  self->is_done = TRUE;
  return TRUE;
}

static gboolean
save_file (Case *self, GError **error)
{
  g_autoptr (GFile) folder = g_file_new_for_path (g_get_tmp_dir ());

  gtx_dialog_save_file (self->parent, "Save", folder, "name.txt", &self->file, &self->failure);
  self->is_done = TRUE;
  return TRUE;
}

static GtxTask *
begin (Case *self, GtxCoroutine coroutine)
{
  *self = (Case) { 0 };
  g_set_weak_pointer (&self->parent, show_window ());
  return gtx_scope_create_task (gtx_widget_attach (self->parent), coroutine, self, NULL);
}

static void
end (Case *self)
{
  iterate_until (self->is_done && no_tasks ());
  g_assert_null (find_dialog (GTK_TYPE_DIALOG));
  if (self->parent)
    gtk_window_destroy (self->parent);
  g_clear_weak_pointer (&self->parent);
  g_clear_object (&self->file);
  g_clear_error (&self->failure);
}

/* ---- Choosing ---- */

static void
assert_chosen (Case *self, int chosen)
{
  iterate_until (self->is_done);
  g_assert_no_error (self->failure);
  g_assert_cmpint (self->chosen, ==, chosen);
}

static void
test_choose (void)
{
  for (int i = 0; i < 3; i++)
    {
      Case self;
      GtkDialog *dialog;

      begin (&self, (GtxCoroutine) choose);
      dialog = wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
      g_assert_true (gtk_window_get_transient_for (GTK_WINDOW (dialog)) == self.parent);
      g_assert_true (gtk_window_get_modal (GTK_WINDOW (dialog)));
      g_signal_emit_by_name (gtk_dialog_get_widget_for_response (dialog, i), "clicked");
      assert_chosen (&self, i);
      end (&self);
    }
}

static void
test_closed (void)
{
  Case self;

  begin (&self, (GtxCoroutine) choose);
  gtk_window_close (GTK_WINDOW (wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG)));
  assert_chosen (&self, 0);
  end (&self);
}

static void
test_destroyed (void)
{
  Case self;

  begin (&self, (GtxCoroutine) choose);
  gtk_window_destroy (GTK_WINDOW (wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG)));
  assert_chosen (&self, 0);
  end (&self);
}

static void
test_hidden (void)
{
  Case self;

  begin (&self, (GtxCoroutine) choose);
  gtk_widget_set_visible (GTK_WIDGET (wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG)), FALSE);
  assert_chosen (&self, 0);
  end (&self);
}

static void
test_no_parent (void)
{
  Case self;
  GtkWindow *parent;

  begin (&self, (GtxCoroutine) choose);
  parent = self.parent;
  g_clear_weak_pointer (&self.parent);
  gtk_dialog_response (wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG), 1);
  assert_chosen (&self, 1);
  gtk_window_destroy (parent);
  end (&self);
}

/* ---- The end of the task ---- */

static void
assert_task_cancelled (Case *self)
{
  iterate_until (self->is_done);
  g_assert_error (self->failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (self->chosen, ==, -1);
  end (self);
}

static void
test_task_cancelled (void)
{
  Case self;
  GtxTask *task = begin (&self, (GtxCoroutine) choose);

  wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
  gtx_cancel (task);
  assert_task_cancelled (&self);
}

static void
test_parent_closed (void)
{
  Case self;

  begin (&self, (GtxCoroutine) choose);
  wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
  gtk_window_close (self.parent);
  assert_task_cancelled (&self);
}

/* The task, which belongs to the parent, learns that it is cancelled, and not how the dialog went. */
static void
test_parent_destroyed (void)
{
  Case self;

  begin (&self, (GtxCoroutine) choose);
  wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
  gtk_window_destroy (self.parent);
  assert_task_cancelled (&self);
}

/* A task that belongs to no window learns that nothing was chosen. */
static void
test_parent_of_another_destroyed (void)
{
  Case self = { 0 };

  g_set_weak_pointer (&self.parent, show_window ());
  g_object_unref (gtx_create_task (choose, &self, NULL));
  wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
  gtk_window_destroy (self.parent);
  assert_chosen (&self, 0);
  end (&self);
}

static gboolean
choose_in_time (Case *self, GError **error)
{
  return gtx_call_with_timeout (0.01, choose, self, error);
}

static void
test_timed_out (void)
{
  Case self;

  begin (&self, (GtxCoroutine) choose_in_time);
  assert_task_cancelled (&self);
}

static void
test_outside_a_task (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (gtx_dialog_choose (NULL, "Message", NULL, buttons, &error), ==, -1);
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_null (find_dialog (GTK_TYPE_DIALOG));
}

/* ---- A window of the program's own ---- */

typedef struct
{
  GtkWindow *window;
  GtkWidget *entry;
  int response;
  char *text;
} Own;

static gboolean
run_own (Own *self, GError **error)
{
  g_autoptr (GtkWidget) entry = g_object_ref (self->entry);

  if (!gtx_dialog_run (self->window, &self->response, error))
    return FALSE;
  self->text = g_strdup (gtk_editable_get_text (GTK_EDITABLE (entry)));
  return TRUE;
}

static void
test_own_window (void)
{
  Own own = { GTK_WINDOW (gtk_window_new ()), gtk_entry_new (), 0, NULL };

  gtk_window_set_child (own.window, own.entry);
  g_object_unref (gtx_create_task (run_own, &own, NULL));
  iterate_until (gtk_widget_get_mapped (GTK_WIDGET (own.window)));
  settle (own.window);
  gtk_editable_set_text (GTK_EDITABLE (own.entry), "typed");
  gtk_window_close (own.window);
  iterate_until (no_tasks ());
  g_assert_cmpint (own.response, ==, GTK_RESPONSE_DELETE_EVENT);
  g_assert_cmpstr (own.text, ==, "typed");
  g_free (own.text);
}

static gboolean
refuse (GtkWindow *window, gboolean *refuses)
{
  return *refuses;
}

/* A window that does not let itself be closed is not answered. */
static void
test_refuses (void)
{
  Own own = { GTK_WINDOW (gtk_window_new ()), gtk_entry_new (), 0, NULL };
  gboolean refuses = TRUE;

  gtk_window_set_child (own.window, own.entry);
  g_signal_connect_after (own.window, "close-request", G_CALLBACK (refuse), &refuses);
  g_object_unref (gtx_create_task (run_own, &own, NULL));
  iterate_until (gtk_widget_get_mapped (GTK_WIDGET (own.window)));
  settle (own.window);
  gtk_window_close (own.window);
  iterate ();
  g_assert_false (no_tasks ());
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (own.window)));
  refuses = FALSE;
  gtk_window_close (own.window);
  iterate_until (no_tasks ());
  g_assert_cmpint (own.response, ==, GTK_RESPONSE_DELETE_EVENT);
  g_free (own.text);
}

/* The end of a window that is not the parent any more does not end the dialog. */
static void
test_other_parent (void)
{
  Case self;
  GtkDialog *dialog;
  GtkWindow *splash = show_window ();

  begin (&self, (GtxCoroutine) choose);
  dialog = wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
  gtk_window_set_transient_for (GTK_WINDOW (dialog), splash);
  gtk_widget_set_visible (GTK_WIDGET (self.parent), FALSE);
  iterate ();
  g_assert_false (self.is_done);
  gtk_dialog_response (dialog, 2);
  assert_chosen (&self, 2);
  gtk_window_destroy (splash);
  end (&self);
}

/* ---- Files ---- */

static void
test_no_file (void)
{
  Case self;

  begin (&self, (GtxCoroutine) open_file);
  gtk_dialog_response (wait_for_dialog (GTK_TYPE_FILE_CHOOSER), GTK_RESPONSE_CANCEL);
  iterate_until (self.is_done);
  g_assert_no_error (self.failure);
  g_assert_null (self.file);
  end (&self);
}

static void
test_save (void)
{
  Case self;
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "name.txt", NULL);
  g_autofree char *saved = NULL;

  begin (&self, (GtxCoroutine) save_file);
  gtk_dialog_response (wait_for_chooser (), GTK_RESPONSE_ACCEPT);
  iterate_until (self.is_done);
  g_assert_no_error (self.failure);
  saved = g_file_get_path (self.file);
  g_assert_cmpstr (saved, ==, path);
  end (&self);
}

static void
test_chooser_cancelled (void)
{
  Case self;
  GtxTask *task = begin (&self, (GtxCoroutine) open_file);

  wait_for_dialog (GTK_TYPE_FILE_CHOOSER);
  gtx_cancel (task);
  iterate_until (self.is_done);
  g_assert_error (self.failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  end (&self);
}

static void
test_chooser_parent_destroyed (void)
{
  Case self;

  begin (&self, (GtxCoroutine) open_file);
  wait_for_dialog (GTK_TYPE_FILE_CHOOSER);
  gtk_window_destroy (self.parent);
  iterate_until (self.is_done);
  g_assert_error (self.failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  end (&self);
}

/* ---- GTK's own operations ---- */

#if GTK_CHECK_VERSION (4, 10, 0)

/* The rest of the project is for GTK 4.8. */
G_GNUC_BEGIN_IGNORE_DEPRECATIONS

static gboolean
choose_with_gtk (Case *self, GError **error)
{
  g_autoptr (GtkAlertDialog) dialog = gtk_alert_dialog_new ("Save the changes?");

  gtk_alert_dialog_set_buttons (dialog, buttons);
  gtk_alert_dialog_choose (dialog, self->parent, GTX_ASYNC);
  self->chosen = gtk_alert_dialog_choose_finish (dialog, gtx_await_result (), &self->failure);
  self->is_done = TRUE;
  if (self->failure)
    g_propagate_error (error, g_error_copy (self->failure));
  return self->failure == NULL;
}

static void
test_gtk_answered (void)
{
  Case self;

  begin (&self, (GtxCoroutine) choose_with_gtk);
  gtk_dialog_response (wait_for_dialog (GTK_TYPE_DIALOG), 1);
  assert_chosen (&self, 1);
  end (&self);
}

/* GTK's own error for this is GTK_DIALOG_ERROR_CANCELLED. */
static void
assert_gtk_cancelled (Case *self, GtxTask *task)
{
  iterate_until (gtx_future_is_done (task));
  g_assert_error (self->failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (gtx_future_is_cancelled (task));
  g_object_unref (task);
  end (self);
}

static void
test_gtk_cancelled (void)
{
  Case self;
  GtxTask *task = g_object_ref (begin (&self, (GtxCoroutine) choose_with_gtk));

  wait_for_dialog (GTK_TYPE_DIALOG);
  gtx_cancel (task);
  assert_gtk_cancelled (&self, task);
}

static void
test_gtk_window_closed (void)
{
  Case self;
  GtxTask *task = g_object_ref (begin (&self, (GtxCoroutine) choose_with_gtk));

  wait_for_dialog (GTK_TYPE_DIALOG);
  gtk_window_close (self.parent);
  assert_gtk_cancelled (&self, task);
}

static gboolean
open_with_gtk (Case *self, GError **error)
{
  g_autoptr (GtkFileDialog) dialog = gtk_file_dialog_new ();

  gtk_file_dialog_open (dialog, self->parent, GTX_ASYNC);
  self->file = gtk_file_dialog_open_finish (dialog, gtx_await_result (), &self->failure);
  self->is_done = TRUE;
  if (self->failure)
    g_propagate_error (error, g_error_copy (self->failure));
  return self->failure == NULL;
}

static void
test_gtk_file_cancelled (void)
{
  Case self;
  GtxTask *task = g_object_ref (begin (&self, (GtxCoroutine) open_with_gtk));

  wait_for_dialog (GTK_TYPE_FILE_CHOOSER);
  gtx_cancel (task);
  assert_gtk_cancelled (&self, task);
}

G_GNUC_END_IGNORE_DEPRECATIONS

#endif

void
add_tests (void)
{
#if GTK_CHECK_VERSION (4, 10, 0)
  g_test_add_func ("/gtk4-dialog/gtk/answered", test_gtk_answered);
  g_test_add_func ("/gtk4-dialog/gtk/cancelled", test_gtk_cancelled);
  g_test_add_func ("/gtk4-dialog/gtk/window-closed", test_gtk_window_closed);
  g_test_add_func ("/gtk4-dialog/gtk/file-cancelled", test_gtk_file_cancelled);
#endif

  g_test_add_func ("/gtk4-dialog/choose", test_choose);
  g_test_add_func ("/gtk4-dialog/closed", test_closed);
  g_test_add_func ("/gtk4-dialog/destroyed", test_destroyed);
  g_test_add_func ("/gtk4-dialog/hidden", test_hidden);
  g_test_add_func ("/gtk4-dialog/no-parent", test_no_parent);
  g_test_add_func ("/gtk4-dialog/task-cancelled", test_task_cancelled);
  g_test_add_func ("/gtk4-dialog/parent-closed", test_parent_closed);
  g_test_add_func ("/gtk4-dialog/parent-destroyed", test_parent_destroyed);
  g_test_add_func ("/gtk4-dialog/parent-of-another-destroyed", test_parent_of_another_destroyed);
  g_test_add_func ("/gtk4-dialog/timed-out", test_timed_out);
  g_test_add_func ("/gtk4-dialog/outside-a-task", test_outside_a_task);
  g_test_add_func ("/gtk4-dialog/own-window", test_own_window);
  g_test_add_func ("/gtk4-dialog/refuses", test_refuses);
  g_test_add_func ("/gtk4-dialog/other-parent", test_other_parent);
  g_test_add_func ("/gtk4-dialog/no-file", test_no_file);
  g_test_add_func ("/gtk4-dialog/save", test_save);
  g_test_add_func ("/gtk4-dialog/chooser-cancelled", test_chooser_cancelled);
  g_test_add_func ("/gtk4-dialog/chooser-parent-destroyed", test_chooser_parent_destroyed);
}
