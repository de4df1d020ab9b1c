/* Runs the recipes of docs/recipes.md: recipes [NAME...], all by default. */
#include "recipes.h"

static gboolean
run (const Recipe *recipe)
{
  g_autoptr (GError) error = NULL;

  g_print ("== %s ==\n", recipe->name);
  if (gtx_run_named (recipe->name, recipe->coroutine, NULL, &error))
    return TRUE;
  g_printerr ("recipes: %s: %s\n", recipe->name, error->message);
  return FALSE;
}

static const Recipe *
find (const char *name)
{
  for (const Recipe *recipe = recipes; recipe->name; recipe++)
    if (g_str_equal (recipe->name, name))
      return recipe;
  return NULL;
}

int
main (int argc, char *argv[])
{
  gboolean succeeded = TRUE;

  for (int i = 1; i < argc; i++)
    if (find (argv[i]) == NULL)
      {
        g_printerr ("recipes: there is no recipe %s; usage: recipes [NAME...]\n", argv[i]);
        return 2;
      }
  for (int i = 1; succeeded && i < argc; i++)
    succeeded = run (find (argv[i]));
  for (const Recipe *recipe = recipes; succeeded && argc == 1 && recipe->name; recipe++)
    succeeded = run (recipe);
  return succeeded ? 0 : 1;
}
