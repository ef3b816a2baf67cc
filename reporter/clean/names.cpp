#include "reporter/clean/names.h"

#include <fmt/format.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <map>
#include <string_view>

#include "reporter/clean/held_name.h"
#include "reporter/clean/sysv.h"
#include "reporter/clean/tree.h"
#include "reporter/clean/users.h"

namespace leftover::clean {

namespace {

using run::Descriptor;

// Who opens a file on which we have a lease makes the kernel tell us so, by a signal that would end us.
class LeaseSignalIgnored {
public:
    LeaseSignalIgnored() {
        struct sigaction ignored {};
        ignored.sa_handler = SIG_IGN;
        ::sigaction(SIGIO, &ignored, &before_);
    }
    ~LeaseSignalIgnored() { ::sigaction(SIGIO, &before_, nullptr); }
    LeaseSignalIgnored(const LeaseSignalIgnored&) = delete;
    LeaseSignalIgnored& operator=(const LeaseSignalIgnored&) = delete;

private:
    struct sigaction before_ {};
};

kernel::FileId id_of(const Leak& leak) {
    return {leak.details.device.value_or(0), leak.details.inode.value_or(0)};
}

bool is_memory(Kind kind) { return kind == Kind::semaphore || kind == Kind::shared_memory; }

std::uint64_t memory_of(const Leak& leak, const struct stat& facts) {
    return is_memory(leak.kind) && facts.st_nlink == 1 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

// Whether an open file is the leak's, and nobody else's to use. Nothing: it may go.
std::optional<Outcome> check_open(const Leak& leak, int fd, const Users& users, struct stat& facts) {
    if (::fstat(fd, &facts) != 0 || kernel::FileId{facts.st_dev, facts.st_ino} != id_of(leak)) {
        return gone();
    }
    if (std::string use = users.of_open(fd, id_of(leak)); !use.empty()) return in_use(std::move(use));
    return std::nullopt;
}

// Some file systems give a number anew at once: a socket bound to the same path by somebody else may
// have the same one.
bool was_made_at_another_time(const Leak& leak) {
    constexpr Time slack = 20'000'000;  // ns; the clock of file times lags behind
    constexpr Time longest_call = 60'000'000'000;
    const auto facts = kernel::file_facts(*leak.details.path);
    if (!facts || !facts->has_birth || leak.created_at == 0) return false;
    return facts->born + slack < leak.created_at || facts->born > leak.created_at + longest_call;
}

Outcome outcome_of_unlink(int error, std::uint64_t bytes) {
    if (error == ENOENT) return gone();
    return error == 0 ? done(bytes) : failed_by_errno("cannot unlink it", error);
}

Outcome unlink_file(const Leak& leak, const Users& users) {
    HeldName name(*leak.details.path);
    if (!name.is_held()) return gone();
    name.lock_folder();
    if (!name.is(id_of(leak))) return gone();
    const Descriptor file = name.open();
    struct stat facts{};
    if (file.is_open()) {
        if (auto outcome = check_open(leak, file.get(), users, facts)) return *outcome;
    } else if (errno == ENOENT) {
        return gone();
    } else {
        return failed_by_errno("cannot be looked at", errno);
    }
    if (!name.is(id_of(leak))) return gone();
    return outcome_of_unlink(name.unlink(), memory_of(leak, facts));
}

Outcome unlink_socket(const Leak& leak, const Users& users) {
    HeldName name(*leak.details.path);
    if (!name.is_held()) return gone();
    name.lock_folder();
    if (!name.is(id_of(leak))) return gone();
    if (std::string use = users.of_socket(*leak.details.path, id_of(leak)); !use.empty()) {
        return in_use(std::move(use));
    }
    if (!name.is(id_of(leak))) return gone();
    return outcome_of_unlink(name.unlink(), 0);
}

// By the calls that take no path: the file system need not be mounted.
Outcome unlink_queue(const Leak& leak, const Users& users) {
    HeldName name(*leak.details.path);
    if (name.is_held()) name.lock_folder();
    const Descriptor queue(::mq_open(leak.name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!queue.is_open() && errno == ENOENT) return gone();
    if (!queue.is_open()) return failed_by_errno("cannot be looked at", errno);
    struct stat facts{};
    if (auto outcome = check_open(leak, queue.get(), users, facts)) return *outcome;
    return outcome_of_unlink(::mq_unlink(leak.name.c_str()) == 0 ? 0 : errno, 0);
}

class Names {
public:
    explicit Names(Journal& journal) : journal_(journal) {}

    void remove(Leak& leak) {
        const char* action =
            record::row(leak.kind).cleanup == record::Cleanup::remove ? "remove" : "unlink";
        Outcome outcome = attempt(leak);
        if (outcome.result == Result::gone && journal_.is_helped() && is_memory(leak.kind)) {
            outcome.bytes = leak.details.bytes.value_or(0);
        }
        if (leak.kind == Kind::temporary_directory) folders_.emplace(*leak.details.path, outcome);
        journal_.enter(leak, action, outcome);
    }

private:
    // What became of a folder of the session's that the leak lies in.
    const std::pair<const std::string, Outcome>* folder_of(const Leak& leak) const {
        for (const auto& folder : folders_) {
            const std::string_view path = *leak.details.path;
            if (path.size() > folder.first.size() && path.starts_with(folder.first) &&
                path[folder.first.size()] == '/') {
                return &folder;
            }
        }
        return nullptr;
    }

    Outcome attempt(const Leak& leak) {
        if (leak.details.more->id) return remove_sysv(leak, users_);
        if (!leak.details.path || !leak.details.inode || !leak.details.device) {
            return failed("it is not known well enough");
        }
        if (was_made_at_another_time(leak)) return gone();
        if (const auto* folder = folder_of(leak)) {
            if (folder->second.result == Result::done) return done();  // with it
            if (folder->second.result == Result::in_use) {
                return in_use(fmt::format("it lies in '{}', which is", folder->first));
            }
        }
        switch (leak.kind) {
            case Kind::temporary_directory:
                return remove_tree(*leak.details.path, id_of(leak), users_);
            case Kind::message_queue: return unlink_queue(leak, users_);
            case Kind::socket_file: return unlink_socket(leak, users_);
            default: return unlink_file(leak, users_);
        }
    }

    Journal& journal_;
    const Users users_;
    std::map<std::string, Outcome> folders_;
};

// Folders come first, outer ones before those in them: whether anything in one may go depends on all.
int turn_of(const Leak& leak) { return leak.kind == Kind::temporary_directory ? 0 : 1; }

}  // namespace

void remove_names(const std::vector<Leak*>& leaks, Journal& journal) {
    if (leaks.empty()) return;
    const LeaseSignalIgnored ignored;
    std::vector<Leak*> sorted = leaks;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Leak* one, const Leak* other) {
        const int turn = turn_of(*one);
        if (turn != turn_of(*other)) return turn < turn_of(*other);
        if (turn == 1) return false;
        return one->details.path.value_or("").size() < other->details.path.value_or("").size();
    });
    Names names(journal);
    for (Leak* leak : sorted) names.remove(*leak);
}

}  // namespace leftover::clean
