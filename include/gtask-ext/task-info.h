/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

/* Room for the registers of gtx_task_get_registers() on every processor. */
#define GTX_TASK_MAX_REGISTERS 40

GTX_API char      *gtx_task_describe_state     (GtxTask *self) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GPtrArray *gtx_task_list_awaited       (GtxTask *self) G_GNUC_WARN_UNUSED_RESULT;
GTX_API gboolean   gtx_task_get_stack_use      (GtxTask *self,
                                                gsize   *in_use,
                                                gsize   *size);
GTX_API guint      gtx_task_get_registers      (GtxTask *self,
                                                guintptr registers[GTX_TASK_MAX_REGISTERS]);

GTX_API void       gtx_measure_tasks           (gboolean measure);
GTX_API double     gtx_task_get_processor_time (GtxTask *self);
GTX_API double     gtx_task_get_waiting_time   (GtxTask *self);

G_END_DECLS
