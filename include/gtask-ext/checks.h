/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the macros that take a coroutine, or a function for a thread, and its
 * data make of the data: a gpointer, once the compiler has checked that the
 * function is `gboolean f (U *data, …)`, or `R *f (U *data, …)` where it has a
 * result, and the data a U *.  They are expressions without a block: what the
 * caller makes in the call lives as long as its own block. */

#pragma once

#include <gio/gio.h>

#ifdef __cplusplus

extern "C++"
{
template <typename T> struct GtxSame_ { typedef T Type; };

template <typename Data>
gpointer
gtx_coroutine_data_ (gboolean (*) (Data, GError **), typename GtxSame_<Data>::Type data)
{
  return (gpointer) data;
}

template <typename Result, typename Data>
gpointer
gtx_pointer_coroutine_data_ (Result *(*) (Data, GError **), typename GtxSame_<Data>::Type data)
{
  return (gpointer) data;
}

template <typename Data>
gpointer
gtx_thread_func_data_ (gboolean (*) (Data, GCancellable *, GError **), typename GtxSame_<Data>::Type data)
{
  return (gpointer) data;
}

template <typename Result, typename Data>
gpointer
gtx_pointer_thread_func_data_ (Result *(*) (Data, GCancellable *, GError **), typename GtxSame_<Data>::Type data)
{
  return (gpointer) data;
}
}

#define GTX_COROUTINE_DATA_(coroutine, data) gtx_coroutine_data_ ((coroutine), (data))
#define GTX_POINTER_COROUTINE_DATA_(coroutine, data) gtx_pointer_coroutine_data_ ((coroutine), (data))
#define GTX_THREAD_FUNC_DATA_(func, data) gtx_thread_func_data_ ((func), (data))
#define GTX_POINTER_THREAD_FUNC_DATA_(func, data) gtx_pointer_thread_func_data_ ((func), (data))

#else

#define GTX_TAKES_(func, result, data, ...)                                    \
  (__builtin_types_compatible_p (__typeof__ (*(func)),                         \
                                 result (__typeof__ (0 ? (data) : (data)), __VA_ARGS__)) || \
   __builtin_types_compatible_p (__typeof__ (*(func)),                         \
                                 result (const __typeof__ (*(data)) *, __VA_ARGS__)))
#define GTX_IS_POINTER_(type) \
  (__builtin_classify_type (((type (*) (void)) NULL) ()) == 5)

#define GTX_CHECKED_DATA_(condition, message, data)                            \
  ((void) sizeof (struct { _Static_assert (condition, message); char checked; }), (gpointer) (data))

#define GTX_COROUTINE_DATA_(coroutine, data)                                   \
  GTX_CHECKED_DATA_ (                                                          \
    GTX_TAKES_ (coroutine, gboolean, data, GError **),                         \
    "a boolean coroutine is gboolean f (U *data, GError **error), and its data a U *", data)
#define GTX_POINTER_COROUTINE_DATA_(coroutine, data)                           \
  GTX_CHECKED_DATA_ (                                                          \
    GTX_IS_POINTER_ (GTX_COROUTINE_RESULT_ (coroutine, data)) &&               \
    GTX_TAKES_ (coroutine, GTX_COROUTINE_RESULT_ (coroutine, data), data, GError **), \
    "a pointer coroutine is R *f (U *data, GError **error), and its data a U *", data)
#define GTX_THREAD_FUNC_DATA_(func, data)                                      \
  GTX_CHECKED_DATA_ (                                                          \
    GTX_TAKES_ (func, gboolean, data, GCancellable *, GError **),              \
    "a function for a thread is gboolean f (U *data, GCancellable *, GError **), and its data a U *", data)
#define GTX_POINTER_THREAD_FUNC_DATA_(func, data)                              \
  GTX_CHECKED_DATA_ (                                                          \
    GTX_IS_POINTER_ (GTX_THREAD_FUNC_RESULT_ (func, data)) &&                  \
    GTX_TAKES_ (func, GTX_THREAD_FUNC_RESULT_ (func, data), data, GCancellable *, GError **), \
    "a function for a thread is R *f (U *data, GCancellable *, GError **), and its data a U *", data)

#endif

#define GTX_COROUTINE_RESULT_(coroutine, data) \
  __typeof__ ((coroutine) ((data), (GError **) NULL))
#define GTX_THREAD_FUNC_RESULT_(func, data) \
  __typeof__ ((func) ((data), (GCancellable *) NULL, (GError **) NULL))
