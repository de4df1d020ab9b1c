/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dialogs in the middle of a task. */

#include "gtask-ext-gtk4/dialog.h"

#include "gtask-ext/error.h"
#include "gtask-ext/future.h"
#include "gtask-ext/sleep.h"

/* ---- A dialog that is shown until it is answered ---- */

typedef struct
{
  gpointer dialog;
  GtxFuture *answered;
  int response;
} Answer;

/* That a dialog goes is the weakest of answers: a native dialog is hidden before it says what the
 * user chose.  Of others the first counts. */
static void
answer (Answer *self,
        int     response)
{
  if (self->response == GTK_RESPONSE_NONE)
    self->response = response;
  gtx_future_set_result (self->answered, NULL, NULL);
}

static void
on_response (gpointer  dialog,
             int       response,
             Answer   *self)
{
  answer (self, response);
}

/* The dialog may still refuse to be closed. */
static gboolean
on_close_request (GtkWindow *dialog,
                  Answer    *self)
{
  self->response = GTK_RESPONSE_DELETE_EVENT;
  return FALSE;
}

static void
on_visible (GtkNativeDialog *dialog,
            GParamSpec      *pspec,
            Answer          *self)
{
  if (!gtk_native_dialog_get_visible (dialog))
    answer (self, GTK_RESPONSE_NONE);
}

static GtkWindow *
get_parent (gpointer dialog)
{
  return GTK_IS_NATIVE_DIALOG (dialog) ? gtk_native_dialog_get_transient_for (dialog)
                                       : gtk_window_get_transient_for (dialog);
}

/* A window that is hidden or destroyed.  "destroy" would come too late: a window is not disposed
 * while there are references to it. */
static void
on_unmap (GtkWindow *window,
          Answer    *self)
{
  answer (self, GTK_RESPONSE_NONE);
}

/* GTK takes the parent from a dialog when the parent is destroyed.  The program may have given the
 * dialog another one. */
static void
on_unmap_parent (GtkWindow *parent,
                 Answer    *self)
{
  GtkWindow *now = get_parent (self->dialog);

  if (now == parent || now == NULL)
    answer (self, GTK_RESPONSE_NONE);
}

static void
show (gpointer dialog)
{
  if (GTK_IS_NATIVE_DIALOG (dialog))
    gtk_native_dialog_show (dialog);
  else
    gtk_window_present (dialog);
}

static void
destroy (gpointer dialog)
{
  if (GTK_IS_NATIVE_DIALOG (dialog))
    gtk_native_dialog_destroy (dialog);
  else
    gtk_window_destroy (dialog);
}

static void
listen (Answer   *self,
        gpointer  dialog)
{
  GtkWindow *parent = get_parent (dialog);

  if (g_signal_lookup ("response", G_OBJECT_TYPE (dialog)) != 0)
    g_signal_connect (dialog, "response", G_CALLBACK (on_response), self);
  else
    g_signal_connect (dialog, "close-request", G_CALLBACK (on_close_request), self);
  if (GTK_IS_NATIVE_DIALOG (dialog))
    g_signal_connect (dialog, "notify::visible", G_CALLBACK (on_visible), self);
  else
    g_signal_connect (dialog, "unmap", G_CALLBACK (on_unmap), self);
  if (parent)
    g_signal_connect (parent, "unmap", G_CALLBACK (on_unmap_parent), self);
}

static void
stop_listening (Answer   *self,
                gpointer  dialog,
                gpointer  parent)
{
  g_signal_handlers_disconnect_by_data (dialog, self);
  if (parent)
    g_signal_handlers_disconnect_by_data (parent, self);
}

