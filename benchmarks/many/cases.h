/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work with n of something, whose cost should grow as n does. */

#pragma once

#include <gtask-ext.h>

/* How they end, or the order in which they are cancelled, removed or put. */
typedef enum
{
  WOKEN,
  IN_ORDER,
  REVERSED,
  AT_RANDOM,
  N_WAYS
} Way;

#define WAY(way) (1u << (way))
#define ALL_WAYS (WAY (N_WAYS) - 1)
#define ALL_ORDERS (ALL_WAYS & ~WAY (WOKEN))

typedef struct
{
  guint n;
  Way way;
  const guint *order;           /* of the n by number */
} Job;

/* A task of a crowd that waits for the same thing. */
typedef struct
{
  gpointer thing;
  GPtrArray *tasks;             /* of all */
  guint index;
  guint n;
} Member;

typedef struct
{
  gpointer (*make) (guint n);
  gboolean (*wait) (Member *member, GError **error);
  void (*wake) (gpointer thing, guint n); /* NULL: they end by themselves */
  void (*free) (gpointer thing);
  gboolean fails;               /* also where they are woken */
} Crowd;

typedef struct
{
  const char *name;
  guint ways;
  const Crowd *crowd;           /* or: */
  gboolean (*run) (const Job *job, GError **error);
  gboolean is_threaded;         /* the cost is not the same each time */
} Case;

/* The array ends with a case without a name. */
extern const Case future_cases[];
extern const Case lock_cases[];
extern const Case outside_cases[];
extern const Case single_cases[];

const char *way_name       (Way         way);
GPtrArray  *list_cases     (void);
const Case *find_case      (const char *name);
/* As a run; its clock is virtual in a test. */
void        run_case       (const Case *self,
                            Way         way,
                            guint       n,
                            gboolean    is_test);

/* Nanoseconds of processor time since the last call, without those that chill () took. */
gint64      take_time      (void);

/* ---- For those who write cases ---- */

/* Between two phases of the work: small numbers are then still in the processor's caches,
 * and large numbers are not.  After this call neither are. */
void       chill            (void);

GPtrArray *array_of_objects (void);
gboolean   wait_long        (gpointer    data,
                             GError    **error);
/* After this call new tasks have begun, and finished ones have ended. */
void       let_others_run   (void);
/* Awaits all; with @succeeds none may have failed. */
void       gather_all       (GPtrArray  *tasks,
                             gboolean    succeeds);
