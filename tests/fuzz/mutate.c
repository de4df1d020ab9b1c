/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mutate.h"

#define LONGEST 512
#define MOST_CHANGES 5

static GPtrArray *inputs;       /* of GByteArray */

static gboolean
load (char **files, GError **error)
{
  inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  for (; *files; files++)
    {
      char *bytes;
      gsize size;

      if (!g_file_get_contents (*files, &bytes, &size, error))
        return FALSE;
      g_ptr_array_add (inputs, g_byte_array_new_take ((guint8 *) bytes, size));
    }
  return TRUE;
}

static GByteArray *
any_input (void)
{
  return inputs->pdata[g_random_int_range (0, (gint32) inputs->len)];
}

static guint
any_place (GByteArray *input)
{
  return (guint) g_random_int_range (0, (gint32) input->len + 1);
}

static void
insert (GByteArray *self, guint place, const guint8 *bytes, guint n)
{
  GByteArray *rest = g_byte_array_append (g_byte_array_new (), self->data + place, self->len - place);

  g_byte_array_set_size (self, place);
  g_byte_array_append (self, bytes, n);
  g_byte_array_append (self, rest->data, rest->len);
  g_byte_array_unref (rest);
}

static void
change (GByteArray *self)
{
  guint place = any_place (self);
  guint8 byte = (guint8) g_random_int ();
  GByteArray *other = any_input ();
  guint begin = any_place (other);
  guint most = (guint) g_random_int_range (1, 32);
  guint length = MIN (other->len - begin, most);

  switch (g_random_int_range (0, 4))
    {
    case 0:
      insert (self, place, &byte, 1);
      break;
    case 1:
      insert (self, place, other->data + begin, length);
      break;
    case 2:
      g_byte_array_remove_range (self, place, MIN (self->len - place, length));
      break;
    default:
      if (place < self->len)
        self->data[place] = byte;
    }
}

static GByteArray *
changed_copy (void)
{
  GByteArray *original = any_input ();
  GByteArray *copy = g_byte_array_append (g_byte_array_new (), original->data, original->len);

  for (gint32 n = g_random_int_range (0, MOST_CHANGES + 1); n > 0; n--)
    change (copy);
  g_byte_array_set_size (copy, MIN (copy->len, LONGEST));
  return copy;
}

gboolean
mutate_files (char **files, guint seconds, const char *current, RunBytes run, GError **error)
{
  gint64 until = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  gboolean succeeded = load (files, error);
  guint n = 0;

  for (; succeeded && g_get_monotonic_time () < until; n++)
    {
      g_autoptr (GByteArray) input = changed_copy ();

      succeeded = g_file_set_contents (current, (const char *) input->data, input->len, error);
      if (succeeded)
        run (input->data, input->len);
    }
  g_print ("%u programs\n", n);
  g_ptr_array_unref (inputs);
  return succeeded;
}
