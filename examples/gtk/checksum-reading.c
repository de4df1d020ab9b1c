/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-reading.h"

/* How much a thread reads in one step: pausing waits for the end of the step. */
#define STEP (4 << 20)

gboolean
checksum_reading_step (ChecksumReading *self, GCancellable *cancellable, GError **error)
{
  goffset end = self->n_read + STEP;

  if (self->stream == NULL)
    self->stream = g_file_read (self->file, cancellable, error);
  if (self->stream == NULL)
    return FALSE;
  while (self->n_read < end)
    {
      gssize n = g_input_stream_read (G_INPUT_STREAM (self->stream), self->buffer,
                                      CHECKSUM_READING_BUFFER_SIZE, cancellable, error);

      self->at_end = n == 0;
      if (n < 0)
        return FALSE;
      if (n == 0)
        return g_input_stream_close (G_INPUT_STREAM (self->stream), NULL, error);
      g_checksum_update (self->checksum, self->buffer, n);
      self->n_read += n;
    }
  return TRUE;
}
