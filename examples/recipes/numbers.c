/* Values that are made of other values: a filter and a map are functions that take the next value. */
#include "recipes.h"

/* Filters: leaves out the lines that are no numbers.  At the end it returns FALSE and sets no error. */
gboolean
next_number (GDataInputStream *lines, gint64 *number, GError **error)
{
  char *line;

  while ((line = gtx_data_input_stream_read_line (lines, NULL, error)))
    {
      gboolean is_number = g_ascii_string_to_signed (line, 10, G_MININT32, G_MAXINT32, number, NULL);

      g_free (line);
      if (is_number)
        return TRUE;
    }
  return FALSE;
}

/* Maps. */
static gboolean
next_square (GDataInputStream *lines, gint64 *square, GError **error)
{
  gint64 number;

  if (!next_number (lines, &number, error))
    return FALSE;
  *square = number * number;
  return TRUE;
}

static gboolean
print_squares (GDataInputStream *lines, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gint64 square;

  while (next_square (lines, &square, &failure))
    g_print ("%d\n", (int) square);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
recipe_numbers (gpointer data, GError **error)
{
  g_autoptr (GInputStream) text = g_memory_input_stream_new_from_data ("2\ntwo\n3\n\n-4", -1, NULL);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (text);

  return print_squares (lines, error);
}
