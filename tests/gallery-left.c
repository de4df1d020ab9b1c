/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gallery of examples/gtk, left in every way in the middle of everything. */

#include "gallery-driver.h"

/* ---- States ---- */

static void
reach_begin (void)
{
  show_in (window, folder);
}

static void
reach_loading (void)
{
  show_in (window, folder);
  iterate_until (count (window, "pictures") > 0);
}

static void
reach_retrying (void)
{
  show_in (window, folder);
  iterate_until (count_with_icon (window, RETRIED) > 0);
}

static void
reach_asking (void)
{
  show_in (window, folder);
  wait_for_dialog (GTK_TYPE_MESSAGE_DIALOG);
}

static void
reach_choosing (void)
{
  g_action_group_activate_action (G_ACTION_GROUP (window), "open", NULL);
  wait_for_dialog (GTK_TYPE_FILE_CHOOSER);
}

static void
reach_searching (void)
{
  type ("a");
  iterate_until (!is_over (window));
}

static void
reach_searching_while_retrying (void)
{
  reach_retrying ();
  g_signal_emit_by_name (get_part (window, "entry"), "search-changed");
}

static void
reach_stopping (void)
{
  reach_retrying ();
  g_signal_emit_by_name (get_part (window, "stop_button"), "clicked");
}

static void
reach_end (void)
{
  reach_asking ();
  answer (1);
  iterate_until (is_over (window));
}

/* ---- Ways ---- */

static void
leave_by_close (void)
{
  gtk_window_close (GTK_WINDOW (window));
}

static void
leave_by_destroy (void)
{
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
leave_by_both (void)
{
  gtk_window_close (GTK_WINDOW (window));
  gtk_window_destroy (GTK_WINDOW (window));
}

static gboolean
quit (gpointer unused)
{
  g_application_quit (G_APPLICATION (application));
  return G_SOURCE_REMOVE;
}

/* GTK leaves it to the end of the process to destroy the window. */
static void
leave_by_quit (void)
{
  g_idle_add (quit, NULL);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
  g_assert_true (no_tasks ());
  if (window)
    gtk_window_destroy (GTK_WINDOW (window));
}

static gboolean
close_last (gpointer unused)
{
  gtk_window_close (GTK_WINDOW (window));
  return G_SOURCE_REMOVE;
}

/* The application ends when its last window is gone. */
static void
leave_by_close_last (void)
{
  g_idle_add (close_last, NULL);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
}

/* ---- Each state, left in each way ---- */

typedef struct
{
  void (*reach) (void);
  void (*leave) (void);
} Leaving;

static void
test_leave (const Leaving *leaving)
{
  begin ();
  write_picture ("a.png");
  write_text ("b.png");
  write_link ("link.png");
  leaving->reach ();
  leaving->leave ();
  end ();
}

/* A picture that is waited for is not asked for again. */
static void
test_leave_server (const Leaving *leaving)
{
  Server server;

  begin ();
  server_begin (&server, 1000, NULL);
  iterate_until (g_atomic_int_get (&server.n_bad) == 998);
  leaving->leave ();
  server_end (&server);
  g_assert_cmpint (server.n_bad, ==, 998);
}

/* No state: while a server is waited for. */
static void
add_leaving_one (const char *state, void (*reach) (void), const char *way, void (*leave) (void))
{
  g_autofree char *path = g_strdup_printf ("/gallery-left/%s/%s", state, way);
  static Leaving all[100], *next = all;

  *next = (Leaving) { reach, leave };
  g_test_add_data_func (path, next++, (GTestDataFunc) (reach ? test_leave : test_leave_server));
}

void
add_tests (void)
{
  static const struct
  {
    const char *name;
    void (*func) (void);
  } states[] = {
    { "begin", reach_begin },
    { "loading", reach_loading },
    { "retrying", reach_retrying },
    { "asking", reach_asking },
    { "choosing", reach_choosing },
    { "searching", reach_searching },
    { "searching-while-retrying", reach_searching_while_retrying },
    { "stopping", reach_stopping },
    { "end", reach_end },
  }, ways[] = {
    { "close", leave_by_close },
    { "destroy", leave_by_destroy },
    { "both", leave_by_both },
    { "quit", leave_by_quit },
    { "close-last", leave_by_close_last },
  };

  for (guint j = 0; j < G_N_ELEMENTS (ways); j++)
    {
      add_leaving_one ("server", NULL, ways[j].name, ways[j].func);
      for (guint i = 0; i < G_N_ELEMENTS (states); i++)
        add_leaving_one (states[i].name, states[i].func, ways[j].name, ways[j].func);
    }
}
