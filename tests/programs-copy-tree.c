/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/programs/copy-tree.c beside cp -r. */

#include "spawn.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define PROGRAM "programs/copy-tree"

static void
test_arguments (void)
{
  assert_helps (PROGRAM);
  assert_refuses (PROGRAM, "", "wants SOURCE TARGET");
  assert_refuses (PROGRAM, "/ b c", "does not know what to do with \"c\"");
  assert_refuses (PROGRAM, "--jobs 0 / b", "--jobs is 0, *");
  assert_refuses (PROGRAM, "--progress -1 / b", "--progress is -1, *");
  assert_refuses (PROGRAM, "/no/such/file b", "SOURCE /no/such/file: No such file or directory");
}

/* ---- Beside cp ---- */

/* Only root may remove files from a folder that is read-only. */
static const char remove_all[] =
  "remove () { [ ! -e \"$1\" ] || chmod -R u+rwx \"$1\"; rm -rf \"$1\"; }\n";

/* Runs a line of shell in a folder, where "$program" is copy-tree. */
static Outcome *
run_shell (const char *folder, const char *line)
{
  g_autofree char *program = find_program (PROGRAM);
  g_autofree char *script = g_strdup_printf ("program='%s'\n%s%s", program, remove_all, line);
  const char *command[] = { "sh", "-c", script, NULL };

  return run_program_in (folder, NULL, command);
}

static void
shell (const char *folder, const char *line)
{
  g_autoptr (Outcome) outcome = run_shell (folder, line);

  if (outcome->status != 0 || *outcome->errors)
    g_error ("%s: ended with %d: %s%s", line, outcome->status, outcome->output, outcome->errors);
}

/* The tree is the same each time. */
static const char make_tree[] =
  "remove tree && umask 022\n"
  "mkdir -p tree/empty tree/a/b/c tree/read-only tree/sticky cp ours\n"
  "echo one >tree/one\n"
  ": >tree/nothing\n"
  "seq 1 60000 >tree/a/large\n"
  "echo two >tree/a/b/c/two\n"
  "echo locked >tree/read-only/file\n"
  "echo blanks >'tree/a b\tc'\n"
  "echo 'no UTF-8' >\"$(printf 'tree/\\377\\376')\"\n"
  "echo dash >tree/-n\n"
  "echo star >'tree/*'\n"
  "mkfifo -m 620 tree/fifo\n"
  "ln -s one tree/link\n"
  "ln -s nowhere tree/dangling\n"
  "ln -s a tree/link-to-folder\n"
  "ln -s .. tree/a/up\n"
  "ln tree/one tree/hard\n"
  "chmod 755 tree/one; chmod 4711 tree/nothing; chmod 440 tree/a/large; chmod 666 tree/a/b/c/two\n"
  "chmod 1777 tree/sticky; chmod 2750 tree/a/b; chmod 555 tree/read-only\n";

/* Compares names, kinds, modes, links and contents of the two copies.  It makes all files readable
 * first, because only root may read the others. */
static const char compare[] =
  "for to in cp ours; do\n"
  "  (cd $to && find . -printf '%P %y %m %l\\n' -not -type l -not -perm -u=r -exec chmod u+rwX '{}' ';' |\n"
  "   LC_ALL=C sort) >$to.list\n"
  "done\n"
  "diff cp.list ours.list && diff -r --no-dereference --exclude=fifo --exclude=new-fifo cp ours\n";

/* In a line of shell, copy is cp -r or copy-tree, and $to is the target. */
typedef struct
{
  const char *name;
  const char *line;
} Case;

