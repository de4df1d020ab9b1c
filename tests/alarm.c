/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long the main loop polls for a short wait, and how often. */

#include "fixture.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_WAITS 20

/* The polls that could wait, by their timeout in nanoseconds. */
static guint n_waits;
static guint n_woken;
static gint64 longest;

static int
count (int n_ready, gint64 nanoseconds)
{
  if (nanoseconds != 0)
    {
      n_waits++;
      n_woken += n_ready > 0;
      longest = MAX (longest, nanoseconds);
    }
  return n_ready;
}

static int
wait_for (struct pollfd *descriptors, nfds_t n, const struct timespec *timeout)
{
  struct timespec left = timeout ? *timeout : (struct timespec) { 0, 0 };

  return (int) syscall (SYS_ppoll, descriptors, n, timeout ? &left : NULL, NULL, 0);
}

/* These definitions replace the C library's. */
int
ppoll (struct pollfd *descriptors, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
  gint64 nanoseconds = timeout ? timeout->tv_sec * (gint64) 1000000000 + timeout->tv_nsec : G_MAXINT64;

  return count (wait_for (descriptors, n, timeout), nanoseconds);
}

int
poll (struct pollfd *descriptors, nfds_t n, int milliseconds)
{
  const struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

  return count (wait_for (descriptors, n, milliseconds < 0 ? NULL : &timeout),
                milliseconds < 0 ? G_MAXINT64 : milliseconds * (gint64) 1000000);
}

static gboolean
is_exact (void)
{
  return glib_check_version (2, 81, 0) == NULL;
}

static gboolean
wait_often (double seconds, GError **error)
{
  n_waits = n_woken = 0;
  longest = 0;
  for (guint i = 0; i < N_WAITS; i++)
    if (!gtx_sleep (seconds, error))
      return FALSE;
  return TRUE;
}

/* The main loop does not wait too long.  Setting its alarm does not wake it, because each wait
 * would then need a second poll. */
static gboolean
short_waits (gpointer data, GError **error)
{
  /* The first poll of a context ends at once, and so does a poll after tasks ran for long. */
  if (!gtx_sleep (0.001, error) || !wait_often (0.0003, error))
    return FALSE;
  g_assert_cmpint (longest, <=, is_exact () ? 300 * 1000 : 1000 * 1000);
  g_assert_cmpuint (n_waits, <=, N_WAITS);
  g_assert_cmpuint (n_woken, ==, 0);
  return TRUE;
}

/* Long waits are rounded up, so that the waits of many tasks end together. */
static gboolean
long_waits (gpointer data, GError **error)
{
  if (!gtx_sleep (0.001, error) || !wait_often (0.0103, error))
    return FALSE;
  g_assert_cmpint (longest % 1000000, ==, 0);
  g_assert_cmpuint (n_waits, <=, 2 * N_WAITS);
  g_assert_cmpuint (n_woken, ==, 0);
  return TRUE;
}

/* A timer that was set and removed ends no later wait. */
static gboolean
taken_back (gpointer data, GError **error)
{
  for (guint i = 0; i < N_WAITS; i++)
    {
      g_autoptr (GtxFuture) other = gtx_sleep_future (0.004);

      if (!gtx_sleep (0.0002, error))
        return FALSE;
      gtx_cancel (other);
    }
  n_waits = n_woken = 0;
  if (!gtx_sleep (0.02, error))
    return FALSE;
  g_assert_cmpuint (n_waits, <=, 3);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/alarm/short-waits", short_waits);
  add_real_coroutine ("/alarm/long-waits", long_waits);
  add_real_coroutine ("/alarm/taken-back", taken_back);
  return g_test_run ();
}
