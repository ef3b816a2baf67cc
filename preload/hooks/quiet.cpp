#include "preload/hooks/quiet.h"

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover {

namespace {

constexpr std::string_view filter = "ignore::UserWarning:";
constexpr std::size_t most_arguments = 64;  // it has five or so

// The module in `from MODULE import main...`, if it is a tracker; else empty. `code` ends with a NUL.
std::string_view tracker_in(std::string_view code) {
    constexpr std::string_view from = "from ";
    constexpr std::string_view import = " import main";
    if (!code.starts_with(from)) return {};
    code.remove_prefix(from.size());
    const std::size_t end = code.find(' ');
    if (end == std::string_view::npos || !behind(code, end).starts_with(import)) return {};
    code.remove_suffix(code.size() - end);
    if (code.size() > 200) return {};
    return code.ends_with(".resource_tracker") || code.ends_with(".semaphore_tracker") ? code
                                                                                       : std::string_view();
}

}  // namespace

QuietPlan::QuietPlan(char* const* argv) : argv_(argv) {
    if (!options.active || !options.clean || argv == nullptr) return;
    for (; sys::readable(argv + count_) && argv[count_] != nullptr; ++count_) {
        if (count_ == most_arguments || !sys::readable_string(argv[count_])) return;
    }
    // `-c CODE` is the last that it is called with.
    if (count_ < 3 || !sys::readable(argv + count_)) return;
    if (std::string_view(argv[count_ - 2]) != "-c") return;
    const std::string_view module = tracker_in(argv[count_ - 1]);
    if (module.empty()) return;
    option_ = count_ - 2;
    module_ = module.data();
    module_size_ = module.size();
    bytes_ = (count_ + 3) * sizeof(char*) + filter.size() + module_size_ + 1;
}

char* const* QuietPlan::build(void* space) const {
    if (option_ == 0) return argv_;
    auto** to = static_cast<char**>(space);
    char* text = reinterpret_cast<char*>(to + count_ + 3);
    Text(text, filter.size() + module_size_ + 1) << filter << std::string_view(module_, module_size_);
    std::size_t used = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        // The last filter counts first, and -c ends the options.
        if (i == option_) {
            to[used++] = const_cast<char*>("-W");
            to[used++] = text;
        }
        to[used++] = argv_[i];
    }
    to[used] = nullptr;
    return to;
}

}  // namespace leftover
