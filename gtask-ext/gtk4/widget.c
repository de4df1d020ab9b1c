/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows and widgets whose tasks end with them. */

#include "gtask-ext-gtk4/widget.h"

#include "gtask-ext-gtk4/inspector.h"

#include "gtask-ext/error.h"
#include "gtask-ext/print.h"
#include "gtask-ext/sleep.h"
#include "gtask-ext/timeout.h"

/* How long a window waits for the tasks of its widgets before it tells of them. */
#define PATIENCE 2.0 /* seconds */

/* A window that is hidden, and will be destroyed. */
typedef struct
{
  GtkWindow *window;
  GApplication *application;    /* is held; NULL: the window has none */
  GPtrArray *scopes;            /* those that had tasks, the window's own not among them */
} Closing;

static G_DEFINE_QUARK (gtask-ext-attached, attached)
static G_DEFINE_QUARK (gtask-ext-closing, closing)
static G_DEFINE_QUARK (gtask-ext-held, held)
static G_DEFINE_QUARK (gtask-ext-listed, listed)

/* ---- What a window consists of ---- */

static void
add_scope (gpointer   widget,
           GPtrArray *scopes)
{
  GtxScope *scope;

  if (g_object_get_qdata (widget, attached_quark ()) == NULL)
    return;
  scope = gtx_object_get_scope (widget);
  if (gtx_scope_get_n_tasks (scope) > 0)
    g_ptr_array_add (scopes, g_object_ref (scope));
}

static void
add_scopes_below (GtkWidget *widget,
                  GPtrArray *scopes)
{
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child; child = gtk_widget_get_next_sibling (child))
    {
      add_scope (child, scopes);
      add_scopes_below (child, scopes);
    }
}

/* The windows that GTK destroys together with @window. */
static GPtrArray *
list_followers (GtkWindow *window)
{
  GListModel *all = gtk_window_get_toplevels ();
  GPtrArray *followers = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < g_list_model_get_n_items (all); i++)
    {
      g_autoptr (GtkWindow) other = g_list_model_get_item (all, i);

      if (gtk_window_get_transient_for (other) == window && gtk_window_get_destroy_with_parent (other))
        g_ptr_array_add (followers, g_steal_pointer (&other));
    }
  return followers;
}

/* Hides the window and what goes with it, and cancels the tasks of their widgets. */
static void
hide (GtkWindow *window,
      GPtrArray *scopes)
{
  g_autoptr (GPtrArray) followers = list_followers (window);

  gtk_widget_set_visible (GTK_WIDGET (window), FALSE);
  add_scopes_below (GTK_WIDGET (window), scopes);
  for (guint i = 0; i < followers->len; i++)
    {
      add_scope (followers->pdata[i], scopes);
      hide (followers->pdata[i], scopes);
    }
}

/* ---- The end of a window ---- */

static void
cancel_all (GPtrArray *scopes)
{
  for (guint i = 0; i < scopes->len; i++)
    gtx_scope_cancel (scopes->pdata[i]);
}

static gboolean
join_all (GPtrArray  *scopes,
          GError    **error)
{
  for (guint i = 0; i < scopes->len; i++)
    if (!gtx_scope_join (scopes->pdata[i], error))
      return FALSE;
  return TRUE;
}

static void
tell_what_is_left (GtkWindow *window)
{
  const char *title = gtk_window_get_title (window);

  g_warning ("The window \"%s\" was closed, and tasks of its widgets have not ended after two seconds:",
             title ? title : "");
  gtx_print_tasks ();
}

