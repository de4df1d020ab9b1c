/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples of the resources that the process holds, and whether they grew. */

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
/* Whether the resources at the end are as in the beginning. */
gboolean figures_judge_end   (const Sample *start,
                              const Sample *end);
