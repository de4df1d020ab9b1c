/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests share: a trace of events, a count of freed objects, and functions that
 * run a coroutine in virtual time. */

#pragma once

#include <gtask-ext.h>

#include <string.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#if defined (__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined (__has_feature)
#if __has_feature (address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

#if defined (__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined (__has_feature)
#if __has_feature (thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

/* The emulator runs programs of another processor. */
#ifndef UNDER_EMULATOR
#define UNDER_EMULATOR 0
#endif

#define assert_cancelled(error) g_assert_error ((error), G_IO_ERROR, G_IO_ERROR_CANCELLED)

/* Registers a test whose body is a coroutine without data, in virtual time. */
#define add_coroutine(path, coroutine)                                         \
  add_run_ ((path), (coroutine), run_coroutine)

/* Registers a test in real time, for tests of the main loop itself. */
#define add_real_coroutine(path, coroutine)                                    \
  add_run_ ((path), (coroutine), run_real_coroutine)

#define add_run_(path, coroutine, run)                                         \
  G_STMT_START {                                                               \
    static const GtxCoroutine kept = (coroutine);                              \
                                                                               \
    g_test_add_data_func ((path), &kept, (run));                               \
  } G_STMT_END

static GString *trace;
static gint n_freed;

typedef gboolean (*RunFunc) (const char *name, GtxCoroutine coroutine, gpointer data, GError **error);

static inline void
run_with (RunFunc run, GtxCoroutine coroutine, gpointer data)
{
  g_autoptr (GError) error = NULL;

  trace = g_string_new (NULL);
  n_freed = 0;
  g_assert_true (run ("test", coroutine, data, &error));
  g_assert_no_error (error);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static inline void
run_coroutine (gconstpointer data)
{
  run_with (gtx_test_run_named, *(const GtxCoroutine *) data, NULL);
}

static inline void
run_real_coroutine (gconstpointer data)
{
  run_with (gtx_run_named, *(const GtxCoroutine *) data, NULL);
}

/* Adds a word to the trace. */
static inline void
note (const char *word)
{
  if (trace->len > 0)
    g_string_append_c (trace, ' ');
  g_string_append (trace, word);
}

/* Compares the trace and begins a new one. */
#define assert_trace(expected)                                                 \
  G_STMT_START {                                                               \
    g_assert_cmpstr (trace->str, ==, (expected));                              \
    g_string_truncate (trace, 0);                                              \
  } G_STMT_END

static inline void
count_free (gpointer data)
{
  g_free (data);
  g_atomic_int_inc (&n_freed);
}

/* ---- Coroutines that many tests use ---- */

static inline gboolean
note_and_return (const char *word, GError **error)
{
  note (word);
  return TRUE;
}

static inline gboolean
sleep_long (gpointer data, GError **error)
{
  return gtx_sleep (1000, error);
}

static inline gboolean
await_future (GtxFuture *future, GError **error)
{
  return gtx_await (future, error);
}

static inline gboolean
fail (const char *message, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, message);
  return FALSE;
}

/* Sleeps for some milliseconds, and then notes a word: @what is "MS:WORD". */
static inline gboolean
sleep_and_note (const char *what, GError **error)
{
  const char *word = strchr (what, ':') + 1;

  if (!gtx_sleep (g_ascii_strtod (what, NULL) / 1000, error))
    {
      g_autofree char *cancelled = g_strconcat (word, "!", NULL);

      note (cancelled);
      return FALSE;
    }
  note (word);
  return TRUE;
}

static inline GtxTask *
sleeper (const char *what)
{
  return gtx_create_task (sleep_and_note, what, NULL);
}

static inline void
assert_ends_cancelled (GtxTask *task)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (task));
  assert_cancelled (gtx_future_get_error (task));
  g_assert_false (gtx_cancel (task));
}

/* ---- Processes ---- */

/* Starts a shell that runs @command.  The caller waits for it, and so reaps it. */
static inline GPid
spawn_shell (const char *command)
{
  char *argv[] = { (char *) "sh", (char *) "-c", (char *) command, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}
