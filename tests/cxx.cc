/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C++ programs: the headers, the macros, and exceptions inside coroutines. */

#include <gtask-ext.h>

#include <stdexcept>
#include <string>

namespace
{

std::string trace;

/* Notes the end of its scope. */
class Scope
{
public:
  explicit Scope (const char *name) : name (name) {}
  ~Scope () { trace += "~" + name + " "; }

private:
  std::string name;
};

struct Thrower
{
  const char *name;
  double seconds;
};

void
sleep_and_throw (const Thrower *thrower)
{
  Scope scope (thrower->name);
  GError *error = nullptr;

  if (!gtx_sleep (thrower->seconds, &error))
    {
      g_error_free (error);
      throw std::logic_error ("cancelled");
    }
  throw std::runtime_error (thrower->name);
}

/* An exception ends inside the coroutine, as a GError. */
gboolean
fail_by_exception (Thrower *thrower, GError **error)
{
  try
    {
      sleep_and_throw (thrower);
    }
  catch (const std::logic_error &)
    {
      trace += "cancelled ";
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
    }
  catch (const std::exception &exception)
    {
      trace += exception.what () + std::string (" ");
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", exception.what ());
    }
  return FALSE;
}

/* Each task is inside its try block while the others throw. */
gboolean
exceptions (gpointer, GError **error)
{
  Thrower throwers[] = { { "late", 3 }, { "early", 1 }, { "middle", 2 } };
  g_autoptr (GtxTask) late = gtx_create_task (fail_by_exception, &throwers[0], NULL);
  g_autoptr (GtxTask) early = gtx_create_task (fail_by_exception, &throwers[1], NULL);
  g_autoptr (GtxTask) middle = gtx_create_task (fail_by_exception, &throwers[2], NULL);

  trace.clear ();
  if (!gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, late, early, middle, NULL))
    return FALSE;
  g_assert_cmpstr (trace.c_str (), ==, "~early early ~middle middle ~late late ");
  g_assert_error (gtx_future_get_error (early), G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

gboolean
cancelled (gpointer, GError **error)
{
  Thrower thrower = { "scope", 1000 };
  g_autoptr (GtxTask) task = gtx_create_task (fail_by_exception, &thrower, NULL);

  trace.clear ();
  if (!gtx_sleep (1, error))
    return FALSE;
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpstr (trace.c_str (), ==, "~scope cancelled ");
  return TRUE;
}

char *
greet (const char *name, GError **error)
{
  return gtx_sleep (1, error) ? g_strconcat ("Hello ", name, NULL) : nullptr;
}

gboolean
add_one (int *number, GError **error)
{
  ++*number;
  return gtx_sleep (0, error);
}

gboolean
macros (gpointer, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (greet, "Ada", NULL, g_free);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autofree char *greeting = nullptr;
  g_autoptr (GError) failure = nullptr;
  int number = 0;

  greeting = static_cast<char *> (gtx_await_pointer (task, error));
  g_assert_cmpstr (greeting, ==, "Hello Ada");
  gtx_task_group_begin (&group);
  for (int i = 0; i < 10 && failure == nullptr; i++)
    gtx_task_group_create_task (&group, add_one, &number, NULL, &failure);
  if (!gtx_task_group_end (&group, &failure, error))
    return FALSE;
  g_assert_cmpint (number, ==, 10);
  return TRUE;
}

gboolean
add_one_in_thread (int *number, GCancellable *, GError **)
{
  ++*number;
  return TRUE;
}

char *
greet_in_thread (const char *name, GCancellable *, GError **)
{
  return g_strconcat ("Hello ", name, NULL);
}

gboolean
threads (gpointer, GError **error)
{
  g_autofree char *greeting = gtx_to_thread_pointer (greet_in_thread, "Grace", error);
  int number = 0;

  g_assert_cmpstr (greeting, ==, "Hello Grace");
  return gtx_to_thread (add_one_in_thread, &number, error) && number == 1;
}

gboolean
add_one_there (int *number, GError **)
{
  ++*number;
  return gtx_current_task () == nullptr;
}

char *
greet_there (const char *name, GError **)
{
  return g_strconcat ("Hello ", name, NULL);
}

gboolean
main_stack (gpointer, GError **error)
{
  g_autofree char *greeting = gtx_call_on_main_stack_pointer (greet_there, "Grace", error);
  int number = 0;

  g_assert_cmpstr (greeting, ==, "Hello Grace");
  return gtx_call_on_main_stack (add_one_there, &number, error) && number == 1;
}

struct First { int number = 1; };
struct Second { int number = 2; };
struct Both : First, Second {};

gboolean
is_second (Second *second, GError **)
{
  return second->number == 2;
}

/* Data is converted as in a call, and a coroutine may be a lambda. */
gboolean
data (gpointer, GError **error)
{
  Both both;
  g_autoptr (GtxTask) task = gtx_create_task (is_second, &both, NULL);
  g_autoptr (GtxTask) lambda =
    gtx_create_task (+[] (int *number, GError **) -> gboolean { return *number == 3; }, new int (3),
                     [] (gpointer number) { delete static_cast<int *> (number); });

  return gtx_gather_list (GTX_GATHER_NONE, error, task, lambda, NULL);
}

gboolean
operation (gpointer, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/dev/null");
  g_autofree char *text = nullptr;

  g_file_load_contents_async (file, GTX_ASYNC);
  return g_file_load_contents_finish (file, gtx_await_result (), &text, NULL, NULL, error);
}

}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  gtx_test_add_func ("/cxx/exceptions", exceptions);
  gtx_test_add_func ("/cxx/cancelled", cancelled);
  gtx_test_add_func ("/cxx/macros", macros);
  gtx_test_add_func ("/cxx/threads", threads);
  gtx_test_add_func ("/cxx/main-stack", main_stack);
  gtx_test_add_func ("/cxx/data", data);
  gtx_test_add_func ("/cxx/operation", operation);
  return g_test_run ();
}