/* An application that quits may cancel this task meanwhile, but it waits on. */
static void
wait_for_all (Closing *self)
{
  g_autoptr (GError) failure = NULL;

  if (!gtx_call_with_timeout (PATIENCE, join_all, self->scopes, &failure) &&
      g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    tell_what_is_left (self->window);
  do
    g_clear_error (&failure);
  while (!join_all (self->scopes, &failure) && gtx_error_is_cancelled (failure));
}

/* Called in a task when the window's own tasks have ended.  Tasks that clean up may have started
 * others. */
static void
finish (gpointer data)
{
  Closing *self = data;

  do
    {
      wait_for_all (self);
      g_ptr_array_set_size (self->scopes, 0);
      hide (self->window, self->scopes);
      cancel_all (self->scopes);
    }
  while (self->scopes->len > 0);
  /* GTK 4.8 computes the size of a hidden window once more in the next turn of the main loop, which
   * the window must live to see. */
  while (!gtx_sleep (0.001, NULL))
    ;
  gtk_window_destroy (self->window);
  if (self->application)
    g_application_release (self->application);
  g_clear_object (&self->application);
  g_object_unref (self->window);
  g_ptr_array_unref (self->scopes);
  g_free (self);
}

/* Hides the window, cancels its tasks and those of its widgets, and destroys it when the last has
 * ended.  Until then, it keeps its application running. */
static void
end_window (GtkWindow *window)
{
  Closing *self;

  if (g_object_get_qdata (G_OBJECT (window), closing_quark ()))
    return;
  g_object_set_qdata (G_OBJECT (window), closing_quark (), window);
  self = g_new0 (Closing, 1);
  self->window = g_object_ref (window);
  self->application = (GApplication *) gtk_window_get_application (window);
  if (self->application)
    g_application_hold (g_object_ref (self->application));
  /* The application must not find the window any more, to present it or to close it again. */
  gtk_window_set_application (window, NULL);
  self->scopes = g_ptr_array_new_with_free_func (g_object_unref);
  hide (window, self->scopes);
  cancel_all (self->scopes);
  gtx_scope_close_then (gtx_object_get_scope (window), finish, self);
}

/* ---- Windows that GTK destroys ---- */

/* The attached windows that exist, with a reference to each. */
static GPtrArray *windows;

/* GTK takes a window out of its list when it destroys it, before it drops its own reference and the
 * application's.  No signal of the window tells of that: it is not disposed while a task has a
 * reference to it. */
static GPtrArray *
take_destroyed (GListModel *toplevels)
{
  g_autoptr (GHashTable) all = g_hash_table_new (NULL, NULL);
  GPtrArray *destroyed = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < g_list_model_get_n_items (toplevels); i++)
    {
      g_autoptr (GtkWindow) window = g_list_model_get_item (toplevels, i);

      g_hash_table_add (all, window);
    }
  for (guint i = windows->len; i-- > 0;)
    if (g_object_get_qdata (windows->pdata[i], listed_quark ()) && !g_hash_table_contains (all, windows->pdata[i]))
      g_ptr_array_add (destroyed, g_ptr_array_steal_index_fast (windows, i));
  return destroyed;
}

/* A window that is attached in its init () function is not in the list yet. */
static void
on_toplevels (GListModel *toplevels,
              guint       position,
              guint       n_removed,
              guint       n_added)
{
  g_autoptr (GPtrArray) destroyed = n_removed > 0 ? take_destroyed (toplevels) : g_ptr_array_new ();

  for (guint i = position; i < position + n_added; i++)
    {
      g_autoptr (GObject) window = g_list_model_get_item (toplevels, i);

      if (window)
        g_object_set_qdata (window, listed_quark (), window);
    }
  for (guint i = 0; i < destroyed->len; i++)
    {
      /* GTK may be destroying the window because it destroys its parent, which this window outlives,
       * but of which it would keep a pointer. */
      gtk_window_set_transient_for (destroyed->pdata[i], NULL);
      end_window (destroyed->pdata[i]);
    }
}

static void
watch_window (GtkWindow *window)
{
  GListModel *toplevels = gtk_window_get_toplevels ();

  if (windows == NULL)
    {
      windows = g_ptr_array_new ();
      g_signal_connect (toplevels, "items-changed", G_CALLBACK (on_toplevels), NULL);
    }
  g_ptr_array_add (windows, g_object_ref (window));
  if (g_list_store_find (G_LIST_STORE (toplevels), window, NULL))
    g_object_set_qdata (G_OBJECT (window), listed_quark (), window);
}

