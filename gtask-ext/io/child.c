/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for child processes: how each ended is asked for once. */

#include "gtask-ext/unix.h"

#include "io/descriptor.h"
#include "task/table.h"

#include "gtask-ext/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* P_PIDFD of Linux, where the C library's headers may be older. */
#define BY_PIDFD ((idtype_t) 3)

/* A child process, for all tasks of a main context that wait for it.
 *
 * A task that runs asks the kernel how the process ended, and not before, so that a task which is
 * cancelled first leaves the answer to the next one.  It asks only if the process has ended and
 * nobody has asked yet: the kernel answers once.  The child is in the table of shared waits until
 * then, or until no task waits. */
typedef struct
{
  GHashTable *table;
  pid_t pid;
  int fd;                       /* readable when it has ended */
  idtype_t id_type;             /* BY_PIDFD if @fd is a pidfd, and else P_PID */
  guint n_users;
  enum { CHILD_RUNS, CHILD_HAS_ENDED, CHILD_IS_LOST } state;
  int wait_status;
} Child;

/* ---- A descriptor that is readable when a process has ended ---- */

typedef struct
{
  pid_t pid;
  int fd;
} Vigil;

static gpointer
keep_vigil (gpointer data)
{
  Vigil *self = data;
  siginfo_t info;

  while (waitid (P_PID, (id_t) self->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
    ;
  eventfd_write (self->fd, 1);
  close (self->fd);
  g_free (self);
  return NULL;
}

static gboolean
begin_vigil (pid_t    pid,
             int      fd,
             GError **error)
{
  Vigil *vigil = g_new (Vigil, 1);
  GThread *thread;

  *vigil = (Vigil) { pid, fd };
  thread = g_thread_try_new ("gtask-ext child", keep_vigil, vigil, error);
  if (thread)
    g_thread_unref (thread);
  else
    g_free (vigil);
  return thread != NULL;
}

/* Without pidfds a thread waits, with its own copy of the descriptor, since it goes on when no task
 * waits any more. */
static int
open_by_thread (pid_t    pid,
                GError **error)
{
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  int copy = fd < 0 ? -1 : fcntl (fd, F_DUPFD_CLOEXEC, 0);

  if (copy < 0)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Process %d cannot be awaited: %s",
                 (int) pid, g_strerror (errno));
  else if (begin_vigil (pid, copy, error))
    return fd;
  else
    close (copy);
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Returns -1 if the system has no pidfds. */
static int
open_pidfd (pid_t pid)
{
#ifdef SYS_pidfd_open
  return (int) syscall (SYS_pidfd_open, pid, 0);
#else
  errno = ENOSYS;
  return -1;
#endif
}

/* ---- How a process ended ---- */

static gboolean
is_child (idtype_t type,
          int      id)
{
  siginfo_t info;

  return waitid (type, (id_t) id, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void
child_forget (Child *self)
{
  gpointer key = GTX_TABLE_KEY (GTX_TABLE_CHILD, self->pid);

  if (g_hash_table_lookup (self->table, key) == self)
    g_hash_table_remove (self->table, key);
}

static void
child_ask (Child *self)
{
  int id = self->id_type == P_PID ? (int) self->pid : self->fd;
  siginfo_t info = { 0 };

  if (self->state != CHILD_RUNS)
    return;
  if (waitid (self->id_type, (id_t) id, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    self->state = CHILD_IS_LOST;
  else if (info.si_pid == 0)
    return;
  else if (waitpid (self->pid, &self->wait_status, WNOHANG) == self->pid)
    self->state = CHILD_HAS_ENDED;
  else
    self->state = CHILD_IS_LOST;
  child_forget (self);
}

/* ---- Waiting for a process ---- */

static void
set_lost_error (pid_t    pid,
                GError **error)
{
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
               "The status of process %d is lost: the process is no child of this one, "
               "or other code has waited for it, or SIGCHLD is ignored", (int) pid);
}

static gboolean
child_open (Child   *self,
            GError **error)
{
  self->fd = open_pidfd (self->pid);
  self->id_type = BY_PIDFD;
  if (self->fd >= 0 && !is_child (BY_PIDFD, self->fd) && errno == EINVAL)
    {
      close (self->fd);
      self->fd = -1;
    }
  if (self->fd < 0)
    {
      self->id_type = P_PID;
      self->fd = open_by_thread (self->pid, error);
    }
  return self->fd >= 0;
}

static Child *
child_new (GHashTable  *table,
           pid_t        pid,
           GError     **error)
{
  Child *self;

  if (!is_child (P_PID, pid))
    {
      set_lost_error (pid, error);
      return NULL;
    }
  self = g_new0 (Child, 1);
  self->table = table;
  self->pid = pid;
  if (!child_open (self, error))
    {
      g_free (self);
      return NULL;
    }
  g_hash_table_insert (table, GTX_TABLE_KEY (GTX_TABLE_CHILD, pid), self);
  return self;
}

static Child *
child_join (GtxScheduler  *home,
            pid_t          pid,
            GError       **error)
{
  GHashTable *table = gtx_scheduler_get_table (home);
  Child *self = g_hash_table_lookup (table, GTX_TABLE_KEY (GTX_TABLE_CHILD, pid));

  if (self == NULL)
    self = child_new (table, pid, error);
  if (self)
    self->n_users++;
  return self;
}

static void
child_leave (Child *self)
{
  if (--self->n_users > 0)
    return;
  child_forget (self);
  close (self->fd);
  g_free (self);
}

static gboolean
await_child (GtxTask  *task,
             Child    *self,
             int      *wait_status,
             GError  **error)
{
  GtxDescriptorWait wanted = {
    .fd = self->fd, .condition = G_IO_IN, .deadline = GTX_NEVER, .stands = TRUE, .what = "process", .number = self->pid,
  };

  /* There is no wait for a process that has ended already. */
  for (child_ask (self); self->state == CHILD_RUNS; child_ask (self))
    if (gtx_descriptor_wait (task, &wanted, NULL) == 0 && self->state == CHILD_RUNS)
      return gtx_task_deliver_request (task, error);
  if (self->state == CHILD_IS_LOST)
    set_lost_error (self->pid, error);
  else if (wait_status)
    *wait_status = self->wait_status;
  return self->state == CHILD_HAS_ENDED;
}

/**
 * gtx_await_child:
 * @pid: a child process for which no other code waits
 * @wait_status: (out) (optional): how the process ended, for g_spawn_check_wait_status()
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until a child process has ended: asyncio's `Process.wait()`.  Does
 * not suspend if the process has ended already.
 *
 * The system reports the end of a process once: all tasks of a main context that wait for the
 * process at that moment get the status, and no later caller does.  If the task is cancelled,
 * the process goes on, and a task may await it again, even if it has ended meanwhile.
 *
 * Sets %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_NOT_IN_TASK outside a task,
 * and %GTX_ERROR_INVALID_ARGUMENT if @pid is not positive, is not a child of this process
 * (g_spawn_async() needs %G_SPAWN_DO_NOT_REAP_CHILD), or its status is unknown: other code,
 * such as another main context, has got the status before, or SIGCHLD is ignored, which a
 * program inherits from the program that started it.  Sets another error of %G_IO_ERROR or
 * %G_THREAD_ERROR if no descriptor is left, or no thread on systems without pidfds.  For a
 * #GSubprocess use g_subprocess_wait_async().
 *
 * Returns: %TRUE when it has ended, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_await_child (GPid      pid,
                 int      *wait_status,
                 GError  **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  gboolean succeeded;
  Child *child;

  if (task == NULL)
    return FALSE;
  if (pid <= 0)
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                   "%d is not a process ID; pass the ID of a child process", pid);
      return FALSE;
    }
  child = child_join (task->parent_instance.home, pid, error);
  if (child == NULL)
    return FALSE;
  succeeded = await_child (task, child, wait_status, error);
  child_leave (child);
  return succeeded;
}
