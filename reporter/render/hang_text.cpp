#include "reporter/render/hang_text.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "reporter/model/utf8.h"
#include "reporter/render/hang_words.h"
#include "reporter/render/paint.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

class HangText {
public:
    HangText(const Report& report, const Options& options, std::ostream& out)
        : options_(options), paint_(options.colour), stacks_(report, options), out_(out) {
        for (const Module& module : report.modules) modules_.emplace(module.id, &module);
    }

    void write(const HangWords& hang) {
        folder_ = hang.session != nullptr ? hang.session->cwd : std::string();
        const std::size_t columns = options_.width > 0 ? static_cast<std::size_t>(options_.width) : 100;
        out_ << paint_.bold("leftover: " + headline(hang, std::max<std::size_t>(columns / 2, 40))) << '\n';
        for (const std::string& chain : hang.chains) write_wrapped(chain);
        for (const HangGroup& group : hang.groups) write(group);
    }

private:
    void write_wrapped(std::string_view text) {
        for (std::string_view indent = "  "; !text.empty(); indent = "    ") {
            const std::size_t room = width() - indent.size();
            std::size_t end = text.size();
            if (columns_of(text) > room) {
                // By bytes, of which a character has at least one.
                end = text.rfind(' ', room);
                if (end == text.npos) end = std::min(text.find(' '), text.size());
            }
            out_ << indent << text.substr(0, end) << '\n';
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    void write(const HangGroup& group) {
        out_ << '\n' << paint_.bold(group.title) << '\n';
        for (std::size_t i = 0; i < group.reasons.size() && i < most_reasons; ++i) {
            out_ << "  " << group.reasons[i] << '\n';
        }
        if (group.reasons.size() > most_reasons) {
            out_ << fmt::format("  and {} more\n", group.reasons.size() - most_reasons);
        }
        if (group.is_process) {
            out_ << "    " << command_words(group.threads.front().process->command, width() - 4) << '\n';
        }
        if (!group.start.empty()) out_ << "  started at " << group.start << '\n';
        if (!group.error.empty()) out_ << "  " << group.error << '\n';
        if (group.stack.python.empty() && group.stack.native.empty()) return;
        out_ << "  call stack, innermost first:\n";
        std::ostringstream shown;
        stacks_.write(group.stack, folder_, 0, shown);
        if (shown.str().empty()) {
            write_plain(group.stack);
        } else {
            out_ << shown.str();
        }
    }

    // Of a stack that lies in system libraries as a whole.
    void write_plain(const Stack& stack) {
        constexpr std::size_t most = 16;
        for (std::size_t i = 0; i < stack.native.size() && i < most; ++i) {
            const NativeFrame& frame = stack.native[i];
            const auto module = frame.module ? modules_.find(*frame.module) : modules_.end();
            const std::string name =
                module == modules_.end() ? "unknown code" : printable(base_name(module->second->path));
            if (frame.function.empty()) {
                out_ << fmt::format("    {}+{:#x}\n", name, frame.offset);
            } else {
                out_ << fmt::format("    {} in {}\n", printable(frame.function), name);
            }
        }
    }

    static std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

    std::size_t width() const { return options_.width > 40 ? static_cast<std::size_t>(options_.width) : 100; }

    const Options& options_;
    Paint paint_;
    StackText stacks_;
    std::ostream& out_;
    std::string folder_;
    std::map<int, const Module*> modules_;
};

}  // namespace

void hang_text(const Report& report, const Options& options, std::ostream& out) {
    HangText text(report, options, out);
    for (const HangWords& hang : hang_words(report)) {
        text.write(hang);
        out << '\n';
    }
}

}  // namespace leftover::render
