/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The macros take coroutines and their data, and the compiler refuses anything
 * else.  TEST_COMPILER is a command line that checks what it reads. */

#include <gio/gio.h>

#include <string.h>

static const char prelude[] =
  "#include <gtask-ext.h>\n"
  "gboolean simple (gpointer data, GError **error);\n"
  "gboolean of_int (int *number, GError **error);\n"
  "gboolean of_text (const char *text, GError **error);\n"
  "char *make_text (int *number, GError **error);\n"
  "const char *lend_text (int *number, GError **error);\n"
  "int count (int *number, GError **error);\n"
  "void nothing (int *number, GError **error);\n"
  "gboolean no_error (int *number);\n"
  "gboolean too_much (int *number, int more, GError **error);\n"
  "gboolean by_value (int number, GError **error);\n"
  "void use (void);\n"
  "void use (void) { int i = 0; double d = 0; char *text = NULL; const char *literal = \"\";\n"
  "  (void) i; (void) d; (void) text; (void) literal;\n";

static const struct
{
  const char *name;
  const char *statement;
  const char *message;          /* NULL: it compiles */
} cases[] = {
  { "boolean", "gtx_create_task (of_int, &i, NULL);", NULL },
  { "boolean/no-data", "gtx_create_task (simple, NULL, NULL);", NULL },
  { "boolean/any-data", "gtx_create_task (simple, (gpointer) &i, NULL);", NULL },
  { "boolean/const-data", "gtx_create_task (of_text, literal, NULL);", NULL },
  { "boolean/literal", "gtx_create_task (of_text, \"text\", NULL);", NULL },
  { "boolean/data-made-const", "gtx_create_task (of_text, text, NULL);", NULL },
  { "boolean/new", "gtx_task_new (of_int, &i, g_free);", NULL },
  { "boolean/run", "gtx_run (of_int, &i, NULL);", NULL },
  { "boolean/other-data", "gtx_create_task (of_int, &d, NULL);", "a boolean coroutine is" },
  { "boolean/const-dropped", "gtx_create_task (of_int, (const int *) &i, NULL);", "a boolean coroutine is" },
  { "boolean/makes-a-pointer", "gtx_create_task (make_text, &i, NULL);", "a boolean coroutine is" },
  { "boolean/makes-nothing", "gtx_create_task (nothing, &i, NULL);", "a boolean coroutine is" },
  { "boolean/without-error", "gtx_create_task (no_error, &i, NULL);", "a boolean coroutine is" },
  { "boolean/too-many-parameters", "gtx_create_task (too_much, &i, NULL);", "a boolean coroutine is" },
  { "boolean/data-by-value", "gtx_create_task (by_value, i, NULL);", "" },
  { "boolean/called", "gtx_create_task (simple (NULL, NULL), NULL, NULL);", "" },
  { "boolean/run-other-data", "gtx_run (of_int, &d, NULL);", "a boolean coroutine is" },
  { "boolean/new-other-data", "gtx_task_new (of_int, &d, NULL);", "a boolean coroutine is" },
  { "pointer", "gtx_create_task_pointer (make_text, &i, NULL, g_free);", NULL },
  { "pointer/const-result", "gtx_create_task_pointer (lend_text, &i, NULL, NULL);", NULL },
  { "pointer/new", "gtx_task_new_pointer (make_text, &i, NULL, g_free);", NULL },
  { "pointer/other-data", "gtx_create_task_pointer (make_text, &d, NULL, g_free);", "a pointer coroutine is" },
  { "pointer/boolean", "gtx_create_task_pointer (of_int, &i, NULL, g_free);", "a pointer coroutine is" },
  { "pointer/number", "gtx_create_task_pointer (count, &i, NULL, g_free);", "a pointer coroutine is" },
};

static char *
compile (const char *statement,
         gboolean   *compiles)
{
  g_autofree char *program = g_strconcat (prelude, statement, " }\n", NULL);
  g_autoptr (GSubprocess) compiler = NULL;
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  char *messages = NULL;

  g_assert_true (g_shell_parse_argv (g_getenv ("TEST_COMPILER"), NULL, &argv, &error));
  compiler = g_subprocess_newv ((const char * const *) argv,
                                G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (compiler, program, NULL, NULL, &messages, &error);
  g_assert_no_error (error);
  *compiles = g_subprocess_get_successful (compiler);
  return messages;
}

static void
test_case (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  gboolean compiles;
  g_autofree char *messages = NULL;

  if (g_getenv ("TEST_COMPILER") == NULL)
    {
      g_test_skip ("TEST_COMPILER does not say how to compile");
      return;
    }
  messages = compile (cases[i].statement, &compiles);
  if (cases[i].message == NULL)
    g_assert_cmpstr (messages, ==, "");
  else
    g_assert_nonnull (strstr (messages, cases[i].message));
  g_assert_true (compiles == (cases[i].message == NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/compile-fail/", cases[i].name, NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_case);
    }
  return g_test_run ();
}
