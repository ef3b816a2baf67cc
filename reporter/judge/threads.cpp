// Threads that nobody joined, or that still ran, when their process ended.

#include <fmt/format.h>

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"

namespace leftover::judge {

namespace {

void describe_routine(const Candidate& candidate, Findings& findings, Details& details) {
    const records::Slot& slot = *candidate.slot;
    if (slot.d != 0) {
        const NativeFrame frame = findings.frame(candidate.record(), slot.d);
        if (frame.module) details.more.edit().start_frame = frame;
        details.more.edit().start_routine = fmt::format("{:#x}", slot.b != 0 ? slot.b : frame.address);
    } else if (slot.b != 0) {
        details.more.edit().start_routine = fmt::format("{:#x}", slot.b);
    }
}

void add_running(const Candidate& candidate, const Evidence& evidence, Findings& findings) {
    const records::Slot& slot = *candidate.slot;
    if (slot.value == 0 || !evidence.census.in_own_namespace(candidate.record())) return;
    Leak leak = make_leak(Kind::thread, slot.thread_name.str());
    leak.severity = Severity::note;
    leak.details.more.edit().attribution = std::string(running_thread);
    leak.details.more.edit().id = slot.value;
    findings.add(std::move(leak), candidate);
}

}  // namespace

void check_threads(const Evidence& evidence, Findings& findings) {
    for (const Candidate& candidate : evidence.of(Kind::thread)) {
        const records::Slot& slot = *candidate.slot;
        const bool detached = slot.has(record::detached);
        const bool finished = slot.has(record::finished);
        if (slot.state != record::State::live || (detached && finished)) continue;
        const Image image = evidence.census.image_of(candidate);
        if (image == Image::running && evidence.options.running_threads && !finished) {
            add_running(candidate, evidence, findings);
        }
        if (image != Image::ended) continue;

        Leak leak = make_leak(detached ? Kind::detached_thread : Kind::thread,
                              slot.name.empty() ? slot.thread_name.str() : slot.name);
        leak.details.more.edit().state = finished ? "finished" : "running";
        describe_routine(candidate, findings, leak.details);
        // See SlotFlag::interpreters.
        if (!finished || slot.has(record::interpreters)) leak.severity = Severity::note;
        findings.add(std::move(leak), candidate);
    }
}

}  // namespace leftover::judge
