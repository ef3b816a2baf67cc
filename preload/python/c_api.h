// The fallback: frames through CPython's own API, for versions whose structures nobody has
// described.
#pragma once

#include <cstddef>

#include "preload/python/frames.h"

namespace leftover::python {

struct CApi {
    using Object = void;

    // Borrowed from the thread that runs.
    Object* (*get_frame)() = nullptr;            // PyEval_GetFrame
    int (*frame_line)(Object* frame) = nullptr;  // PyFrame_GetLineNumber
    // A new reference, or null and an exception.
    Object* (*attribute)(Object* object, const char* name) = nullptr;  // PyObject_GetAttrString
    // Valid as long as the string; null and an exception for what is no string.
    const char* (*utf8)(Object* string) = nullptr;  // PyUnicode_AsUTF8
    void (*release)(Object* object) = nullptr;      // Py_DecRef
    void (*save_error)(Object** type, Object** value, Object** traceback) = nullptr;  // PyErr_Fetch
    void (*restore_error)(Object* type, Object* value,
                          Object* traceback) = nullptr;  // PyErr_Restore
    void (*clear_error)() = nullptr;                     // PyErr_Clear
    int (*disable_collector)() = nullptr;                // PyGC_Disable and PyGC_Enable, 3.10 on
    int (*enable_collector)() = nullptr;
    Object* none = nullptr;  // _Py_NoneStruct

    bool is_complete() const noexcept {
        return get_frame != nullptr && frame_line != nullptr && attribute != nullptr &&
               utf8 != nullptr && release != nullptr && save_error != nullptr &&
               restore_error != nullptr && clear_error != nullptr && none != nullptr;
    }
};

// As python::capture. Only on a thread that holds the GIL (or is attached, without one), of an
// interpreter that does not finalise; not in a signal handler. It makes frame objects and strings
// on Python's heap and keeps the exception that is pending.
std::size_t capture_by_api(const CApi& api, FrameSink sink, void* context,
                           std::size_t max) noexcept;

}  // namespace leftover::python
