// The `processes` of a report.
#include <sys/wait.h>

#include "preload/core/process.h"
#include "preload/core/text.h"
#include "preload/hand/report.h"

namespace leftover::hand {

namespace {

std::string_view reason_name(std::uint32_t value) {
    switch (static_cast<record::Reason>(value & 0xff)) {
        case record::Reason::static_:
            return "static";
        case record::Reason::setuid:
            return "setuid";
        case record::Reason::architecture:
            return "architecture";
        case record::Reason::libc:
            return "libc";
        case record::Reason::unreadable:
            return "unreadable";
        default:
            return "unknown";
    }
}

struct Description {
    int ppid = 0;
    std::uint64_t started_ns = 0;
    std::uint64_t ended_ns = 0;
    std::string_view executable, command;
    bool instrumented = true;
    std::string_view reason;
    bool has_end = false;
    End end = {};
};

void describe_images(const Member& member, Description& its) {
    its.ppid = member.first->ppid;
    its.started_ns = member.first->started_ns;
    its.executable = member.last->executable;
    its.command = member.last->command;
    if (!member.says_ended()) return;
    its.has_end = true;
    its.end = {member.last->ending, member.last->ending_value};
    its.ended_ns = member.last->ended_ns;
}

void describe_creation(const Member& member, Description& its) {
    const Resource& slot = *member.creation;
    const bool has_status = slot.has(record::fetched) || slot.has(record::zombie);
    its.ppid = slot.pid;
    if (its.started_ns == 0) its.started_ns = slot.created_ns;
    // What the slot says of its program is younger than the records, if the last of these ended by
    // exec.
    const bool is_newer = member.last == nullptr || member.last->ending == record::Ending::exec;
    if (is_newer && slot.has(record::execed) && !slot.name.empty()) {
        its.executable = slot.name;
        its.command = slot.name;
    } else if (member.last == nullptr) {
        its.executable = slot.record->executable;
        its.command = slot.record->command;
    }
    if (is_newer && !slot.has(record::instrumented)) {
        its.instrumented = false;
        its.reason = reason_name(record::reason_of(slot.value, has_status));
    }
    if (slot.d != 0) its.ended_ns = slot.d;
    if (!has_status) return;
    // What its parent was told, or would have been, is truer than what it meant to end with.
    const auto status = record::wait_status(slot.value);
    its.has_end = WIFEXITED(status) || WIFSIGNALED(status);
    if (WIFEXITED(status)) its.end = {record::Ending::code, WEXITSTATUS(status)};
    if (WIFSIGNALED(status)) its.end = {record::Ending::signal, WTERMSIG(status)};
}

void describe_now(const Member& member, Pool& pool, Description& its) {
    char buffer[1024];
    const std::string_view executable = read_executable_of(member.pid, buffer, sizeof buffer);
    if (!executable.empty()) its.executable = pool.keep(executable);
    if (its.executable.empty()) its.executable = member.now.name;
    const std::string_view command = read_command_of(member.pid, buffer, sizeof buffer);
    if (!command.empty()) its.command = pool.keep(command);
    if (its.ppid == 0) its.ppid = member.now.ppid;
    its.has_end = true;
    its.end = {record::Ending::running, 0};
    its.ended_ns = 0;
}

Description describe(const Member& member, const Outcome& outcome) {
    Description its;
    if (member.last != nullptr) describe_images(member, its);
    if (member.creation != nullptr) describe_creation(member, its);
    if (member.is_self) {
        its.has_end = true;
        its.end = outcome.end;
        if (its.ended_ns == 0 && outcome.end.how != record::Ending::running)
            its.ended_ns = outcome.now_ns;
        if (its.command.empty()) describe_now(member, outcome.about.pool(), its);
    } else if (member.alive && !member.foreign && !member.says_ended()) {
        describe_now(member, outcome.about.pool(), its);
    }
    return its;
}

void write_counts(Json& json, const Member& member) {
    json.begin('{');
    for (std::size_t kind = 0; kind < record::kind_count; ++kind) {
        const Counts& counts = member.counts[kind];
        if (counts.created == 0) continue;
        json.key(record::kind_table[kind].name).begin('{');
        json.key("created").number(counts.created);
        json.key("released").number(counts.released);
        json.key("peak").number(counts.peak);
        json.end('}');
    }
    json.end('}');
}

void write_process(Json& json, const Member& member, const Outcome& outcome) {
    const Description its = describe(member, outcome);
    json.line().begin('{');
    json.key("pid").number(static_cast<unsigned>(member.pid));
    json.key("ppid").number_or_null(static_cast<unsigned>(its.ppid));
    json.key("started_at").time(its.started_ns);
    json.key("ended_at").time(its.ended_ns);
    json.key("executable").text_or_null(its.executable);
    json.key("command").strings(its.command);
    json.key("instrumented").truth(its.instrumented);
    json.key("reason").text_or_null(its.reason);
    json.key("exit");
    if (its.has_end) {
        write_exit(json, its.end);
    } else {
        json.null();
    }
    json.key("counts");
    write_counts(json, member);
    json.end('}');
}

std::uint64_t started_at(const Member& member) {
    if (member.first != nullptr) return member.first->started_ns;
    return member.creation != nullptr ? member.creation->created_ns : 0;
}

}  // namespace

void write_processes(Json& json, const Outcome& outcome) {
    const Census& census = outcome.about.census;
    if (!outcome.whole_session) {
        if (census.self() != nullptr) write_process(json, *census.self(), outcome);
        return;
    }
    const List<Member*>& members = census.members();
    sort(members, [](const Member* one, const Member* other) {
        if (one->is_root != other->is_root) return one->is_root;
        if (started_at(*one) != started_at(*other)) return started_at(*one) < started_at(*other);
        return one->pid < other->pid;
    });
    for (const Member* member : members) write_process(json, *member, outcome);
}

}  // namespace leftover::hand
