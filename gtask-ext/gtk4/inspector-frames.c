/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "gtk4/inspector-frames.h"

#include <gtask-ext/task-info.h>

#if defined (HAVE_LIBUNWIND) && defined (__x86_64__)
#define CAN_UNWIND 1
#else
#define CAN_UNWIND 0
#endif

#if CAN_UNWIND

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <dlfcn.h>
#include <string.h>

#define MOST_FRAMES 40

/* The functions of libunwind.  It is loaded when a task's calls are first shown, and for this file
 * alone: if it were linked, its functions for exceptions would take the place of the compiler's in
 * the whole program, where threads that end and C++ use them. */
typedef struct
{
  __typeof__ (&unw_init_local) init_local;
  __typeof__ (&unw_step) step;
  __typeof__ (&unw_get_reg) get_reg;
  __typeof__ (&unw_get_proc_name) get_proc_name;
} Unwinder;

/* The names that the macros of libunwind stand for. */
#define NAME(function) NAME_OF (function)
#define NAME_OF(function) #function

/* ISO C has no conversion from the one kind of pointer to the other. */
static gboolean
load (void       *library,
      const char *name,
      void       *function)
{
  void *symbol = dlsym (library, name);

  memcpy (function, &symbol, sizeof symbol);
  return symbol != NULL;
}

static const Unwinder *
load_unwinder (void)
{
  static Unwinder unwinder;
  static gboolean is_tried, is_loaded;
  void *library;

  if (is_tried)
    return is_loaded ? &unwinder : NULL;
  is_tried = TRUE;
  library = dlopen (LIBUNWIND, RTLD_LAZY | RTLD_LOCAL);
  is_loaded = library && load (library, NAME (unw_init_local), &unwinder.init_local) &&
              load (library, NAME (unw_step), &unwinder.step) &&
              load (library, NAME (unw_get_reg), &unwinder.get_reg) &&
              load (library, NAME (unw_get_proc_name), &unwinder.get_proc_name);
  return is_loaded ? &unwinder : NULL;
}

/* What is known of an address.  To find a function's name takes a millisecond, so all that were found
 * are kept. */
typedef struct
{
  const void *module;           /* where it was loaded; NULL: unknown */
  GtxInspectorFrame frame;
} Place;

static GHashTable *places;      /* by address */

/* DWARF's numbers are those of libunwind.  The context is the one that getcontext () would have saved. */
static void
fill_context (unw_context_t  *context,
              const guintptr *registers)
{
  static const struct
  {
    int dwarf;
    int saved;
  } pairs[] = {
    { UNW_X86_64_RBX, REG_RBX }, { UNW_X86_64_RBP, REG_RBP }, { UNW_X86_64_RSP, REG_RSP },
    { UNW_X86_64_R12, REG_R12 }, { UNW_X86_64_R13, REG_R13 }, { UNW_X86_64_R14, REG_R14 },
    { UNW_X86_64_R15, REG_R15 }, { UNW_X86_64_RIP, REG_RIP },
  };

  memset (context, 0, sizeof *context);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    context->uc_mcontext.gregs[pairs[i].saved] = (greg_t) registers[pairs[i].dwarf];
}

static Place *
make_place (const Unwinder *unwinder,
            unw_cursor_t   *cursor,
            guintptr        address)
{
  Place *place = g_new0 (Place, 1);
  char function[256];
  unw_word_t offset;
  Dl_info info;

  if (unwinder->get_proc_name (cursor, function, sizeof function, &offset) == 0)
    place->frame.function = g_strdup (function);
  if (dladdr ((gpointer) address, &info))
    {
      g_autofree char *name = g_path_get_basename (info.dli_fname);

      place->module = info.dli_fbase;
      place->frame.place = g_strdup_printf ("%s+0x%" G_GINTPTR_MODIFIER "x", name,
                                            address - (guintptr) info.dli_fbase);
    }
  return place;
}

static Place *
find_place (const Unwinder *unwinder,
            unw_cursor_t   *cursor)
{
  unw_word_t address = 0;
  Place *place;

  unwinder->get_reg (cursor, UNW_REG_IP, &address);
  /* A return address may be behind the end of the function. */
  address--;
  if (places == NULL)
    places = g_hash_table_new (NULL, NULL);
  place = g_hash_table_lookup (places, GSIZE_TO_POINTER (address));
  if (place == NULL)
    {
      place = make_place (unwinder, cursor, (guintptr) address);
      g_hash_table_insert (places, GSIZE_TO_POINTER (address), place);
    }
  return place;
}

static GPtrArray *
unwind (const Unwinder *unwinder,
        unw_context_t  *context)
{
  GPtrArray *found = g_ptr_array_new ();
  unw_cursor_t cursor;

  if (unwinder->init_local (&cursor, context) != 0)
    return found;
  do
    g_ptr_array_add (found, find_place (unwinder, &cursor));
  while (found->len < MOST_FRAMES && unwinder->step (&cursor) > 0);
  return found;
}

/* Returns where the library was loaded, or NULL if it is inside the program. */
static const void *
find_library (void)
{
  Dl_info library, own;

  if (!dladdr ((gpointer) (guintptr) gtx_task_get_registers, &library) ||
      !dladdr ((gpointer) (guintptr) find_library, &own) || library.dli_fbase == own.dli_fbase)
    return NULL;
  return library.dli_fbase;
}

static gboolean
is_library (gconstpointer place,
            gconstpointer library)
{
  return library && ((const Place *) place)->module == library;
}

/* Leaves out how the library begins a task and suspends it, except for the function that the task has
 * called.  Leaves all if there are no others. */
static void
skip_library (GPtrArray *found)
{
  const void *library = find_library ();
  guint begin = 0;
  guint end = found->len;

  while (end > 0 && is_library (found->pdata[end - 1], library))
    end--;
  if (end == 0)
    return;
  while (is_library (found->pdata[begin], library) && is_library (found->pdata[begin + 1], library))
    begin++;
  g_ptr_array_set_size (found, (gint) end);
  g_ptr_array_remove_range (found, 0, begin);
}

GPtrArray *
gtx_inspector_list_frames (GtxTask     *task,
                           const char **reason)
{
  guintptr registers[GTX_TASK_MAX_REGISTERS];
  const Unwinder *unwinder = load_unwinder ();
  unw_context_t context;
  GPtrArray *frames;

  *reason = "libunwind, which finds the calls of a task, cannot be loaded.";
  if (unwinder == NULL)
    return NULL;
  *reason = "A task has calls to show while it is suspended.";
  if (gtx_task_get_registers (task, registers) == 0)
    return NULL;
  fill_context (&context, registers);
  frames = unwind (unwinder, &context);
  skip_library (frames);
  for (guint i = 0; i < frames->len; i++)
    frames->pdata[i] = &((Place *) frames->pdata[i])->frame;
  return frames;
}

#else

GPtrArray *
gtx_inspector_list_frames (GtxTask     *task,
                           const char **reason)
{
#ifdef HAVE_LIBUNWIND
  *reason = "The calls of a task can be shown on x86-64 only.";
#else
  *reason = "The library was built without libunwind, which finds the calls of a task.";
#endif
  return NULL;
}

#endif
