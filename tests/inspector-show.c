/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program to look at the inspector's page with: tasks in many states, or none, or many.
 *
 *   inspector-show [none | mixed | NUMBER [WIDTH HEIGHT [WORDS]]]
 *
 * The inspector is never narrower than its other pages: a page of less than 600 pixels is shown alone. */

#include "inspector-driver.h"

#include <stdlib.h>

/* ---- Tasks ---- */

/* Called behind a wait, so that the compiler does not turn the wait into a jump and the caller stays
 * on the stack. */
static gboolean
keep_caller (gboolean result)
{
  __asm__ volatile ("");
  return result;
}

static gboolean
fetch_page (gpointer seconds, GError **error)
{
  return keep_caller (gtx_sleep (GPOINTER_TO_UINT (seconds), error));
}

static void
add_named (GPtrArray *tasks, GtxTask *task, const char *name)
{
  gtx_task_set_name (task, name);
  g_ptr_array_add (tasks, task);
}

static gboolean
check_mirrors (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  add_named (tasks, gtx_create_task (fetch_page, GUINT_TO_POINTER (300), NULL), "ftp.example.org");
  add_named (tasks, gtx_create_task (fetch_page, GUINT_TO_POINTER (90), NULL), "mirror.example.net");
  add_named (tasks, gtx_create_task (fetch_page, GUINT_TO_POINTER (40), NULL), "deb.example.com");
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static gboolean
write_log (GtxQueue *queue, GError **error)
{
  return gtx_queue_get (queue, error) != NULL;
}

static gboolean
watch_folder (GtxEvent *event, GError **error)
{
  return keep_caller (gtx_event_wait (event, error));
}

static gboolean
compress (gpointer data, GError **error)
{
  for (;;)
    {
      gint64 end = g_get_monotonic_time () + 2000;

      while (g_get_monotonic_time () < end)
        ;
      if (!gtx_sleep (0.02, error))
        return FALSE;
    }
}

static gboolean
save_document (GtxTask *other, GError **error)
{
  return keep_caller (gtx_await (other, error));
}

static void
start_mixed (void)
{
  static GtxQueue *queue;
  static GtxEvent *event;
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  queue = gtx_queue_new (0, NULL);
  event = gtx_event_new ();
  add_named (tasks, gtx_create_task (check_mirrors, NULL, NULL), "mirrors");
  add_named (tasks, gtx_create_task (write_log, queue, NULL), "log");
  add_named (tasks, gtx_create_task (watch_folder, event, NULL), "watcher");
  add_named (tasks, gtx_create_task (compress, NULL, NULL), "compressor");
  add_named (tasks, gtx_create_task (save_document, tasks->pdata[3], NULL), "save");
  add_named (tasks, gtx_create_task (save_document, tasks->pdata[3], NULL), "save a copy");
  g_object_unref (gtx_create_task (fetch_page, GUINT_TO_POINTER (4000), NULL));
}

static gboolean
sleep_some (gpointer number, GError **error)
{
  return gtx_sleep (1 + GPOINTER_TO_UINT (number) % 97, error);
}

static void
start_many (guint n)
{
  for (guint i = 0; i < n; i++)
    g_object_unref (gtx_create_task (sleep_some, GUINT_TO_POINTER (i), NULL));
}

static void
start (const char *what)
{
  if (g_str_equal (what, "mixed"))
    start_mixed ();
  else if (!g_str_equal (what, "none"))
    start_many ((guint) atoi (what));
}

static GtkWidget *
open_alone (void)
{
  GtkWidget *window = gtk_window_new ();
  GtkWidget *page = g_object_new (g_type_from_name ("GtxInspectorPage"), NULL);

  gtk_window_set_child (GTK_WINDOW (window), page);
  gtk_window_present (GTK_WINDOW (window));
  return page;
}

int
main (int argc, char *argv[])
{
  GtkWidget *window, *page;
  GtkSingleSelection *rows;

  gtk_init ();
  window = gtk_window_new ();
  gtk_window_set_title (GTK_WINDOW (window), "Program");
  gtk_window_present (GTK_WINDOW (window));
  start (argc > 1 ? argv[1] : "mixed");
  page = open_page ();
  if (argc > 3 && atoi (argv[2]) < 600)
    page = open_alone ();
  if (argc > 3)
    gtk_window_set_default_size (GTK_WINDOW (gtk_widget_get_root (page)), atoi (argv[2]), atoi (argv[3]));
  if (argc > 4)
    search_for (page, argv[4]);
  await_update (page);
  rows = get_rows (page);
  gtk_single_selection_set_selected (rows, MIN (1, g_list_model_get_n_items (G_LIST_MODEL (rows))));
  for (;;)
    {
      await_update (page);
      g_print ("%u rows, update %.2f ms\n", g_list_model_get_n_items (G_LIST_MODEL (rows)), get_update_time (page) * 1000);
    }
}
