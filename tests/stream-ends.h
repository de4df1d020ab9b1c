/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of streams share: streams of each kind, one end of which reads what the
 * other writes, and functions that turn the main loop. */

#pragma once

#include "fixture.h"

typedef enum
{
  ENDS_ARE_SOCKETS,
  ENDS_ARE_TCP,
  ENDS_ARE_PIPES,
  ENDS_ARE_NONBLOCKING_PIPES,
  ENDS_ARE_CONVERTED,           /* converters on sockets, which have sources of their own */
  ENDS_ARE_BUFFERED,            /* a buffered input stream on sockets */
  ENDS_ARE_DATA,                /* a data input stream on pipes */
  ENDS_ARE_BUFFERED_CONVERTED,
  ENDS_ARE_ASYNC,               /* streams that have only _async functions */
  N_KINDS
} EndsKind;

typedef struct
{
  EndsKind kind;
  GInputStream *input;
  GOutputStream *output;
  /* For the kinds on sockets.  The input belongs to the first connection, and the output to the
   * second; each connection has the other direction, too. */
  GIOStream *connections[2];
  GSocket *sockets[2];
} Ends;

extern const char *const ends_names[N_KINDS];

Ends          *ends_new              (EndsKind       kind);
void           ends_free             (Ends          *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ends, ends_free)

/* These functions write without a task, and the data arrives at once. */
void           ends_put              (Ends          *self,
                                      const char    *text);
/* Closes the end that writes. */
void           ends_finish           (Ends          *self);
/* The first function writes until there is no more room, and the second reads all.  Both return the
 * number of bytes. */
gsize          ends_fill             (Ends          *self);
gsize          ends_drain            (Ends          *self);
/* Returns the descriptor of the end that reads, or of the end that writes. */
int            ends_get_fd           (Ends          *self,
                                      gboolean       writes);

/* Streams of other kinds. */
GInputStream  *async_input_new       (GInputStream  *base);
GOutputStream *async_output_new      (GOutputStream *base);
GConverter    *copier_new            (void);

void           connect_pair          (int            pair[2]);
GSocket       *socket_of             (int            fd);

/* Returns when the main loop has nothing else to do. */
void           let_loop_rest         (void);
guint          count_open            (void);
/* Creates a task, and returns when it waits. */
GtxTask       *begin_named           (const char    *name,
                                      GtxCoroutine   coroutine,
                                      gpointer       data);
#define begin(coroutine, data)                                                 \
  begin_named (#coroutine, (GtxCoroutine) (coroutine), GTX_COROUTINE_DATA_ (coroutine, data))

/* Awaits @task and drops the reference to it. */
void           assert_fails          (GtxTask       *task,
                                      GQuark         domain,
                                      int            code);
void           assert_succeeds       (GtxTask       *task);
