/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "outside/token.h"

#include "task/caller.h"

#include <pthread.h>

/* The data of a callback is the number of a token and the number of its use, never an address:
 * tokens are in a table that grows and is never freed. */
#define NUMBER_BITS (sizeof (gsize) >= 8 ? 32 : 18)
#define MOST_TOKENS ((gsize) 1 << NUMBER_BITS)
#define MOST_USES (G_MAXSIZE >> NUMBER_BITS)

/* How many starts a token remembers, to tell which operation called back twice. */
#define N_REMEMBERED 4

typedef struct
{
  gsize use;
  const char *file;
  int line;
} Start;

/* Invariant: armed is the use whose callback is to come, or 0. */
struct _GtxToken
{
  gsize armed;                  /* atomic */
  gsize use;                    /* the last one */
  gsize number;
  gpointer owner;
  Start starts[N_REMEMBERED];
  GtxToken *next_free;
};

/* Each chunk is twice as large as the one before. */
#define FIRST_CHUNK 64
#define N_CHUNKS 27

static struct
{
  GMutex mutex;
  GtxToken *chunks[N_CHUNKS];   /* atomic */
  gsize n_tokens;
  GtxToken *first_free;         /* the one that was freed first is used first */
  GtxToken *last_free;
} table;

/* ---- The table ---- */

static void
lock (void)
{
  g_mutex_lock (&table.mutex);
}

static void
unlock (void)
{
  g_mutex_unlock (&table.mutex);
}

static guint
chunk_of (gsize number)
{
  return g_bit_storage (number / FIRST_CHUNK + 1) - 1;
}

static gsize
chunk_begin (guint chunk)
{
  return FIRST_CHUNK * (((gsize) 1 << chunk) - 1);
}

/* NULL if the chunk of the token was never made. */
static GtxToken *
find (gsize number)
{
  guint chunk = chunk_of (number);
  GtxToken *tokens = chunk < N_CHUNKS ? __atomic_load_n (&table.chunks[chunk], __ATOMIC_ACQUIRE) : NULL;

  return tokens ? &tokens[number - chunk_begin (chunk)] : NULL;
}

static GtxToken *
add_token (void)
{
  gsize number = table.n_tokens++;
  guint chunk = chunk_of (number);
  GtxToken *token;

  g_assert (number < MOST_TOKENS && chunk < N_CHUNKS);
  /* With the lock, no thread is in the middle of a change at a fork (). */
  if (number == 0)
    pthread_atfork (lock, unlock, unlock);
  if (number == chunk_begin (chunk))
    __atomic_store_n (&table.chunks[chunk], g_new0 (GtxToken, FIRST_CHUNK << chunk), __ATOMIC_RELEASE);
  token = find (number);
  token->number = number;
  return token;
}

GtxToken *
gtx_token_new (gpointer owner)
{
  GtxToken *self;

  lock ();
  self = table.first_free;
  if (self == NULL)
    self = add_token ();
  else
    table.first_free = self->next_free;
  if (table.first_free == NULL)
    table.last_free = NULL;
  unlock ();

  self->owner = owner;
  return self;
}

void
gtx_token_set_owner (GtxToken *self,
                     gpointer  owner)
{
  self->owner = owner;
}

void
gtx_token_free (GtxToken *self)
{
  __atomic_store_n (&self->armed, 0, __ATOMIC_RELAXED);
  lock ();
  self->next_free = NULL;
  if (table.last_free)
    table.last_free->next_free = self;
  else
    table.first_free = self;
  table.last_free = self;
  unlock ();
}

/* ---- The uses of a token ---- */

gpointer
gtx_token_arm (GtxToken   *self,
               const char *file,
               int         line)
{
  Start *start;

  self->use = self->use < MOST_USES ? self->use + 1 : 1;
  start = &self->starts[self->use % N_REMEMBERED];
  start->use = self->use;
  start->file = file;
  start->line = line;
  __atomic_store_n (&self->armed, self->use, __ATOMIC_RELEASE);
  return GSIZE_TO_POINTER (self->use << NUMBER_BITS | self->number);
}

static void
complain (const GtxToken *token,
          gsize           use)
{
  const Start *start = token ? &token->starts[use % N_REMEMBERED] : NULL;

  if (start && start->use == use && start->file)
    {
      g_autofree char *caller = gtx_caller_describe ("started at", "of", start->file, start->line);

      g_critical ("The operation %s called back twice; an operation must call back once", caller);
    }
  else
    g_critical ("A callback came for an operation that no task awaits: the operation called back before, or "
                "was not given the data of GTX_CALLBACK");
}

gpointer
gtx_token_claim (gpointer data)
{
  gsize use = GPOINTER_TO_SIZE (data) >> NUMBER_BITS;
  gsize armed = use;
  GtxToken *token = find (GPOINTER_TO_SIZE (data) & (MOST_TOKENS - 1));

  if (token && use > 0 &&
      __atomic_compare_exchange_n (&token->armed, &armed, 0, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return token->owner;
  complain (token, use);
  return NULL;
}
