/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks in a debugger: gdb inspects gdb-program, as a process and as a core file. */

#include <gio/gio.h>
#include <glib/gstdio.h>

#include <string.h>

#ifdef HAVE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define PROCESS "break stop_in_function", "run"
#define AT_TASKS PROCESS, "continue"

static char *folder;            /* a temporary one */
static const char *unusable;    /* the reason why gdb cannot be run, or NULL */

/* ---- Running gdb ---- */

static char *
run_gdb (const char *core, const char *const *commands)
{
  /* Other libraries' debug information only takes time. */
  static const char *const head[] = {
    "gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-iex", "set auto-load off",
    "-iex", "set debug-file-directory /nonexistent", "-iex", "set disable-randomization off",
    "-iex", "set width 0"
  };
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "gdb-program", NULL);
  g_autofree char *tasks = g_build_filename (folder, "tasks", NULL);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GSubprocess) gdb = NULL;
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (head); i++)
    g_ptr_array_add (argv, (char *) head[i]);
  for (; *commands; commands++)
    {
      g_ptr_array_add (argv, "-ex");
      g_ptr_array_add (argv, (char *) *commands);
    }
  g_ptr_array_add (argv, core ? "--core" : "--args");
  if (core)
    g_ptr_array_add (argv, (char *) core);
  g_ptr_array_add (argv, program);
  if (!core)
    g_ptr_array_add (argv, tasks);
  g_ptr_array_add (argv, NULL);

  gdb = g_subprocess_newv ((const char *const *) argv->pdata,
                           G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (gdb, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  return output;
}

#define gdb(...) gdb_on (NULL, __VA_ARGS__, NULL)

/* Returns the output of commands, which end with NULL, on a core file or a new process. */
static char *
gdb_on (const char *core, ...)
{
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "..", "gtask-ext", "gtask-ext-gdb.py", NULL);
  g_autofree char *source = g_strconcat ("source ", script, NULL);
  g_autoptr (GPtrArray) commands = g_ptr_array_new ();
  const char *command;
  va_list list;

  g_ptr_array_add (commands, source);
  va_start (list, core);
  while ((command = va_arg (list, const char *)))
    g_ptr_array_add (commands, (char *) command);
  va_end (list);
  g_ptr_array_add (commands, NULL);
  return run_gdb (core, (const char *const *) commands->pdata);
}

/* Returns the output of gdb between the command "echo ==NAME\n" and the next one of its kind. */
static char *
part (const char *output, const char *name)
{
  g_autofree char *head = g_strdup_printf ("==%s\n", name);
  const char *start = strstr (output, head);
  const char *end;

  if (start == NULL)
    g_error ("there is no %s in %s", name, output);
  start += strlen (head);
  end = strstr (start, "==");
  return end ? g_strndup (start, end - start) : g_strdup (start);
}

#define ECHO(name) "echo ==" name "\\n"

static void
assert_has (const char *output, const char *text)
{
  if (strstr (output, text) == NULL)
    g_error ("there is no \"%s\" in\n%s", text, output);
}

static void
assert_lacks (const char *output, const char *text)
{
  if (strstr (output, text) != NULL)
    g_error ("there is \"%s\" in\n%s", text, output);
}

/* The backtrace has only known functions, and @functions among them.  It ends with the first
 * function of a stack. */
static void
assert_whole (const char *backtrace, const char *functions)
{
  g_autofree char *pattern =
    g_strdup_printf ("(?s)^#0 .*%s.*\n#[0-9]+ [^\n]*fiber/context-[^\n]*\n(No locals.\n| [^\n]*\n)*$", functions);

  assert_lacks (backtrace, "Backtrace stopped");
  assert_lacks (backtrace, "??");
  if (!g_regex_match_simple (pattern, backtrace, 0, 0))
    g_error ("this does not match %s:\n%s", pattern, backtrace);
}

/* ---- gdb's own backtraces ---- */

