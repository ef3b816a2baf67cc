#include "preload/hand/ending.h"

#include <sys/wait.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/descriptors.h"
#include "preload/core/handed.h"
#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/slots.h"
#include "preload/core/sys.h"
#include "preload/hand/clean.h"
#include "preload/hand/options.h"
#include "preload/hand/session.h"
#include "preload/hand/waiting.h"

namespace leftover::hand {

namespace {

// Whether this process has anything that dies with it and is worth a report: most have not, and end
// without reading a file. Notes alone are worth none, nor are zombies of one that is ended by a signal: its group
// may have got the same, and its children may just have ended.
bool has_passing(const End& end) {
    bool found = false;
    for (Mapping* mapping : {fresh.own, fresh.inherited}) {
        if (mapping == nullptr) continue;
        each_slot(*mapping, [&](const SlotRef& ref) {
            if (ref.slot->pid != static_cast<std::uint32_t>(identity.pid)) return;
            const record::KindRow& row = record::row(ref.slot->kind);
            const bool is_zombie = end.how != record::Ending::signal && ref.slot->kind == Kind::process &&
                                   (ref.slot->flags.load(std::memory_order_relaxed) & record::zombie) != 0;
            found = found || is_zombie || (!row.outlives_process && row.severity != Severity::note);
        });
    }
    return found;
}

// Whether this process has nothing to its name that is still there, and never created a process: of a session of
// such a one there is nothing to judge.
bool has_nothing() {
    if (fresh.own == nullptr || fresh.own->in_memory || has_settled() || has_handed()) return false;
    const Mapping& own = *fresh.own;
    const record::Header& header = *own.header;
    if (header.lost.load(std::memory_order_relaxed) != 0) return false;
    const record::Counter& descriptors = header.counters[static_cast<std::size_t>(Kind::file_descriptor)];
    if (descriptors.created.load(std::memory_order_relaxed) != descriptors.released.load(std::memory_order_relaxed)) return false;
    bool any = false;
    each_slot(*fresh.own, [&](const SlotRef&) { any = true; });
    return !any && sys::call(SYS_waitid, P_ALL, 0, 0L, WEXITED | WNOHANG | WNOWAIT, 0L) == -ECHILD;
}

bool is_root() { return identity.pid == options.root_pid && is_session_root(own_start_ticks()); }

bool root_has_ended() { return !is_alive(options.root_pid, options.root_ticks); }

// A process that recorded nothing has no record, and its report could not tell of it.
void open_record_for_report(const End& end) {
    if (fresh.own != nullptr) return;
    writable_record();
    if (fresh.own == nullptr) return;
    record::Header& header = *fresh.own->header;
    header.ending_value.store(static_cast<std::uint32_t>(end.value), std::memory_order_relaxed);
    header.ended_ns.store(realtime_ns(), std::memory_order_relaxed);
    header.ending.store(static_cast<std::uint32_t>(end.how), std::memory_order_release);
}

void report(const Outcome& outcome) {
    if (write_report(outcome) && fresh.own != nullptr) {
        fresh.own->header->reported.store(1, std::memory_order_release);
    }
}

// Now, after some may have been ended.
bool any_alive(const Census& census) {
    for (const Member* member : census.members()) {
        if (!member->alive || member->is_self) continue;
        if (member->foreign || is_alive(member->pid, member->now.start_ticks)) return true;
    }
    return false;
}

void judge_session(Evidence& evidence, const End& end) {
    evidence.read_session(true);
    const Census census(evidence);
    Findings findings;
    const Case about{evidence, census, findings};
    judge_lasting(about);
    judge_passing(about);
    if (settings.mode == Mode::clean) clean(evidence, findings);
    sort_by_age(findings);
    if (findings.left_over() || settings.report_always) report({about, end, true, realtime_ns()});
    // What dies with us is in the report and leaves nothing behind.
    const bool any_error = findings.errors > findings.count_of(Status::cleaned);
    if (!any_error && !any_alive(census) && evidence.complete) remove_session();
}

void judge_own(Evidence& evidence, const End& end) {
    evidence.read_own();
    const Census census(evidence);
    Findings findings;
    const Case about{evidence, census, findings, true};
    judge_passing(about);
    sort_by_age(findings);
    if (findings.left_over() || settings.report_always) report({about, end, false, realtime_ns()});
}

}  // namespace

void report_end(const End& end) {
    Evidence evidence;
    if (settings.report_always) open_record_for_report(end);
    if (is_root()) {
        if (!settings.report_always && has_nothing() && remove_session_of_one()) return;
        wait_for_others(evidence);
        judge_session(evidence, end);
        return;
    }
    if (root_has_ended() && !others_live(evidence)) {
        wait_for_ending(evidence);
        judge_session(evidence, end);
        return;
    }
    if (settings.report_always || has_passing(end)) judge_own(evidence, end);
}

void report_running() {
    const End running = {record::Ending::running, 0};
    const bool whole_session = is_root();
    look_at_descriptors();
    Evidence evidence;
    if (whole_session) {
        evidence.read_session(true);
    } else {
        evidence.read_own();
    }
    const Census census(evidence);
    Findings findings;
    const Case about{evidence, census, findings, !whole_session};
    judge_lasting(about);
    judge_passing(about);
    sort_by_age(findings);
    write_report({about, running, whole_session, realtime_ns()});
}

}  // namespace leftover::hand
