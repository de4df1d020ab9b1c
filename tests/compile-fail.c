/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The macros take coroutines and their data, and the compiler refuses anything else, with
 * our messages if possible.  TEST_COMPILERS names compilers, each in a line: its name,
 * its language, and a command line that compiles its input, or nothing if the compiler is
 * not installed. */

#include <gio/gio.h>
#include <glib/gstdio.h>

#include <string.h>

static const char prelude[] =
  "#include <gtask-ext.h>\n"
  "G_BEGIN_DECLS\n"
  "gboolean simple (gpointer data, GError **error);\n"
  "gboolean looks (gconstpointer data, GError **error);\n"
  "gboolean of_int (int *number, GError **error);\n"
  "gboolean of_const (const int *number, GError **error);\n"
  "gboolean of_text (const char *text, GError **error);\n"
  "gboolean never_null (int *number, GError **error) __attribute__ ((nonnull));\n"
  "char *make_text (int *number, GError **error);\n"
  "const char *lend_text (int *number, GError **error);\n"
  "gpointer make_any (gpointer data, GError **error);\n"
  "int count (int *number, GError **error);\n"
  "void nothing (int *number, GError **error);\n"
  "double fraction (int *number, GError **error);\n"
  "gboolean no_error (int *number);\n"
  "char *make_no_error (int *number);\n"
  "gboolean too_much (int *number, int more, GError **error);\n"
  "gboolean by_value (int number, GError **error);\n"
  "gboolean of_task (GTask *task, GError **error);\n"
  "GFile *make_for_task (GTask *task, GError **error);\n"
  "gssize count_for_task (GTask *task, GError **error);\n"
  "gboolean block (int *number, GCancellable *cancellable, GError **error);\n"
  "char *block_and_make (int *number, GCancellable *cancellable, GError **error);\n"
  "void keep (gpointer task);\n"
  "void use (GtxTaskGroup *group, GTask *task, GFile *file);\n"
  "G_END_DECLS\n"
  "\n";

static const char beginning[] =
  "void use (GtxTaskGroup *group, GTask *task, GFile *file)\n"
  "{\n"
  "  int i = 0, array[2] = { 0, 0 }; double d = 0; char *text = NULL; const char *literal = \"\";\n"
  "  gpointer any = NULL; gconstpointer any_const = NULL;\n"
  "  (void) group; (void) task; (void) file; (void) i; (void) array; (void) d; (void) text; (void) literal;\n"
  "  (void) any; (void) any_const;\n";

#define OTHER_DATA "the function takes data of another type than the data passed"
#define HAS_RESULT "the coroutine has a result: use gtx_create_task_pointer ()"
#define HAS_NO_RESULT "the coroutine does not return a pointer: use gtx_create_task ()"
#define LACKS_ERROR "the coroutine does not take a GError"

