/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process holds, again and again, and whether that grew. */

#pragma once

#include <glib.h>

typedef enum
{
  FIGURE_MEMORY,
  FIGURE_HEAP,
  FIGURE_TABLES,
  FIGURE_DESCRIPTORS,
  FIGURE_MAPPINGS,
  FIGURE_THREADS,
  N_FIGURES
} Figure;

typedef struct
{
  double seconds;               /* since the first */
  gint64 values[N_FIGURES];
  guint n_tasks;                /* that lived in the middle of the round */
} Sample;

void     figures_take        (Sample       *sample);
void     figures_print_head  (void);
void     figures_print       (const Sample *sample,
                              gboolean      as_json);

/* Whether the last tenth of the samples holds no more than the second tenth;
 * says what grew, unless the time was too short to tell. */
gboolean figures_judge       (GArray       *samples);
/* Whether what is told of the end is as it was in the beginning. */
gboolean figures_judge_end   (const Sample *start,
                              const Sample *end);
