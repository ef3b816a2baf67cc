// Threads that nobody joined, or that still run, when their process ends.
#include "preload/core/text.h"
#include "preload/hand/judge.h"

namespace leftover::hand {

namespace {

// Where the routine lies in this process's memory now.
std::uint64_t address_of(const Resource& thread) { return thread.b != 0 ? thread.b : thread.d; }

}  // namespace

void judge_threads(const Case& about) {
    about.each(Kind::thread, [&](const Resource& thread) {
        const bool detached = thread.has(record::detached);
        const bool finished = thread.has(record::finished);
        if (thread.state != record::State::live || (detached && finished) ||
            !about.is_own(thread)) {
            return;
        }
        Leak* const leak =
            about.findings.make(about.pool(), detached ? Kind::detached_thread : Kind::thread,
                                thread.name.empty() ? thread.thread_name : thread.name, &thread);
        if (leak == nullptr) return;
        // See SlotFlag::interpreters.
        if (!finished || thread.has(record::interpreters)) leak->severity = Severity::note;
        leak->finished = finished;
        leak->start_routine = address_of(thread);
        leak->start_frame = thread.d;
        about.findings.count(about.pool(), leak);
    });
}

}  // namespace leftover::hand
