/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that dbus-service and dbus-caller share. */

#pragma once

#include <gio/gio.h>

#define WORKER_NAME "org.example.Worker"
#define WORKER_PATH "/org/example/Worker"

/* Ends the program with status 2 and a message if the string is not an address; NULL is
 * the session bus. */
void             worker_check_address (const char  *address);

/* A coroutine. */
GDBusConnection *worker_connect       (const char  *address,
                                       GError     **error);
