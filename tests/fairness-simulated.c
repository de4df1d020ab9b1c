/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which code gets the thread, and when, on a clock of the test's own.  The clock advances
 * while the main loop polls, and by the stated duration of each callback, so the
 * assertions do not depend on the machine. */

#include "fixture.h"

#include <time.h>

#define REDRAW_PRIORITY 120
#define FRAME_US 16667

/* ---- Simulated time ---- */

/* The test's clock is far from GLib's, which shows the time of the machine. */
static gint64 now = G_GINT64_CONSTANT (1) << 52;

/* These definitions replace GLib's.  Reading the clock takes time. */
gint64
g_get_monotonic_time (void)
{
  return now++;
}

gint64
g_source_get_time (GSource *source)
{
  return now;
}

/* These definitions replace the C library's: all clocks show the same time, and the coarse one has
 * ticks of 4 ms. */
int
clock_gettime (clockid_t clock, struct timespec *time)
{
  gint64 microseconds = now;

#ifdef CLOCK_MONOTONIC_COARSE
  if (clock == CLOCK_MONOTONIC_COARSE)
    microseconds -= now % 4000;
#endif
  time->tv_sec = microseconds / G_USEC_PER_SEC;
  time->tv_nsec = microseconds % G_USEC_PER_SEC * 1000;
  return 0;
}

static void
work_for (gint64 microseconds)
{
  now += microseconds;
}

/* ---- Alarms ---- */

typedef struct
{
  GSource source;
  gint64 time;
} Alarm;

/* The poll waits for the next alarm. */
static GQueue alarms = G_QUEUE_INIT;

static gboolean
alarm_prepare (GSource *source, gint *timeout)
{
  gint64 left = ((Alarm *) source)->time - now;

  *timeout = (gint) CLAMP ((left + 999) / 1000, 0, G_MAXINT);
  return left <= 0;
}

static gboolean
alarm_check (GSource *source)
{
  return ((Alarm *) source)->time <= now;
}

static gboolean
alarm_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static void
alarm_finalize (GSource *source)
{
  g_queue_remove (&alarms, source);
}

static GSourceFuncs alarm_funcs = {
  alarm_prepare, alarm_check, alarm_dispatch, alarm_finalize, NULL, NULL
};

static GSource *
call_at (gint64 time, gint priority, GSourceFunc func, gpointer data)
{
  GSource *source = g_source_new (&alarm_funcs, sizeof (Alarm));

  ((Alarm *) source)->time = time;
  g_source_set_priority (source, priority);
  g_source_set_callback (source, func, data, NULL);
  g_queue_push_tail (&alarms, source);
  g_source_attach (source, NULL);
  g_source_unref (source);
  return source;
}

static void
set_alarm (GSource *source, gint64 time)
{
  ((Alarm *) source)->time = time;
}

static gint
poll_in_no_time (GPollFD *descriptors, guint n, gint timeout)
{
  gint n_ready = g_poll (descriptors, n, 0);
  gint64 until;

  if (n_ready > 0 || timeout == 0)
    return n_ready;
  g_assert_cmpint (timeout, >, 0);
  until = now + timeout * (gint64) 1000;
  for (GList *link = alarms.head; link; link = link->next)
    until = MIN (until, ((Alarm *) link->data)->time);
  now = MAX (now, until);
  return 0;
}

/* ---- Others ---- */

/* A source that is always ready; or is ready for a number of turns in a row, and then rests; or has
 * events all the time, each of which takes a turn. */
typedef struct
{
  gint priority;
  gint64 takes;
  guint n_turns;
  gint64 rests;
  gint64 period;
  gboolean hands_over;          /* sets an event that a task waits for, in each turn */
} Busy;

static struct
{
  GSource *source;
  Busy busy;
  guint n_turns;
  GtxEvent *handed;
  gint64 handed_at;
} other;

