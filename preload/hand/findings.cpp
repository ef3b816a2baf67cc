#include "preload/hand/findings.h"

#include "preload/core/process.h"

namespace leftover::hand {

Leak* Findings::make(Pool& pool, Kind kind, std::string_view name, const Resource* origin) {
    if ((options.kinds & record::bit(kind)) == 0) return nullptr;
    Leak* const leak = pool.make<Leak>();
    if (leak == nullptr) return nullptr;
    leak->kind = kind;
    leak->severity = record::row(kind).severity;
    leak->name = name;
    if (origin == nullptr) return leak;
    leak->pid = origin->pid;
    leak->tid = origin->tid;
    leak->thread_name = origin->thread_name;
    leak->created_ns = origin->created_ns;
    leak->record = origin->record;
    leak->stack = origin->stack;
    return leak;
}

void Findings::count(Pool& pool, Leak* leak) {
    if (!leaks.add(pool, leak)) return;
    switch (leak->severity) {
        case Severity::error:
            ++errors;
            break;
        case Severity::warning:
            ++warnings;
            break;
        case Severity::note:
            ++notes;
            break;
    }
    ++by_kind[static_cast<std::size_t>(leak->kind)];
}

std::uint64_t Findings::count_of(Status status) const {
    std::uint64_t count = 0;
    for (const Leak* leak : leaks) {
        if (leak->status == status) ++count;
    }
    return count;
}

}  // namespace leftover::hand
