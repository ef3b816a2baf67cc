#include "preload/hand/notice.h"

#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover::hand {

namespace {

constexpr long standard_error = 2;

// In one piece, so that lines of several processes do not mix. What cannot be written is lost: a
// program started without a standard error wants none.
void say(std::string_view text) {
    while (!text.empty()) {
        const long written = sys::write(standard_error, text.data(), text.size());
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

constexpr std::string_view help =
    "leftover: LEFTOVER_OPTIONS is a list of key=value, separated by colons:\n"
    "  mode=report          report, clean (clean up, then report), off\n"
    "  report=leftover.%p.json\n"
    "                       where to: %p pid, %e executable, %h host, %t start time, %% percent;\n"
    "                       a value with a colon in it is quoted: report=\"a:b.json\"\n"
    "  report_always=0      1: also write when nothing is left over\n"
    "  dump_signal=NAME     on this signal write a report and go on\n"
    "  grace=1              seconds that descendants may outlive the program\n"
    "  kill_after=5         seconds from TERM to KILL\n"
    "  depth=64             most native frames of a stack\n"
    "  python=1             0: no Python frames\n"
    "  kinds=all            comma list of the kinds to track; -KIND leaves one out\n"
    "  help=0               1: print this list and go on\n";

}  // namespace

void notice(std::string_view first, std::string_view second, std::string_view third,
            std::string_view fourth) {
    char line[320];
    Text text(line, sizeof line - 1);  // room for the end of the line
    text << "leftover: LEFTOVER_OPTIONS: " << first << second << third << fourth;
    std::size_t size = text.size();
    for (std::size_t i = 0; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(line[i]);
        if (byte < 0x20 || byte >= 0x7f) line[i] = '?';
    }
    line[size++] = '\n';
    say({line, size});
}

void show_help() { say(help); }

}  // namespace leftover::hand
