/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that all loads share.  A load is a coroutine that does one piece of work,
 * checks it, and leaves nothing behind, whether it is cancelled or not. */

#pragma once

#include <gtask-ext.h>

/* ---- At random, from the seed of the thread that runs ---- */

void     random_begin       (guint32      seed);
/* For the thread that is started next. */
guint32  random_seed        (void);
/* From 0 to @n - 1. */
guint    random_below       (guint        n);
double   random_seconds     (double       most);

/* ---- What must not happen ---- */

/* Counts failures, and prints the first few. */
void     complain           (const char  *format,
                             ...) G_GNUC_PRINTF (1, 2);
guint    complaints_count   (void);

/* The domain of failures that a load makes itself. */
#define LOAD_ERROR (load_error_quark ())
GQuark   load_error_quark   (void);
gboolean load_fail          (GError     **error);

/* Takes the outcome of an operation that must fail in this way; any other error is passed
 * on. */
gboolean expect_error       (const char  *what,
                             GError      *failure,
                             GQuark       domain,
                             int          code,
                             GError     **error);

/* ---- Tasks ---- */

gboolean is_cancellation    (const GError *error);
GPtrArray *tasks_new        (void);
/* Waits until no task of the array is left, and none that their ends wake. */
void     tasks_end          (GPtrArray   *tasks);
/* Lets other tasks run, even if the calling task is cancelled. */
void     let_others_run     (void);

/* ---- Threads ---- */

typedef struct _LoadThread LoadThread;

/* Runs @func in a thread of its own. */
LoadThread *load_thread_start (GThreadFunc   func,
                               gpointer      data);
/* Awaits the thread; the calling task waits even if it is cancelled. */
gboolean    load_thread_end   (LoadThread   *thread,
                               GError      **error);

/* ---- Where files are ---- */

extern char *load_folder;
/* A path there that no other load uses. */
char    *load_new_path      (void);

/* ---- The loads ---- */

gboolean load_crowd         (gpointer data, GError **error);
gboolean load_timers        (gpointer data, GError **error);
gboolean load_group         (gpointer data, GError **error);
gboolean load_queue         (gpointer data, GError **error);
gboolean load_locks         (gpointer data, GError **error);
gboolean load_signals       (gpointer data, GError **error);
gboolean load_files         (gpointer data, GError **error);
gboolean load_sockets       (gpointer data, GError **error);
gboolean load_descriptors   (gpointer data, GError **error);
gboolean load_to_thread     (gpointer data, GError **error);
gboolean load_futures       (gpointer data, GError **error);
gboolean load_contexts      (gpointer data, GError **error);
gboolean load_loops         (gpointer data, GError **error);
gboolean load_children      (gpointer data, GError **error);
gboolean load_processes     (gpointer data, GError **error);

/* ---- All of them ---- */

/* Runs all loads beside each other for so many seconds, or until so many pieces of work
 * were done; returns how many tasks lived in the middle. */
void     loads_run          (double        seconds,
                             guint64       operations,
                             guint        *n_tasks);
/* One piece of work of a load that short loops are fit for. */
void     loads_run_any      (void);
/* Starts a piece of work, which the code that runs the main loop must end. */
void     loads_leave_any    (void);
/* How many pieces of work have ended. */
guint64  loads_total        (void);
void     loads_print        (gboolean      as_json);
