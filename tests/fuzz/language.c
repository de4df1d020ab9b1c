/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "language.h"

#define WORDS(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* ---- Scenarios ---- */

static const Form scenario_forms[] = {
  { "log", "l", 2 }, { "sleep", "m", 10 }, { "call", "c", 5 }, { "spawn", "v", 12 }, { "gspawn", "v", 10 },
  { "share", "s", 3 }, { "await", "g", 6 }, { "shield", "g", 4 }, { "wait_for", "mg", 4 },
  { "wait_for_call", "mc", 3 }, { "cancel", "g", 8 }, { "cancel_self", "", 2 }, { "cancel_main", "", 2 },
  { "uncancel", "", 3 }, { "cancelling", "", 1 }, { "state", "g", 2 }, { "current", "", 1 },
  { "all_tasks", "", 1 }, { "gather", "T", 5 }, { "gather_errors", "T", 3 }, { "wait", "wdT", 6 },
  { "as_completed", "T", 4 }, { "try", "t", 12 }, { "raise", "k", 5 }, { "return", "n", 3 },
  { "repeat", "x{", 4 }, { "timeout", "m{", 6 }, { "reschedule", "d", 3 }, { "group", "{", 8 },
  { "with", "H{", 8 }, { "acquire", "H", 3 }, { "release", "H", 3 }, { "locked", "H", 1 },
  { "set", "E", 3 }, { "clear", "E", 1 }, { "wait_event", "E", 4 }, { "wait_condition", "C", 4 },
  { "notify", "Cn", 3 }, { "wait_barrier", "B", 3 }, { "abort_barrier", "B", 1 }, { "put", "Qn", 4 },
  { "get", "Q", 4 }, { "put_nowait", "Qn", 2 }, { "get_nowait", "Q", 2 }, { "task_done", "Q", 2 },
  { "join", "Q", 2 }, { "size", "Q", 1 }, { "shutdown", "Q", 1 }, { "shutdown_now", "Q", 1 },
  { "resolve", "Fn", 2 }, { "reject", "Fr", 2 }, { "cancel_future", "F", 2 }, { "await_future", "F", 4 },
  { NULL, NULL, 0 }
};

static const Words scenario_words[] = {
  { 'm', WORDS ("0", "1", "2", "3", "5", "8", "13", "34") },
  { 'd', WORDS ("0", "1", "2", "3", "5", "8", "13", "34", "-") },
  { 'w', WORDS ("first_completed", "first_exception", "all_completed") },
  { 'k', WORDS ("e0", "e1", "e2", "") },
  { 'r', WORDS ("e0", "e1", "e2") },
  { '\0', NULL }
};

static const Object scenario_objects[] = {
  { "lock", "l", "H", -1 }, { "lock", "m", "H", -1 }, { "event", "e", "E", -1 },
  { "condition", "c", "HC", -1 }, { "semaphore", "s", "H", 0 }, { "bounded_semaphore", "bs", "H", 0 },
  { "barrier", "b", "B", 1 }, { "queue", "q", "Q", 0 }, { "lifo_queue", "lq", "Q", 0 },
  { "priority_queue", "pq", "Q", 0 }, { "future", "f", "F", -1 }, { "future", "g", "F", -1 },
  { NULL, NULL, NULL, 0 }
};

const Language scenario_language = {
  .forms = scenario_forms,
  .words = scenario_words,
  .objects = scenario_objects,
  .kinds = WORDS ("any", "cancelled", "error", "timeout", "group", "error:e0", "runtime", "invalid", "empty",
                  "value", "full", "broken", "shutdown"),
  .variables = "tuvs",
  .most_statements = 400,
  .most_times = 27,
};

/* ---- Programs at the border ---- */

static const Form border_forms[] = {
  { "sleep", "m", 10 }, { "operation", "ijqm", 26 }, { "operation_future", "ijqm", 6 },
  { "thread", "qm", 14 },
  { "call", "c", 4 }, { "spawn", "v", 14 }, { "spawn_elsewhere", "v", 8 }, { "gspawn", "v", 10 },
  { "await", "g", 8 }, { "shield", "g", 3 }, { "wait_for", "mg", 4 }, { "gather", "T", 4 },
  { "cancel", "az", 14 }, { "cancel_cancellable", "az", 8 }, { "cancel_self", "", 3 }, { "uncancel", "", 3 },
  { "cancel_group", "b", 6 }, { "cancel_outer", "b", 5 }, { "await_future", "F", 6 }, { "set", "aF", 4 },
  { "fail", "aF", 2 }, { "cancel_future", "aF", 2 }, { "await_signal", "O", 5 }, { "emit", "aO", 4 },
  { "dispose", "aO", 3 }, { "bind", "gO", 3 }, { "try", "t", 14 }, { "raise", "", 3 }, { "return", "", 2 },
  { "repeat", "x{", 5 }, { "timeout", "m{", 10 }, { "group", "{", 10 },
  { "await_process_signal", "", 4 }, { "kill", "a", 4 },
  { NULL, NULL, 0 }
};

static const Words border_words[] = {
  { 'm', WORDS ("0", "1", "2", "3", "5", "8") },
  { 'i', WORDS ("task", "blind", "deaf", "other", "own") },
  { 'j', WORDS ("now", "late", "thread", "elsewhere") },
  { 'q', WORDS ("succeed", "fail", "obey", "abort", "cancel_succeed", "cancel_fail") },
  { 'a', WORDS ("here", "loop", "thread") },
  { 'b', WORDS ("here", "loop") },
  { '\0', NULL }
};

static const Object border_objects[] = {
  { "future", "f", "F", -1 }, { "future", "g", "F", -1 },
  { "object", "o", "O", -1 }, { "object", "p", "O", -1 },
  { NULL, NULL, NULL, 0 }
};

const Language border_language = {
  .forms = border_forms,
  .words = border_words,
  .objects = border_objects,
  .kinds = WORDS ("any"),
  .variables = "tuv",
  .most_statements = 80,
  .most_times = 9,
};
