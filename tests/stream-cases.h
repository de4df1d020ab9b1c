/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of streams of each kind share.  A test is a case for each kind, and tasks
 * read in it.  The paths of the cases begin with CASES_PATH. */

#pragma once

#include "stream-ends.h"

/* ---- Cases ---- */

typedef gboolean (*EndsFunc) (Ends *ends, GError **error);

typedef struct
{
  EndsFunc func;
  EndsKind kind;
} Case;

static inline void
run_case (gconstpointer data)
{
  const Case *self = data;
  g_autoptr (Ends) ends = ends_new (self->kind);

  run_with (gtx_test_run_named, (GtxCoroutine) self->func, ends);
}

static inline void
add_case (const char *name, EndsFunc func, EndsKind kind)
{
  g_autofree char *path = g_strdup_printf (CASES_PATH "/%s/%s", ends_names[kind], name);
  Case *self = g_new (Case, 1);

  *self = (Case) { func, kind };
  g_test_add_data_func_full (path, self, run_case, g_free);
}

static inline void
add_cases (const char *name, EndsFunc func)
{
  for (guint i = 0; i < N_KINDS; i++)
    add_case (name, func, (EndsKind) i);
}

/* ---- Tasks ---- */

typedef struct
{
  GInputStream *stream;
  char buffer[64];
  gsize count;
  gsize n;
} Read;

static inline gboolean
read_some (Read *self, GError **error)
{
  gssize n = gtx_input_stream_read (self->stream, self->buffer, self->count, error);

  self->n = MAX (n, 0);
  return n >= 0;
}

static inline gboolean
read_all (Read *self, GError **error)
{
  return gtx_input_stream_read_all (self->stream, self->buffer, self->count, &self->n, error);
}

static inline Read
read_of (Ends *ends, gsize count)
{
  return (Read) { .stream = ends->input, .count = count };
}

static inline void
assert_reads (GInputStream *stream, gsize count, const char *expected)
{
  g_autoptr (GError) error = NULL;
  char buffer[64];
  gssize n = gtx_input_stream_read (stream, buffer, count, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (buffer, n, expected, strlen (expected));
}

/* As a rule, GIO's buffers wait for the whole number of bytes. */
static inline gboolean
is_buffered (Ends *ends)
{
  return G_IS_BUFFERED_INPUT_STREAM (ends->input);
}
