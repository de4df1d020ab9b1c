/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory of the process of a case, and a crowd of tasks, some of which get no stack. */

#define _GNU_SOURCE

#include "faults-crowd.h"

#include "loop/scheduler.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* ---- The memory of the process ---- */

/* A line of /proc/self/maps. */
typedef struct
{
  gsize start;
  gsize end;
  char access[5];
  gboolean is_anonymous;
} Mapping;

static GArray *
read_mappings (void)
{
  GArray *mappings = g_array_new (FALSE, FALSE, sizeof (Mapping));
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &text, NULL, NULL));
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      Mapping mapping;
      unsigned long inode;
      int length = 0;

      g_assert_cmpint (sscanf (lines[i], "%" G_GSIZE_MODIFIER "x-%" G_GSIZE_MODIFIER "x %4s %*x %*s %lu %n",
                               &mapping.start, &mapping.end, mapping.access, &inode, &length), ==, 4);
      mapping.is_anonymous = inode == 0 && lines[i][length] == '\0';
      g_array_append_val (mappings, mapping);
    }
  return mappings;
}

gsize
anonymous_bytes (void)
{
  g_autoptr (GArray) mappings = read_mappings ();
  gsize sum = 0;

  for (guint i = 0; i < mappings->len; i++)
    if (g_array_index (mappings, Mapping, i).is_anonymous)
      sum += g_array_index (mappings, Mapping, i).end - g_array_index (mappings, Mapping, i).start;
  return sum;
}

guint
count_mappings (void)
{
  g_autoptr (GArray) mappings = read_mappings ();

  return mappings->len;
}

guint8 *
bottom_of (gconstpointer address)
{
  g_autoptr (GArray) mappings = read_mappings ();

  for (guint i = 0; i < mappings->len; i++)
    if ((gsize) address < g_array_index (mappings, Mapping, i).end)
      return (guint8 *) g_array_index (mappings, Mapping, i).start;
  g_assert_not_reached ();
}

gboolean
is_guarded_by_mapping (gconstpointer address)
{
  g_autoptr (GArray) mappings = read_mappings ();

  for (guint i = 1; i < mappings->len; i++)
    {
      const Mapping *mapping = &g_array_index (mappings, Mapping, i);

      if ((gsize) address < mapping->end)
        return mapping[-1].end == mapping->start && strcmp (mapping[-1].access, "---p") == 0;
    }
  return FALSE;
}

gsize
status_of (const char *name)
{
  g_autofree char *text = NULL;
  const char *at;

  g_assert_true (g_file_get_contents ("/proc/self/status", &text, NULL, NULL));
  at = strstr (text, name);
  g_assert_nonnull (at);
  return g_ascii_strtoull (at + strlen (name) + 1, NULL, 10);
}

guint
most_mappings (void)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents ("/proc/sys/vm/max_map_count", &text, NULL, NULL));
  return (guint) g_ascii_strtoull (text, NULL, 10);
}

guint
count_calls (const char *name)
{
  unsigned long (*count) (const char *name) = NULL;

  *(void **) &count = dlsym (RTLD_DEFAULT, "faults_count");
  return count ? (guint) count (name) : 0;
}

gboolean
is_refused (const char *call)
{
  return g_strcmp0 (g_getenv ("FAULTS_CALL"), call) == 0;
}

/* ---- A crowd of tasks, some of which get no stack ---- */

typedef struct _Member
{
  Crowd *crowd;
  GtxTask *task;
  guint n_ended;
} Member;

/* The result and the data of a task are its member. */
static void
free_data (gpointer member)
{
  ((Member *) member)->crowd->n_data_freed++;
}

static void
free_result (gpointer member)
{
  ((Member *) member)->crowd->n_results_freed++;
}

static Member *
live (Member *self, GError **error)
{
  self->crowd->n_begun++;
  return gtx_await (self->crowd->go, error) && gtx_sleep (0.001, error) ? self : NULL;
}

static void
on_ended (gpointer future, gpointer data)
{
  const GError *error = gtx_future_get_error (future);
  Member *self = data;

  self->n_ended++;
  self->crowd->n_ended++;
  if (error == NULL)
    return;
  self->crowd->n_failed++;
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NO_STACK);
  g_assert_nonnull (strstr (error->message, "run fewer tasks at once"));
}

Crowd *
crowd_new (guint n, gsize stack_size)
{
  Crowd *self = g_new0 (Crowd, 1);

  self->n = n;
  self->go = gtx_future_new ();
  self->members = g_new0 (Member, n);
  for (guint i = 0; i < n; i++)
    {
      Member *member = &self->members[i];

      member->crowd = self;
      member->task = gtx_task_new_pointer (live, member, free_data, free_result);
      gtx_task_set_stack_size (member->task, stack_size);
      gtx_future_add_done_callback (member->task, on_ended, member, NULL);
      gtx_task_start (member->task);
    }
  while (self->n_begun + self->n_failed < n)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (self->n_ended, ==, self->n_failed);
  g_assert_cmpuint (self->n_data_freed, ==, self->n_failed);
  return self;
}

guint
crowd_end (Crowd *self)
{
  guint n_failed = self->n_failed;

  gtx_future_set_result (self->go, NULL, NULL);
  while (self->n_ended < self->n)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpuint (self->n_failed, ==, n_failed);
  for (guint i = 0; i < self->n; i++)
    {
      g_autoptr (GtxTask) task = self->members[i].task;

      g_assert_cmpuint (self->members[i].n_ended, ==, 1);
      g_assert_true (gtx_future_is_done (task));
    }
  /* The scheduler may still have references to the tasks. */
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
  g_assert_cmpuint (self->n_data_freed, ==, self->n);
  g_assert_cmpuint (self->n_results_freed, ==, self->n_begun);
  g_clear_object (&self->go);
  g_free (self->members);
  g_free (self);
  return n_failed;
}

guint
run_crowd (guint n, gsize stack_size)
{
  return crowd_end (crowd_new (n, stack_size));
}

void
trim (void)
{
  while (gtx_stack_pool_trim (gtx_scheduler_get_stacks (gtx_scheduler_get ())) > 0)
    ;
}