static const Case cases[] = {
  { "new-name", "copy tree $to/new" },
  { "into-folder", "copy tree $to" },
  { "slashes", "copy tree/ $to/" },
  { "dot", "cd tree && copy . $to" },
  { "dots", "cd tree/a && copy .. $to" },
  { "umask", "umask 027 && copy tree $to" },
  { "closed-umask", "umask 777 && copy tree $to" },
  { "file", "copy tree/one $to/new" },
  { "file-into-folder", "copy tree/-n $to" },
  { "link", "copy tree/link-to-folder $to/new" },
  { "link-with-slash", "copy tree/link-to-folder/ $to/new" },
  { "dash", "cd tree && copy -- -n $to" },
  { "fifo", "copy tree/fifo $to/new-fifo" },
  { "no-such-parent", "copy tree $to/no/such; [ $? -eq 1 ]" },
  /* The target exists already. */
  { "again", "copy tree $to && echo more >>tree/one && chmod 600 tree/one tree/a/b/c && "
             "copy tree $to; copied=$?; [ -w $to/tree/a/large ]; [ $? -eq $copied ]" },
  { "shorter", "seq 1 100 >$to/new && chmod 604 $to/new && copy tree/one $to/new" },
  { "link-over-file", "echo old >$to/link && copy tree/link $to" },
  { "link-over-folder", "mkdir $to/link && copy tree/link $to; [ $? -eq 1 ]" },
  { "file-over-link", "echo old >$to/old && ln -s old $to/one && copy tree/one $to" },
  { "file-over-dangling-link", "ln -s none $to/one && copy tree/one $to; [ $? -eq 1 ]" },
  { "file-over-folder", "mkdir -p $to/tree/one && copy tree $to; [ $? -eq 1 ]" },
  { "folder-over-file", "mkdir -p $to/tree && echo old >$to/tree/a && copy tree $to; [ $? -eq 1 ]" },
  { "folder-over-link", "mkdir -p $to/tree/b && ln -s b $to/tree/a && copy tree $to; [ $? -eq 1 ]" },
  { "same-link", "cp -P tree/link $to && copy $to/link $to; [ $? -eq 1 ]" },
  { "same-file", "cp tree/one $to && copy $to/one $to; [ $? -eq 1 ]" },
};

static void
copy_with (const char *folder, const char *to, const char *copy, const char *line)
{
  g_autofree char *script = g_strdup_printf ("to=$PWD/%s; copy () { %s \"$@\" >/dev/null 2>&1; }\n%s", to, copy, line);

  shell (folder, make_tree);
  shell (folder, script);
}

static void
test_beside_cp (gconstpointer data)
{
  const Case *this = data;
  char *folder = make_folder ();

  copy_with (folder, "cp", "cp -r", this->line);
  copy_with (folder, "ours", "\"$program\"", this->line);
  shell (folder, compare);
  remove_folder (folder);
}

static void
test_jobs (void)
{
  char *folder = make_folder ();

  shell (folder, make_tree);
  shell (folder, "cp -r tree cp");
  shell (folder, "\"$program\" --jobs 1 tree ours >/dev/null");
  shell (folder, compare);
  shell (folder, "remove ours; mkdir ours; \"$program\" --jobs 100 tree ours >/dev/null");
  shell (folder, compare);
  remove_folder (folder);
}

/* ---- Output ---- */

static void
test_output (void)
{
  char *folder = make_folder ();
  g_autoptr (Outcome) outcome = NULL;

  shell (folder, "mkdir -p tree/folder && printf 12345 >tree/folder/five");
  outcome = run_shell (folder, "\"$program\" --verbose tree new");
  assert_outcome (outcome, 0, "", "tree -> new\ntree/folder -> new/folder\ntree/folder/five -> new/folder/five\n"
                  "1 files, 2 directories, 5 bytes\n");
  remove_folder (folder);
}

static void
test_errors_are_told (void)
{
  char *folder = make_folder ();
  g_autoptr (Outcome) outcome = NULL;

  shell (folder, make_tree);
  shell (folder, "mkdir -p new/tree/one new/tree/a/large");
  outcome = run_shell (folder, "\"$program\" tree new");
  assert_outcome (outcome, 1, "copy-tree: tree/*: the target cannot be opened: Is a directory\n"
                  "copy-tree: tree/*: the target cannot be opened: Is a directory\ncopy-tree: 2 could not be copied\n",
                  "13 files, 7 directories, * bytes\n");
  remove_folder (folder);
}

static void
test_same_file (void)
{
  char *folder = make_folder ();
  g_autoptr (Outcome) outcome = NULL;

  shell (folder, "echo kept >file");
  outcome = run_shell (folder, "\"$program\" file file");
  assert_outcome (outcome, 1, "copy-tree: file: source and target are the same file\n*", "0 files, *");
  shell (folder, "[ $(cat file) = kept ]");
  remove_folder (folder);
}

