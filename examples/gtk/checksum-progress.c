/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-progress.h"

/* Opening a file takes as long as reading this many bytes.  Counting it keeps the
 * progress even for thousands of small files. */
#define FILE_COST (16 << 10)

double
checksum_progress_get_fraction (const ChecksumProgress *self)
{
  double total = (double) self->n_total + (double) self->n_files * FILE_COST;
  double done = (double) self->n_read + (double) self->n_done * FILE_COST;

  return total > 0 ? CLAMP (done / total, 0, 1) : 0;
}

static void
append_time (GString *text, double seconds)
{
  guint n = (guint) MIN (seconds, 359999);

  if (n >= 3600)
    g_string_append_printf (text, "%u:%02u:%02u", n / 3600, n / 60 % 60, n % 60);
  else
    g_string_append_printf (text, "%u:%02u", n / 60, n % 60);
}

/* The rate of the first moments means nothing. */
char *
checksum_progress_describe (const ChecksumProgress *self, const char *state, gboolean running)
{
  GString *text = g_string_new (state);
  g_autofree char *read = g_format_size ((guint64) self->n_read);
  double fraction = checksum_progress_get_fraction (self);

  g_string_append_printf (text, "%u of %u files, %s", self->n_done, self->n_files, read);
  if (self->seconds >= 0.2)
    {
      g_autofree char *rate = g_format_size ((guint64) ((double) self->n_read / self->seconds));

      g_string_append_printf (text, " at %s/s", rate);
    }
  if (running && self->seconds >= 1 && fraction > 0)
    {
      g_string_append (text, ", ");
      append_time (text, self->seconds / fraction - self->seconds);
      g_string_append (text, " left");
    }
  else if (!running && self->seconds >= 1)
    {
      g_string_append (text, ", took ");
      append_time (text, self->seconds);
    }
  return g_string_free (text, FALSE);
}
