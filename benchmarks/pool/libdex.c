/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same with libdex's fibers on its pool, which has as many threads as there are processors. */

#include <libdex.h>

#include "work.h"

static DexScheduler *pool;

static void
prepare (void)
{
  dex_init ();
  pool = dex_thread_pool_scheduler_get_default ();
}

static DexFuture *
work (gpointer data)
{
  do_work ();
  return dex_future_new_true ();
}

static void
run (DexScheduler *scheduler, DexFiberFunc func)
{
  g_autoptr (GError) error = NULL;
  DexFuture *future = dex_scheduler_spawn (scheduler, 0, func, NULL, NULL);

  while (dex_future_is_pending (future))
    g_main_context_iteration (NULL, TRUE);
  check (dex_future_get_value (future, &error) != NULL, error);
  dex_unref (future);
}

static DexFuture *
hand_over (gpointer data)
{
  for (guint64 i = 0; i < n_times; i++)
    if (!dex_await (dex_scheduler_spawn (pool, 0, work, NULL, NULL), NULL))
      return dex_future_new_reject (G_IO_ERROR, G_IO_ERROR_FAILED, "failed");
  return dex_future_new_true ();
}

static void
run_hand_over (void)
{
  run (NULL, hand_over);
}

static DexFuture *
spread (gpointer data)
{
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (dex_unref);

  for (guint64 i = 0; i < n_times; i++)
    g_ptr_array_add (futures, dex_scheduler_spawn (pool, 0, work, NULL, NULL));
  return dex_future_allv ((DexFuture *const *) futures->pdata, futures->len);
}

static void
run_spread (void)
{
  run (NULL, spread);
}

static void
run_spread_from_pool (void)
{
  run (pool, spread);
}

static const Bench benches[] = {
  { "hand-over", prepare, run_hand_over },
  { "spread", prepare, run_spread },
  { "spread-from-pool", prepare, run_spread_from_pool },
  { NULL, NULL, NULL }
};

int
main (int   argc,
      char *argv[])
{
  run_bench (parse_pool_arguments (argc, argv, benches));
  return 0;
}