static void
test_inside (void)
{
  g_autofree char *output = gdb ("break sleeper", PROCESS, ECHO ("bt"), "backtrace");
  g_autofree char *backtrace = part (output, "bt");

  assert_whole (backtrace, "sleeper .*run_on_fiber ");
}

/* gdb stops at each instruction of a switch to a new stack, and of the switch back. */
static void
test_switch (void)
{
  g_autoptr (GPtrArray) commands = g_ptr_array_new ();
  g_autofree char *output = NULL;
  g_auto (GStrv) backtraces = NULL;
  guint n_new = 0;

  for (const char *const *command = (const char *const[]) { PROCESS, "break gtx_context_switch", "continue", NULL };
       *command; command++)
    g_ptr_array_add (commands, (char *) *command);
  for (guint i = 0; i < 40; i++)
    {
      g_ptr_array_add (commands, "stepi");
      g_ptr_array_add (commands, ECHO ("bt"));
      g_ptr_array_add (commands, "backtrace");
      g_ptr_array_add (commands, ECHO ("step"));
    }
  g_ptr_array_add (commands, NULL);
  output = run_gdb (NULL, (const char *const *) commands->pdata);
  if (strstr (output, "context-ucontext.c"))
    {
      g_test_skip ("the C library switches");
      return;
    }

  backtraces = g_strsplit (output, "==bt\n", -1);
  for (char **backtrace = backtraces + 1; *backtrace; backtrace++)
    {
      *strstr (*backtrace, "==step\n") = '\0';
      if (strstr (*backtrace, "gtx_context_start") == NULL)
        continue;
      if (!g_regex_match_simple ("gtx_context_start[^\n]*\n$", *backtrace, 0, 0))
        g_error ("there is more than the first frame of a stack: %s", *backtrace);
      n_new += strstr (*backtrace, "gtx_context_switch") != NULL;
    }
  g_assert_cmpuint (n_new, >, 3);
}

/* ---- The commands ---- */

#define TASKS_COMMANDS                                                         \
  "frame function main_coroutine",                                             \
  ECHO ("tasks"), "gtx tasks",                                                 \
  ECHO ("bt"), "gtx bt long sleeper",                                          \
  ECHO ("full"), "gtx bt -full long sleeper",                                  \
  ECHO ("elsewhere"), "gtx bt elsewhere",                                      \
  ECHO ("own"), "frame",                                                       \
  ECHO ("errors"), "gtx bt nobody", "gtx bt", "gtx bt unbegun", "gtx bt runner", "gtx bt twin", \
  ECHO ("end")

static void
assert_tasks (const char *output)
{
  g_autofree char *tasks = part (output, "tasks");
  g_autofree char *path = g_build_filename (folder, "tasks", NULL);
  g_autofree char *printed = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &printed, NULL, &error);
  g_assert_no_error (error);
  assert_has (printed, "\nunbegun (sleeper): has not begun, and is to be cancelled: not wanted\n");
  assert_has (printed, "└─ …\n");
  assert_has (tasks, printed);
  g_assert_true (g_regex_match_simple ("^Main context 0x[0-9a-f]+:\nelsewhere \\(sleeper\\): waits for a sleep, [0-9.]+ s left\n"
                                       "Main context 0x[0-9a-f]+:\nrunner ", tasks, 0, 0));
}

static void
assert_backtraces (const char *output)
{
  g_autofree char *backtrace = part (output, "bt");
  g_autofree char *full = part (output, "full");
  g_autofree char *elsewhere = part (output, "elsewhere");
  g_autofree char *own = part (output, "own");
  const char *state = "long sleeper (sleeper): waits for a sleep, 999.750 s left\n";

  g_assert_true (g_str_has_prefix (backtrace, state));
  assert_whole (backtrace + strlen (state), "(gtx_sleep|sleep_to) .*inner .*sleeper .*run_on_fiber ");
  assert_has (backtrace, "inner (local_of_sleeper=0x");
  assert_lacks (backtrace, "stop_in_function");
  assert_whole (full + strlen (state), "sleeper .*\n        local_of_sleeper = 4711\n");
  assert_whole (strchr (elsewhere, '\n') + 1, "inner .*sleeper ");
  /* The selected thread and frame are unchanged. */
  assert_has (own, "main_coroutine (");
}