/* ---- Widgets that leave their window ---- */

/* Holds the widget exactly while its scope has tasks. */
static void
on_n_tasks (GtxScope   *scope,
            GParamSpec *pspec,
            GtkWidget  *widget)
{
  gboolean is_held = g_object_get_qdata (G_OBJECT (widget), held_quark ()) != NULL;
  gboolean has_tasks = gtx_scope_get_n_tasks (scope) > 0;

  if (is_held == has_tasks)
    return;
  g_object_set_qdata (G_OBJECT (widget), held_quark (), has_tasks ? widget : NULL);
  if (has_tasks)
    g_object_ref (widget);
  else
    g_object_unref (widget);
}

static void
on_root (GtkWidget *widget)
{
  if (gtk_widget_get_root (widget) == NULL)
    gtx_scope_cancel (gtx_object_get_scope (widget));
}

/* ---- Attaching ---- */

/* Called after the window's own handlers and its class, if none of them has stopped the emission. */
static gboolean
on_close_request (GtkWindow *window)
{
  end_window (window);
  return TRUE;
}

static void
attach_window (GtkWindow *window)
{
  watch_window (window);
  gtx_inspector_add_page ();
  g_signal_connect_after (window, "close-request", G_CALLBACK (on_close_request), NULL);
}

static void
attach_widget (GtkWidget *widget)
{
  GtxScope *scope = gtx_object_get_scope (widget);

  g_signal_connect (widget, "notify::root", G_CALLBACK (on_root), NULL);
  g_signal_connect_object (scope, "notify::n-tasks", G_CALLBACK (on_n_tasks), widget, 0);
  on_n_tasks (scope, NULL, widget);
}

/**
 * gtx_widget_attach:
 * @widget: (type Gtk.Widget): a #GtkWidget
 *
 * Lets the tasks of a widget end with it: the one call in a widget's `init` function.
 *
 * |[<!-- language="C" -->
 * static void
 * my_window_init (MyWindow *self)
 * {
 *   gtk_widget_init_template (GTK_WIDGET (self));
 *   gtx_widget_attach (self);
 *   gtx_object_create_task (self, load);
 * }
 * ]|
 *
 * The tasks are those of the widget's scope, as gtx_object_create_task() starts them.
 *
 * A #GtkWindow that the user closes, or that other code closes or destroys with gtk_window_close()
 * or gtk_window_destroy(), disappears at once.  Its tasks are cancelled, and with them those of the
 * attached widgets in it and of the attached windows that GTK destroys together with it.  Each task
 * cleans up while all these widgets exist.  When the last task has ended, the window is destroyed;
 * until then it keeps its application running, which does not list it any more.  No task can be
 * created in the window's scope any more.  A task that has not ended after two seconds is named in a warning.  A handler of
 * #GtkWindow::close-request that returns %TRUE keeps the window and its tasks, as does
 * #GtkWindow:hide-on-close.
 *
 * Another widget, such as a page or a row, has its tasks cancelled when it is taken out of its
 * window, and lives at least until they have ended.  It may be put into a window again, and start
 * others.
 *
 * The first call for a window adds a page to GTK's inspector as well: see gtx_inspector_add_page().
 * A second call for a widget does nothing.  Never suspends; to be called in GTK's thread.
 *
 * Returns: (transfer none): the scope of @widget
 *
 * Since: 0.1
 */
GtxScope *
gtx_widget_attach (gpointer widget)
{
  g_return_val_if_fail (GTK_IS_WIDGET (widget), NULL);

  if (g_object_get_qdata (widget, attached_quark ()) == NULL)
    {
      g_object_set_qdata (widget, attached_quark (), widget);
      if (GTK_IS_WINDOW (widget))
        attach_window (widget);
      else
        attach_widget (widget);
    }
  return gtx_object_get_scope (widget);
}
