/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the statements share, and the statements about tasks, futures and signals. */

#pragma once

#include "border.h"

/* ---- statements.c ---- */

gboolean is_cancelled             (const GError *error);
/* Takes @failure. */
Flow     flow                     (GError       *failure,
                                   GError      **error);
/* The await was not of a task, so it delivers an owed request. */
void     judge_plain              (Task         *self,
                                   const char   *what,
                                   const GError *failure);
void     judge_unwaited           (Task         *self);

/* ---- statements-of-tasks.c ---- */

Flow     run_with_task            (Task         *self,
                                   Statement    *statement,
                                   GError      **error);
Flow     run_gather               (Task         *self,
                                   Statement    *statement,
                                   GError      **error);
Flow     run_spawn                (Task         *self,
                                   char        **words);
Flow     run_gspawn               (Task         *self,
                                   Statement    *statement,
                                   GError      **error);
Flow     run_await_future         (Task         *self,
                                   Statement    *statement,
                                   GError      **error);
Flow     run_await_signal         (Task         *self,
                                   Statement    *statement,
                                   GError      **error);
Flow     run_await_process_signal (Task         *self,
                                   Statement    *statement,
                                   GError      **error);
Flow     run_bind                 (Task         *self,
                                   char        **words);
