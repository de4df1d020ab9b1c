/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A window that draws all the time, alone and beside tasks: how many frames it
 * gets, how long the longest wait is of the window, of a click and of the
 * tasks, and how much of the processor the tasks get.  Prints a table, or a
 * line of JSON for each value; the status is 1 where a case misses what is
 * stated in the table's last column. */

#include "clicks.h"
#include "storms.h"

#include <gtk/gtk.h>
#include <unistd.h>

#define MEASURED_SECONDS 3.0

/* The limits that every case must meet. */
#define LEAST_FRAMES_A_SECOND 58
#define LONGEST_FRAME_MS 34
#define LEAST_SHARE 0.9
#define LONGEST_CLICK_MS 20
#define LONGEST_TURN_MS 60
#define MOST_PERCENT_LATE 1

typedef struct
{
  gint64 real_us;
  gint64 processor_us;          /* that the process had */
  gint64 idle_us;               /* the main loop waited for something to happen */
  gint64 unused_us;             /* processor time that no process had */
  guint frames;
  gint64 longest_frame_us;
  gint64 longest_click_us;
  gint64 longest_turn_us;
  guint64 turns;
  double percent_late;
} Sample;

/* ---- The window ---- */

static GtkWidget *area;
static guint ticker;
static gint64 draw_us;          /* how long it takes to draw a frame */
static guint n_frames;
static gint64 last_frame, longest_frame;

static gboolean
on_tick (GtkWidget     *widget,
         GdkFrameClock *clock,
         gpointer       data)
{
  gint64 now = g_get_monotonic_time ();

  (void) clock;
  (void) data;
  n_frames++;
  longest_frame = MAX (longest_frame, now - last_frame);
  last_frame = now;
  gtk_widget_queue_draw (widget);
  return G_SOURCE_CONTINUE;
}

static void
on_draw (GtkDrawingArea *widget,
         cairo_t        *cairo,
         int             width,
         int             height,
         gpointer        data)
{
  double at = (double) (n_frames % 120) / 120;

  (void) widget;
  (void) data;
  storm_work (draw_us);
  cairo_set_source_rgb (cairo, 0.2, 0.4, 0.8);
  cairo_arc (cairo, at * width, at * height, 20, 0, 2 * G_PI);
  cairo_fill (cairo);
}

static void
on_pressed (GtkGestureClick *gesture,
            int              n_presses,
            double           x,
            double           y,
            gpointer         data)
{
  (void) gesture;
  (void) n_presses;
  (void) x;
  (void) y;
  (void) data;
  clicks_arrived ();
}

static GtkWidget *
open_window (void)
{
  GtkWidget *window = gtk_window_new ();
  GtkGesture *click = gtk_gesture_click_new ();

  area = gtk_drawing_area_new ();
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (area), on_draw, NULL, NULL);
  g_signal_connect (click, "pressed", G_CALLBACK (on_pressed), NULL);
  gtk_widget_add_controller (area, GTK_EVENT_CONTROLLER (click));
  gtk_window_set_child (GTK_WINDOW (window), area);
  gtk_window_set_default_size (GTK_WINDOW (window), 400, 300);
  gtk_window_present (GTK_WINDOW (window));
  return window;
}

static void
set_drawing (gboolean drawing)
{
  if (drawing && ticker == 0)
    ticker = gtk_widget_add_tick_callback (area, on_tick, NULL, NULL);
  else if (!drawing && ticker != 0)
    {
      gtk_widget_remove_tick_callback (area, ticker);
      ticker = 0;
    }
}

/* ---- Measuring ---- */

static gint64 polled;

static gint
poll_and_count (GPollFD *descriptors, guint n, gint timeout)
{
  gint64 before = g_get_monotonic_time ();
  gint n_ready = g_poll (descriptors, n, timeout);

  polled += g_get_monotonic_time () - before;
  return n_ready;
}