static void
assert_errors (const char *output)
{
  g_autofree char *errors = part (output, "errors");

  assert_has (errors, "There is no task \"nobody\"; \"gtx tasks\" lists them\n");
  assert_has (errors, "Which task? gtx bt NAME; \"gtx tasks\" lists their names\n");
  assert_has (errors, "Task unbegun has not begun: there is nothing to show\n");
  assert_has (errors, "Task runner runs: it is in the backtrace of its thread (thread apply all backtrace)\n");
  g_assert_true (g_regex_match_simple ("2 tasks have the name \"twin\"; say which:\n"
                                       "  gtx bt 0x[0-9a-f]+    twin \\(sleeper\\): waits for a sleep, 999.750 s left\n"
                                       "  gtx bt 0x", errors, 0, 0));
}

static void
assert_shows_all (const char *output)
{
  assert_tasks (output);
  assert_backtraces (output);
  assert_errors (output);
}

static void
test_process (void)
{
  g_autofree char *output = gdb (AT_TASKS, TASKS_COMMANDS,
                                 "eval \"gtx bt 0x%lx\", (unsigned long) ring[1]",
                                 "python print ('schedulers', len (list (all_schedulers ())))");
  g_autofree char *by_address = part (output, "end");

  assert_shows_all (output);
  assert_has (by_address, "(await_other): waits for task ");
  assert_has (by_address, "gtx_await (");
  /* The scheduler of the main context that ended is gone. */
  assert_has (output, "\nschedulers 2\n");
}

static void
test_core_of_gdb (void)
{
  g_autofree char *core = g_build_filename (folder, "core", NULL);
  g_autofree char *arguments = g_strdup_printf ("set args '%s/tasks' unmarked", folder);
  g_autofree char *generate = g_strconcat ("generate-core-file ", core, NULL);
  g_autofree char *process = gdb (arguments, AT_TASKS, generate);
  g_autofree char *output = NULL;

  assert_has (process, "Saved corefile");
  output = gdb_on (core, TASKS_COMMANDS, NULL);
  assert_shows_all (output);
}

/* Returns the only file in a folder, or NULL. */
static char *
file_in (const char *path)
{
  g_autoptr (GDir) files = g_dir_open (path, 0, NULL);
  const char *name = files ? g_dir_read_name (files) : NULL;

  return name ? g_build_filename (path, name, NULL) : NULL;
}

static void
test_core_of_system (void)
{
  g_autofree char *built = g_test_build_filename (G_TEST_BUILT, "gdb-program", NULL);
  g_autofree char *program = g_canonicalize_filename (built, NULL);
  g_autofree char *cores = g_build_filename (folder, "cores", NULL);
  const char *argv[] = { program, "../tasks", "abort", NULL };
  g_autofree char *core = NULL;
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (cores, 0700), ==, 0);
  g_spawn_sync (cores, (char **) argv, NULL, 0, NULL, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  core = file_in (cores);
  if (core == NULL)
    {
      g_test_skip ("the system writes no core files into a program's folder");
      return;
    }
  output = gdb_on (core, TASKS_COMMANDS, NULL);
  assert_shows_all (output);
}