static void
test_into_itself (void)
{
  char *folder = make_folder ();
  const char *targets[] = { "tree", "tree/new", "tree/a/b", "link/new" };

  shell (folder, make_tree);
  shell (folder, "ln -s tree/a link");
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      g_autofree char *line = g_strconcat ("\"$program\" tree ", targets[i], NULL);
      g_autoptr (Outcome) outcome = run_shell (folder, line);

      assert_outcome (outcome, 2, "copy-tree: tree cannot be copied into itself; try --help\n", "");
    }
  shell (folder, "\"$program\" tree tree-too >/dev/null");
  remove_folder (folder);
}

/* cp would wait for a reader here. */
static void
test_onto_fifo (void)
{
  char *folder = make_folder ();
  g_autoptr (Outcome) outcome = NULL;

  shell (folder, "echo one >file && mkfifo fifo");
  outcome = run_shell (folder, "\"$program\" file fifo");
  assert_outcome (outcome, 1, "copy-tree: file: the target cannot be opened: *\n*", "0 files, *");
  remove_folder (folder);
}

/* ---- Interrupted ---- */

/* The test does not read the output, which is more than a pipe holds.  So the program is in the
 * middle of its work when it is interrupted. */
static void
test_interrupted (void)
{
  char *folder = make_folder ();
  g_autofree char *source = g_build_filename (folder, "source", NULL);
  g_autofree char *target = g_build_filename (folder, "target", NULL);
  g_autoptr (Outcome) outcome = NULL;
  Running *program;

  shell (folder, "mkdir -p source/in && cd source/in && seq -f 'a-file-with-a-rather-long-name-%g' 1 3000 |"
         "while read name; do echo $name >$name; done; chmod 555 .");
  program = start_program (PROGRAM, "--verbose", "--jobs", "2", source, target, NULL);
  await_line (program, "*/in/a-file-* -> */in/a-file-*");
  outcome = end_program (program, SIGINT);
  assert_outcome (outcome, 130, "", "*files, 2 directories, * bytes\nNot all is copied: *\n");

  /* The files that were copied are complete, and the folder's mode is right. */
  shell (folder, "cd target/in && for name in *; do [ $(cat $name) = $name ] || echo $name >&2; done\n"
         "[ $(stat -c %a .) = 555 ]\n"
         "n=$(ls | wc -l); [ $n -ge 1 ] && [ $n -lt 3000 ]");
  remove_folder (folder);
}

/* The program is interrupted in the middle of a file that would take for ever. */
static void
test_interrupted_in_a_file (void)
{
  char *folder = make_folder ();
  g_autofree char *source = g_build_filename (folder, "source", NULL);
  g_autofree char *target = g_build_filename (folder, "target", NULL);
  g_autofree char *path = find_program (PROGRAM);
  g_autoptr (Outcome) outcome = NULL;
  Running *program;

  shell (folder, "truncate -s 1T source");
  /* The limit keeps the program from writing more than 4 GiB. */
  program = start_program ("sh", "-c", "ulimit -f 8388608 && exec \"$0\" \"$@\"", path,
                           "--progress", "0.01", source, target, NULL);
  await_line (program, "0 files, 0 directories, ?????* bytes");
  outcome = end_program (program, SIGTERM);
  assert_outcome (outcome, 143, "", "*0 files, 0 directories, 0 bytes\nNot all is copied: *\n");
  g_assert_false (g_file_test (target, G_FILE_TEST_EXISTS));
  remove_folder (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/programs/copy-tree/arguments", test_arguments);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/programs/copy-tree/beside-cp/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_beside_cp);
    }
  g_test_add_func ("/programs/copy-tree/jobs", test_jobs);
  g_test_add_func ("/programs/copy-tree/output", test_output);
  g_test_add_func ("/programs/copy-tree/errors-are-told", test_errors_are_told);
  g_test_add_func ("/programs/copy-tree/same-file", test_same_file);
  g_test_add_func ("/programs/copy-tree/onto-fifo", test_onto_fifo);
  g_test_add_func ("/programs/copy-tree/into-itself", test_into_itself);
  g_test_add_func ("/programs/copy-tree/interrupted", test_interrupted);
  g_test_add_func ("/programs/copy-tree/interrupted-in-a-file", test_interrupted_in_a_file);
  return g_test_run ();
}
