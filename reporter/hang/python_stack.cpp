#include "reporter/hang/python_stack.h"

#include <array>
#include <cstring>

#include "preload/python/walk.h"

namespace leftover::hang {
namespace {

using python::Layout;

// Of glibc's struct pthread there is never more than this.
constexpr std::size_t thread_size = 0x900;

class Lookup {
public:
    Lookup(Images& images, Image& module) : images_(images), module_(module) {}

    // Where a program that is linked to libpython refers to a variable of it, its copy counts.
    Symbol find(std::string_view name) {
        for (Image* image : {images_.all().front().get(), &module_}) {
            if (const auto found = image->find(images_.memory(), name)) return *found;
        }
        return {};
    }

private:
    Images& images_;
    Image& module_;
};

std::int64_t basic_size(Memory& memory, std::uint64_t type) {
    std::int64_t size = 0;
    return load(memory, type, python::type_basic_size, size) ? size : 0;
}

// Since 3.11 a variable says the version. Before, no two layouts have frames and code objects of the
// same sizes (those of 3.8 and 3.9 are equal in all).
const Layout* choose(Memory& memory, const Symbol& version, const python::Types& types) {
    const auto fits = [&](const Layout* layout) {
        return layout != nullptr && basic_size(memory, types.frame) == layout->frame_size &&
               basic_size(memory, types.code) == layout->code_size;
    };
    if (std::uint64_t number = 0; version.address != 0 && load(memory, version.address, 0, number)) {
        const Layout* layout = python::find_layout(number >> 24 & 0xff, number >> 16 & 0xff);
        return fits(layout) ? layout : nullptr;
    }
    for (const unsigned minor : {6U, 7U, 8U, 9U, 10U}) {
        if (const Layout* layout = python::find_layout(3, minor); fits(layout)) return layout;
    }
    return nullptr;
}

bool is_thread_pointer(std::uint64_t id, std::uint64_t thread_pointer) {
#if defined(__aarch64__)
    return id < thread_pointer && thread_pointer - id < 2 * thread_size;  // it lies behind the structure
#else
    return id == thread_pointer;
#endif
}

std::uint64_t structure_of(std::uint64_t thread_pointer) {
#if defined(__aarch64__)
    return thread_pointer - thread_size;
#else
    return thread_pointer;
#endif
}

}  // namespace

std::optional<Python> Python::find(Images& images) {
    Memory& memory = images.memory();
    for (const auto& image : images.all()) {
        if (!image->find(memory, "PyGILState_GetThisThreadState")) continue;
        Lookup lookup(images, *image);
        // Builds whose objects or threads have other fields, see preload/python/interpreter.cpp.
        if (lookup.find("_Py_NegativeRefcount").address != 0 ||
            lookup.find("_Py_MergeZeroLocalRefcount").address != 0) {
            continue;
        }
        Python found;
        found.types_.frame = lookup.find("PyFrame_Type").address;
        found.types_.code = lookup.find("PyCode_Type").address;
        found.types_.text = lookup.find("PyUnicode_Type").address;
        found.types_.bytes = lookup.find("PyBytes_Type").address;
        found.layout_ = choose(memory, lookup.find("Py_Version"), found.types_);
        found.runtime_ = lookup.find("_PyRuntime");
        if (found.layout_ != nullptr && found.types_.text != 0 && found.types_.bytes != 0) return found;
    }
    return std::nullopt;
}

std::uint64_t Python::state_of(Memory& memory, std::uint64_t thread_pointer) const {
    python::Walk walk(memory, *layout_, types_);
    std::uint64_t idle = 0;  // one that runs no frame
    const auto try_word = [&](std::uint64_t state) {
        std::uint64_t id = 0;
        if (state % 8 != 0 || !load(memory, state, layout_->thread_id, id) ||
            !is_thread_pointer(id, thread_pointer)) {
            return false;
        }
        if (walk.innermost(state) != 0) return true;
        if (idle == 0) idle = state;
        return false;
    };
    const auto search = [&](std::uint64_t begin, std::size_t size, std::vector<std::uint64_t>* words) {
        for (std::size_t offset = 0; offset < size; offset += 8) {
            std::uint64_t word = 0;
            if (!load(memory, begin, offset, word)) return std::uint64_t{0};
            if (!python::is_plausible(word, 8)) continue;
            if (try_word(word)) return word;
            if (words != nullptr) words->push_back(word);
        }
        return std::uint64_t{0};
    };
    std::vector<std::uint64_t> words;
    const std::uint64_t structure = structure_of(thread_pointer);
    if (const std::uint64_t found = search(structure, thread_size, &words)) return found;
    if (idle != 0) return idle;
    // Beyond the 32nd key they are in blocks of their own.
    for (const std::uint64_t block : words) {
        constexpr std::size_t block_size = 32 * 16;
        if (block % 16 != 0 || (block >= structure && block < structure + thread_size)) continue;
        if (const std::uint64_t found = search(block, block_size, nullptr)) return found;
    }
    return idle;
}

std::vector<PythonFrame> Python::frames(Memory& memory, std::uint64_t state, std::size_t most) const {
    std::vector<PythonFrame> frames;
    const auto sink = [](void* context, const char* function, std::size_t function_length, const char* file,
                         std::size_t file_length, int line) noexcept {
        static_cast<std::vector<PythonFrame>*>(context)->push_back(
            {std::string(function, function_length), std::string(file, file_length), line});
    };
    python::Walk(memory, *layout_, types_)(state, sink, &frames, most);
    return frames;
}

bool Python::is_runtime(std::uint64_t address) const {
    return runtime_.address != 0 && address >= runtime_.address && address - runtime_.address < runtime_.size;
}

std::uint64_t Python::end_lock(Memory& memory, std::uint64_t state) const {
    if (layout_->thread_end_lock == Layout::absent) return 0;
    std::uint64_t reference = 0;
    std::uint64_t lock = 0;
    std::uint64_t semaphore = 0;
    constexpr std::size_t referent = 16;  // PyWeakReference.wr_object
    constexpr std::size_t lock_lock = 16;  // of the lock object: right behind its head
    if (!load(memory, state, layout_->thread_end_lock, reference) || reference == 0 ||
        !load(memory, reference, referent, lock) || lock == 0 || !load(memory, lock, lock_lock, semaphore)) {
        return 0;
    }
    return semaphore;
}

}  // namespace leftover::hang
