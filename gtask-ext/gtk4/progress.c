/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far some work has come, told at most once a frame. */

#include "gtask-ext-gtk4/progress.h"

/* Invariant: the message, which keeps a reference, is under way or waits for a frame exactly while
 * is_told is set. */
struct _GtxProgress
{
  GObject parent_instance;
  GMainContext *context;
  GWeakRef widget;

  GMutex mutex;                 /* guards what threads report */
  double reported;
  gboolean is_told;

  double value;
};

G_DEFINE_FINAL_TYPE (GtxProgress, gtx_progress, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_VALUE,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void
gtx_progress_get_property (GObject    *object,
                           guint       id,
                           GValue     *value,
                           GParamSpec *pspec)
{
  if (id == PROP_VALUE)
    g_value_set_double (value, ((GtxProgress *) object)->value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gtx_progress_finalize (GObject *object)
{
  GtxProgress *self = (GtxProgress *) object;

  g_main_context_unref (self->context);
  g_weak_ref_clear (&self->widget);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (gtx_progress_parent_class)->finalize (object);
}

static void
gtx_progress_class_init (GtxProgressClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = gtx_progress_get_property;
  object_class->finalize = gtx_progress_finalize;

  /**
   * GtxProgress:value:
   *
   * What was reported last, as of the last frame: bind a #GtkProgressBar:fraction to it.
   *
   * Since: 0.1
   */
  properties[PROP_VALUE] =
    g_param_spec_double ("value", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
gtx_progress_init (GtxProgress *self)
{
  self->context = g_main_context_ref_thread_default ();
  g_weak_ref_init (&self->widget, NULL);
  g_mutex_init (&self->mutex);
}

/**
 * gtx_progress_new:
 * @widget: (type Gtk.Widget): the #GtkWidget that shows it
 *
 * Makes a progress whose #GtxProgress:value is 0.
 *
 * No reference to @widget is kept.  Never suspends; to be called in GTK's thread.
 *
 * Returns: (transfer full): a new #GtxProgress
 *
 * Since: 0.1
 */
GtxProgress *
gtx_progress_new (gpointer widget)
{
  GtxProgress *self;

  g_return_val_if_fail (GTK_IS_WIDGET (widget), NULL);

  self = g_object_new (GTX_TYPE_PROGRESS, NULL);
  g_weak_ref_set (&self->widget, widget);
  return self;
}

/* ---- Telling ---- */

static void
tell (GtxProgress *self)
{
  double value;

  g_mutex_lock (&self->mutex);
  self->is_told = FALSE;
  value = self->reported;
  g_mutex_unlock (&self->mutex);
  if (value == self->value)
    return;
  self->value = value;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_VALUE]);
}

/* A report that waits for a frame of the widget. */
typedef struct
{
  GtxProgress *progress;
  GtkWidget *widget;
  guint tick;
  gulong unmap;
  gboolean is_told;
} Telling;

/* There may be no frame for long, or the widget may go: it is told while it is whole. */
static void
on_unmap (GtkWidget *widget,
          Telling   *self)
{
  gtk_widget_remove_tick_callback (widget, self->tick);
}

static void
telling_free (gpointer data)
{
  Telling *self = data;

  g_clear_signal_handler (&self->unmap, self->widget);
  if (!self->is_told)
    tell (self->progress);
  g_object_unref (self->progress);
  g_free (self);
}

static gboolean
on_frame (GtkWidget     *widget,
          GdkFrameClock *clock,
          gpointer       data)
{
  Telling *self = data;

  self->is_told = TRUE;
  tell (self->progress);
  return G_SOURCE_REMOVE;
}

/* A widget that is not mapped has no frames. */
static gboolean
on_message (gpointer data)
{
  GtxProgress *self = data;
  g_autoptr (GtkWidget) widget = g_weak_ref_get (&self->widget);
  Telling *telling;

  if (widget == NULL || !gtk_widget_get_mapped (widget))
    {
      tell (self);
      return G_SOURCE_REMOVE;
    }
  telling = g_new0 (Telling, 1);
  telling->progress = g_object_ref (self);
  telling->widget = widget;
  telling->unmap = g_signal_connect (widget, "unmap", G_CALLBACK (on_unmap), telling);
  telling->tick = gtk_widget_add_tick_callback (widget, on_frame, telling, telling_free);
  return G_SOURCE_REMOVE;
}

/**
 * gtx_progress_report:
 * @self: a #GtxProgress
 * @value: how far the work has come: any number, such as a fraction from 0 to 1 for a progress bar
 *
 * Reports how far some work has come.
 *
 * #GtxProgress:value changes in the next frame of the widget, to what was reported last; or soon,
 * if the widget is not visible.  Never suspends; to be called in any thread.
 *
 * Since: 0.1
 */
void
gtx_progress_report (GtxProgress *self,
                     double       value)
{
  gboolean was_told;

  g_return_if_fail (GTX_IS_PROGRESS (self));

  g_mutex_lock (&self->mutex);
  self->reported = value;
  was_told = self->is_told;
  self->is_told = TRUE;
  g_mutex_unlock (&self->mutex);
  if (!was_told)
    {
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_priority (source, G_PRIORITY_DEFAULT);
      g_source_set_callback (source, on_message, g_object_ref (self), g_object_unref);
      g_source_attach (source, self->context);
    }
}

/**
 * gtx_progress_get_value:
 * @self: a #GtxProgress
 *
 * Returns #GtxProgress:value.  Never suspends; to be called in GTK's thread.
 *
 * Returns: what was reported last, as of the last frame
 *
 * Since: 0.1
 */
double
gtx_progress_get_value (GtxProgress *self)
{
  g_return_val_if_fail (GTX_IS_PROGRESS (self), 0);

  return self->value;
}
