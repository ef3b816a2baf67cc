#include "preload/python/c_api.h"

#include <cstring>
#include <string_view>

#include "preload/python/utf8.h"

namespace leftover::python {
namespace {

using Object = CApi::Object;

void get_name(const CApi& api, Object* code, const char* attribute, Keep keep, Name& name) {
    name.set("?");
    Object* string = code == nullptr ? nullptr : api.attribute(code, attribute);
    if (string != nullptr) {
        const char* text = api.utf8(string);
        if (text != nullptr) set_name(std::string_view(text, std::strlen(text)), keep, name);
        api.release(string);
    }
    api.clear_error();
}

void emit(const CApi& api, Object* frame, FrameSink sink, void* context) {
    Name function;
    Name file;
    Object* code = api.attribute(frame, "f_code");
    get_name(api, code, "co_name", Keep::start, function);
    get_name(api, code, "co_filename", Keep::end, file);
    if (code != nullptr) api.release(code);
    const int line = api.frame_line(frame);
    sink(context, function.bytes.data(), function.length, file.bytes.data(), file.length,
         line > 0 ? line : 0);
}

}  // namespace

std::size_t capture_by_api(const CApi& api, FrameSink sink, void* context,
                           std::size_t max) noexcept {
    // A collection would run finalisers: the program's code, in the middle of one of its calls.
    const bool collects = api.disable_collector != nullptr && api.enable_collector != nullptr &&
                          api.disable_collector() != 0;
    Object* type = nullptr;
    Object* value = nullptr;
    Object* traceback = nullptr;
    api.save_error(&type, &value, &traceback);

    std::size_t count = 0;
    Object* frame = max == 0 ? nullptr : api.get_frame();
    bool is_owned = false;  // the first one is borrowed
    while (frame != nullptr && frame != api.none) {
        emit(api, frame, sink, context);
        ++count;
        Object* back = count < max ? api.attribute(frame, "f_back") : nullptr;
        if (is_owned) api.release(frame);
        frame = back;
        is_owned = true;
    }
    if (frame != nullptr && is_owned) api.release(frame);

    api.clear_error();
    api.restore_error(type, value, traceback);
    if (collects) api.enable_collector();
    return count;
}

}  // namespace leftover::python
