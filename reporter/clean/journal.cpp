#include "reporter/clean/journal.h"

#include <fmt/format.h>

#include <cstring>

#include "reporter/kernel/machine.h"
#include "reporter/render/words.h"

namespace leftover::clean {

namespace {

std::string_view name_of(Result result) {
    switch (result) {
        case Result::done: return "done";
        case Result::gone: return "gone";
        case Result::in_use: return "in_use";
        case Result::failed: return "failed";
    }
    return "failed";
}

Status status_of(Result result) {
    switch (result) {
        case Result::in_use: return Status::in_use;
        case Result::failed: return Status::failed;
        default: return Status::cleaned;
    }
}

std::string item_words(const Leak& leak) {
    std::string kind = render::kind_words(leak.kind, 1).substr(2);  // without the "1 "
    if (leak.details.more->pid) return fmt::format("{} {} (pid {})", kind, leak.name, *leak.details.more->pid);
    return fmt::format("{} {}", kind, leak.name);
}

std::string_view verb_of(std::string_view action) {
    if (action == "terminate") return "terminated";
    if (action == "kill") return "killed";
    if (action == "unlink") return "unlinked";
    return "removed";
}

std::string line_of(const Leak& leak, std::string_view action, const Outcome& outcome) {
    const std::string item = item_words(leak);
    switch (outcome.result) {
        case Result::done: return fmt::format("{} {}", verb_of(action), item);
        case Result::gone: return fmt::format("{} had gone by itself", item);
        case Result::in_use: return fmt::format("left alone {}: {}", item, outcome.why);
        case Result::failed: return fmt::format("could not clean up {}: {}", item, outcome.why);
    }
    return item;
}

}  // namespace

Outcome done(std::uint64_t bytes) { return {Result::done, {}, bytes}; }
Outcome gone() { return {Result::gone, {}, 0}; }
Outcome in_use(std::string why) { return {Result::in_use, std::move(why), 0}; }
Outcome failed(std::string why) { return {Result::failed, std::move(why), 0}; }

Outcome failed_by_errno(std::string_view what, int error) {
    return failed(fmt::format("{}: {}", what, std::strerror(error)));
}

Journal::Journal(Report& report, const Options& options)
    : report_(report), options_(options), begin_(std::chrono::steady_clock::now()) {
    if (!report.cleanup) report.cleanup.emplace().started_at = kernel::now();
}

void Journal::add(const Leak& leak, std::string_view action, const Outcome& outcome) {
    CleanupAction entry;
    entry.kind = leak.kind;
    entry.name = leak.name;
    entry.pid = leak.details.more->pid.value_or(leak.pid);
    entry.action = action;
    entry.result = name_of(outcome.result);
    entry.error = outcome.why;
    report_.cleanup->actions.push_back(std::move(entry));
    report_.cleanup->reclaimed_bytes += outcome.bytes;
}

void Journal::enter(Leak& leak, std::string_view action, const Outcome& outcome) {
    add(leak, action, outcome);
    leak.status = status_of(outcome.result);
    leak.error = outcome.why;
    if (options_.log) options_.log(line_of(leak, action, outcome));
}

void Journal::enter_step(const Leak& leak, std::string_view action, const Outcome& outcome) {
    add(leak, action, outcome);
}

void Journal::close() {
    report_.cleanup->duration_seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

}  // namespace leftover::clean