/* Of the tasks, the threads that GIO reads files in for them, and the window. */
static gint64
processor_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* The idle time of all processors, as Linux counts it; on other systems the machine is
 * assumed to have enough processors. */
static gint64
unused_time (void)
{
  g_autofree char *text = NULL;
  long user, nice, system, idle, waiting;

  if (!g_file_get_contents ("/proc/stat", &text, NULL, NULL) ||
      sscanf (text, "cpu %ld %ld %ld %ld %ld", &user, &nice, &system, &idle, &waiting) != 5)
    return g_get_monotonic_time () * g_get_num_processors ();
  return (idle + waiting) * (G_USEC_PER_SEC / sysconf (_SC_CLK_TCK));
}

static gboolean
measure (double seconds, Sample *sample, GError **error)
{
  gint64 real = g_get_monotonic_time ();
  gint64 processor = processor_time ();
  gint64 unused = unused_time ();

  n_frames = 0;
  longest_frame = 0;
  last_frame = real;
  polled = 0;
  storms_reset ();
  clicks_begin ();
  if (!gtx_sleep (seconds, error))
    return FALSE;
  sample->real_us = g_get_monotonic_time () - real;
  sample->processor_us = processor_time () - processor;
  sample->idle_us = polled;
  sample->unused_us = unused_time () - unused;
  sample->frames = n_frames;
  sample->longest_frame_us = MAX (longest_frame, g_get_monotonic_time () - last_frame);
  sample->longest_turn_us = storms_longest_turn ();
  sample->turns = storms_turns ();
  sample->percent_late = storms_percent_late ();
  /* The main loop waits for the thread that clicks, and the window waits with it. */
  sample->longest_click_us = clicks_end ();
  return TRUE;
}

/* The tasks with a window that does not draw, then with one that does. */
static gboolean
measure_storm (const Storm *storm, Sample *calm, Sample *sample, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  set_drawing (FALSE);
  draw_us = storm->draw_us;
  if (storm_start (storm, &group, &failure) &&
      gtx_sleep (0.3, &failure) &&
      measure (MEASURED_SECONDS, calm, &failure))
    {
      set_drawing (TRUE);
      if (gtx_sleep (0.3, &failure))
        measure (MEASURED_SECONDS, sample, &failure);
    }
  storm_stop (storm);
  gtx_task_group_cancel (&group);
  return gtx_task_group_end (&group, &failure, error);
}

/* ---- Telling ---- */

static gboolean as_json;

static void
tell (const char *name, const char *unit, double value)
{
  if (as_json)
    g_print ("{\"bench\": \"window-%s\", \"impl\": \"gtx\", \"value\": %.3f, \"unit\": \"%s\", \"n\": 1}\n",
             name, value, unit);
}

/* The tasks' share of the processor time that they could have had: the time that they use
 * without a window, as far as the window alone leaves its thread, and the machine, free
 * for it. */
static double
share_of_tasks (const Sample *alone, const Sample *calm, const Sample *sample)
{
  double a_frame = (double) alone->processor_us / alone->frames;
  double used = ((double) sample->processor_us - a_frame * sample->frames) / (double) sample->real_us;
  double without_window = (double) calm->processor_us / (double) calm->real_us;
  double taken = 1 - (double) calm->idle_us / (double) calm->real_us;
  double thread_free = (double) alone->idle_us / (double) alone->real_us;
  double machine_free = (double) alone->unused_us / (double) alone->real_us;

  /* Tasks that mostly wait need no share, but should get as far as without a window. */
  if (taken < 0.5)
    return ((double) sample->turns / (double) sample->real_us) /
           ((double) calm->turns / (double) calm->real_us);
  return used / MIN (without_window * MIN (thread_free / taken, 1), machine_free);
}

static gboolean
judge_frames (const Sample *sample)
{
  return sample->frames >= LEAST_FRAMES_A_SECOND * (double) sample->real_us / G_USEC_PER_SEC &&
         sample->longest_frame_us < LONGEST_FRAME_MS * 1000 &&
         sample->longest_click_us < LONGEST_CLICK_MS * 1000;
}

