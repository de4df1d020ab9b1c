/* The recipes of docs/recipes.md, each a coroutine that prints what it does. */
#pragma once

#include <gtask-ext.h>

gboolean recipe_abandon  (gpointer data, GError **error);
gboolean recipe_actor    (gpointer data, GError **error);
gboolean recipe_by_value (gpointer data, GError **error);
gboolean recipe_cached   (gpointer data, GError **error);
gboolean recipe_crowd    (gpointer data, GError **error);
gboolean recipe_debounce (gpointer data, GError **error);
gboolean recipe_folder   (gpointer data, GError **error);
gboolean recipe_in_time  (gpointer data, GError **error);
gboolean recipe_interval (gpointer data, GError **error);
gboolean recipe_latest   (gpointer data, GError **error);
gboolean recipe_list     (gpointer data, GError **error);
gboolean recipe_merge    (gpointer data, GError **error);
gboolean recipe_mirrors  (gpointer data, GError **error);
gboolean recipe_numbers  (gpointer data, GError **error);
gboolean recipe_pause    (gpointer data, GError **error);
gboolean recipe_places   (gpointer data, GError **error);
gboolean recipe_poll     (gpointer data, GError **error);
gboolean recipe_progress (gpointer data, GError **error);
gboolean recipe_ready    (gpointer data, GError **error);
gboolean recipe_restart  (gpointer data, GError **error);
gboolean recipe_save     (gpointer data, GError **error);
gboolean recipe_sources  (gpointer data, GError **error);
gboolean recipe_takers   (gpointer data, GError **error);

/* What follows is of takers.c, interval.c, numbers.c, pause.c, merge.c, list.c and folder.c: tests call it as well. */
GPtrArray *take_from_any (GPtrArray *queues, GError **error);

typedef struct
{
  double begin, next, interval; /* in seconds; the first two are moments of gtx_get_time () */
} Ticks;

gboolean next_tick (Ticks *self, GError **error);

gboolean next_number (GDataInputStream *lines, gint64 *number, GError **error);

typedef struct
{
  GtxQueue *texts;
  char *last;                   /* what has come before a pause, or NULL */
} Typing;

char *text_after_pause (Typing *self, GError **error);

typedef struct
{
  GtxQueue *values;             /* of strings */
  guint n_open;                 /* sources that have not ended */
} Merge;

typedef struct
{
  Merge *merge;
  char *(*next) (gpointer source, GError **error);      /* NULL without an error at the end */
  gpointer source;
} Source;

typedef gboolean (*UseFunc) (const char *value, GError **error);

gboolean take_from_all (Merge *self, Source *sources, guint n, UseFunc use, GError **error);

gboolean append_next (GListStore *list, GtxQueue *found, GError **error);

GList *next_files (GFileEnumerator *folder, GError **error);

typedef struct
{
  const char *name;             /* of its file */
  GtxCoroutine coroutine;
} Recipe;

extern const Recipe recipes[]; /* ends with a recipe that has no name */