static gboolean
be_busy (gpointer data)
{
  gboolean rests = other.busy.n_turns > 0 && ++other.n_turns % other.busy.n_turns == 0;

  work_for (other.busy.takes);
  if (other.busy.period > 0)
    set_alarm (other.source, ((Alarm *) other.source)->time + other.busy.period);
  else
    set_alarm (other.source, rests ? now + other.busy.rests : now);
  if (other.busy.hands_over && !gtx_event_is_set (other.handed))
    {
      other.handed_at = now;
      gtx_event_set (other.handed);
    }
  return G_SOURCE_CONTINUE;
}

/* A window that draws all the time: a frame is drawn when it is due, or as soon as the main loop
 * allows. */
static struct
{
  GSource *source;
  gint64 takes;
  gint64 last;
  gint64 longest;
  guint n_frames;
} window;

static gboolean
draw (gpointer data)
{
  window.longest = MAX (window.longest, now - window.last);
  window.last = now;
  window.n_frames++;
  work_for (window.takes);
  set_alarm (window.source, MAX (window.last + FRAME_US, now));
  return G_SOURCE_CONTINUE;
}

/* Operations of GIO: a thread does the work of each, and a number of callbacks at default priority
 * follow.  The last callback tells the task. */
typedef struct
{
  gint64 takes;
  guint n_callbacks;
  gint64 callback_takes;
} Service;

typedef struct
{
  const Service *service;
  GTask *task;
  guint n_left;
} Call;

static gint64 thread_is_free[2];

static gboolean
go_on (gpointer data)
{
  Call *call = data;

  work_for (call->service->callback_takes);
  if (--call->n_left > 0)
    return G_SOURCE_CONTINUE;
  g_task_return_boolean (call->task, TRUE);
  g_object_unref (call->task);
  g_free (call);
  return G_SOURCE_REMOVE;
}

static void
call_async (const Service *service, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  Call *call = g_new (Call, 1);
  gint64 *thread = &thread_is_free[thread_is_free[1] < thread_is_free[0]];

  *call = (Call) { service, g_task_new (NULL, cancellable, callback, data), service->n_callbacks };
  *thread = MAX (*thread, now) + service->takes;
  call_at (*thread, G_PRIORITY_DEFAULT, go_on, call);
}

/* ---- Cases, and what is expected of them ---- */

typedef struct
{
  const char *path;
  Busy busy;
  gint64 frame_takes;           /* 0: there is no window */

  /* Tasks */
  guint n_sleepers;
  gint64 sleep;
  guint n_callers;
  Service service;
  gint64 caller_works;
  gboolean has_long_call;       /* an operation is in flight all the time */
  guint n_busy;                 /* tasks that never stop */

  /* The expected results, in microseconds and for each second; 0: any value */
  gint64 mean_lateness;
  gint64 most_lateness;
  guint calls;
  guint frames;
  gint64 longest_frame;
} Case;

/* How late the sleepers are, and the tasks that wait for the event. */
static struct
{
  gint64 sum;
  gint64 longest;
  guint n;
} lateness;

static guint n_calls;

/* ---- Tasks ---- */

static void
note_lateness (gint64 due)
{
  lateness.sum += now - due;
  lateness.longest = MAX (lateness.longest, now - due);
  lateness.n++;
  work_for (20);
}

static gboolean
sleep_often (Case *this, GError **error)
{
  for (;;)
    {
      gint64 due = now + this->sleep;

      if (!gtx_sleep ((double) this->sleep / 1e6, error))
        return FALSE;
      note_lateness (due);
    }
}

static gboolean
take_what_is_handed_over (gpointer data, GError **error)
{
  while (gtx_event_wait (other.handed, error))
    {
      note_lateness (other.handed_at);
      gtx_event_clear (other.handed);
    }
  return FALSE;
}

