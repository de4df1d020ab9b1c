/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A channel for words, and tasks that send and receive one each. */

#pragma once

#include "fixture.h"

static GtxChannel *channel;     /* a new one for each test, for two words */

static inline gboolean
send_now (const char *word)
{
  return gtx_channel_try_send (channel, g_strdup (word), NULL);
}

static inline gboolean
send_and_note (const char *word, GError **error)
{
  g_autofree char *what = g_strconcat ("+", word, NULL);

  if (!gtx_channel_send (channel, g_strdup (word), error))
    return FALSE;
  note (what);
  return TRUE;
}

static inline gboolean
receive_and_note (const char *who, GError **error)
{
  g_autofree char *item = gtx_channel_receive (channel, error);
  g_autofree char *what = g_strconcat (who, "=", item, NULL);

  if (item == NULL)
    return FALSE;
  note (what);
  return TRUE;
}

static inline GtxTask *
sender (const char *word)
{
  return gtx_create_task (send_and_note, word, NULL);
}

static inline GtxTask *
receiver (const char *who)
{
  return gtx_create_task (receive_and_note, who, NULL);
}

#define assert_received(word)                                                  \
  G_STMT_START {                                                               \
    g_autofree char *got_ = gtx_channel_try_receive (channel, NULL);           \
                                                                               \
    g_assert_cmpstr (got_, ==, (word));                                        \
  } G_STMT_END

static inline void
run_with_channel (gconstpointer data)
{
  channel = gtx_channel_new (2, count_free);
  run_coroutine (data);
  g_clear_object (&channel);
}
