#include "recipes.h"

const Recipe recipes[] = {
  { "abandon", recipe_abandon },
  { "actor", recipe_actor },
  { "by-value", recipe_by_value },
  { "cached", recipe_cached },
  { "crowd", recipe_crowd },
  { "debounce", recipe_debounce },
  { "folder", recipe_folder },
  { "in-time", recipe_in_time },
  { "interval", recipe_interval },
  { "latest", recipe_latest },
  { "list", recipe_list },
  { "merge", recipe_merge },
  { "mirrors", recipe_mirrors },
  { "numbers", recipe_numbers },
  { "pause", recipe_pause },
  { "places", recipe_places },
  { "poll", recipe_poll },
  { "progress", recipe_progress },
  { "ready", recipe_ready },
  { "restart", recipe_restart },
  { "save", recipe_save },
  { "sources", recipe_sources },
  { "takers", recipe_takers },
  { NULL, NULL }
};