/* The thread's own frames do not disturb the backtrace of a task. */
static void
test_own_frames (void)
{
  g_autofree char *main_frame = gdb (PROCESS, "finish", ECHO ("bt"), "gtx bt elsewhere", ECHO ("own"), "backtrace");
  g_autofree char *inlined = gdb (AT_TASKS, "break stop_inlined", "continue",
                                  ECHO ("bt"), "gtx bt elsewhere", ECHO ("own"), "backtrace");

  for (guint i = 0; i < 2; i++)
    {
      const char *output = i == 0 ? main_frame : inlined;
      g_autofree char *backtrace = part (output, "bt");
      g_autofree char *own = part (output, "own");

      assert_whole (strchr (backtrace, '\n') + 1, "inner .*sleeper ");
      g_assert_true (g_str_has_prefix (own, i == 0 ? "#0  main " : "#0  stop_inlined "));
      g_assert_true (i == 0 || strstr (own, "\n#1  main_coroutine "));
    }
}

static void
test_nothing_there (void)
{
  g_autofree char *none = gdb ("gtx tasks");
  g_autofree char *not_yet = gdb ("starti", "gtx tasks");
  g_autofree char *no_tasks = gdb ("break main", "run", "gtx tasks");

  assert_has (none, "There is neither a process nor a core file to look into\n");
  assert_has (not_yet, "gtask-ext is not loaded: the program does not use it, or has not started\n");
  assert_has (no_tasks, "There are no tasks.\n");
}

static void
test_no_debug_information (void)
{
  const char *library = g_getenv ("TEST_LIBRARY");
  g_autofree char *copy = g_build_filename (folder, "libgtask-ext-1.so.0", NULL);
  const char *argv[] = { "strip", "-g", "-o", copy, library, NULL };
  g_autofree char *environment = g_strconcat ("set environment LD_LIBRARY_PATH ", folder, NULL);
  g_autofree char *strip = g_find_program_in_path ("strip");
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;

  if (library == NULL || strip == NULL)
    {
      g_test_skip ("TEST_LIBRARY does not say where the library is, or there is no strip");
      return;
    }
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  output = gdb (environment, PROCESS, "gtx tasks");
  assert_has (output, "gtask-ext was built without debug information, or it is not installed: "
              "its data cannot be read\n");
}

/* ---- Whether gdb works here ---- */

static void
find_out_why_not (void)
{
  g_autofree char *path = g_find_program_in_path ("gdb");
  g_autofree char *output = NULL;

  if (RUNNING_ON_VALGRIND)
    unusable = "under Valgrind";
  else if (path == NULL)
    unusable = "there is no gdb";
  if (unusable)
    return;
  output = run_gdb (NULL, (const char *const[]) {
    "python print ('with', hasattr (gdb, 'with_parameter'))", "break main", "run", NULL });
  if (strstr (output, "with True\n") == NULL)
    unusable = "this gdb has no Python, or is older than 12";
  else if (strstr (output, "\nBreakpoint 1, ") == NULL)
    unusable = "gdb may not run programs here";
}

static void
run_or_skip (gconstpointer test)
{
  if (unusable)
    g_test_skip (unusable);
  else
    (*(GTestFunc *) test) ();
}

#define add(path, test)                                                        \
  G_STMT_START {                                                               \
    static const GTestFunc kept = (test);                                      \
                                                                               \
    g_test_add_data_func ((path), &kept, run_or_skip);                         \
  } G_STMT_END

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const char *remove[] = { "rm", "-rf", NULL, NULL };
  int status;

  /* GLib uses this instead of the locale's character set. */
  g_setenv ("CHARSET", "UTF-8", FALSE);
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("gtask-ext-XXXXXX", &error);
  g_assert_no_error (error);
  find_out_why_not ();

  add ("/gdb/inside", test_inside);
  add ("/gdb/switch", test_switch);
  add ("/gdb/process", test_process);
  add ("/gdb/core-of-gdb", test_core_of_gdb);
  add ("/gdb/core-of-system", test_core_of_system);
  add ("/gdb/own-frames", test_own_frames);
  add ("/gdb/nothing-there", test_nothing_there);
  add ("/gdb/no-debug-information", test_no_debug_information);
  status = g_test_run ();

  remove[2] = folder;
  g_spawn_sync (NULL, (char **) remove, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free (folder);
  return status;
}
