#include "reporter/findings/fingerprint.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "reporter/findings/frames.h"
#include "reporter/findings/name_pattern.h"
#include "reporter/model/names.h"

namespace leftover::findings {

namespace {

// FNV-1a, 64 bits: the same everywhere and for ever, which is all that is asked of it.
class Hash {
public:
    void add(std::string_view text) {
        for (const char c : text) step(static_cast<unsigned char>(c));
        step(0);  // "ab", "c" is not "a", "bc"
    }
    std::uint64_t value() const {
        // Spread the last bytes over all digits.
        std::uint64_t mixed = state_;
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
        return mixed ^ mixed >> 31;
    }

private:
    void step(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3; }

    std::uint64_t state_ = 0xcbf29ce484222325;
};

Randomness randomness_of(Kind kind, const Stack* stack) {
    if (stack != nullptr && !stack->python.empty() &&
        stack->python.front().file.ends_with("/tempfile.py")) {
        return Randomness::eight;
    }
    const bool temporary = kind == Kind::temporary_file || kind == Kind::temporary_directory;
    if (temporary) return Randomness::six;
    if (stack != nullptr && !stack->native.empty()) {
        const std::string_view call = stack->native.front().function;
        if (call.starts_with("mk") && call.find("temp") != call.npos) return Randomness::six;
    }
    return Randomness::unknown;
}

// Python's own helpers have the interpreter's name and are made at the same places as workers are.
std::string_view role_of(const Leak& leak) {
    if (leak.kind != Kind::process || !leak.details.more->command) return {};
    for (const std::string& argument : *leak.details.more->command) {
        if (argument.find("multiprocessing.resource_tracker") != argument.npos ||
            argument.find("multiprocessing.semaphore_tracker") != argument.npos) {
            return "resource_tracker";
        }
        if (argument.find("multiprocessing.forkserver") != argument.npos) return "forkserver";
    }
    return {};
}

// The functions, outermost last; recursion counts once, however deep it went.
std::string chain_of(const std::vector<Frame>& frames) {
    std::string chain;
    std::string last;
    for (const Frame& frame : telling_frames(frames)) {
        std::string identity = identity_of(frame);
        if (identity == last) continue;
        chain += identity;
        chain += '\n';
        last = std::move(identity);
    }
    return chain;
}

class Printer {
public:
    explicit Printer(const Report& report) : frames_(report) {
        for (const Stack& stack : report.stacks) stacks_.emplace(stack.id, Known{&stack, {}, false});
    }

    std::string operator()(const Leak& leak) {
        const auto at = leak.stack ? stacks_.find(*leak.stack) : stacks_.end();
        Known* known = at == stacks_.end() ? nullptr : &at->second;
        if (known != nullptr && !known->done) {
            known->chain = chain_of(frames_.frames(*known->stack));
            known->done = true;
        }
        const std::string pattern = pattern_of(leak, known != nullptr ? known->stack : nullptr);
        const std::string_view role = role_of(leak);
        // A job's thousand semaphores share all of it.
        if (!last_.empty() && known == last_known_ && leak.kind == last_kind_ &&
            pattern == last_pattern_ && role == last_role_) {
            return last_;
        }
        Hash hash;
        hash.add(name_of(leak.kind));
        hash.add(pattern);
        hash.add(role);
        if (known != nullptr) hash.add(known->chain);
        last_ = fmt::format("v1:{:016x}", hash.value());
        last_known_ = known;
        last_kind_ = leak.kind;
        last_pattern_ = pattern;
        last_role_ = role;
        return last_;
    }

private:
    struct Known {
        const Stack* stack;
        std::string chain;
        bool done;
    };

    FrameReader frames_;
    std::unordered_map<int, Known> stacks_;
    std::string last_, last_pattern_;
    std::string_view last_role_;
    const Known* last_known_ = nullptr;
    Kind last_kind_{};
};

}  // namespace

std::string hang_fingerprint(const FrameReader& reader, const Stack& stack) {
    Hash hash;
    hash.add("hang");
    hash.add(chain_of(reader.frames(stack)));
    return fmt::format("v1:{:016x}", hash.value());
}

std::string pattern_of(const Leak& leak, const Stack* stack) {
    return name_pattern(leak.kind, leak.name, randomness_of(leak.kind, stack));
}

void fingerprint(Report& report) {
    const bool all = std::all_of(report.leaks.begin(), report.leaks.end(),
                                 [](const Leak& leak) { return !leak.fingerprint.empty(); });
    if (all) return;
    Printer print(report);
    for (Leak& leak : report.leaks) {
        if (leak.fingerprint.empty()) leak.fingerprint = print(leak);
    }
}

}  // namespace leftover::findings
