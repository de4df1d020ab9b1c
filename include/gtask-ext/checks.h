/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Type checks for the macros that take a function, such as a coroutine or a function
 * for a thread, and its data.  A check is an expression whose value is the data, as
 * a gpointer.  It compiles only if the function is of the right type and takes the
 * data for its argument.  A gpointer, and NULL, can be the data of any function, and
 * a function that takes a gpointer can be given data of any type.  The data is not
 * in a block of the check: what the caller makes in the call lives as long as the
 * block of the caller. */

#pragma once

#include <gio/gio.h>

#define GTX_HAS_RESULT_ \
  "the coroutine has a result: use gtx_create_task_pointer (), or another function with _pointer"
#define GTX_HAS_NO_RESULT_ \
  "the coroutine does not return a pointer: use gtx_create_task (), or another function without _pointer"
#define GTX_IS_NOT_BOOLEAN_ "the coroutine does not return a gboolean: it must be gboolean f (U *data, GError **error)"
#define GTX_IS_NOT_INT_ "the coroutine does not return a gssize: it must be gssize f (GTask *task, GError **error)"
#define GTX_LACKS_ERROR_ "the coroutine does not take a GError: it must be gboolean f (U *data, GError **error)"
#define GTX_TAKES_OTHER_DATA_ \
  "the function takes data of another type than the data passed: for f (U *data, ...) pass a U *"

#define GTX_FUNC_HAS_RESULT_ "the function has a result: use gtx_to_thread_pointer ()"
#define GTX_FUNC_HAS_NO_RESULT_ "the function does not return a pointer: use gtx_to_thread ()"
#define GTX_FUNC_IS_NOT_BOOLEAN_ \
  "the function does not return a gboolean: it must be gboolean f (U *data, GCancellable *cancellable, GError **error)"
#define GTX_FUNC_LACKS_CANCELLABLE_ \
  "the function does not take a GCancellable: " \
  "it must be gboolean f (U *data, GCancellable *cancellable, GError **error)"

#define GTX_SERVE_FUNC_IS_OTHER_ \
  "the coroutine is gboolean f (U *data, GSocketConnection *connection, GError **error)"
#define GTX_COMMAND_FUNC_IS_OTHER_ \
  "the coroutine is gboolean f (U *object, GVariant *parameter, GError **error)"

#ifdef __cplusplus

