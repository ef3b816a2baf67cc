#include "reporter/hang/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "reporter/kernel/file.h"
#include "reporter/kernel/process.h"

namespace leftover::hang {
namespace {

using What = Wait::What;

constexpr std::string_view semaphore_prefix = "/dev/shm/sem.";

// Of glibc's struct pthread there is never more than this; the word that a join waits for is in it.
constexpr std::uint64_t thread_size = 0x900;

template <class T>
T word_at(const Surroundings& around, std::size_t offset) {
    T value{};
    std::memcpy(&value, around.bytes.data() + Surroundings::before + offset, sizeof value);
    return value;
}

std::string name_of(const CapturedProcess& process, const CapturedThread& thread, int own) {
    return process.pid == own ? fmt::format("thread {}", thread.tid)
                              : fmt::format("thread {} of pid {}", thread.tid, process.pid);
}

std::string verb_of(const std::string& call) {
    if (call == "recvfrom" || call == "sendto") return call;
    if (call == "read" || call.starts_with("recv")) return call + " from";
    if (call == "write" || call == "connect" || call.starts_with("send")) return call + " to";
    return call + (call == "accept" ? " on" : " of");
}

// sem_open makes the file under another name, which whoever made it goes on seeing, and links it.
std::string semaphore_name(const Mapping& mapping) {
    const std::string name = mapping.path.substr(semaphore_prefix.size());
    const auto mark = name.find(" (deleted)");
    if (mark == name.npos) return name;
    const auto is_semaphore = [](std::string_view file) { return file.starts_with("sem."); };
    for (const kernel::NamedFile& file : kernel::list_folder("/dev/shm", is_semaphore)) {
        if (file.facts.id.inode == mapping.inode) return file.name.substr(4);
    }
    return name.substr(0, mark);
}

// Seconds as a reader wants them.
std::string duration(double seconds) { return fmt::format("{:g} s", std::round(seconds * 1000) / 1000); }

std::string sleep_words(const Wait& wait) {
    if (!wait.seconds) return "sleep";
    return wait.is_rest ? fmt::format("sleep, {} to go", duration(std::max(*wait.seconds, 0.0)))
                        : fmt::format("sleep of {}", duration(*wait.seconds));
}

}  // namespace

Explain::Explain(std::vector<CapturedProcess>& processes) : processes_(processes) {
    for (const int pid : kernel::list_processes()) {
        const auto stat = kernel::read_stat(pid);
        if (stat && stat->state != 'X') children_[stat->ppid].push_back(pid);
    }
}

// A number of a process as the waiting one sees it.
int Explain::outer_pid(const CapturedProcess& process, std::int64_t id) const {
    if (!process.is_inner) return static_cast<int>(id);
    const auto at = children_.find(process.pid);
    if (at == children_.end()) return 0;
    const auto depth = [](int pid) {
        const auto status = kernel::read_status(pid);
        return status ? status->namespace_pids : std::vector<int>{};
    };
    const std::size_t level = depth(process.pid).size();
    for (const int child : at->second) {
        const auto pids = depth(child);
        if (level > 0 && level <= pids.size() && pids[level - 1] == id) return child;
    }
    return 0;
}

Explanation Explain::child(const CapturedProcess& process, const Wait& wait) {
    Explanation explained;
    int pid = 0;
    if (wait.fd >= 0) pid = FilesExplained::process_of(process.pid, wait.fd);
    if (wait.id > 0) pid = outer_pid(process, wait.id);
    if (pid != 0) {
        explained.words = fmt::format("{} for pid {}", wait.call, pid);
        explained.add(pid);
        return explained;
    }
    std::vector<int> alive;
    if (const auto at = children_.find(process.pid); at != children_.end()) alive = at->second;
    explained.words = fmt::format("{} for any child{}", wait.call, wait.is_group ? " of a process group" : "");
    if (!alive.empty()) explained.words += fmt::format(": {}", pids_in_words(alive, process.pid));
    for (const int one : alive) explained.add(one);
    return explained;
}

Explanation Explain::files(const CapturedProcess& process, const Wait& wait) {
    std::vector<FdWait> all = wait.files;
    if (wait.is_epoll) {
        for (const auto& watched : FilesExplained::epoll_set(process.pid, wait.fd)) {
            all.push_back({watched.fd, watched.for_reading, !watched.for_reading});
        }
    }
    Explanation explained;
    constexpr std::size_t most = 4;
    std::vector<std::string> texts;
    for (const FdWait& one : all) {
        Explanation file = files_.file(process.pid, one.fd, one.for_reading);
        for (const WaitsFor& whom : file.whom) explained.add(whom.pid, whom.tid);
        if (std::find(texts.begin(), texts.end(), file.words) == texts.end()) texts.push_back(std::move(file.words));
    }
    std::size_t left_out = 0;
    if (texts.size() > most) {
        left_out = texts.size() - most;
        texts.resize(most);
    }
    if (texts.empty() && !wait.is_epoll && wait.has_timeout) {
        explained.words = sleep_words(wait);
        return explained;
    }
    if (texts.empty()) {
        explained.words = fmt::format("{} of nothing", wait.call);
    } else {
        explained.words = fmt::format("{} {}", verb_of(wait.call), fmt::join(texts, "; "));
        if (left_out > 0) explained.words += fmt::format("; and {} more", left_out);
    }
    if (wait.seconds) {
        explained.words += fmt::format(", at most {}", duration(*wait.seconds));
    } else if (wait.has_timeout) {
        explained.words += ", for a limited time";
    }
    return explained;
}

const CapturedThread* Explain::owner(const CapturedProcess& process, std::uint32_t tid, bool is_shared,
                                     const CapturedProcess*& of) const {
    if (tid == 0) return nullptr;
    for (const CapturedProcess& other : processes_) {
        if (&other != &process && !is_shared) continue;
        for (const CapturedThread& thread : other.threads) {
            if (static_cast<std::uint32_t>(thread.inner_tid) != tid) continue;
            of = &other;
            return &thread;
        }
    }
    return nullptr;
}

// The thread whose end this one waits for.
const CapturedThread* Explain::joined(CapturedProcess& process, const CapturedThread& waiting) {
    const std::uint64_t address = waiting.wait.address;
    for (const CapturedThread& thread : process.threads) {
        // pthread_join waits for the thread's number in its structure to become 0.
        if (thread.thread_pointer != 0 && &thread != &waiting && address >= thread.thread_pointer &&
            address - thread.thread_pointer < thread_size &&
            waiting.wait.value == static_cast<std::uint32_t>(thread.inner_tid)) {
            return &thread;
        }
        // Thread.join, up to 3.12.
        if (thread.end_lock != 0 && thread.end_lock == address && &thread != &waiting) return &thread;
    }
    if (!process.python || process.python->layout().version < 0x030d || !waiting.around.is_known) return nullptr;
    // 3.13 parks the thread: the semaphore is on its stack, behind the address of what it waits for,
    // which for a join lies in the handle of the other thread, a little behind its pthread_t.
    std::uint64_t event = 0;
    std::memcpy(&event, waiting.around.bytes.data(), sizeof event);
    Memory memory(process.pid);
    constexpr std::uint64_t handle_size = 64;
    for (std::uint64_t at = event & ~7ULL; at > event - handle_size; at -= 8) {
        std::uint64_t id = 0;
        if (!memory.read(at, &id, sizeof id)) break;
        for (const CapturedThread& thread : process.threads) {
            if (id != 0 && thread.thread_pointer == id && &thread != &waiting) return &thread;
        }
    }
    return nullptr;
}

// Of a Python RLock, which notes its owner: the waiting thread has the object on its stack.
const CapturedThread* Explain::lock_owner(CapturedProcess& process, const CapturedThread& waiting) {
    if (!process.python || waiting.sp == 0) return nullptr;
    Memory memory(process.pid);
    constexpr std::size_t depth = 4096;
    for (std::size_t offset = 0; offset < depth; offset += 8) {
        std::uint64_t object = 0;
        std::uint64_t type = 0;
        std::uint64_t name = 0;
        std::uint64_t lock = 0;
        std::uint64_t id = 0;
        if (!memory.read(waiting.sp + offset, &object, sizeof object)) break;
        // Its head, its lock, then the owner's pthread_t.
        if (object % 8 != 0 || !load(memory, object, 16, lock) || lock != waiting.wait.address) continue;
        char text[14] = {};
        if (!load(memory, object, python::object_type, type) || !load(memory, type, python::type_name, name) ||
            !memory.read(name, text, sizeof text - 1) || std::string_view(text) != "_thread.RLock" ||
            !load(memory, object, 24, id)) {
            continue;
        }
        for (const CapturedThread& thread : process.threads) {
            if (id != 0 && thread.thread_pointer == id) return &thread;
        }
    }
    return nullptr;
}

// The C library's function that waits: "pthread_cond_wait"; empty when it is none that says something.
std::string Explain::call_of(CapturedProcess& process, const CapturedThread& thread) {
    constexpr std::size_t most = 6;
    for (std::size_t i = 0; i < thread.native.size() && i < most; ++i) {
        Image* image = process.images->at(thread.native[i] - 1);
        if (image == nullptr) break;
        const std::string& path = image->path();
        const std::string_view file = std::string_view(path).substr(path.rfind('/') + 1);
        if (!file.starts_with("libc") && !file.starts_with("libpthread")) break;
        std::string name = image->function_at(process.images->memory(), thread.native[i] - 1);
        if (name.starts_with("pthread_") || name.starts_with("sem_") || name.starts_with("cnd_") ||
            name.starts_with("mtx_")) {
            return name;
        }
    }
    return {};
}

std::vector<int> Explain::users_of(const Mapping& file, int but) const {
    std::vector<int> users;
    for (const CapturedProcess& process : processes_) {
        if (process.pid != but && process.images->maps(file)) users.push_back(process.pid);
    }
    return users;
}

Explanation Explain::futex(CapturedProcess& process, const CapturedThread& thread) {
    const Wait& wait = thread.wait;
    Explanation explained;
    const Mapping* mapping = process.images->mapping_at(wait.address);
    if (mapping != nullptr && mapping->path.starts_with(semaphore_prefix)) {
        const std::string name = semaphore_name(*mapping);
        const auto users = users_of(*mapping, process.pid);
        explained.words = fmt::format("semaphore /{}", name);
        if (!users.empty()) explained.words += fmt::format(", shared with {}", pids_in_words(users, process.pid));
        for (const int user : users) explained.add(user);
        return explained;
    }
    if (const CapturedThread* other = joined(process, thread)) {
        explained.words = fmt::format("the end of {}", name_of(process, *other, process.pid));
        explained.add(process.pid, other->tid);
        return explained;
    }
    const std::string call = call_of(process, thread);
    const CapturedProcess* of = nullptr;
    const CapturedThread* holder = nullptr;
    const bool is_condition = call.starts_with("pthread_cond_") || call.starts_with("cnd_") ||
                              call.starts_with("sem_") || call.starts_with("pthread_barrier");
    const char* what = "mutex";
    if (thread.around.is_known && !is_condition) {
        constexpr std::uint32_t tid_mask = 0x3fffffff;
        if (call.starts_with("pthread_rwlock_")) {
            what = "read-write lock";
            // It waits for one of two words; behind both is the writer, 12 bytes from the second.
            for (const std::size_t offset : {std::size_t{16}, std::size_t{12}}) {
                if (holder == nullptr) {
                    holder = owner(process, word_at<std::uint32_t>(thread.around, offset), wait.is_shared, of);
                }
            }
        } else if (wait.value == 2) {
            // lock, count, owner, users, kind
            if (word_at<std::uint32_t>(thread.around, 0) == 2) {
                holder = owner(process, word_at<std::uint32_t>(thread.around, 8), wait.is_shared, of);
            }
        } else if (wait.is_inheriting || (wait.value & ~tid_mask) != 0) {
            holder = owner(process, wait.value & tid_mask, wait.is_shared, of);
        }
    }
    if (holder == nullptr && !is_condition) {
        holder = lock_owner(process, thread);
        if (holder != nullptr) {
            of = &process;
            what = "RLock";
        }
    }
    if (holder != nullptr) {
        explained.words = fmt::format("{} {:#x}, held by {}", what, wait.address,
                                      holder == &thread ? fmt::format("thread {} (itself)", thread.tid)
                                                        : name_of(*of, *holder, process.pid));
        explained.add(of->pid, holder->tid);
        return explained;
    }
    if (process.python && process.python->is_runtime(wait.address)) {
        explained.words = "the interpreter's lock (GIL)";
    } else if (call.starts_with("pthread_cond_") || call.starts_with("cnd_")) {
        explained.words = fmt::format("condition variable, futex {:#x}", wait.address);
    } else if (call.starts_with("sem_")) {
        explained.words = fmt::format("semaphore, futex {:#x}", wait.address);
    } else if (!call.empty()) {
        explained.words = fmt::format("{}, futex {:#x}", call, wait.address);
    } else {
        explained.words = fmt::format("futex {:#x}", wait.address);
    }
    if (mapping != nullptr && wait.is_shared && mapping->path.starts_with('/')) {
        const auto users = users_of(*mapping, process.pid);
        explained.words += fmt::format(" in {}", mapping->path);
        if (!users.empty()) explained.words += fmt::format(", shared with {}", pids_in_words(users, process.pid));
        for (const int user : users) explained.add(user);
    }
    if (wait.has_timeout) explained.words += ", for a limited time";
    return explained;
}

Explanation Explain::operator()(CapturedProcess& process, const CapturedThread& thread) {
    const Wait& wait = thread.wait;
    Explanation explained;
    switch (wait.what) {
        case What::nothing: break;
        case What::child: return child(process, wait);
        case What::files: return files(process, wait);
        case What::futex: return futex(process, thread);
        case What::time:
            explained.words = sleep_words(wait);
            break;
        case What::file_lock:
            explained = files_.lock(process.pid, wait.fd, wait.is_record);
            explained.words = fmt::format("{} of {}", wait.call, explained.words);
            break;
        case What::semaphores:
        case What::messages: explained.words = fmt::format("{} on id:{}", wait.call, wait.id); break;
        case What::queue:
            explained.words = fmt::format("{} on {}", wait.call, files_.file(process.pid, wait.fd, true).words);
            break;
        case What::signal: explained.words = fmt::format("a signal ({})", wait.call); break;
        case What::open: explained.words = fmt::format("open of {}, until its other end is opened", wait.path); break;
        case What::other: explained.words = wait.call; break;
    }
    if (thread.state == 'T') {
        explained.words = explained.words.empty() ? "stopped by a signal"
                                                  : fmt::format("stopped by a signal, in {}", explained.words);
    }
    return explained;
}

}  // namespace leftover::hang
