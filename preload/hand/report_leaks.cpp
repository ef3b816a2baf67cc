// One of the `leaks` of a report.
#include "preload/core/text.h"
#include "preload/hand/report.h"

namespace leftover::hand {

namespace {

constexpr std::string_view severity_names[] = {"note", "warning", "error"};
constexpr std::string_view status_names[] = {"leaked", "cleaned", "in_use", "failed"};

void write_details(Json& json, const Leak& leak) {
    json.begin('{');
    if (!leak.path.empty()) {
        json.key("path").text(leak.path);
        json.key("inode").number(leak.inode);
        json.key("bytes").number(leak.bytes);
    }
    if (leak.process != 0) {
        json.key("pid").number(static_cast<unsigned>(leak.process));
        json.key("command").strings(leak.command);
        json.key("state").text(leak.kind == Kind::zombie ? std::string_view("zombie")
                                                         : std::string_view(&leak.state, 1));
        json.key("resident_bytes").number(leak.resident_bytes);
        if (leak.holds_known) json.key("holds").strings(leak.holds);
    }
    if (leak.kind == Kind::sysv_shared_memory) json.key("bytes").number(leak.bytes);
    if (leak.kind == Kind::sysv_shared_memory || leak.kind == Kind::sysv_semaphore ||
        leak.kind == Kind::sysv_message_queue) {
        json.key("id").number(leak.id);
        json.key("key").number(leak.key);
    }
    if (leak.kind == Kind::file_descriptor) json.key("fd").number(static_cast<unsigned>(leak.fd));
    if (leak.kind == Kind::thread || leak.kind == Kind::detached_thread) {
        json.key("state").text(leak.finished ? "finished" : "running");
        if (leak.start_routine != 0) json.key("start_routine").hex(leak.start_routine);
    }
    json.end('}');
}

}  // namespace

void write_leak(Json& json, const Leak& leak, StackTable& stacks) {
    const std::uint32_t stack = leak.record != nullptr ? stacks.stack(*leak.record, leak.stack) : 0;
    // The module of a thread's routine is in the report, so that the address can be given a name.
    std::uint64_t base = 0;
    if (leak.record != nullptr && leak.start_frame != 0)
        stacks.module(*leak.record, leak.start_frame, base);
    json.line().begin('{');
    json.key("kind").text(record::row(leak.kind).name);
    json.key("severity").text(severity_names[static_cast<std::size_t>(leak.severity)]);
    json.key("status").text(status_names[static_cast<std::size_t>(leak.status)]);
    json.key("name").text(leak.name);
    json.key("pid").number_or_null(static_cast<unsigned>(leak.pid));
    json.key("tid").number_or_null(static_cast<unsigned>(leak.tid));
    json.key("thread_name").text_or_null(leak.thread_name);
    json.key("created_at").time(leak.created_ns);
    json.key("fingerprint").null();
    json.key("stack").number_or_null(stack);
    json.key("error").text_or_null(leak.error);
    json.key("details");
    write_details(json, leak);
    json.end('}');
}

}  // namespace leftover::hand
