/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A handle can be queued to run: asyncio's Handle, as a link that lies in its owner.  Queueing a
 * handle allocates nothing, and taking it out searches nothing. */

#pragma once

#include <glib.h>

typedef struct _GtxHandle GtxHandle;

struct _GtxHandle
{
  GtxHandle *next;              /* NULL: in no list */
  GtxHandle *previous;
  void (*run) (GtxHandle *handle);
};

/* A list is a ring through a handle of its own that is never run. */
typedef struct
{
  GtxHandle ring;
} GtxHandleList;

#define GTX_CONTAINER_OF(pointer, type, member) \
  ((type *) (void *) ((guint8 *) (pointer) - G_STRUCT_OFFSET (type, member)))

static inline void
gtx_handle_list_init (GtxHandleList *list)
{
  list->ring.next = list->ring.previous = &list->ring;
}

static inline gboolean
gtx_handle_list_is_empty (const GtxHandleList *list)
{
  return list->ring.next == &list->ring;
}

static inline gboolean
gtx_handle_is_linked (const GtxHandle *handle)
{
  return handle->next != NULL;
}

static inline void
gtx_handle_list_append (GtxHandleList *list,
                        GtxHandle     *handle)
{
  GtxHandle *last = list->ring.previous;

  g_assert (!gtx_handle_is_linked (handle));
  handle->next = &list->ring;
  handle->previous = last;
  last->next = list->ring.previous = handle;
}

static inline void
gtx_handle_unlink (GtxHandle *handle)
{
  handle->previous->next = handle->next;
  handle->next->previous = handle->previous;
  handle->next = handle->previous = NULL;
}

static inline GtxHandle *
gtx_handle_list_pop (GtxHandleList *list)
{
  GtxHandle *first = list->ring.next;

  if (first == &list->ring)
    return NULL;
  gtx_handle_unlink (first);
  return first;
}

/* Moves all handles of @from, in order, to the end of @list. */
static inline void
gtx_handle_list_splice (GtxHandleList *list,
                        GtxHandleList *from)
{
  GtxHandle *first = from->ring.next;
  GtxHandle *last = from->ring.previous;

  if (first == &from->ring)
    return;
  first->previous = list->ring.previous;
  list->ring.previous->next = first;
  last->next = &list->ring;
  list->ring.previous = last;
  gtx_handle_list_init (from);
}