extern "C++"
{
#include <type_traits>

/* Converts data to a gpointer, for a function that takes a Data. */
template <typename Data>
struct GtxData_
{
  typedef typename std::remove_pointer<Data>::type Wanted;
  template <typename Given>
  struct IsUntyped
  {
    static const bool value = std::is_void<Given>::value && !std::is_void<Wanted>::value &&
                              (std::is_const<Wanted>::value || !std::is_const<Given>::value);
  };
  template <typename Given>
  struct IsOther
  {
    static const bool value = !IsUntyped<Given>::value && !std::is_convertible<Given *, Data>::value;
  };

  gpointer pointer;

  GtxData_ (Data data) : pointer ((gpointer) data)
  {
    static_assert (std::is_pointer<Data>::value, GTX_TAKES_OTHER_DATA_);
  }
  template <typename Given, typename std::enable_if<IsUntyped<Given>::value, int>::type = 0>
  GtxData_ (Given *data) : pointer ((gpointer) data) {}
  template <typename Given, typename std::enable_if<IsOther<Given>::value, long>::type = 0>
  GtxData_ (Given *data) : pointer ((gpointer) data)
  {
    static_assert (!IsOther<Given>::value, GTX_TAKES_OTHER_DATA_);
  }
};

/* A parameter of this type takes no part in the deduction of types. */
template <typename Data> struct GtxDataFor_ { typedef GtxData_<Data> Type; };

template <typename Result, typename Data>
gpointer
gtx_coroutine_data_ (Result (*) (Data, GError **), typename GtxDataFor_<Data>::Type data)
{
  static_assert (!std::is_pointer<Result>::value, GTX_HAS_RESULT_);
  static_assert (std::is_pointer<Result>::value || std::is_same<Result, gboolean>::value,
                 GTX_IS_NOT_BOOLEAN_);
  return data.pointer;
}

template <typename Result, typename Data>
gpointer
gtx_pointer_coroutine_data_ (Result (*) (Data, GError **), typename GtxDataFor_<Data>::Type data)
{
  static_assert (std::is_pointer<Result>::value, GTX_HAS_NO_RESULT_);
  return data.pointer;
}

template <typename Result, typename Data>
Result gtx_coroutine_result_ (Result (*) (Data, GError **));

template <typename Result, typename Data>
gpointer
gtx_int_coroutine_data_ (Result (*) (Data, GError **), typename GtxDataFor_<Data>::Type data)
{
  static_assert (std::is_same<Result, gssize>::value, GTX_IS_NOT_INT_);
  return data.pointer;
}

template <typename Result, typename Data>
gpointer
gtx_thread_func_data_ (Result (*) (Data, GCancellable *, GError **), typename GtxDataFor_<Data>::Type data)
{
  static_assert (!std::is_pointer<Result>::value, GTX_FUNC_HAS_RESULT_);
  static_assert (std::is_pointer<Result>::value || std::is_same<Result, gboolean>::value,
                 GTX_FUNC_IS_NOT_BOOLEAN_);
  return data.pointer;
}

template <typename Result, typename Data>
gpointer
gtx_pointer_thread_func_data_ (Result (*) (Data, GCancellable *, GError **),
                               typename GtxDataFor_<Data>::Type data)
{
  static_assert (std::is_pointer<Result>::value, GTX_FUNC_HAS_NO_RESULT_);
  return data.pointer;
}

template <typename Result, typename Data>
gpointer
gtx_serve_func_data_ (Result (*) (Data, GSocketConnection *, GError **), typename GtxDataFor_<Data>::Type data)
{
  static_assert (std::is_same<Result, gboolean>::value, GTX_SERVE_FUNC_IS_OTHER_);
  return data.pointer;
}

template <typename Result, typename Data>
gpointer
gtx_command_func_data_ (Result (*) (Data, GVariant *, GError **), typename GtxDataFor_<Data>::Type data)
{
  static_assert (std::is_same<Result, gboolean>::value, GTX_COMMAND_FUNC_IS_OTHER_);
  return data.pointer;
}

template <typename Result, typename Data>
Result gtx_thread_func_result_ (Result (*) (Data, GCancellable *, GError **));

/* Overloads for functions that lack a parameter. */
template <typename Result, typename Data>
gpointer
gtx_coroutine_data_ (Result (*) (Data), gconstpointer)
{
  static_assert (sizeof (Data) == 0, GTX_LACKS_ERROR_);
  return NULL;
}

template <typename Result, typename Data>
gpointer
gtx_pointer_coroutine_data_ (Result (*) (Data), gconstpointer)
{
  static_assert (sizeof (Data) == 0, GTX_LACKS_ERROR_);
  return NULL;
}

template <typename Result, typename Data>
gpointer
gtx_thread_func_data_ (Result (*) (Data, GError **), gconstpointer)
{
  static_assert (sizeof (Data) == 0, GTX_FUNC_LACKS_CANCELLABLE_);
  return NULL;
}
}

#define GTX_COROUTINE_DATA_(coroutine, data) gtx_coroutine_data_ ((coroutine), (data))
#define GTX_POINTER_COROUTINE_DATA_(coroutine, data) gtx_pointer_coroutine_data_ ((coroutine), (data))
#define GTX_INT_COROUTINE_DATA_(coroutine, data) gtx_int_coroutine_data_ ((coroutine), (data))
#define GTX_COROUTINE_RESULT_(coroutine) __typeof__ (gtx_coroutine_result_ (coroutine))
#define GTX_THREAD_FUNC_DATA_(func, data) gtx_thread_func_data_ ((func), (data))
#define GTX_SERVE_FUNC_DATA_(func, data) gtx_serve_func_data_ ((func), (data))
#define GTX_COMMAND_FUNC_DATA_(func, data) gtx_command_func_data_ ((func), (data))
#define GTX_POINTER_THREAD_FUNC_DATA_(func, data) gtx_pointer_thread_func_data_ ((func), (data))
#define GTX_THREAD_FUNC_RESULT_(func) __typeof__ (gtx_thread_func_result_ (func))