static gboolean
call (const Service *service, GError **error)
{
  call_async (service, GTX_ASYNC);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

static gboolean
call_often (Case *this, GError **error)
{
  for (; call (&this->service, error); n_calls++)
    work_for (this->caller_works);
  return FALSE;
}

static gboolean
call_for_long (gpointer data, GError **error)
{
  static const Service service = { 10 * G_USEC_PER_SEC, 1, 1 };

  return call (&service, error);
}

static gboolean
never_stop (gpointer data, GError **error)
{
  do
    work_for (40);
  while (gtx_sleep (0, error));
  return FALSE;
}

/* ---- Running a case ---- */

static gboolean
start_tasks (GtxTaskGroup *group, Case *this, GError **error)
{
  gboolean started = !this->busy.hands_over ||
                     gtx_task_group_create_task (group, take_what_is_handed_over, NULL, NULL, error) != NULL;

  for (guint i = 0; started && i < this->n_sleepers; i++)
    started = gtx_task_group_create_task (group, sleep_often, this, NULL, error) != NULL;
  for (guint i = 0; started && i < this->n_callers; i++)
    started = gtx_task_group_create_task (group, call_often, this, NULL, error) != NULL;
  for (guint i = 0; started && i < this->n_busy; i++)
    started = gtx_task_group_create_task (group, never_stop, NULL, NULL, error) != NULL;
  return started && (!this->has_long_call ||
                     gtx_task_group_create_task (group, call_for_long, NULL, NULL, error) != NULL);
}

static gboolean
set_result (gpointer future)
{
  gtx_future_set_result (future, NULL, NULL);
  return G_SOURCE_REMOVE;
}

/* Waits at a high priority, so that nothing delays the wait. */
static gboolean
let_pass (gint64 microseconds, GError **error)
{
  g_autoptr (GtxFuture) over = gtx_future_new ();

  call_at (now + microseconds, G_PRIORITY_HIGH, set_result, over);
  return gtx_await (over, error);
}

static void
start_others (Case *this)
{
  other.busy = this->busy;
  other.n_turns = 0;
  other.handed = gtx_event_new ();
  if (this->busy.takes > 0)
    other.source = call_at (now, this->busy.priority, be_busy, NULL);
  window.takes = this->frame_takes;
  if (this->frame_takes > 0)
    window.source = call_at (now, REDRAW_PRIORITY, draw, NULL);
}

static void
stop_others (void)
{
  g_clear_pointer (&other.source, g_source_destroy);
  g_clear_pointer (&window.source, g_source_destroy);
  g_clear_object (&other.handed);
}

static void
reset_counts (void)
{
  memset (&lateness, 0, sizeof lateness);
  n_calls = window.n_frames = 0;
  window.longest = 0;
  window.last = now;
}

static void
judge (const Case *this, gint64 took)
{
  double seconds = (double) took / G_USEC_PER_SEC;

  g_test_message ("late by %.0f us, %.0f at most; %.0f calls/s; %.1f frames/s, longest %.0f us",
                  lateness.n > 0 ? (double) lateness.sum / lateness.n : 0, (double) lateness.longest,
                  n_calls / seconds, window.n_frames / seconds, (double) window.longest);
  if (this->most_lateness > 0)
    {
      g_assert_cmpuint (lateness.n, >, 0);
      g_assert_cmpint (lateness.sum / lateness.n, <=, this->mean_lateness);
      g_assert_cmpint (lateness.longest, <=, this->most_lateness);
    }
  g_assert_cmpfloat (n_calls, >=, this->calls * seconds);
  if (this->frames > 0)
    {
      g_assert_cmpfloat (window.n_frames, >=, this->frames * seconds);
      g_assert_cmpint (MAX (window.longest, now - window.last), <=, this->longest_frame);
    }
}

static gboolean
try_it (Case *this, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GError *failure = NULL;
  gint64 start;

  gtx_task_group_begin (&group);
  if (gtx_sleep (0.1, &failure) && start_tasks (&group, this, &failure))
    {
      start_others (this);
      if (let_pass (100000, &failure))
        {
          reset_counts ();
          start = now;
          if (let_pass (G_USEC_PER_SEC, &failure))
            judge (this, now - start);
        }
      stop_others ();
    }
  gtx_task_group_cancel (&group);
  return gtx_task_group_end (&group, &failure, error);
}

static void
test_case (gconstpointer data)
{
  Case this = *(const Case *) data;
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_run (try_it, &this, &error));
  g_assert_no_error (error);
}