static const struct
{
  const char *name;
  const char *statement;
  const char *message;          /* NULL: it compiles */
  const char *message_of_cxx;   /* NULL: the same */
} cases[] = {
  { "boolean", "keep (gtx_create_task (of_int, &i, NULL));", NULL, NULL },
  { "boolean/no-data", "keep (gtx_create_task (simple, NULL, NULL));", NULL, NULL },
  { "boolean/no-typed-data", "keep (gtx_create_task (of_int, NULL, NULL));", NULL, NULL },
  { "boolean/untyped-data", "keep (gtx_create_task (of_int, any, NULL));", NULL, NULL },
  { "boolean/untyped-const-data", "keep (gtx_create_task (of_const, any_const, NULL));", NULL, NULL },
  { "boolean/any-data", "keep (gtx_create_task (simple, &i, NULL));", NULL, NULL },
  { "boolean/any-const-data", "keep (gtx_create_task (looks, literal, NULL));", NULL, NULL },
  { "boolean/const-data", "keep (gtx_create_task (of_text, literal, NULL));", NULL, NULL },
  { "boolean/literal", "keep (gtx_create_task (of_text, \"text\", NULL));", NULL, NULL },
  { "boolean/array", "keep (gtx_create_task (of_int, array, NULL));", NULL, NULL },
  { "boolean/data-made-const", "keep (gtx_create_task (of_text, text, NULL));", NULL, NULL },
  { "boolean/untyped-data-made-const", "keep (gtx_create_task (looks, any, NULL));", NULL, NULL },
  { "boolean/stolen-data", "keep (gtx_create_task (of_text, g_steal_pointer (&text), g_free));", NULL, NULL },
  { "boolean/never-null", "keep (gtx_create_task (never_null, &i, NULL));", NULL, NULL },
  { "boolean/variable", "GtxCoroutine some = simple; keep (gtx_create_task (some, &i, NULL));", NULL, NULL },
  { "boolean/new", "keep (gtx_task_new (of_int, any, g_free));", NULL, NULL },
  { "boolean/in", "keep (gtx_create_task_in (NULL, of_int, any, g_free));", NULL, NULL },
  { "boolean/eager", "keep (gtx_create_task_eager (of_int, any, g_free));", NULL, NULL },
  { "boolean/run", "gtx_run (of_int, any, NULL);", NULL, NULL },
  { "boolean/call", "gtx_call_with_timeout (1, of_int, any, NULL); gtx_call_shielded (1, of_int, &i, NULL);",
    NULL, NULL },
  { "boolean/group", "gtx_task_group_create_task (group, of_int, any, NULL, NULL);", NULL, NULL },
  { "boolean/test", "gtx_test_run (of_int, any, NULL); gtx_test_add_func (\"/test\", of_int);", NULL, NULL },
  { "boolean/gtask", "gtx_gtask_run (task, of_task); gtx_gtask_run (task, simple);", NULL, NULL },
  { "boolean/thread", "gtx_to_thread (block, any, NULL); gtx_to_thread (g_file_delete, file, NULL);",
    NULL, NULL },
  { "pointer", "keep (gtx_create_task_pointer (make_text, &i, NULL, g_free));", NULL, NULL },
  { "pointer/untyped-data", "keep (gtx_create_task_pointer (make_text, any, NULL, g_free));", NULL, NULL },
  { "pointer/const-result", "keep (gtx_create_task_pointer (lend_text, &i, NULL, NULL));", NULL, NULL },
  { "pointer/new", "keep (gtx_task_new_pointer (make_text, NULL, NULL, g_free));", NULL, NULL },
  { "pointer/in", "keep (gtx_create_task_pointer_in (NULL, make_text, any, NULL, g_free));", NULL, NULL },
  { "pointer/eager", "keep (gtx_create_task_pointer_eager (make_text, any, NULL, g_free));", NULL, NULL },
  { "pointer/group", "gtx_task_group_create_task_pointer (group, make_text, any, NULL, g_free, NULL);",
    NULL, NULL },
  { "pointer/gtask", "gtx_gtask_run_pointer (task, make_for_task, NULL);"
                     "gtx_gtask_run_pointer (task, make_any, NULL);", NULL, NULL },
  { "boolean/main-stack", "gtx_call_on_main_stack (of_int, any, NULL);", NULL, NULL },
  { "pointer/main-stack", "text = gtx_call_on_main_stack_pointer (make_text, &i, NULL);", NULL, NULL },
  { "pointer/thread", "text = gtx_to_thread_pointer (block_and_make, any, NULL);", NULL, NULL },
  { "int/gtask", "gtx_gtask_run_int (task, count_for_task);", NULL, NULL },

  { "boolean/other-data", "keep (gtx_create_task (of_int, &d, NULL));", OTHER_DATA, NULL },
  { "boolean/other-data/shielded", "gtx_call_shielded (1, of_int, &d, NULL);", OTHER_DATA, NULL },
  { "boolean/const-dropped", "keep (gtx_create_task (of_int, (const int *) &i, NULL));", OTHER_DATA, NULL },
  { "boolean/any-const-dropped", "keep (gtx_create_task (simple, literal, NULL));", OTHER_DATA, NULL },
  { "boolean/untyped-const-dropped", "keep (gtx_create_task (of_int, any_const, NULL));",
    "const", OTHER_DATA },
  { "boolean/makes-a-pointer", "keep (gtx_create_task (make_text, &i, NULL));", HAS_RESULT, NULL },
  { "boolean/makes-a-pointer-of-any", "keep (gtx_create_task (make_text, any, NULL));", HAS_RESULT, NULL },
  { "boolean/makes-nothing", "keep (gtx_create_task (nothing, &i, NULL));",
    "the coroutine does not return a gboolean", NULL },
  { "boolean/makes-a-fraction", "keep (gtx_create_task (fraction, any, NULL));",
    "the coroutine does not return a gboolean", NULL },
  { "boolean/without-error", "keep (gtx_create_task (no_error, &i, NULL));", LACKS_ERROR, NULL },
  { "boolean/without-error/untyped-data", "keep (gtx_create_task (no_error, any, NULL));",
    "too many arguments", LACKS_ERROR },
  { "boolean/too-many-parameters", "keep (gtx_create_task (too_much, &i, NULL));",
    "too few arguments", "no matching" },
  { "boolean/data-by-value", "keep (gtx_create_task (by_value, i, NULL));", "", OTHER_DATA },
  { "boolean/called", "keep (gtx_create_task (simple (NULL, NULL), NULL, NULL));", "", NULL },
  { "boolean/run-other-data", "gtx_run (of_int, &d, NULL);", OTHER_DATA, NULL },
  { "boolean/run-makes-a-pointer", "gtx_run (make_text, &i, NULL);", HAS_RESULT, NULL },
  { "boolean/retries-other-data", "gtx_call_with_retries (NULL, of_int, &d, NULL);", OTHER_DATA, NULL },
  { "boolean/new-other-data", "keep (gtx_task_new (of_int, &d, NULL));", OTHER_DATA, NULL },
  { "boolean/group-other-data", "gtx_task_group_create_task (group, of_int, &d, NULL, NULL);",
    OTHER_DATA, NULL },
  { "boolean/group-makes-a-pointer", "gtx_task_group_create_task (group, make_text, &i, NULL, NULL);",
    HAS_RESULT, NULL },
  { "boolean/test-other-data", "gtx_test_run (of_int, &d, NULL);", OTHER_DATA, NULL },
  { "boolean/test-without-error", "gtx_test_add_func (\"/test\", no_error);",
    "too many arguments", LACKS_ERROR },
  { "boolean/gtask-other-data", "gtx_gtask_run (task, of_int);", OTHER_DATA, NULL },
  { "boolean/gtask-makes-a-pointer", "gtx_gtask_run (task, make_for_task);", HAS_RESULT, NULL },
  { "boolean/ignored", "gtx_create_task (of_int, &i, NULL);", "ignoring return value", NULL },
  { "boolean/ignored-in", "gtx_create_task_in (NULL, of_int, &i, NULL);", "ignoring return value", NULL },
  { "boolean/ignored-eager", "gtx_create_task_eager (of_int, &i, NULL);", "ignoring return value", NULL },
  { "boolean/eager-other-data", "keep (gtx_create_task_eager (of_int, &d, NULL));", OTHER_DATA, NULL },
  { "pointer/eager-boolean", "keep (gtx_create_task_pointer_eager (of_int, &i, NULL, g_free));", HAS_NO_RESULT, NULL },
  { "pointer/other-data", "keep (gtx_create_task_pointer (make_text, &d, NULL, g_free));", OTHER_DATA, NULL },
  { "pointer/boolean", "keep (gtx_create_task_pointer (of_int, &i, NULL, g_free));", HAS_NO_RESULT, NULL },
  { "pointer/number", "keep (gtx_create_task_pointer (count, &i, NULL, g_free));", HAS_NO_RESULT, NULL },
  { "pointer/without-error", "keep (gtx_create_task_pointer (make_no_error, &i, NULL, g_free));",
    "too many arguments", LACKS_ERROR },
  { "pointer/gtask-boolean", "gtx_gtask_run_pointer (task, of_task, NULL);", HAS_NO_RESULT, NULL },
  { "pointer/ignored", "gtx_create_task_pointer (make_text, &i, NULL, g_free);",
    "ignoring return value", NULL },
  { "pointer/await-ignored", "gtx_await_pointer (task, NULL);", "ignoring return value", NULL },
  { "int/gtask-boolean", "gtx_gtask_run_int (task, of_task);", "the coroutine does not return a gssize", NULL },
  { "main-stack/other-data", "gtx_call_on_main_stack (of_int, &d, NULL);", OTHER_DATA, NULL },
  { "main-stack/boolean", "text = gtx_call_on_main_stack_pointer (of_int, &i, NULL);", HAS_NO_RESULT, NULL },
  { "main-stack/pointer", "gtx_call_on_main_stack (make_text, &i, NULL);", HAS_RESULT, NULL },
  { "thread/other-data", "gtx_to_thread (block, &d, NULL);", OTHER_DATA, NULL },
  { "thread/makes-a-pointer", "gtx_to_thread (block_and_make, &i, NULL);",
    "the function has a result: use gtx_to_thread_pointer ()", NULL },
  { "thread/coroutine", "gtx_to_thread (of_int, &i, NULL);", "the function does not take a GCancellable", NULL },
  { "thread/boolean", "text = gtx_to_thread_pointer (block, &i, NULL);",
    "the function does not return a pointer: use gtx_to_thread ()", NULL },
};

