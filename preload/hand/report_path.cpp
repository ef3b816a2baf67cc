#include "preload/hand/report_path.h"

#include <sys/utsname.h>

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/date.h"

namespace leftover::hand {

namespace {

char start_folder[path_size];

constexpr std::string_view known = "peht%";

std::string_view executable_name() {
    know_executable();
    std::string_view name(options.executable);
    constexpr std::string_view deleted = " (deleted)";
    if (name.ends_with(deleted)) name.remove_suffix(deleted.size());
    return base_name(name);
}

// A name that becomes part of a path must not lead elsewhere.
void append_name(Text& text, std::string_view name) {
    for (const char c : name) text << (c == '/' ? '_' : c);
}

void append_host(Text& text) {
    struct utsname names;
    if (sys::call(SYS_uname, &names) == 0) append_name(text, names.nodename);
}

}  // namespace

bool is_template(std::string_view text) {
    for (std::size_t at = 0; (at = text.find('%', at)) != std::string_view::npos; at += 2) {
        if (at + 1 == text.size() || known.find(text[at + 1]) == std::string_view::npos)
            return false;
    }
    return !text.empty();
}

void remember_start_folder() {
    if (sys::call(SYS_getcwd, start_folder, sizeof start_folder) <= 0) start_folder[0] = 0;
}

std::string_view fill_template(std::string_view text, std::uint64_t started_ns, char* buffer,
                               std::size_t size) {
    Text path(buffer, size);
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%' || at + 1 == text.size()) {
            path << text[at];
            continue;
        }
        switch (text[++at]) {
            case 'p':
                path.number(static_cast<std::uint64_t>(identity.pid));
                break;
            case 'e':
                append_name(path, executable_name());
                break;
            case 'h':
                append_host(path);
                break;
            case 't':
                append_compact_time(path, started_ns);
                break;
            default:
                path << '%';
                break;
        }
    }
    return path.cut() ? std::string_view{} : path.view();
}

long open_start_folder(const char* session_start) {
    for (const char* path : {session_start, static_cast<const char*>(start_folder)}) {
        if (path == nullptr || path[0] != '/') continue;
        const long fd = sys::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (!sys::failed(fd)) return fd;
    }
    return AT_FDCWD;
}

void make_folders(long folder, char* path) {
    for (char* at = path + 1; *at != 0; ++at) {
        if (*at != '/' || at[-1] == '/') continue;
        *at = 0;
        sys::call(SYS_mkdirat, folder, path, 0777);
        *at = '/';
    }
}

}  // namespace leftover::hand
