/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "many/way.h"

struct _GtxWay
{
  GWeakRef future;
};

static void
way_clear (gpointer self)
{
  g_weak_ref_clear (&((GtxWay *) self)->future);
}

void
gtx_way_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, way_clear);
}

static gpointer
way_ref (gpointer self,
         gpointer unused)
{
  return self ? g_atomic_rc_box_acquire (self) : NULL;
}

/* The function takes no lock, because another thread might hold the lock during a fork (). */
GtxWay *
gtx_way_to (GtxFuture *future)
{
  GQuark quark = g_quark_from_static_string ("gtx-way");
  GtxWay *self = g_object_dup_qdata (G_OBJECT (future), quark, way_ref, NULL);

  while (self == NULL)
    {
      GtxWay *made = g_atomic_rc_box_new (GtxWay);

      g_weak_ref_init (&made->future, future);
      if (!g_object_replace_qdata (G_OBJECT (future), quark, NULL, made, gtx_way_unref, NULL))
        gtx_way_unref (made);
      self = g_object_dup_qdata (G_OBJECT (future), quark, way_ref, NULL);
    }
  return self;
}

GtxFuture *
gtx_way_go (GtxWay *self)
{
  return g_weak_ref_get (&self->future);
}
