#include "preload/hand/session.h"

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/environment.h"
#include "preload/core/mapping.h"
#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/date.h"
#include "preload/hand/folder.h"
#include "preload/hand/report_path.h"

namespace leftover::hand {

namespace {

uid_t user() { return static_cast<uid_t>(sys::call(SYS_geteuid)); }

std::string_view variable(std::string_view name) {
    char** entry = current_environment();
    if (entry == nullptr) return {};
    for (; *entry != nullptr; ++entry) {
        std::string_view text(*entry);
        if (text.starts_with(name) && behind(text, name.size()).starts_with('=')) {
            return behind(text, name.size() + 1);
        }
    }
    return {};
}

// Makes the folder if it is missing and writes its path, absolute and without symbolic links. False
// when it is not a folder that this user alone can get at: what is in it decides what is reported.
bool take_state_folder(char* path, char* real, std::size_t size) {
    constexpr int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    long fd = sys::open(path, flags);
    if (fd == -ENOENT) {
        make_folders(AT_FDCWD, path);
        // The umask may take some of the owner's own rights.
        if (sys::mkdir(path, 0700) == 0) sys::call(SYS_fchmodat, AT_FDCWD, path, 0700);
        fd = sys::open(path, flags);
    }
    if (sys::failed(fd)) return false;
    struct stat status;
    bool good = sys::fstat(static_cast<int>(fd), &status) == 0 && status.st_uid == user() &&
                (status.st_mode & 0777) == 0700;
    if (good) {
        char link[40];
        (Text(link, sizeof link) << "/proc/self/fd/").number(static_cast<std::uint64_t>(fd));
        const long length = sys::readlink(link, real, size - 1);
        good = length > 0 && static_cast<std::size_t>(length) < size - 1;
        real[good ? length : 0] = 0;
    }
    sys::close(fd);
    return good;
}

// Without the slashes at its end, behind which a symbolic link would be followed.
std::string_view without_slashes(std::string_view path) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    return path;
}

// A runtime folder that is not there, or was inherited from another user (sudo, su), is none.
bool is_usable_runtime(std::string_view runtime) {
    char path[path_size];
    Text text(path, sizeof path);
    struct stat status;
    return runtime.starts_with('/') && !(text << runtime).cut() && sys::stat(path, &status) == 0 &&
           S_ISDIR(status.st_mode) && status.st_uid == user();
}

bool find_state_folder(char* real, std::size_t size) {
    char path[path_size];
    if (const std::string_view given = variable("LEFTOVER_STATE_DIR"); !given.empty()) {
        Text text(path, sizeof path);
        if (!(text << without_slashes(given)).cut() && take_state_folder(path, real, size))
            return true;
    }
    if (const std::string_view runtime = variable("XDG_RUNTIME_DIR"); is_usable_runtime(runtime)) {
        Text text(path, sizeof path);
        text << without_slashes(runtime) << "/leftover";
        if (!text.cut() && take_state_folder(path, real, size)) return true;
    }
    (Text(path, sizeof path) << "/tmp/leftover-").number(user());
    return take_state_folder(path, real, size);
}

std::uint64_t random_word() {
    std::uint64_t word = 0;
    constexpr unsigned nonblock = 1;
    if (sys::call(SYS_getrandom, &word, sizeof word, nonblock) != sizeof word) {
        word = mix(clock_ns(CLOCK_MONOTONIC), reinterpret_cast<std::uintptr_t>(&word));
    }
    return word;
}

// "h20260102-030405-12345-ab12": h for by hand; ids begin with a letter.
void make_id() {
    Text id(options.session, sizeof options.session);
    id << 'h';
    append_compact_time(id, realtime_ns(), '-');
    (id << '-').number(static_cast<std::uint64_t>(sys::getpid())) << '-';
    const std::uint64_t word = random_word();
    for (unsigned shift = 0; shift < 16; shift += 4) id.number(word >> shift & 15, 16);
}

}  // namespace

bool make_session() {
    char state[sizeof options.folder - record::session_id_size];
    if (!find_state_folder(state, sizeof state)) return false;
    options.root_pid = sys::getpid();
    options.root_ticks = own_start_ticks();
    long made = -EEXIST;
    for (unsigned tries = 0; tries < 16 && made == -EEXIST; ++tries) {
        make_id();
        Text folder(options.folder, sizeof options.folder);
        folder << state << '/' << options.session;
        if (folder.cut()) return false;
        made = sys::mkdir(options.folder, 0700);
    }
    if (made != 0) return false;
    sys::call(SYS_fchmodat, AT_FDCWD, options.folder, 0700);
    return true;
}

void remove_session() {
    const long folder = sys::open(options.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (sys::failed(folder)) return;
    each_name(folder, [&](const char* name) {
        if (std::string_view(name).ends_with(".record")) sys::call(SYS_unlinkat, folder, name, 0);
        return true;
    });
    sys::close(folder);
    sys::call(SYS_unlinkat, AT_FDCWD, options.folder, AT_REMOVEDIR);
    if (fresh.own != nullptr) fresh.own->removed = true;
}

bool remove_session_of_one() {
    const long folder = sys::open(options.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (sys::failed(folder)) return false;
    unsigned count = 0;
    char record[80];
    Text name(record, sizeof record);
    each_name(folder, [&](const char* its) {
        name << its;
        return ++count == 1;
    });
    const bool alone = count == 1 && !name.cut() && name.view().ends_with(".record");
    if (alone) sys::call(SYS_unlinkat, folder, record, 0);
    sys::close(folder);
    if (!alone) return false;
    // A process that we do not know of may have begun a record since.
    sys::call(SYS_unlinkat, AT_FDCWD, options.folder, AT_REMOVEDIR);
    fresh.own->removed = true;
    return true;
}

}  // namespace leftover::hand
