/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of examples/programs/http-files.c share: a server of files, and a
 * client. */

#pragma once

#include "spawn.h"

#define PROGRAM "programs/http-files"
#define BIG (64 * 1024 * 1024)  /* more bytes than the system keeps for a connection */

/* A correct request. */
#define NEXT "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"

/* ---- The server ---- */

typedef struct
{
  char *folder;                 /* has the folder "served", and files that are not served */
  Running *process;
  guint16 port;
} Server;

Server            *server_start       (const char        *option,
                                       const char        *value);
Server            *server_start_usual (void);
char              *path_in            (Server            *self,
                                       const char        *name);
/* Ends the server, whose log must match @log; takes @self. */
void               server_end         (Server            *self,
                                       int                signum,
                                       const char        *log);

/* ---- A client ---- */

GSocketConnection *connect_to         (Server            *server);
void               say_bytes          (GSocketConnection *connection,
                                       const char        *bytes,
                                       gsize              length);
void               say                (GSocketConnection *connection,
                                       const char        *text);
void               say_no_more        (GSocketConnection *connection);
/* Returns @most bytes of an answer, or fewer at its end. */
GString           *hear_bytes         (GSocketConnection *connection,
                                       gsize              most);
char              *hear_all           (GSocketConnection *connection);

/* Sends @bytes and nothing more, and returns the answers. */
char              *ask_bytes          (Server            *server,
                                       const char        *bytes,
                                       gsize              length);
char              *ask                (Server            *server,
                                       const char        *request);
char              *get                (Server            *server,
                                       const char        *target,
                                       const char        *headers);

void               assert_matches     (const char        *pattern,
                                       const char        *answer,
                                       const char        *what);
guint              count              (const char        *text,
                                       const char        *part);