#else

#define GTX_TYPE_OF_(data) __typeof__ (0 ? (data) : (data))
#define GTX_CONST_TYPE_OF_(data) const __typeof__ (*(data)) *
#define GTX_IS_VOID_(data) __builtin_types_compatible_p (__typeof__ (*(data)), void)
#define GTX_IS_CONST_(data) __builtin_types_compatible_p (GTX_TYPE_OF_ (data), GTX_CONST_TYPE_OF_ (data))
#define GTX_IS_POINTER_(type)                                                  \
  (__builtin_classify_type (__builtin_choose_expr (__builtin_types_compatible_p (type, void), 0, \
                                                   ((type (*) (void)) NULL) ())) == 5)
#define GTX_IS_(func, result, ...) __builtin_types_compatible_p (__typeof__ (*(func)), result (__VA_ARGS__))

/* Whether C converts the type of @data to the type that @func takes. */
#define GTX_TAKES_(func, result, data, ...)                                    \
  (GTX_IS_VOID_ (data) ||                                                      \
   GTX_IS_ (func, result, GTX_TYPE_OF_ (data), __VA_ARGS__) ||                 \
   GTX_IS_ (func, result, GTX_CONST_TYPE_OF_ (data), __VA_ARGS__) ||           \
   GTX_IS_ (func, result, const void *, __VA_ARGS__) ||                        \
   (!GTX_IS_CONST_ (data) && GTX_IS_ (func, result, void *, __VA_ARGS__)))

/* An argument of a call that is never made. */
#define GTX_ANY_(type) ((type) (void *) "")
/* The data for a call that is never made: untyped data itself, since only a call tells whether C
 * converts it to the type that a function takes; for other data a void * does. */
#define GTX_IF_VOID_(data) __builtin_choose_expr (GTX_IS_VOID_ (data), (data), GTX_ANY_ (void *))

/* Whether @func takes @data alone, or followed by the parameters that are named. */
#define GTX_LACKS_(func, data, ...)                                            \
  (GTX_IS_ (func, gboolean, GTX_TYPE_OF_ (data) __VA_ARGS__) ||                \
   GTX_IS_ (func, gboolean, GTX_CONST_TYPE_OF_ (data) __VA_ARGS__) ||          \
   GTX_IS_ (func, gboolean, void * __VA_ARGS__))

/* The assertions are in a block inside sizeof (), which is not evaluated: in a structure,
 * compound literals in the data would have to be constant. */
#define GTX_CHECKED_DATA_(data, ...) ((void) sizeof (__extension__ ({ __VA_ARGS__ 0; })), (gpointer) (data))
#define GTX_ASSERT_COMPILES_(call) _Static_assert (sizeof (__typeof__ (call) *) > 0, "");

#define GTX_COROUTINE_RESULT_(coroutine) __typeof__ ((coroutine) (GTX_ANY_ (void *), GTX_ANY_ (GError **)))
#define GTX_ASSERT_COROUTINE_TAKES_(coroutine, data)                           \
  GTX_ASSERT_COMPILES_ ((coroutine) (GTX_IF_VOID_ (data), GTX_ANY_ (GError **))) \
  _Static_assert (GTX_TAKES_ (coroutine, GTX_COROUTINE_RESULT_ (coroutine), data, GError **), \
                  GTX_TAKES_OTHER_DATA_);

