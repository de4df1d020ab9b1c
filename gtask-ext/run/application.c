/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tasks and a GApplication have to do with one another. */

#include "gtask-ext/application.h"

#include "gtask-ext/run.h"
#include "gtask-ext/scope.h"

/* Holds the application exactly while its scope has tasks. */
static void
on_n_tasks (GtxScope     *scope,
            GParamSpec   *pspec,
            GApplication *application)
{
  gboolean is_held = g_object_get_data (G_OBJECT (scope), "gtask-ext-held") != NULL;
  gboolean has_tasks = gtx_scope_get_n_tasks (scope) > 0;

  if (is_held == has_tasks)
    return;
  g_object_set_data (G_OBJECT (scope), "gtask-ext-held", GINT_TO_POINTER (has_tasks));
  if (has_tasks)
    g_application_hold (application);
  else
    g_application_release (application);
}

static void
on_shutdown (GApplication *application)
{
  gtx_cancel_all ();
}

/**
 * gtx_application_attach:
 * @application: (type Gio.Application): a #GApplication
 * @flags: whether its own tasks hold it
 *
 * Lets an application end its tasks when it ends.
 *
 * When @application shuts down, before its windows are destroyed, all tasks of the main context
 * are cancelled and waited for, as gtx_cancel_all() does, which see.  A warning names those that have not
 * ended after two seconds, and what they wait for.
 *
 * To be called once, before g_application_run(), in the thread that will run the application.
 * Never suspends.
 *
 * Since: 0.1
 */
void
gtx_application_attach (gpointer             application,
                        GtxApplicationFlags  flags)
{
  GtxScope *scope;

  g_return_if_fail (G_IS_APPLICATION (application));

  g_signal_connect (application, "shutdown", G_CALLBACK (on_shutdown), NULL);
  if ((flags & GTX_APPLICATION_HOLD) == 0)
    return;
  scope = gtx_object_get_scope (application);
  g_signal_connect_object (scope, "notify::n-tasks", G_CALLBACK (on_n_tasks), application, 0);
  on_n_tasks (scope, NULL, application);
}
