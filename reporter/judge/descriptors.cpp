// File descriptors that were still open when their process ended. In a slot b is the descriptor, and the name
// its target, or, after a kill, what it was opened by.

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"

namespace leftover::judge {

void check_file_descriptors(const Evidence& evidence, Findings& findings) {
    for (const Candidate& candidate : evidence.of(Kind::file_descriptor)) {
        const records::Slot& slot = *candidate.slot;
        if (slot.state != record::State::live || slot.b > INT32_MAX) continue;
        // Of one that was handed on to another program, that one keeps the books.
        const Image image = evidence.census.image_of(candidate);
        const bool handed = image == Image::replaced && (slot.flags & record::handed_on) != 0;
        if (!(handed ? evidence.census.has_ended(candidate) : image == Image::ended)) continue;
        Leak leak = make_leak(Kind::file_descriptor,
                              slot.name.empty() ? "fd:" + std::to_string(slot.b) : slot.name);
        leak.details.fd = static_cast<int>(slot.b);
        findings.add(std::move(leak), candidate);
    }
}

}  // namespace leftover::judge
