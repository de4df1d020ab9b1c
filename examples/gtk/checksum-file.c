/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "checksum-file.h"

typedef enum
{
  WAITING,
  READING,
  DONE,
  DUPLICATE,
  FAILED,
  LEFT_OUT
} State;

struct _ChecksumFile
{
  GObject parent_instance;
  GFile *file;
  char *path;
  goffset size;
  goffset n_read;
  State state;
  char *status;                 /* of duplicates and failures */
  char *checksum;
};

G_DEFINE_FINAL_TYPE (ChecksumFile, checksum_file, G_TYPE_OBJECT)

enum
{
  PROP_PATH = 1,
  PROP_SIZE,
  PROP_SIZE_TEXT,
  PROP_READING,
  PROP_FRACTION,
  PROP_ICON,
  PROP_STATUS,
  PROP_CHECKSUM,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* ---- What the list shows ---- */

static const char *
get_icon (ChecksumFile *self)
{
  switch (self->state)
    {
    case DONE: return "object-select-symbolic";
    case DUPLICATE: return "edit-copy-symbolic";
    case FAILED: return "dialog-error-symbolic";
    default: return NULL;
    }
}

static const char *
get_status (ChecksumFile *self)
{
  switch (self->state)
    {
    case WAITING: return "Waiting";
    case DONE: return "Done";
    case LEFT_OUT: return "Left out";
    default: return self->status;
    }
}

static double
get_fraction (ChecksumFile *self)
{
  return self->size > 0 ? MIN ((double) self->n_read / (double) self->size, 1) : 0;
}

static void
checksum_file_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ChecksumFile *self = CHECKSUM_FILE (object);

  switch (id)
    {
    case PROP_PATH: g_value_take_string (value, g_filename_display_name (self->path)); break;
    case PROP_SIZE: g_value_set_int64 (value, self->size); break;
    case PROP_SIZE_TEXT: g_value_take_string (value, g_format_size ((guint64) self->size)); break;
    case PROP_READING: g_value_set_boolean (value, self->state == READING); break;
    case PROP_FRACTION: g_value_set_double (value, get_fraction (self)); break;
    case PROP_ICON: g_value_set_string (value, get_icon (self)); break;
    case PROP_STATUS: g_value_set_string (value, get_status (self)); break;
    case PROP_CHECKSUM: g_value_set_string (value, self->checksum); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* ---- GObject ---- */

static void
checksum_file_finalize (GObject *object)
{
  ChecksumFile *self = CHECKSUM_FILE (object);

  g_object_unref (self->file);
  g_free (self->path);
  g_free (self->status);
  g_free (self->checksum);
  G_OBJECT_CLASS (checksum_file_parent_class)->finalize (object);
}

static void
checksum_file_class_init (ChecksumFileClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = checksum_file_get_property;
  object_class->finalize = checksum_file_finalize;
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, flags);
  properties[PROP_SIZE] = g_param_spec_int64 ("size", NULL, NULL, 0, G_MAXINT64, 0, flags);
  properties[PROP_SIZE_TEXT] = g_param_spec_string ("size-text", NULL, NULL, NULL, flags);
  properties[PROP_READING] = g_param_spec_boolean ("reading", NULL, NULL, FALSE, flags);
  properties[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, 0, 1, 0, flags);
  properties[PROP_ICON] = g_param_spec_string ("icon", NULL, NULL, NULL, flags);
  properties[PROP_STATUS] = g_param_spec_string ("status", NULL, NULL, NULL, flags);
  properties[PROP_CHECKSUM] = g_param_spec_string ("checksum", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
checksum_file_init (ChecksumFile *self)
{
}

ChecksumFile *
checksum_file_new (GFile *file, GFile *folder, goffset size)
{
  ChecksumFile *self = g_object_new (CHECKSUM_TYPE_FILE, NULL);

  self->file = g_object_ref (file);
  self->path = g_file_get_relative_path (folder, file);
  self->size = size;
  return self;
}

/* ---- What is known ---- */

GFile *
checksum_file_get_file (ChecksumFile *self)
{
  return self->file;
}

const char *
checksum_file_get_path (ChecksumFile *self)
{
  return self->path;
}

goffset
checksum_file_get_size (ChecksumFile *self)
{
  return self->size;
}

const char *
checksum_file_get_checksum (ChecksumFile *self)
{
  return self->checksum;
}

gboolean
checksum_file_is_duplicate (ChecksumFile *self)
{
  return self->state == DUPLICATE;
}

static void
notify (ChecksumFile *self, guint first, guint last)
{
  for (guint i = first; i <= last; i++)
    g_object_notify_by_pspec (G_OBJECT (self), properties[i]);
}

static void
set_state (ChecksumFile *self, State state, const char *status)
{
  g_free (self->status);
  self->status = g_strdup (status);
  self->state = state;
  notify (self, PROP_READING, PROP_STATUS);
}

void
checksum_file_set_n_read (ChecksumFile *self, goffset n_read)
{
  self->n_read = n_read;
  if (self->state == READING)
    notify (self, PROP_FRACTION, PROP_FRACTION);
  else
    set_state (self, READING, NULL);
}

void
checksum_file_set_checksum (ChecksumFile *self, goffset size, const char *checksum)
{
  if (self->size != size)
    {
      self->size = size;
      notify (self, PROP_SIZE, PROP_SIZE_TEXT);
    }
  self->checksum = g_strdup (checksum);
  notify (self, PROP_CHECKSUM, PROP_CHECKSUM);
  set_state (self, DONE, NULL);
}

void
checksum_file_set_duplicate (ChecksumFile *self, const char *status)
{
  set_state (self, DUPLICATE, status);
}

void
checksum_file_set_failed (ChecksumFile *self, const char *status)
{
  set_state (self, FAILED, status);
}

void
checksum_file_set_left_out (ChecksumFile *self)
{
  if (self->state == WAITING || self->state == READING)
    set_state (self, LEFT_OUT, NULL);
}
