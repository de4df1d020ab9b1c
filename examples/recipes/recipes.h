/* The recipes of docs/recipes.md, each a coroutine that prints what it does. */
#pragma once

#include <gtask-ext.h>

gboolean recipe_abandon  (gpointer data, GError **error);
gboolean recipe_actor    (gpointer data, GError **error);
gboolean recipe_by_value (gpointer data, GError **error);
gboolean recipe_crowd    (gpointer data, GError **error);
gboolean recipe_debounce (gpointer data, GError **error);
gboolean recipe_in_time  (gpointer data, GError **error);
gboolean recipe_interval (gpointer data, GError **error);
gboolean recipe_mirrors  (gpointer data, GError **error);
gboolean recipe_poll     (gpointer data, GError **error);
gboolean recipe_progress (gpointer data, GError **error);
gboolean recipe_ready    (gpointer data, GError **error);
gboolean recipe_restart  (gpointer data, GError **error);
gboolean recipe_sources  (gpointer data, GError **error);
gboolean recipe_takers   (gpointer data, GError **error);

/* Of takers.c, which a test calls with queues of its own. */
GPtrArray *take_from_any (GPtrArray *queues, GError **error);

typedef struct
{
  const char *name;             /* of its file */
  GtxCoroutine coroutine;
} Recipe;

extern const Recipe recipes[]; /* ends with a recipe that has no name */
