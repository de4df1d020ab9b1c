/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of streams share: streams of each kind, of which one end reads
 * what the other writes, and the turns of the main loop that they need. */

#pragma once

#include "fixture.h"

typedef enum
{
  ENDS_ARE_SOCKETS,
  ENDS_ARE_TCP,
  ENDS_ARE_PIPES,
  ENDS_ARE_NONBLOCKING_PIPES,
  ENDS_ARE_CONVERTED,           /* of sockets: each a source of its own */
  ENDS_ARE_BUFFERED,            /* the reading one, of sockets */
  ENDS_ARE_DATA,                /* the same, of pipes */
  ENDS_ARE_BUFFERED_CONVERTED,
  ENDS_ARE_ASYNC,               /* they have _async functions alone */
  N_KINDS
} EndsKind;

typedef struct
{
  EndsKind kind;
  GInputStream *input;
  GOutputStream *output;
  /* Of sockets, whose other directions they are: the first reads. */
  GIOStream *connections[2];
  GSocket *sockets[2];
} Ends;

extern const char *const ends_names[N_KINDS];

Ends          *ends_new              (EndsKind       kind);
void           ends_free             (Ends          *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ends, ends_free)

/* Data that is written with these functions arrives at once, without a task. */
void           ends_put              (Ends          *self,
                                      const char    *text);
/* No end writes any more. */
void           ends_finish           (Ends          *self);
/* How many bytes were written until no more had room, and taken out again. */
gsize          ends_fill             (Ends          *self);
gsize          ends_drain            (Ends          *self);
/* The descriptors: of the reading end, or the writing one. */
int            ends_get_fd           (Ends          *self,
                                      gboolean       writes);

/* Streams of other kinds. */
GInputStream  *async_input_new       (GInputStream  *base);
GOutputStream *async_output_new      (GOutputStream *base);
GConverter    *copier_new            (void);

void           connect_pair          (int            pair[2]);
GSocket       *socket_of             (int            fd);

/* Until the main loop has nothing else to do. */
void           let_loop_rest         (void);
guint          count_open            (void);
/* One that waits, and is seen to. */
GtxTask       *begin_named           (const char    *name,
                                      GtxCoroutine   coroutine,
                                      gpointer       data);
#define begin(coroutine, data)                                                 \
  begin_named (#coroutine, (GtxCoroutine) (coroutine), GTX_COROUTINE_DATA_ (coroutine, data))

/* Asserts that @task, which is let go of, ends so. */
void           assert_fails          (GtxTask       *task,
                                      GQuark         domain,
                                      int            code);
void           assert_succeeds       (GtxTask       *task);