#define GTX_COROUTINE_DATA_(coroutine, data)                                   \
  GTX_CHECKED_DATA_ (                                                          \
    data,                                                                      \
    _Static_assert (!GTX_LACKS_ (coroutine, data, ), GTX_LACKS_ERROR_);        \
    _Static_assert (!GTX_IS_POINTER_ (GTX_COROUTINE_RESULT_ (coroutine)), GTX_HAS_RESULT_); \
    _Static_assert (GTX_IS_POINTER_ (GTX_COROUTINE_RESULT_ (coroutine)) ||     \
                    __builtin_types_compatible_p (GTX_COROUTINE_RESULT_ (coroutine), gboolean), \
                    GTX_IS_NOT_BOOLEAN_);                                      \
    GTX_ASSERT_COROUTINE_TAKES_ (coroutine, data))
#define GTX_POINTER_COROUTINE_DATA_(coroutine, data)                           \
  GTX_CHECKED_DATA_ (                                                          \
    data,                                                                      \
    _Static_assert (GTX_IS_POINTER_ (GTX_COROUTINE_RESULT_ (coroutine)), GTX_HAS_NO_RESULT_); \
    GTX_ASSERT_COROUTINE_TAKES_ (coroutine, data))
#define GTX_INT_COROUTINE_DATA_(coroutine, data)                               \
  GTX_CHECKED_DATA_ (                                                          \
    data,                                                                      \
    _Static_assert (__builtin_types_compatible_p (GTX_COROUTINE_RESULT_ (coroutine), gssize), \
                    GTX_IS_NOT_INT_);                                          \
    GTX_ASSERT_COROUTINE_TAKES_ (coroutine, data))

#define GTX_THREAD_FUNC_RESULT_(func)                                          \
  __typeof__ ((func) (GTX_ANY_ (void *), GTX_ANY_ (GCancellable *), GTX_ANY_ (GError **)))
#define GTX_ASSERT_THREAD_FUNC_TAKES_(func, data)                              \
  GTX_ASSERT_COMPILES_ ((func) (GTX_IF_VOID_ (data), GTX_ANY_ (GCancellable *), GTX_ANY_ (GError **))) \
  _Static_assert (GTX_TAKES_ (func, GTX_THREAD_FUNC_RESULT_ (func), data, GCancellable *, GError **), \
                  GTX_TAKES_OTHER_DATA_);

#define GTX_THREAD_FUNC_DATA_(func, data)                                      \
  GTX_CHECKED_DATA_ (                                                          \
    data,                                                                      \
    _Static_assert (!GTX_LACKS_ (func, data, , GError **), GTX_FUNC_LACKS_CANCELLABLE_); \
    _Static_assert (!GTX_IS_POINTER_ (GTX_THREAD_FUNC_RESULT_ (func)), GTX_FUNC_HAS_RESULT_); \
    _Static_assert (GTX_IS_POINTER_ (GTX_THREAD_FUNC_RESULT_ (func)) ||        \
                    __builtin_types_compatible_p (GTX_THREAD_FUNC_RESULT_ (func), gboolean), \
                    GTX_FUNC_IS_NOT_BOOLEAN_);                                 \
    GTX_ASSERT_THREAD_FUNC_TAKES_ (func, data))
#define GTX_POINTER_THREAD_FUNC_DATA_(func, data)                              \
  GTX_CHECKED_DATA_ (                                                          \
    data,                                                                      \
    _Static_assert (GTX_IS_POINTER_ (GTX_THREAD_FUNC_RESULT_ (func)), GTX_FUNC_HAS_NO_RESULT_); \
    GTX_ASSERT_THREAD_FUNC_TAKES_ (func, data))

#define GTX_SERVE_FUNC_DATA_(func, data)                                       \
  GTX_CHECKED_DATA_ (                                                          \
    data,                                                                      \
    _Static_assert (GTX_TAKES_ (func, gboolean, data, GSocketConnection *, GError **), \
                    GTX_SERVE_FUNC_IS_OTHER_);)
#define GTX_COMMAND_FUNC_DATA_(func, data)                                     \
  GTX_CHECKED_DATA_ (                                                          \
    data,                                                                      \
    _Static_assert (GTX_TAKES_ (func, gboolean, data, GVariant *, GError **), GTX_COMMAND_FUNC_IS_OTHER_);)

#endif