/* ---- Compilers ---- */

typedef struct
{
  char *name;
  char *language;
  char **command;
  char *folder;                 /* the folder of its compiled prelude */
} Compiler;

static char *
run_compiler (Compiler    *self,
              const char  *input,
              gboolean    *succeeded,
              const char  *first_argument,
              ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GSubprocess) compiler = NULL;
  g_autoptr (GError) error = NULL;
  char *messages = NULL;
  va_list rest;

  for (char **word = self->command; *word; word++)
    g_ptr_array_add (argv, *word);
  va_start (rest, first_argument);
  for (const char *word = first_argument; word; word = va_arg (rest, const char *))
    g_ptr_array_add (argv, (char *) word);
  va_end (rest);
  g_ptr_array_add (argv, NULL);

  compiler = g_subprocess_newv ((const char * const *) argv->pdata,
                                G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (compiler, input, NULL, NULL, &messages, &error);
  g_assert_no_error (error);
  *succeeded = g_subprocess_get_successful (compiler);
  return messages;
}

/* The compiler reads the prelude once, instead of once for each case. */
static void
compile_prelude (Compiler *self)
{
  g_autofree char *path = g_build_filename (self->folder, "prelude.h", NULL);
  g_autofree char *compiled = g_strconcat (path, ".gch", NULL);
  g_autofree char *language = g_strconcat (self->language, "-header", NULL);
  g_autofree char *messages = NULL;
  g_autoptr (GError) error = NULL;
  gboolean succeeded;

  g_file_set_contents (path, prelude, -1, &error);
  g_assert_no_error (error);
  messages = run_compiler (self, NULL, &succeeded, "-x", language, path, "-o", compiled, NULL);
  g_assert_cmpstr (messages, ==, "");
  g_assert_true (succeeded);
}

