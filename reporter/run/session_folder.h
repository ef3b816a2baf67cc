// A session's own folder in the state folder. Its launcher holds a lock on it for as long as it
// lives; the lock works across pid namespaces, and ends with its holder, however that dies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "reporter/run/descriptor.h"
#include "reporter/run/session_file.h"

namespace leftover::run {

// [A-Za-z][A-Za-z0-9._-]*, and short enough for a record's header.
bool is_session_id(std::string_view text);

// A new one that sorts by time: s20260102-030405-4711-1f2e.
std::string make_session_id();

// The process that a record's name, PID-TICKS-N.record, names; nothing for another file.
std::optional<ProcessId> recorder(const std::filesystem::path& file);

// Its launcher, its program or a process that recorded into the folder is still there.
bool session_lives(const std::string& folder);

// Removes the folder of a dead session of which nothing is left over. False when it stays.
bool remove_if_finished(const std::string& folder);

// The lock of a session that has no leftover (any more), for who wants to work on it alone. Nothing when
// somebody has it.
std::optional<Descriptor> lock_dead_session(const std::string& folder);

// remove_if_finished() for who has that lock.
bool remove_if_finished(const std::string& folder, const Descriptor& lock);

enum class SessionState {
    running,       // its leftover has not ended
    unsupervised,  // its leftover was killed, or it has none (by hand), and processes of it live
    ended,
};

SessionState session_state(const std::string& folder);

class SessionFolder {
public:
    // Makes the folder `id` (empty: of a made-up name) and takes its lock. A folder of that name
    // whose session is dead is moved aside, or removed when nothing of that session is left over.
    // Throws std::runtime_error, one line for the user, when a session of that name lives; NoRoom when
    // the disk is full.
    static SessionFolder create(const std::string& state_folder, std::string id);

    const std::string& id() const { return id_; }
    const std::string& path() const { return path_; }

    // Whether a file of that many bytes fits: throws NoRoom if not.
    void check_room(std::size_t bytes) const;

    // How many bytes its disk has left; very many if that is not known.
    std::uint64_t room() const;

    // With all that is in it.
    void remove();

private:
    SessionFolder(std::string id, std::string path, Descriptor lock)
        : id_(std::move(id)), path_(std::move(path)), lock_(std::move(lock)) {}

    std::string id_;
    std::string path_;
    Descriptor lock_;
};

// Where a session that runs inside another one leaves word of itself: OUTER/nested/ID leads to its
// folder, so that the outer one can report what the inner one left.
class NestedEntry {
public:
    // `outer` is the outer session's folder, empty when there is none. Trouble is no reason not to
    // run: the entry is left out.
    NestedEntry(const std::string& outer, const SessionFolder& session);
    void remove();

private:
    std::string link_;
};

}  // namespace leftover::run
