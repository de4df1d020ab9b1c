/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fiber/stack.h"

#include "fiber/guard.h"


#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* MADV_DONTNEED for memory that mlockall () locks, since Linux 5.18. */
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* A size class for each power of two. */
#define SMALLEST_SHIFT 14
#define N_CLASSES (sizeof (gsize) == 8 ? 20 : 14)
#define MAX_CLASSES 20

#if GLIB_SIZEOF_VOID_P >= 8
#define DEFAULT_SIZE ((gsize) 1 << 20)
#else
#define DEFAULT_SIZE ((gsize) 1 << 18)
#endif

/* Slabs get larger as a class needs more stacks: a program of few tasks reserves little. */
#define FIRST_SLAB_STACKS 8
#define LARGEST_SLAB_STACKS 256

/* Address space that is left to the program, which GLib ends if malloc () fails: enough for a
 * thread, some blocks, and the errors of tasks without a stack. */
#define HEADROOM ((gsize) 16 << 20)

/* So many free stacks of each class keep their pages. */
#define RESERVE 16

/* A stack that was not used for a period is given back, some at a time so as not to keep the main
 * loop. */
#define TRIM_PERIOD_MS 1000
#define TRIM_NEXT_MS 20
#define TRIM_AT_ONCE 512

typedef struct _Slab Slab;
typedef struct _Class Class;
typedef struct _Cell Cell;

/* A stack and its place in the pool. */
struct _Cell
{
  GtxStack stack;
  Slab *slab;
  Cell *next;                   /* in the class's list of free stacks */
  Cell *previous;
  guint released;               /* the pool's epoch when it was freed */
  gboolean dirty;               /* it may have pages of its own */
  gboolean guard_takes_mappings;
};

struct _Slab
{
  Slab *next;
  Class *class;
  guint8 *memory;
  guint n_cells;
  guint n_cut;                  /* cells handed out at least once */
  guint n_used;
  Cell cells[];
};

struct _Class
{
  gsize stride;
  Slab *slabs;                  /* the newest first, the only one that may have cells to cut */
  Cell *hot;                    /* the one freed last */
  Cell *cold;                   /* the one freed first */
  guint n_free;
};

/* Invariants, for each class: the free list holds exactly the cut cells that
 * are not used; from hot to cold, `released` never grows. */
struct _GtxStackPool
{
  Class classes[MAX_CLASSES];
  gsize n_used;
  gsize n_free;
  guint epoch;                  /* counts the periods of trimming */
};

/* After mlockall () the kernel would provide all of the memory at once.  This locks only pages that
 * are touched. */
static void
lock_on_fault (void *memory,
               gsize size)
{
#ifdef MLOCK_ONFAULT
  /* Only locked memory refuses this advice. */
  if (madvise (memory, size, MADV_DONTNEED) != 0 && errno == EINVAL)
    mlock2 (memory, size, MLOCK_ONFAULT);
#else
#endif
}

/* Makes the memory accessible while the headroom is still there.  That takes one mapping more than
 * stays, so that one mapping is left for the program too. */