/* A slow window and a busy source are judged by what they leave the tasks. */
static gboolean
judge (const Storm *storm, const Sample *sample, double share)
{
  if (storm->is_punctual)
    return sample->percent_late <= MOST_PERCENT_LATE;
  if (storm->is_heavy)
    return sample->longest_turn_us < LONGEST_TURN_MS * 1000;
  return judge_frames (sample) && share >= LEAST_SHARE;
}

static gboolean
report (const Storm *storm, const Sample *alone, const Sample *calm, const Sample *sample)
{
  double share = storm->coroutine ? share_of_tasks (alone, calm, sample) : 1;
  double frames = sample->frames / ((double) sample->real_us / G_USEC_PER_SEC);
  gboolean good = judge (storm, sample, share);

  tell (storm->name, "frames/s", frames);
  tell (storm->name, "longest frame ms", (double) sample->longest_frame_us / 1000);
  tell (storm->name, "longest click ms", (double) sample->longest_click_us / 1000);
  tell (storm->name, "longest wait of the tasks ms", (double) sample->longest_turn_us / 1000);
  tell (storm->name, "turns/s", (double) sample->turns / ((double) sample->real_us / G_USEC_PER_SEC));
  if (storm->is_punctual)
    tell (storm->name, "late %", sample->percent_late);
  if (!storm->is_heavy)
    tell (storm->name, "share", share);
  if (as_json)
    return good;

  g_print ("%-34s %6.1f %8.1f %8.1f %10.1f", storm->name, frames,
           (double) sample->longest_frame_us / 1000, (double) sample->longest_click_us / 1000,
           (double) sample->longest_turn_us / 1000);
  if (storm->is_punctual)
    g_print ("%5.1f%% late", sample->percent_late);
  else if (storm->is_heavy || storm->coroutine == NULL)
    g_print ("        -");
  else
    g_print (" %7.0f%%", 100 * share);
  g_print ("  %s\n", good ? "as demanded" : "MISSED");
  return good;
}

/* ---- The program ---- */

typedef struct
{
  char **names;                 /* of cases; empty: all */
  gboolean good;
} Choice;

static gboolean
is_chosen (const Choice *choice, const Storm *storm)
{
  return choice->names == NULL || g_strv_contains ((const char * const *) choice->names, storm->name);
}

static gboolean
measure_all (Choice *choice, GError **error)
{
  const Storm *storms = storms_all ();
  GtkWidget *window = open_window ();
  Sample alone;

  if (!gtx_sleep (1, error) || !clicks_connect (error))
    return FALSE;
  set_drawing (TRUE);
  if (!gtx_sleep (0.5, error) || !measure (MEASURED_SECONDS, &alone, error))
    return FALSE;
  if (!as_json)
    g_print ("%-34s %6s %8s %8s %10s %8s\n%-34s %6s %8s %8s %10s %8s\n", "", "frames", "longest", "longest",
             "longest", "share", "the window beside", "a sec.", "frame ms", "click ms", "of tasks", "of tasks");
  choice->good = report (&storms[0], &alone, &alone, &alone);
  for (const Storm *storm = storms + 1; storm->name; storm++)
    {
      Sample calm, sample;

      if (!is_chosen (choice, storm))
        continue;
      if (!measure_storm (storm, &calm, &sample, error))
        return FALSE;
      choice->good = report (storm, &alone, &calm, &sample) && choice->good;
    }
  gtk_window_destroy (GTK_WINDOW (window));
  return TRUE;
}

int
main (int    argc,
      char **argv)
{
  Choice choice = { NULL, FALSE };
  const GOptionEntry options[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print a line of JSON for each value", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &choice.names, NULL, "[CASE…]" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return 2;
    }
  gtk_init ();
  g_main_context_set_poll_func (NULL, poll_and_count);
  if (!gtx_run (measure_all, &choice, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_strfreev (choice.names);
  return choice.good ? 0 : 1;
}