static char *
compile (Compiler   *self,
         const char *statement,
         gboolean   *compiles)
{
  g_autofree char *path = g_build_filename (self->folder, "prelude.h", NULL);
  g_autofree char *program = g_strconcat (beginning, statement, "\n}\n", NULL);

  return run_compiler (self, program, compiles, "-x", self->language, "-include", path,
                       "-c", "-o", "/dev/null", "-", NULL);
}

static void
compiler_free (gpointer data)
{
  Compiler *self = data;
  g_autofree char *path = g_build_filename (self->folder, "prelude.h", NULL);
  g_autofree char *compiled = g_strconcat (path, ".gch", NULL);

  g_unlink (compiled);
  g_unlink (path);
  g_rmdir (self->folder);
  g_free (self->name);
  g_free (self->language);
  g_strfreev (self->command);
  g_free (self->folder);
  g_free (self);
}

/* From "NAME LANGUAGE COMMAND"; NULL if there is no command. */
static Compiler *
compiler_new (char **words)
{
  g_autoptr (GError) error = NULL;
  Compiler *self;

  if (words[2][0] == '\0')
    return NULL;
  self = g_new0 (Compiler, 1);
  self->name = g_strdup (words[0]);
  self->language = g_strdup (words[1]);
  g_assert_true (g_shell_parse_argv (words[2], NULL, &self->command, &error));
  self->folder = g_dir_make_tmp ("compile-fail-XXXXXX", &error);
  g_assert_no_error (error);
  compile_prelude (self);
  return self;
}

/* ---- Cases ---- */

typedef struct
{
  Compiler *compiler;
  guint number;
} Case;

static void
test_case (gconstpointer data)
{
  const Case *self = data;
  const char *message = cases[self->number].message;
  const char *message_of_cxx = cases[self->number].message_of_cxx;
  gboolean compiles;
  g_autofree char *messages = compile (self->compiler, cases[self->number].statement, &compiles);

  if (message_of_cxx && g_str_equal (self->compiler->language, "c++"))
    message = message_of_cxx;
  if (message == NULL)
    g_assert_cmpstr (messages, ==, "");
  else if (strstr (messages, message) == NULL)
    g_test_fail_printf ("\"%s\" is not in: %s", message, messages);
  g_assert_true (compiles == (message == NULL));
}

static void
test_missing (void)
{
  g_test_skip ("the compiler is not there");
}

static void
add_cases (Compiler *compiler)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/compile-fail/%s/%s", compiler->name, cases[i].name);
      Case *added = g_new (Case, 1);

      *added = (Case) { compiler, i };
      g_test_add_data_func_full (path, added, test_case, g_free);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) compilers = g_ptr_array_new_with_free_func (compiler_free);
  g_auto (GStrv) lines = NULL;

  g_test_init (&argc, &argv, NULL);
  g_assert_nonnull (g_getenv ("TEST_COMPILERS"));
  lines = g_strsplit (g_getenv ("TEST_COMPILERS"), "\n", -1);
  for (char **line = lines; *line; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, " ", 3);
      Compiler *compiler = compiler_new (words);
      g_autofree char *path = g_strconcat ("/compile-fail/", words[0], NULL);

      if (compiler)
        {
          g_ptr_array_add (compilers, compiler);
          add_cases (compiler);
        }
      else
        g_test_add_func (path, test_missing);
    }
  return g_test_run ();
}
