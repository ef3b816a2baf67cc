// POSIX timers that were not deleted when their process ended. In a slot b is the kernel's number.

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"

namespace leftover::judge {

void check_timers(const Evidence& evidence, Findings& findings) {
    for (const Candidate& candidate : evidence.of(Kind::timer)) {
        const records::Slot& slot = *candidate.slot;
        if (slot.state != record::State::live) continue;
        if (evidence.census.image_of(candidate) != Image::ended) continue;
        findings.add(make_leak(Kind::timer, "timer:" + std::to_string(slot.b)), candidate);
    }
}

}  // namespace leftover::judge
