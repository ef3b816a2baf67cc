#include "preload/python/interpreter.h"

#include <cstring>

#include "preload/python/memory.h"

namespace leftover::python {
namespace {

class Symbols {
public:
    Symbols(const ElfSymbols& executable, const ElfSymbols& module) noexcept
        : executable_(executable), module_(module) {}

    void* find(const char* name) const noexcept {
        void* found = executable_.find(name);
        return found != nullptr ? found : module_.find(name);
    }
    template <class T>
    void get(T*& pointer, const char* name) const noexcept {
        pointer = reinterpret_cast<T*>(find(name));
    }
    void get(std::uintptr_t& address, const char* name) const noexcept {
        address = reinterpret_cast<std::uintptr_t>(find(name));
    }

private:
    const ElfSymbols& executable_;
    const ElfSymbols& module_;
};

struct Version {
    unsigned major = 0;
    unsigned minor = 0;
    bool is_settled = false;  // its structures do not change any more
};

unsigned take_number(const char*& text) noexcept {
    unsigned value = 0;
    for (; *text >= '0' && *text <= '9' && value < 1000; ++text) {
        value = value * 10 + static_cast<unsigned>(*text - '0');
    }
    return value;
}

// "3.10.0rc1+ (heads/...", "2.7.18 (default, ...": the release, then what is nobody's business.
Version parse_version(const char* text) noexcept {
    Version version;
    version.major = take_number(text);
    if (*text++ != '.') return version;
    version.minor = take_number(text);
    if (*text++ != '.') return version;
    take_number(text);
    version.is_settled = *text != 'a' && *text != 'b';
    return version;
}

Version find_version(const Symbols& symbols) noexcept {
    // Since 3.11 a variable says it: major, minor, micro, and a nibble of 0xa or 0xb before rc.
    if (const auto* number = static_cast<const unsigned long*>(symbols.find("Py_Version"))) {
        return {static_cast<unsigned>(*number >> 24 & 0xff),
                static_cast<unsigned>(*number >> 16 & 0xff), (*number >> 4 & 0xf) >= 0xc};
    }
    const char* (*get_version)() = nullptr;
    symbols.get(get_version, "Py_GetVersion");
    const char* text = get_version == nullptr ? nullptr : get_version();
    return text == nullptr ? Version{} : parse_version(text);
}

// Builds whose objects or threads have other fields export functions that the usual one lacks.
bool is_unusual(const Symbols& symbols) noexcept {
    return symbols.find("_Py_NegativeRefcount") != nullptr ||      // Py_REF_DEBUG
           symbols.find("_Py_MergeZeroLocalRefcount") != nullptr;  // Py_GIL_DISABLED
}

bool is_type(std::uintptr_t type, const char* name, std::intptr_t size) noexcept {
    LocalMemory memory;
    std::uintptr_t text = 0;
    std::intptr_t found = 0;
    char start[8] = {};
    return load(memory, type, type_name, text) && load(memory, type, type_basic_size, found) &&
           found == size && memory.read(text, start, std::strlen(name) + 1) &&
           std::strcmp(start, name) == 0;
}

const Layout* choose_layout(const Symbols& symbols, const Version& version,
                            const Interpreter& interpreter) noexcept {
    const Layout* layout = find_layout(version.major, version.minor);
    const Types& types = interpreter.types;
    if (layout == nullptr || !version.is_settled || is_unusual(symbols) || types.text == 0 ||
        types.bytes == 0 || !is_type(types.frame, "frame", layout->frame_size) ||
        !is_type(types.code, "code", layout->code_size)) {
        return nullptr;
    }
    return layout;
}

void find_api(const Symbols& symbols, CApi& api) noexcept {
    symbols.get(api.get_frame, "PyEval_GetFrame");
    symbols.get(api.frame_line, "PyFrame_GetLineNumber");
    symbols.get(api.attribute, "PyObject_GetAttrString");
    symbols.get(api.utf8, "PyUnicode_AsUTF8");  // not in 2.x
    symbols.get(api.release, "Py_DecRef");
    symbols.get(api.save_error, "PyErr_Fetch");
    symbols.get(api.restore_error, "PyErr_Restore");
    symbols.get(api.clear_error, "PyErr_Clear");
    symbols.get(api.disable_collector, "PyGC_Disable");
    symbols.get(api.enable_collector, "PyGC_Enable");
    symbols.get(api.none, "_Py_NoneStruct");
}

}  // namespace

bool is_python(const ElfSymbols& symbols) noexcept {
    return symbols.find("PyGILState_GetThisThreadState") != nullptr &&
           symbols.find("Py_GetVersion") != nullptr;
}

bool read_interpreter(const ElfSymbols& executable, const ElfSymbols& module,
                      Interpreter& interpreter) noexcept {
    const Symbols symbols(executable, module);
    const Version version = find_version(symbols);
    symbols.get(interpreter.is_initialized, "Py_IsInitialized");
    symbols.get(interpreter.this_thread, "PyGILState_GetThisThreadState");
    symbols.get(interpreter.current, "PyThreadState_GetUnchecked");  // 3.13 on
    if (interpreter.current == nullptr) {
        symbols.get(interpreter.current, "_PyThreadState_UncheckedGet");
    }
    symbols.get(interpreter.current_variable, "_PyThreadState_Current");
    symbols.get(interpreter.is_finalizing, "Py_IsFinalizing");  // 3.13 on
    if (interpreter.is_finalizing == nullptr) {
        symbols.get(interpreter.is_finalizing, "_Py_IsFinalizing");
    }
    symbols.get(interpreter.interpreters, "PyInterpreterState_Head");
    symbols.get(interpreter.main_interpreter, "PyInterpreterState_Main");

    Types& types = interpreter.types;
    symbols.get(types.frame, "PyFrame_Type");
    symbols.get(types.code, "PyCode_Type");
    symbols.get(types.text, version.major == 2 ? "PyString_Type" : "PyUnicode_Type");
    symbols.get(types.bytes, version.major == 2 ? "PyString_Type" : "PyBytes_Type");

    interpreter.layout = choose_layout(symbols, version, interpreter);
    find_api(symbols, interpreter.api);
    const bool can_tell_threads =
        interpreter.current != nullptr || interpreter.current_variable != nullptr;
    return interpreter.is_initialized != nullptr && interpreter.this_thread != nullptr &&
           can_tell_threads && interpreter.interpreters != nullptr &&
           (interpreter.layout != nullptr || interpreter.api.is_complete());
}

}  // namespace leftover::python