/* Another source is always ready. */
#define BUSY(PRIORITY, TAKES) .busy = { .priority = (PRIORITY), .takes = (TAKES) }
#define DEFAULT G_PRIORITY_DEFAULT

/* GIO reads a file in a thread, followed by some callbacks. */
#define READS .service = { 30, 3, 10 }
#define STREAMS .service = { 0, 10, 200 }
#define ASKS .service = { 200, 1, 5 }

static const Case cases[] = {
  /* A sleeping task is not late. */
  { "/busy/sleeper", BUSY (DEFAULT, 50), .n_sleepers = 1, .sleep = 10000,
    .mean_lateness = 60, .most_lateness = 1600 },
  { "/busy/short-sleeper", BUSY (DEFAULT, 50), .n_sleepers = 1, .sleep = 300,
    .mean_lateness = 60, .most_lateness = 1600 },
  { "/busy/slow-source-and-sleepers", BUSY (DEFAULT, 5000), .n_sleepers = 10, .sleep = 1300,
    .mean_lateness = 5000, .most_lateness = 10000 },
  { "/busy/sleepers", BUSY (DEFAULT, 50), .n_sleepers = 50, .sleep = 10000,
    .mean_lateness = 500, .most_lateness = 3000 },
  { "/busy/slow-source", BUSY (DEFAULT, 1000), .n_sleepers = 1, .sleep = 10300,
    .mean_lateness = 1000, .most_lateness = 3100 },
  { "/busy/less-urgent", BUSY (50, 50), .n_sleepers = 10, .sleep = 10300,
    .mean_lateness = 200, .most_lateness = 2000 },
  { "/busy/with-rests", .busy = { DEFAULT, 50, .n_turns = 100, .rests = 200 }, .n_sleepers = 10,
    .sleep = 1300,
    .mean_lateness = 300, .most_lateness = 2000 },
  { "/busy/sleeper-with-long-call", BUSY (DEFAULT, 20), .n_sleepers = 1, .sleep = 1000, .has_long_call = TRUE,
    .mean_lateness = 60, .most_lateness = 2000 },
  { "/busy/sleeper-beside-calls", BUSY (DEFAULT, 20), .n_sleepers = 1, .sleep = 10000, .n_callers = 1, ASKS,
    .caller_works = 10, .mean_lateness = 60, .most_lateness = 2000 },
  { "/busy/sleeper-beside-tasks", BUSY (DEFAULT, 50), .n_sleepers = 1, .sleep = 10000, .n_busy = 10,
    .mean_lateness = 2500, .most_lateness = 7000 },
  { "/busy/hands-over", .busy = { DEFAULT, 50, .hands_over = TRUE },
    .mean_lateness = 100, .most_lateness = 4500 },

  /* An operation takes little longer with a task than with callbacks, which make 4,500
   * operations. */
  { "/busy/calls", BUSY (DEFAULT, 20), .n_callers = 1, ASKS, .caller_works = 10, .calls = 4000 },
  { "/busy/calls-with-long-one", BUSY (DEFAULT, 20), .n_callers = 1, ASKS, .caller_works = 10,
    .has_long_call = TRUE, .calls = 3700 },
  { "/busy/slow-calls", BUSY (DEFAULT, 20), .n_callers = 1, .service = { 5000, 1, 5 }, .calls = 180 },

  /* The sources are less urgent, and always ready. */
  { "/busy/high-idle", BUSY (G_PRIORITY_HIGH_IDLE, 50), .n_sleepers = 1, .sleep = 10000, .n_callers = 1, ASKS,
    .mean_lateness = 60, .most_lateness = 200, .calls = 4300 },
  { "/busy/redraw", BUSY (REDRAW_PRIORITY, 50), .n_sleepers = 1, .sleep = 10000, .n_callers = 1, ASKS,
    .mean_lateness = 60, .most_lateness = 200, .calls = 4300 },
  { "/busy/redraw-beside-sleepers", BUSY (REDRAW_PRIORITY, 50), .n_sleepers = 20, .sleep = 10000,
    .mean_lateness = 300, .most_lateness = 1000 },
  { "/busy/idle", BUSY (G_PRIORITY_DEFAULT_IDLE, 50), .n_sleepers = 1, .sleep = 10000, .n_callers = 10, READS,
    .mean_lateness = 300, .most_lateness = 1000, .calls = 20000 },
  { "/busy/idle-beside-tasks", BUSY (G_PRIORITY_DEFAULT_IDLE, 50), .n_sleepers = 1, .sleep = 10000,
    .n_busy = 10,
    .mean_lateness = 3000, .most_lateness = 5000 },

  /* A window that needs all the time gets it, except for a twelfth. */
  { "/window/slow", .frame_takes = 20000, .n_sleepers = 20, .sleep = 10000,
    .mean_lateness = 16000, .most_lateness = 21000, .frames = 48, .longest_frame = 21000 },
  { "/window/slow-beside-tasks", .frame_takes = 20000, .n_sleepers = 1, .sleep = 10000, .n_busy = 10,
    .mean_lateness = 60000, .most_lateness = 60000, .frames = 44, .longest_frame = 25000 },
  { "/window/slow-beside-readers", .frame_takes = 20000, .n_callers = 10, READS, .caller_works = 40,
    .calls = 200, .frames = 44, .longest_frame = 25000 },

  /* A window that draws keeps its frames beside tasks, and beside the operations of tasks. */
  { "/window/tasks", .frame_takes = 3000, .n_busy = 10, .frames = 50, .longest_frame = 21000 },
  { "/window/tasks-and-events", .busy = { DEFAULT, 50, .period = 500 }, .frame_takes = 3000, .n_busy = 10,
    .frames = 48, .longest_frame = 24000 },
  { "/window/readers-and-events", .busy = { DEFAULT, 50, .period = 500 }, .frame_takes = 3000,
    .n_callers = 10, READS, .caller_works = 5, .calls = 15000, .frames = 44, .longest_frame = 24000 },
  { "/window/sleepers", .frame_takes = 3000, .n_sleepers = 100, .sleep = 10000,
    .mean_lateness = 3000, .most_lateness = 6000, .frames = 55, .longest_frame = 20000 },
  { "/window/readers", .frame_takes = 3000, .n_callers = 10, READS, .caller_works = 5, .calls = 20000,
    .frames = 46, .longest_frame = 22000 },
  { "/window/many-readers", .frame_takes = 3000, .n_callers = 100, READS, .caller_works = 5, .calls = 20000,
    .frames = 46, .longest_frame = 26000 },
  { "/window/readers-that-work", .frame_takes = 3000, .n_callers = 100, READS, .caller_works = 40,
    .calls = 10000,
    .frames = 42, .longest_frame = 25000 },
  { "/window/stream", .frame_takes = 3000, .n_callers = 1, STREAMS, .calls = 400,
    .frames = 42, .longest_frame = 30000 },
  { "/window/streams", .frame_takes = 3000, .n_callers = 10, STREAMS, .calls = 400,
    .frames = 34, .longest_frame = 45000 },
  { "/window/stream-and-sleeper", .frame_takes = 3000, .n_callers = 1, STREAMS, .n_sleepers = 1,
    .sleep = 10000,
    .mean_lateness = 2000, .most_lateness = 6000, .calls = 400, .frames = 40, .longest_frame = 30000 },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_main_context_set_poll_func (NULL, poll_in_no_time);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/fairness-simulated", cases[i].path, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  return g_test_run ();
}
