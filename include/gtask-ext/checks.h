/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the macros that take a coroutine, or a function for a thread, have the
 * compiler check: it is `gboolean f (U *data, …)`, or `R *f (U *data, …)` where
 * it has a result, and the data is a U *. */

#pragma once

#include <gio/gio.h>

#ifdef __cplusplus

extern "C++"
{
template <typename T> struct GtxSame_ { typedef T Type; };

template <typename Data>
void gtx_check_coroutine_ (gboolean (*) (Data, GError **), typename GtxSame_<Data>::Type);
template <typename Result, typename Data>
void gtx_check_pointer_coroutine_ (Result *(*) (Data, GError **), typename GtxSame_<Data>::Type);
template <typename Data>
void gtx_check_thread_func_ (gboolean (*) (Data, GCancellable *, GError **), typename GtxSame_<Data>::Type);
template <typename Result, typename Data>
void gtx_check_pointer_thread_func_ (Result *(*) (Data, GCancellable *, GError **), typename GtxSame_<Data>::Type);
}

#define GTX_CHECK_CALL_(check, func, data) (void) sizeof ((check ((func), (data)), 0))
#define GTX_CHECK_COROUTINE_(coroutine, data) \
  GTX_CHECK_CALL_ (gtx_check_coroutine_, coroutine, data)
#define GTX_CHECK_POINTER_COROUTINE_(coroutine, data) \
  GTX_CHECK_CALL_ (gtx_check_pointer_coroutine_, coroutine, data)
#define GTX_CHECK_THREAD_FUNC_(func, data) \
  GTX_CHECK_CALL_ (gtx_check_thread_func_, func, data)
#define GTX_CHECK_POINTER_THREAD_FUNC_(func, data) \
  GTX_CHECK_CALL_ (gtx_check_pointer_thread_func_, func, data)

#else

#define GTX_TAKES_(func, result, data, ...)                                    \
  (__builtin_types_compatible_p (__typeof__ (*(func)),                         \
                                 result (__typeof__ (0 ? (data) : (data)), __VA_ARGS__)) || \
   __builtin_types_compatible_p (__typeof__ (*(func)),                         \
                                 result (const __typeof__ (*(data)) *, __VA_ARGS__)))
#define GTX_IS_POINTER_(type) \
  (__builtin_classify_type (((type (*) (void)) NULL) ()) == 5)

#define GTX_CHECK_COROUTINE_(coroutine, data)                                  \
  _Static_assert (GTX_TAKES_ (coroutine, gboolean, data, GError **),           \
                  "a boolean coroutine is gboolean f (U *data, GError **error), and its data a U *")
#define GTX_CHECK_POINTER_COROUTINE_(coroutine, data)                          \
  _Static_assert (                                                             \
    GTX_IS_POINTER_ (GTX_COROUTINE_RESULT_ (coroutine, data)) &&               \
    GTX_TAKES_ (coroutine, GTX_COROUTINE_RESULT_ (coroutine, data), data, GError **), \
    "a pointer coroutine is R *f (U *data, GError **error), and its data a U *")
#define GTX_CHECK_THREAD_FUNC_(func, data)                                     \
  _Static_assert (GTX_TAKES_ (func, gboolean, data, GCancellable *, GError **), \
                  "a function for a thread is gboolean f (U *data, GCancellable *, GError **), and its data a U *")
#define GTX_CHECK_POINTER_THREAD_FUNC_(func, data)                             \
  _Static_assert (                                                             \
    GTX_IS_POINTER_ (GTX_THREAD_FUNC_RESULT_ (func, data)) &&                  \
    GTX_TAKES_ (func, GTX_THREAD_FUNC_RESULT_ (func, data), data, GCancellable *, GError **), \
    "a function for a thread is R *f (U *data, GCancellable *, GError **), and its data a U *")

#endif

#define GTX_COROUTINE_RESULT_(coroutine, data) \
  __typeof__ ((coroutine) ((data), (GError **) NULL))
#define GTX_THREAD_FUNC_RESULT_(func, data) \
  __typeof__ ((func) ((data), (GCancellable *) NULL, (GError **) NULL))
