#include "reporter/run/process_limit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <set>
#include <stdexcept>

#include "reporter/kernel/process.h"
#include "reporter/run/descendants.h"
#include "reporter/run/descriptor.h"

namespace leftover::run {
namespace {

std::uint64_t word_of(const kernel::ProcessStat& process) {
    return record::place_of(static_cast<std::uint32_t>(process.pid), process.start_ticks);
}

}  // namespace

ProcessLimit::ProcessLimit(const std::string& folder, std::uint32_t most) {
    const std::string path = folder + "/" + record::process_limit_name;
    const std::size_t size = record::process_limit_size(most);
    const auto fail = [&](int error) {
        throw std::runtime_error(fmt::format("cannot make '{}': {}", path, std::strerror(error)));
    };
    const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open() || ::fchmod(file.get(), 0600) != 0) fail(errno);
    // A page without a block would be the end of whoever touches it on a full disk.
    if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size)); error != 0) {
        fail(error);
    }
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (memory == MAP_FAILED) fail(errno);
    table_ = new (memory) record::ProcessLimit{};
    table_->magic = record::process_limit_magic;
    table_->pid_namespace = kernel::own_pid_namespace();
    table_->most = most;
}

ProcessLimit::~ProcessLimit() { ::munmap(table_, record::process_limit_size(table_->most)); }

void ProcessLimit::enter(pid_t program) {
    if (const auto stat = kernel::read_stat(program)) put(word_of(*stat));
}

// First who is there, then who is in the table: whoever made a child meanwhile has a place for it
// already.
void ProcessLimit::take_stock() {
    for (const int pid : live_descendants_of(::getpid())) {
        const auto stat = kernel::read_stat(pid);
        if (!stat || !kernel::is_alive(*stat) || holds(word_of(*stat))) continue;
        const auto parent = kernel::read_stat(stat->ppid);
        if (parent && holds(record::making_a_child | word_of(*parent))) continue;
        put(word_of(*stat));
    }
    drop_doubles();
}

bool ProcessLimit::holds(std::uint64_t word) const {
    for (std::uint32_t i = 0; i < table_->most; ++i) {
        if (table_->places()[i].load() == word) return true;
    }
    return false;
}

// Where there is no room the session is over its limit already, by processes that nobody could refuse.
void ProcessLimit::put(std::uint64_t word) {
    for (std::uint32_t i = 0; i < table_->most; ++i) {
        record::ProcessPlace& place = table_->places()[i];
        std::uint64_t free = place.load();
        if (free != 0) {
            const auto stat = kernel::read_stat(static_cast<int>(record::place_pid(free)));
            if (stat && kernel::is_alive(*stat) &&
                record::place_ticks(stat->start_ticks) == record::place_ticks(free)) {
                continue;
            }
        }
        if (place.compare_exchange_strong(free, word)) return;
    }
}

// Who found a place for itself while its parent gave it one.
void ProcessLimit::drop_doubles() {
    std::set<std::uint64_t> seen;
    for (std::uint32_t i = 0; i < table_->most; ++i) {
        std::uint64_t word = table_->places()[i].load();
        if (word == 0 || (word & record::making_a_child) != 0 || seen.insert(word).second) continue;
        table_->places()[i].compare_exchange_strong(word, 0);
    }
}

}  // namespace leftover::run
