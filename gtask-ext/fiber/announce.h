/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells the tools that watch memory (AddressSanitizer, LeakSanitizer,
 * ThreadSanitizer, Valgrind) of stacks and of the switches between them. */

#pragma once

#include <glib.h>

#if defined (__SANITIZE_ADDRESS__)
#define GTX_ASAN 1
#elif defined (__has_feature)
#if __has_feature (address_sanitizer)
#define GTX_ASAN 1
#endif
#endif

#if defined (__SANITIZE_THREAD__)
#define GTX_TSAN 1
#elif defined (__has_feature)
#if __has_feature (thread_sanitizer)
#define GTX_TSAN 1
#endif
#endif

#ifdef GTX_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef GTX_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef HAVE_VALGRIND
#include <valgrind/memcheck.h>

/* Whether the program runs under Valgrind.  Each new pool asks once and keeps the answer here:
 * asking for each stack would take 7 ns of the 230 that a task takes. */
extern gboolean gtx_announce_to_valgrind G_GNUC_INTERNAL;
#endif

/* What the tools know of one stack that is in use. */
typedef struct
{
  guint valgrind_id;
  void *tsan_fiber;
} GtxAnnouncement;

/* One side of a switch: what the stack that is left has to remember. */
typedef struct
{
  void *asan_fake_stack;
  const void *asan_bottom;
  gsize asan_size;
  void *tsan_fiber;
} GtxSwitchRecord;

static inline void
gtx_announce_stack (GtxAnnouncement *announcement,
                    void            *base,
                    gsize            size)
{
#ifdef GTX_ASAN
  /* LeakSanitizer has to search the stack: memory that a suspended task holds is reachable from
   * there alone. */
  ASAN_UNPOISON_MEMORY_REGION (base, size);
  __lsan_register_root_region (base, size);
#endif
#ifdef GTX_TSAN
  announcement->tsan_fiber = __tsan_create_fiber (0);
#endif
#ifdef HAVE_VALGRIND
  if (G_UNLIKELY (__atomic_load_n (&gtx_announce_to_valgrind, __ATOMIC_RELAXED)))
    {
      /* Valgrind takes the memory that the stack's last user unwound for out of bounds. */
      VALGRIND_MAKE_MEM_UNDEFINED (base, size);
      announcement->valgrind_id = VALGRIND_STACK_REGISTER (base, (guint8 *) base + size);
    }
#endif
}

static inline void
gtx_announce_stack_gone (GtxAnnouncement *announcement,
                         void            *base,
                         gsize            size)
{
#ifdef GTX_ASAN
  __lsan_unregister_root_region (base, size);
  ASAN_UNPOISON_MEMORY_REGION (base, size);
#endif
#ifdef GTX_TSAN
  __tsan_destroy_fiber (announcement->tsan_fiber);
#endif
#ifdef HAVE_VALGRIND
  if (G_UNLIKELY (__atomic_load_n (&gtx_announce_to_valgrind, __ATOMIC_RELAXED)))
    VALGRIND_STACK_DEREGISTER (announcement->valgrind_id);
#endif
}

/* To be called right before a switch.  @record: the record of the stack that is left, or NULL if it
 * is left for good.  This function and its callers, up to the one that switches, must be inlined:
 * ThreadSanitizer would count the return of a function on the stack that is entered. */
static G_ALWAYS_INLINE inline void
gtx_announce_leave (GtxSwitchRecord *record,
                    const void      *to_base,
                    gsize            to_size,
                    void            *to_tsan_fiber)
{
#ifdef GTX_ASAN
  __sanitizer_start_switch_fiber (record ? &record->asan_fake_stack : NULL, to_base, to_size);
#endif
#ifdef GTX_TSAN
  __tsan_switch_to_fiber (to_tsan_fiber, 0);
#endif
}

/* To be called right after a switch.  @record: the record of the stack that was entered, or NULL at
 * its first entry.  @from: gets the bounds of the stack that was left, or NULL. */
static inline void
gtx_announce_enter (GtxSwitchRecord *record,
                    GtxSwitchRecord *from)
{
#ifdef GTX_ASAN
  __sanitizer_finish_switch_fiber (record ? record->asan_fake_stack : NULL,
                                   from ? &from->asan_bottom : NULL,
                                   from ? &from->asan_size : NULL);
#endif
}

static inline void *
gtx_announce_current_fiber (void)
{
#ifdef GTX_TSAN
  return __tsan_get_current_fiber ();
#else
  return NULL;
#endif
}
