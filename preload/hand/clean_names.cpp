// Removing what outlives processes: named objects, files and folders. System V objects are in
// clean_sysv.cpp, folders in clean_folder.cpp.
#include <sys/stat.h>

#include <cerrno>

#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/clean.h"
#include "preload/hand/clean_folder.h"
#include "preload/hand/clean_sysv.h"
#include "preload/hand/named.h"
#include "preload/hand/users.h"

namespace leftover::hand {

namespace {

// Some file systems give a number anew at once: a socket bound to the same path by somebody else may
// have the same one.
bool was_made_then(const Leak& leak, const FileFacts& facts) {
    constexpr std::uint64_t longest_call = 60'000'000'000;
    if (!facts.has_birth || leak.created_ns == 0) return true;
    return facts.born_ns + clock_slack >= leak.created_ns && facts.born_ns <= leak.created_ns + longest_call;
}

bool is_still(const Leak& leak) {
    FileFacts facts;
    return look_at(AT_FDCWD, leak.path.data(), facts) && facts.inode == leak.inode &&
           facts.device == leak.device && was_made_then(leak, facts);
}

Attempt outcome_of(long result, std::uint64_t bytes = 0) {
    if (result == -ENOENT) return gone();
    return result == 0 ? done(bytes) : failed("cannot be unlinked");
}

// Whether an open file is the leak's, and nobody else's to use: then true.
bool may_go(const Leak& leak, long fd, const Users& users, FileFacts& facts, Attempt& attempt) {
    if (!look_at(fd, "", facts) || facts.inode != leak.inode || facts.device != leak.device) {
        attempt = gone();
        return false;
    }
    const std::string_view use = users.of_open(fd, leak.device, leak.inode);
    if (use.empty()) return true;
    attempt = in_use(use);
    return false;
}

Attempt unlink_file(const Leak& leak, const Users& users) {
    if (!is_still(leak)) return gone();
    const long fd = sys::open(leak.path.data(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd == -ENOENT) return gone();
    if (sys::failed(fd)) return failed("cannot be looked at");
    FileFacts facts;
    Attempt attempt = {};
    if (may_go(leak, fd, users, facts, attempt)) {
        const bool memory = leak.kind == Kind::semaphore || leak.kind == Kind::shared_memory;
        attempt = !is_still(leak) ? gone()
                                  : outcome_of(sys::unlink(leak.path.data()),
                                               memory && facts.links == 1 ? facts.bytes : 0);
    }
    sys::close(fd);
    return attempt;
}

Attempt unlink_socket(const Leak& leak, const Users& users) {
    if (!is_still(leak)) return gone();
    const std::string_view use = users.of_socket(leak.path);
    if (!use.empty()) return in_use(use);
    return is_still(leak) ? outcome_of(sys::unlink(leak.path.data())) : gone();
}

// By the calls that take no path: the file system need not be mounted.
Attempt unlink_queue(const Leak& leak, const Users& users) {
    char name[300];
    Text text(name, sizeof name);
    text << behind(leak.name, 1);
    const long fd = sys::call(SYS_mq_open, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0L, nullptr);
    if (fd == -ENOENT) return gone();
    if (sys::failed(fd) || text.cut()) return failed("cannot be looked at");
    FileFacts facts;
    Attempt attempt = {};
    if (may_go(leak, fd, users, facts, attempt)) attempt = outcome_of(sys::call(SYS_mq_unlink, name));
    sys::close(fd);
    return attempt;
}

class Names {
public:
    Names(Pool& pool, Findings& findings) : pool_(pool), findings_(findings), users_(pool) {}

    void remove(Leak& leak) {
        const bool removes = record::row(leak.kind).cleanup == record::Cleanup::remove;
        enter(pool_, findings_, leak, removes ? "remove" : "unlink", attempt(leak));
    }

private:
    // What became of a folder of the session's that the leak lies in.
    const Leak* folder_of(const Leak& leak) const {
        for (const Leak* other : findings_.leaks) {
            if (other->kind == Kind::temporary_directory && other->status != Status::leaked &&
                leak.path.size() > other->path.size() && leak.path.starts_with(other->path) &&
                leak.path[other->path.size()] == '/') {
                return other;
            }
        }
        return nullptr;
    }

    Attempt attempt(const Leak& leak) const {
        if (leak.path.empty()) return remove_sysv(leak, users_);
        if (const Leak* folder = folder_of(leak)) {
            if (folder->status == Status::cleaned) return done();  // with it
            if (folder->status == Status::in_use) return in_use("the folder that it lies in is");
        }
        const FolderLock alone(leak.path);
        switch (leak.kind) {
            case Kind::temporary_directory:
                return remove_folder(leak, users_);
            case Kind::message_queue:
                return unlink_queue(leak, users_);
            case Kind::socket_file:
                return unlink_socket(leak, users_);
            default:
                return unlink_file(leak, users_);
        }
    }

    Pool& pool_;
    Findings& findings_;
    Users users_;
};

}  // namespace

void remove_names(Pool& pool, Findings& findings) {
    List<Leak*> names;
    for (Leak* leak : findings.leaks) {
        const bool wanted = leak->status == Status::leaked && leak->severity != Severity::note &&
                            leak->kind != Kind::process &&
                            record::row(leak->kind).cleanup != record::Cleanup::none;
        if (wanted) names.add(pool, leak);
    }
    if (names.size() == 0) return;
    // Folders come first, outer ones before those in them: whether anything in one may go depends on all.
    sort(names, [](const Leak* one, const Leak* other) {
        const bool is_folder = one->kind == Kind::temporary_directory;
        const bool others_is = other->kind == Kind::temporary_directory;
        if (is_folder != others_is) return is_folder;
        return is_folder && one->path.size() < other->path.size();
    });
    Names remover(pool, findings);
    for (Leak* leak : names) remover.remove(*leak);
}

}  // namespace leftover::hand
