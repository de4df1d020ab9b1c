/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/error.h>
#include <gtask-ext/future.h>
#include <gtask-ext/task.h>
#include <gtask-ext/task-local.h>
#include <gtask-ext/sleep.h>
#include <gtask-ext/gather.h>
#include <gtask-ext/group.h>
#include <gtask-ext/wait.h>
#include <gtask-ext/as-completed.h>
#include <gtask-ext/shield.h>
#include <gtask-ext/timeout.h>
#include <gtask-ext/lock.h>
#include <gtask-ext/event.h>
#include <gtask-ext/condition.h>
#include <gtask-ext/semaphore.h>
#include <gtask-ext/barrier.h>
#include <gtask-ext/queue.h>
#include <gtask-ext/operation.h>
#include <gtask-ext/gtask-run.h>
#include <gtask-ext/to-thread.h>
#include <gtask-ext/file.h>
#include <gtask-ext/main-stack.h>
#include <gtask-ext/object.h>
#include <gtask-ext/scope.h>
#include <gtask-ext/command.h>
#include <gtask-ext/application.h>
#include <gtask-ext/unix.h>
#include <gtask-ext/stream.h>
#include <gtask-ext/socket.h>
#include <gtask-ext/serve.h>
#include <gtask-ext/run.h>
#include <gtask-ext/test.h>
#include <gtask-ext/log.h>
#include <gtask-ext/print.h>