/**
 * gtx_dialog_run:
 * @dialog: (type GObject.Object): a #GtkNativeDialog, or a #GtkWindow such as a #GtkDialog
 * @response: (out) (optional): return location for the answer
 * @error: return location for a #GError, or %NULL
 *
 * Shows a dialog, suspends the current task until the user has answered it, and destroys it.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GtkFileChooserNative) chooser = gtk_file_chooser_native_new (...);
 *
 * if (!gtx_dialog_run (chooser, &response, error))
 *   return FALSE;
 * ]|
 *
 * The answer is that of the signal `response`, %GTK_RESPONSE_DELETE_EVENT if the user closed a
 * window that has no such signal, and %GTK_RESPONSE_NONE if other code hid or destroyed the
 * dialog, or its parent.  The dialog is destroyed in any case: take references to the widgets in
 * it whose contents are wanted afterwards.
 *
 * Sets %G_IO_ERROR_CANCELLED if the task is cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 * To be called in GTK's thread.
 *
 * Returns: %TRUE when the dialog was answered, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_dialog_run (gpointer   dialog,
                int       *response,
                GError   **error)
{
  g_autoptr (GtkWindow) parent = NULL;
  g_autoptr (GtxFuture) answered = NULL;
  Answer answer;
  gboolean succeeded;

  g_return_val_if_fail (GTK_IS_NATIVE_DIALOG (dialog) || GTK_IS_WINDOW (dialog), FALSE);

  g_object_ref (dialog);
  g_set_object (&parent, get_parent (dialog));
  answered = gtx_future_new ();
  answer = (Answer) { dialog, answered, GTK_RESPONSE_NONE };
  listen (&answer, dialog);
  show (dialog);
  succeeded = gtx_await (answered, error);
  stop_listening (&answer, dialog, parent);
  destroy (dialog);
  g_object_unref (dialog);
  /* What ended the dialog may have cancelled the task as well, as the end of a window does. */
  if (!succeeded || (answer.response == GTK_RESPONSE_NONE && !gtx_sleep (0, error)))
    return FALSE;
  if (response)
    *response = answer.response;
  return TRUE;
}

/* ---- Messages ---- */

static GtkWindow *
window_of (gpointer parent)
{
  GtkRoot *root = parent ? gtk_widget_get_root (parent) : NULL;

  return GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL;
}

static GtkWidget *
message_dialog_new (gpointer           parent,
                    const char        *message,
                    const char        *detail,
                    const char *const *buttons)
{
  GtkWidget *dialog = gtk_message_dialog_new (window_of (parent), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                                              GTK_MESSAGE_OTHER, GTK_BUTTONS_NONE, "%s", message);
  int n = 0;

  if (detail)
    gtk_message_dialog_format_secondary_text (GTK_MESSAGE_DIALOG (dialog), "%s", detail);
  for (; buttons[n]; n++)
    gtk_dialog_add_button (GTK_DIALOG (dialog), buttons[n], n);
  gtk_dialog_set_default_response (GTK_DIALOG (dialog), n - 1);
  return dialog;
}

/**
 * gtx_dialog_choose:
 * @parent: (type Gtk.Widget) (nullable): a widget; the dialog belongs to its window
 * @message: what the user is asked
 * @detail: (nullable): more of it, in smaller letters
 * @buttons: (array zero-terminated=1): the labels of the buttons, at least one; an underscore
 *   comes before a mnemonic
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until the user has chosen one of several buttons.
 *
 * |[<!-- language="C" -->
 * static const char *const buttons[] = { "_Cancel", "_Discard", "_Save", NULL };
 *
 * switch (gtx_dialog_choose (self, "Save the changes?", NULL, buttons, error))
 *   ...
 * ]|
 *
 * The first button is the one that changes nothing: to press Escape or to close the dialog chooses
 * it, and so does other code that destroys the dialog or its parent.  The last button is the
 * default one.
 *
 * Sets %G_IO_ERROR_CANCELLED if the task is cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 * To be called in GTK's thread.
 *
 * Returns: the index of the button, from 0; or -1 with @error set
 *
 * Since: 0.1
 */
int
gtx_dialog_choose (gpointer            parent,
                   const char         *message,
                   const char         *detail,
                   const char *const  *buttons,
                   GError            **error)
{
  int response;

  g_return_val_if_fail (parent == NULL || GTK_IS_WIDGET (parent), -1);
  g_return_val_if_fail (message != NULL, -1);
  g_return_val_if_fail (buttons != NULL && buttons[0] != NULL, -1);

  if (!gtx_dialog_run (message_dialog_new (parent, message, detail, buttons), &response, error))
    return -1;
  return MAX (response, 0);
}