static void *
map (gsize size)
{
  guint8 *headroom = mmap (NULL, HEADROOM + size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  guint8 *memory;

  if (headroom == MAP_FAILED)
    return NULL;
  memory = headroom + HEADROOM;
  lock_on_fault (memory, size);
  if (mprotect (memory, size, PROT_READ | PROT_WRITE) != 0)
    {
      munmap (headroom, HEADROOM + size);
      return NULL;
    }
  munmap (headroom, HEADROOM);
#ifdef MADV_NOHUGEPAGE
  madvise (memory, size, MADV_NOHUGEPAGE);
#endif
  return memory;
}

static GtxStackMap map_slab = map;
static gsize default_size = DEFAULT_SIZE;

void
gtx_stack_set_map (GtxStackMap replacement)
{
  map_slab = replacement ? replacement : map;
}

gsize
gtx_stack_default_size (void)
{
  return __atomic_load_n (&default_size, __ATOMIC_RELAXED);
}

void
gtx_stack_set_default_size (gsize size)
{
  __atomic_store_n (&default_size, size > 0 ? size : DEFAULT_SIZE, __ATOMIC_RELAXED);
}

#ifdef HAVE_VALGRIND
gboolean gtx_announce_to_valgrind;
#endif

GtxStackPool *
gtx_stack_pool_new (void)
{
  GtxStackPool *pool = g_new0 (GtxStackPool, 1);

#ifdef HAVE_VALGRIND
  __atomic_store_n (&gtx_announce_to_valgrind, RUNNING_ON_VALGRIND != 0, __ATOMIC_RELAXED);
#endif
  for (guint i = 0; i < N_CLASSES; i++)
    pool->classes[i].stride = (gsize) 1 << (SMALLEST_SHIFT + i);
  return pool;
}

static void
list_free_cell (Class *class,
                Cell  *cell)
{
  cell->previous = NULL;
  cell->next = class->hot;
  if (class->hot)
    class->hot->previous = cell;
  else
    class->cold = cell;
  class->hot = cell;
  class->n_free++;
}

static void
unlist_free_cell (Class *class,
                  Cell  *cell)
{
  if (cell->previous)
    cell->previous->next = cell->next;
  else
    class->hot = cell->next;
  if (cell->next)
    cell->next->previous = cell->previous;
  else
    class->cold = cell->previous;
  class->n_free--;
}

/* FALSE if the memory is the middle of a mapping: to unmap it takes one mapping more, which there
 * may not be. */
static gboolean
unmap_memory (Slab *slab)
{
  if (munmap (slab->memory, slab->n_cells * slab->class->stride) != 0)
    return FALSE;
  for (guint i = 0; i < slab->n_cut; i++)
    if (slab->cells[i].guard_takes_mappings)
      gtx_guard_forget_mappings ();
  return TRUE;
}

void
gtx_stack_pool_free (GtxStackPool *pool)
{
  g_assert (pool->n_used == 0);

  for (guint i = 0; i < N_CLASSES; i++)
    while (pool->classes[i].slabs)
      {
        Slab *slab = pool->classes[i].slabs;

        pool->classes[i].slabs = slab->next;
        if (!unmap_memory (slab))
          madvise (slab->memory, slab->n_cells * pool->classes[i].stride, MADV_DONTNEED);
        g_free (slab);
      }
  g_free (pool);
}

static Slab *
map_new_slab (Class *class)
{
  guint most = (guint) MIN (G_MAXSSIZE / class->stride, LARGEST_SLAB_STACKS);
  guint n = MIN (class->slabs ? 2 * class->slabs->n_cells : FIRST_SLAB_STACKS, most);
  guint8 *memory = NULL;
  Slab *slab;

  /* A single stack may fit where a large slab does not. */
  while (n > 0 && (memory = map_slab (n * class->stride)) == NULL)
    n /= 2;
  if (memory == NULL)
    return NULL;

  slab = g_malloc0 (sizeof (Slab) + n * sizeof (Cell));
  slab->class = class;
  slab->memory = memory;
  slab->n_cells = n;
  slab->next = class->slabs;
  class->slabs = slab;
  return slab;
}

G_GNUC_PRINTF (2, 3) static void
tell (char       **problem,
      const char  *format,
      ...)
{
  va_list arguments;

  if (problem == NULL)
    return;
  va_start (arguments, format);
  *problem = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

static Cell *
cut (Class  *class,
     char  **problem)
{
  Slab *slab = class->slabs;
  Cell *cell;
  guint8 *bottom;

  if (slab == NULL || slab->n_cut == slab->n_cells)
    slab = map_new_slab (class);
  /* g_strerror () would need memory, and mappings too. */
  if (slab == NULL)
    {
      tell (problem,
            "No memory for a stack of %" G_GSIZE_FORMAT " bytes: address space (RLIMIT_AS), "
            "locked memory (RLIMIT_MEMLOCK) or mappings (vm.max_map_count) are used up, except for "
            "the part reserved for the program; run fewer tasks at once, or give them smaller stacks",
            class->stride);
      return NULL;
    }

  bottom = slab->memory + slab->n_cut * class->stride;
  cell = &slab->cells[slab->n_cut];
  if (!gtx_guard_install (bottom, &cell->guard_takes_mappings))
    {
      tell (problem,
            "No guard page for one more stack: the system's mappings "
            "(vm.max_map_count) are used up; run fewer tasks at once");
      return NULL;
    }

  slab->n_cut++;
  cell->slab = slab;
  cell->stack.base = bottom + gtx_guard_size ();
  cell->stack.size = class->stride - gtx_guard_size ();
  return cell;
}

/* The index may be too large for a class; the caller checks it. */
static inline guint
class_index (gsize size)
{
  return size <= (gsize) 1 << SMALLEST_SHIFT ? 0 : g_bit_storage (size - 1) - SMALLEST_SHIFT;
}

gboolean
gtx_stack_pool_suits (GtxStackPool   *pool,
                      const GtxStack *stack,
                      gsize           size)
{
  guint index = class_index (size);

  return index < N_CLASSES && GTX_CONTAINER_OF (stack, const Cell, stack)->slab->class == &pool->classes[index];
}

GtxStack *
gtx_stack_pool_acquire (GtxStackPool  *pool,
                        gsize          size,
                        char         **problem)
{
  guint index = class_index (size);
  Class *class;
  Cell *cell;

  if (index >= N_CLASSES)
    {
      tell (problem, "A stack of %" G_GSIZE_FORMAT " bytes is larger than this system allows; "
                     "set a smaller stack size", size);
      return NULL;
    }

  class = &pool->classes[index];
  cell = class->hot;
  if (cell)
    {
      unlist_free_cell (class, cell);
      pool->n_free--;
    }
  else if ((cell = cut (class, problem)) == NULL)
    return NULL;

  cell->dirty = TRUE;
  cell->slab->n_used++;
  pool->n_used++;
  gtx_announce_stack (&cell->stack.announcement, cell->stack.base, cell->stack.size);
  return &cell->stack;
}

void
gtx_stack_pool_release (GtxStackPool *pool,
                        GtxStack     *stack)
{
  Cell *cell = GTX_CONTAINER_OF (stack, Cell, stack);

  gtx_announce_stack_gone (&stack->announcement, stack->base, stack->size);
  g_assert (cell->slab->n_used > 0 && pool->n_used > 0);
  cell->slab->n_used--;
  cell->released = pool->epoch;
  list_free_cell (cell->slab->class, cell);
  pool->n_used--;
  pool->n_free++;
}

gsize
gtx_stack_measure (const GtxStack *stack)
{
  gsize page = gtx_guard_size ();
  unsigned char flags[256];
  gsize step = sizeof flags * page;

  for (gsize at = 0; at < stack->size; at += step)
    {
      gsize length = MIN (step, stack->size - at);

      if (mincore (stack->base + at, length, flags) != 0)
        return 0;
      for (gsize i = 0; i < length / page; i++)
        if (flags[i] & 1)
          return stack->size - at - i * page;
    }
  return 0;
}

void
gtx_stack_clear (GtxStack *stack)
{
  if (madvise (stack->base, stack->size, MADV_DONTNEED) != 0)
    madvise (stack->base, stack->size, MADV_DONTNEED_LOCKED);
}

gsize
gtx_stack_pool_n_used (GtxStackPool *pool)
{
  return pool->n_used;
}

gboolean
gtx_stack_pool_has_surplus (GtxStackPool *pool)
{
  return pool->n_free > RESERVE;
}

/* Gives pages back one stack at a time, the coldest first.  Returns whether there are more stacks
 * that were not used in the period. */
static gboolean
clean_cold_stacks (GtxStackPool *pool,
                   Class        *class)
{
  guint budget = TRIM_AT_ONCE;
  guint left = class->n_free;

  for (Cell *cell = class->cold; cell && left > RESERVE; cell = cell->previous, left--)
    {
      if (cell->released == pool->epoch)
        return FALSE;
      if (!cell->dirty)
        continue;
      if (budget-- == 0)
        return TRUE;
      gtx_stack_clear (&cell->stack);
      cell->dirty = FALSE;
    }
  return FALSE;
}

static gboolean
slab_is_clean (const Slab *slab)
{
  for (guint i = 0; i < slab->n_cut; i++)
    if (slab->cells[i].dirty)
      return FALSE;
  return slab->n_used == 0;
}

/* Gives address space back, and with it the page tables, a slab at a time.  The newest slab stays,
 * since the next stack is cut from it. */
static void
unmap_clean_slabs (GtxStackPool *pool,
                   Class        *class)
{
  Slab **link = class->slabs ? &class->slabs->next : &class->slabs;

  while (*link)
    {
      Slab *slab = *link;

      if (!slab_is_clean (slab) || !unmap_memory (slab))
        {
          link = &slab->next;
          continue;
        }
      for (guint i = 0; i < slab->n_cut; i++)
        unlist_free_cell (class, &slab->cells[i]);
      pool->n_free -= slab->n_cut;
      *link = slab->next;
      g_free (slab);
    }
}

static gboolean
has_dirty_surplus (const Class *class)
{
  guint left = class->n_free;

  for (const Cell *cell = class->cold; cell && left > RESERVE; cell = cell->previous, left--)
    if (cell->dirty)
      return TRUE;
  return FALSE;
}

guint
gtx_stack_pool_trim (GtxStackPool *pool)
{
  gboolean more_now = FALSE;
  gboolean more_later = FALSE;

  for (guint i = 0; i < N_CLASSES; i++)
    {
      Class *class = &pool->classes[i];

      more_now |= clean_cold_stacks (pool, class);
      unmap_clean_slabs (pool, class);
      more_later |= has_dirty_surplus (class);
    }

  if (more_now)
    return TRIM_NEXT_MS;
  pool->epoch++;
  return more_later ? TRIM_PERIOD_MS : 0;
}
