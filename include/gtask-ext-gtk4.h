/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext.h>

#include <gtask-ext-gtk4/dialog.h>
#include <gtask-ext-gtk4/inspector.h>
#include <gtask-ext-gtk4/progress.h>
#include <gtask-ext-gtk4/widget.h>
