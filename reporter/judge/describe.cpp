// The `processes` of a report.

#include <sys/wait.h>

#include <algorithm>
#include <string_view>

#include "reporter/judge/census.h"
#include "reporter/kernel/machine.h"
#include "reporter/records/number.h"

namespace leftover::judge {

namespace {

std::string reason_name(std::uint32_t value) {
    switch (static_cast<record::Reason>(value & 0xff)) {
        case record::Reason::static_: return "static";
        case record::Reason::setuid: return "setuid";
        case record::Reason::architecture: return "architecture";
        case record::Reason::libc: return "libc";
        case record::Reason::unreadable: return "unreadable";
        default: return "unknown";
    }
}

void add_counts(ProcessInfo& info, const records::Header& header) {
    for (std::size_t kind = 0; kind < record::kind_count; ++kind) {
        const Counts& its = header.counters[kind];
        if (its.created == 0) continue;
        Counts& all = info.counts[static_cast<Kind>(kind)];
        all.created += its.created;
        all.released += its.released;
        all.peak = std::max(all.peak, its.peak);  // the images came one after the other
    }
}

void describe_images(Member& member) {
    ProcessInfo& info = member.info;
    const records::Header& first = member.images.front()->record.header;
    const records::Header& last = member.images.back()->record.header;
    info.ppid = first.ppid;
    info.started_at = first.started_at;
    info.start_ticks = first.start_ticks;
    info.executable = last.executable;
    info.command = last.command;
    for (const Source* image : member.images) add_counts(info, image->record.header);
    if (last.ending == record::Ending::code) info.exit.code = last.ending_value;
    if (last.ending == record::Ending::signal) info.exit.signal = last.ending_value;
    if (info.exit.code || info.exit.signal) info.ended_at = last.ended_at;
}

void describe_creation(Member& member) {
    ProcessInfo& info = member.info;
    const records::Slot& slot = *member.creation->slot;
    const records::Header& creator = member.creation->record().header;
    const bool has_status = slot.has(record::fetched) || slot.has(record::zombie);
    info.ppid = slot.pid;
    if (info.started_at == 0) info.started_at = slot.created_at;
    // What the slot says of its program is younger than the records, if the last of these ended by exec.
    const bool is_newer = member.images.empty() ||
                          member.images.back()->record.header.ending == record::Ending::exec;
    if (is_newer && slot.has(record::execed) && !slot.name.empty()) {
        info.executable = slot.name;
        info.command = {slot.name};
    } else if (member.images.empty()) {
        info.executable = creator.executable;
        info.command = creator.command;
    }
    if (is_newer && !slot.has(record::instrumented)) {
        info.instrumented = false;
        info.reason = reason_name(record::reason_of(slot.value, has_status));
    }
    if (slot.d != 0) info.ended_at = records::to_time(slot.d);
    if (!has_status) return;
    // What its parent was told, or would have been, is truer than what it meant to end with.
    const int status = record::wait_status(slot.value);
    info.exit = {};
    if (WIFEXITED(status)) info.exit.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) info.exit.signal = WTERMSIG(status);
}

void describe_now(Member& member, const kernel::Roots& roots) {
    ProcessInfo& info = member.info;
    const kernel::ProcessStat& now = *member.now;
    info.start_ticks = now.start_ticks;
    if (info.started_at == 0) info.started_at = kernel::time_of_ticks(now.start_ticks);
    if (info.ppid == 0) info.ppid = now.ppid;  // perhaps of whoever adopted it
    const std::string executable = kernel::read_executable(now.pid, roots);
    if (!executable.empty()) info.executable = executable;
    if (info.executable.empty()) info.executable = now.comm;
    auto command = kernel::read_command(now.pid, roots);
    if (!command.empty()) info.command = std::move(command);
    info.exit = {};
    info.exit.running = true;
    info.ended_at = 0;
}

}  // namespace

void describe(Member& member, const kernel::Roots& roots) {
    ProcessInfo& info = member.info;
    info.session = member.session->session.id;
    if (!member.images.empty()) describe_images(member);
    if (member.creation) describe_creation(member);
    if (member.images.empty() && !member.creation && !member.is_program) {
        info.instrumented = false;
        info.reason = "unknown";
    }
    const Exit& told = member.session->session.exit;  // by the launcher, which waited for it
    if (member.is_program && (told.code || told.signal)) info.exit = told;
    if (member.now) describe_now(member, roots);
}

}  // namespace leftover::judge
