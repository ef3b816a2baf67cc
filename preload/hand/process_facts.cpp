#include "preload/hand/process_facts.h"

#include <sys/auxv.h>

#include <cerrno>

#include "preload/core/proc_self.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover::hand {

namespace {

constexpr std::size_t longest_path = 48;

void path_of(int pid, std::string_view file, char (&path)[longest_path]) {
    Text text(path, sizeof path);
    (text << "/proc/").number(static_cast<std::uint64_t>(pid)) << '/' << file;
}

}  // namespace

bool read_process(int pid, ProcessFacts& facts) {
    char path[longest_path];
    char buffer[1024];
    path_of(pid, "stat", path);
    const long size = pid > 0 ? read_file(path, buffer, sizeof buffer) : 0;
    if (size <= 0) return false;
    std::string_view text(buffer, static_cast<std::size_t>(size));
    // The name may hold anything, parentheses included: it ends at the last one.
    const std::size_t begin = text.find('(');
    const std::size_t end = text.rfind(')');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin)
        return false;
    Text(facts.name, sizeof facts.name) << behind(text, begin + 1).substr(0, end - begin - 1);
    text.remove_prefix(end + 1);
    if (text.size() < 3) return false;
    facts.state = text[1];
    text.remove_prefix(2);
    for (int field = 4; field <= 24; ++field) {
        const bool negative = text.starts_with(" -");
        if (text.empty()) return false;
        text.remove_prefix(negative ? 2 : 1);
        std::uint64_t number = 0;
        if (!take_number(text, number)) return false;
        if (negative) continue;
        if (field == 4) facts.ppid = static_cast<int>(number);
        if (field == 20) facts.threads = static_cast<int>(number);
        if (field == 22) facts.start_ticks = number;
        if (field == 23) facts.mapped_bytes = number;
        if (field == 24) facts.resident_bytes = number * getauxval(AT_PAGESZ);
    }
    return true;
}

bool is_alive(int pid, std::uint64_t start_ticks) {
    ProcessFacts facts;
    if (!read_process(pid, facts)) return sys::kill(pid, 0) != -ESRCH;
    return facts.start_ticks == start_ticks && facts.is_alive();
}

std::string_view read_command_of(int pid, char* buffer, std::size_t size) {
    char path[longest_path];
    path_of(pid, "cmdline", path);
    const long got = read_file(path, buffer, size);
    if (got <= 0) return {};
    std::string_view command(buffer, static_cast<std::size_t>(got));
    // setproctitle and its kin leave padding behind the title.
    while (command.size() > 1 && command.back() == 0 && command[command.size() - 2] == 0) {
        command.remove_suffix(1);
    }
    return command;
}

std::string_view read_executable_of(int pid, char* buffer, std::size_t size) {
    char path[longest_path];
    path_of(pid, "exe", path);
    const long got = sys::readlink(path, buffer, size);
    if (got <= 0) return {};
    std::string_view executable(buffer, static_cast<std::size_t>(got));
    constexpr std::string_view deleted = " (deleted)";
    if (executable.ends_with(deleted)) executable.remove_suffix(deleted.size());
    return executable;
}

}  // namespace leftover::hand