/**
 * gtx_dialog_show_message:
 * @parent: (type Gtk.Widget) (nullable): a widget; the dialog belongs to its window
 * @message: what the user is told
 * @detail: (nullable): more of it, in smaller letters
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until the user has closed a message.
 *
 * Sets %G_IO_ERROR_CANCELLED if the task is cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 * To be called in GTK's thread.
 *
 * Returns: %TRUE when the message is closed, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_dialog_show_message (gpointer     parent,
                         const char  *message,
                         const char  *detail,
                         GError     **error)
{
  static const char *const buttons[] = { "_Close", NULL };

  return gtx_dialog_choose (parent, message, detail, buttons, error) >= 0;
}

/* ---- Files ---- */

static gboolean
run_chooser (gpointer               parent,
             const char            *title,
             GtkFileChooserAction   action,
             GFile                 *folder,
             const char            *name,
             GFile                **file,
             GError               **error)
{
  g_autoptr (GtkFileChooserNative) chooser =
    gtk_file_chooser_native_new (title, window_of (parent), action, NULL, NULL);
  int response;

  if (folder)
    gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (chooser), folder, NULL);
  if (name)
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (chooser), name);
  *file = NULL;
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (chooser), TRUE);
  if (!gtx_dialog_run (chooser, &response, error))
    return FALSE;
  if (response == GTK_RESPONSE_ACCEPT)
    *file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (chooser));
  return TRUE;
}

/**
 * gtx_dialog_open_file:
 * @parent: (type Gtk.Widget) (nullable): a widget; the dialog belongs to its window
 * @title: the title of the dialog
 * @file: (out) (transfer full) (nullable): return location for the file; %NULL if the user chose none
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until the user has chosen a file to open.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GFile) file = NULL;
 *
 * if (!gtx_dialog_open_file (self, "Open", &file, error))
 *   return FALSE;
 * if (file)
 *   return load (self, file, error);
 * ]|
 *
 * For filters and the like, give a #GtkFileChooserNative to gtx_dialog_run(); with GTK 4.10 or
 * newer, `gtk_file_dialog_open (dialog, window, GTX_ASYNC)` does as well.
 *
 * Sets %G_IO_ERROR_CANCELLED if the task is cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task;
 * @file is %NULL then.  To be called in GTK's thread.
 *
 * Returns: %TRUE when the user has closed the dialog, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_dialog_open_file (gpointer     parent,
                      const char  *title,
                      GFile      **file,
                      GError     **error)
{
  g_return_val_if_fail (parent == NULL || GTK_IS_WIDGET (parent), FALSE);
  g_return_val_if_fail (file != NULL, FALSE);

  return run_chooser (parent, title, GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL, file, error);
}

/**
 * gtx_dialog_save_file:
 * @parent: (type Gtk.Widget) (nullable): a widget; the dialog belongs to its window
 * @title: the title of the dialog
 * @folder: (nullable): the folder that is shown first
 * @name: (nullable): the name that is proposed
 * @file: (out) (transfer full) (nullable): return location for the file; %NULL if the user chose none
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until the user has chosen where to save a file.
 *
 * Errors, and where it may be called, are as for gtx_dialog_open_file().
 *
 * Returns: %TRUE when the user has closed the dialog, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_dialog_save_file (gpointer     parent,
                      const char  *title,
                      GFile       *folder,
                      const char  *name,
                      GFile      **file,
                      GError     **error)
{
  g_return_val_if_fail (parent == NULL || GTK_IS_WIDGET (parent), FALSE);
  g_return_val_if_fail (folder == NULL || G_IS_FILE (folder), FALSE);
  g_return_val_if_fail (file != NULL, FALSE);

  return run_chooser (parent, title, GTK_FILE_CHOOSER_ACTION_SAVE, folder, name, file, error);
}

/**
 * gtx_dialog_select_folder:
 * @parent: (type Gtk.Widget) (nullable): a widget; the dialog belongs to its window
 * @title: the title of the dialog
 * @folder: (out) (transfer full) (nullable): return location for the folder; %NULL if the user chose none
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until the user has chosen a folder.
 *
 * Errors, and where it may be called, are as for gtx_dialog_open_file().
 *
 * Returns: %TRUE when the user has closed the dialog, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_dialog_select_folder (gpointer     parent,
                          const char  *title,
                          GFile      **folder,
                          GError     **error)
{
  g_return_val_if_fail (parent == NULL || GTK_IS_WIDGET (parent), FALSE);
  g_return_val_if_fail (folder != NULL, FALSE);

  return run_chooser (parent, title, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, NULL, NULL, folder, error);
}
