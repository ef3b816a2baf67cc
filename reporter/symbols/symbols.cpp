#include "reporter/symbols/symbols.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "reporter/symbols/cache.h"
#include "reporter/symbols/object.h"

namespace leftover {

namespace {

using symbols::Object;
using symbols::Place;
using symbols::PlaceMap;

bool is_shim(const std::string& path) {
    return path.substr(path.rfind('/') + 1) == "libleftover.so";
}

// So many look-ups in debug information are worth a file in the cache.
constexpr std::size_t worth_keeping = 200;

// A file with what was already asked of it. It is opened when something is asked that is not cached.
class Known {
public:
    Known(const Module& module, const SymbolOptions& options)
        : shim(is_shim(module.path)),
          places(shim ? PlaceMap() : symbols::read_cache(options.cache, module.build_id)),
          module_(module),
          options_(options) {}

    Object& object() {
        if (!object_) object_.emplace(module_.path, module_.build_id, options_);
        return *object_;
    }

    std::string trouble() const { return object_ ? object_->trouble() : std::string(); }

    void count(const std::vector<Place>& found) {
        // Without lines it was the symbol table, which is quick and may be bettered.
        if (!found.empty() && !found.front().file.empty()) ++found_in_debug_information_;
    }

    void keep() const {
        if (shim || found_in_debug_information_ < worth_keeping) return;
        symbols::write_cache(options_.cache, module_.build_id, places);
    }

    bool shim;
    PlaceMap places;

private:
    const Module& module_;
    const SymbolOptions& options_;
    std::optional<Object> object_;
    std::size_t found_in_debug_information_ = 0;
};

class Symbolizer {
public:
    Symbolizer(Report& report, const SymbolOptions& options) : report_(report), options_(options) {
        for (const Module& module : report.modules) modules_.emplace(module.id, &module);
        for (const Stack& stack : report.stacks) stacks_.emplace(stack.id, &stack);
    }

    void run() {
        for (Stack& stack : report_.stacks) name_frames(stack.native);
        if (report_.hang) {
            for (HangProcess& process : report_.hang->processes) {
                for (HangThread& thread : process.threads) name_frames(thread.native);
            }
        }
        for (Leak& leak : report_.leaks) name_start_routine(leak);
        for (const auto& [file, known] : files_) {
            known->keep();
            const std::string trouble = known->trouble();
            if (trouble.empty()) continue;
            std::string remark = trouble + ": no names for its frames";
            auto& remarks = report_.remarks;
            if (std::find(remarks.begin(), remarks.end(), remark) == remarks.end()) {
                remarks.push_back(std::move(remark));
            }
        }
    }

private:
    // Processes have the same file at different addresses.
    Known* known(std::optional<int> number) {
        if (!number) return nullptr;
        const auto module = modules_.find(*number);
        if (module == modules_.end()) return nullptr;
        auto& file = files_[{module->second->path, module->second->build_id}];
        if (file == nullptr) file = std::make_unique<Known>(*module->second, options_);
        return file.get();
    }

    const std::vector<Place>& places(Known& file, std::uint64_t offset) {
        const auto [at, is_new] = file.places.try_emplace(offset);
        if (is_new && offset != 0) {
            // The return address may be the first of the next line, or of the next function.
            const std::uint64_t call = offset - 1;
            if (file.shim) {
                // The hook stands for the call it is named like; how it works is nobody's business.
                if (auto name = file.object().function(call); !name.empty()) {
                    at->second.push_back({std::move(name), {}, 0});
                }
            } else {
                at->second = file.object().find(call);
                file.count(at->second);
            }
        }
        return at->second;
    }

    void name_frames(std::vector<NativeFrame>& frames) {
        std::vector<NativeFrame> named;
        named.reserve(frames.size());
        for (NativeFrame& frame : frames) {
            Known* file = frame.function.empty() && !frame.inlined ? known(frame.module) : nullptr;
            const std::vector<Place>* found = file ? &places(*file, frame.offset) : nullptr;
            if (found == nullptr || found->empty()) {
                named.push_back(std::move(frame));
                continue;
            }
            for (const Place& place : *found) {
                NativeFrame& to = named.emplace_back(frame);
                to.function = place.function;
                to.file = place.file;
                to.line = place.line;
                to.inlined = &place != &found->back();
            }
        }
        frames = std::move(named);
    }

    void name_start_routine(Leak& leak) {
        Details& details = leak.details;
        if (details.more->start_frame) {
            NativeFrame& frame = *details.more.edit().start_frame;
            if (Known* file = known(frame.module); file != nullptr && frame.function.empty()) {
                // Not a return address.
                const auto found = file->object().find(frame.offset);
                if (!found.empty()) frame.function = found.back().function;
            }
            if (!frame.function.empty()) {
                details.more.edit().start_routine = frame.function;
            } else if (!details.more->start_routine) {
                details.more.edit().start_routine = fmt::format("{:#x}", frame.address);
            }
        } else if (details.more->start_routine && details.more->start_routine->starts_with("0x")) {
            const std::string& text = *details.more->start_routine;
            const char* end = text.data() + text.size();
            std::uint64_t address = 0;
            const auto result = std::from_chars(text.data() + 2, end, address, 16);
            if (result.ptr != end) return;
            std::string name = function_near(leak, address);
            if (!name.empty()) details.more.edit().start_routine = std::move(name);
        }
    }

    // A report that went through JSON has only the address. It lies most likely in one of the
    // modules through which the thread was created; it does if a function begins right there.
    std::string function_near(const Leak& leak, std::uint64_t address) {
        const auto stack = leak.stack ? stacks_.find(*leak.stack) : stacks_.end();
        if (stack == stacks_.end()) return {};
        const Module* nearest = nullptr;
        for (const NativeFrame& frame : stack->second->native) {
            const auto at = frame.module ? modules_.find(*frame.module) : modules_.end();
            if (at == modules_.end() || at->second->base > address) continue;
            if (nearest == nullptr || at->second->base > nearest->base) nearest = at->second;
        }
        if (nearest == nullptr) return {};
        return known(nearest->id)->object().function_at(address - nearest->base);
    }

    Report& report_;
    const SymbolOptions& options_;
    std::unordered_map<int, const Module*> modules_;
    std::unordered_map<int, const Stack*> stacks_;
    std::map<std::pair<std::string, std::string>, std::unique_ptr<Known>> files_;
};

}  // namespace

void symbolize(Report& report, const SymbolOptions& options) {
    Symbolizer(report, options).run();
}

}  // namespace leftover
