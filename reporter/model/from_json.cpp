#include "reporter/model/from_json.h"

#include "reporter/model/json.h"
#include "reporter/model/json_fields.h"
#include "reporter/model/names.h"

namespace leftover::from_json {

using fields::expect_fields;
using fields::expect_object;
using fields::get;
using fields::get_hex;
using fields::get_list;
using fields::get_object;
using nlohmann::json;

namespace {

void get_time(const json& object, const char* key, Time& to) {
    std::string text;
    get(object, key, text);
    if (text.empty()) return;
    to = parse_time(text);
    if (to == 0) fields::fail(key, "a time like \"2026-01-02T03:04:05.678901Z\"");
}

void get_exit(const json& object, Exit& to) {
    const json* exit = get_object(object, "exit");
    if (exit == nullptr) return;
    get(*exit, "code", to.code);
    get(*exit, "running", to.running);
    std::string signal;
    get(*exit, "signal", signal);
    if (signal.empty()) return;
    to.signal = signal_by_name(signal);
    if (!to.signal) fields::fail("exit.signal", "the name of a signal");
}

// A word of a fixed list, which `by_name` knows.
template <class Value>
void get_word(const json& object, const char* key, std::optional<Value> (*by_name)(std::string_view),
              Value& to) {
    std::string word;
    get(object, key, word);
    if (word.empty()) return;
    const std::optional<Value> value = by_name(word);
    if (!value) throw fields::Error(std::string(key) + ": unknown word '" + word + "'");
    to = *value;
}

Details details(const json& object) {
    Details details;
    const auto get_more = [&](const char* key, auto field) {
        const auto found = object.find(key);
        if (found != object.end() && !found->is_null()) fields::convert(*found, key, details.more.edit().*field);
    };
    get(object, "path", details.path);
    get(object, "inode", details.inode);
    get(object, "bytes", details.bytes);
    get_more("id", &MoreDetails::id);
    get_more("key", &MoreDetails::key);
    get(object, "fd", details.fd);
    get_more("pid", &MoreDetails::pid);
    get_more("command", &MoreDetails::command);
    get_more("state", &MoreDetails::state);
    get_more("resident_bytes", &MoreDetails::resident_bytes);
    get_more("holds", &MoreDetails::holds);
    get_more("start_routine", &MoreDetails::start_routine);
    get_more("attribution", &MoreDetails::attribution);
    return details;
}

NativeFrame native_frame(const json& value) {
    expect_object(value, "native frame");
    NativeFrame frame;
    get_hex(value, "address", frame.address);
    get(value, "module", frame.module);
    get_hex(value, "offset", frame.offset);
    get(value, "function", frame.function);
    get(value, "file", frame.file);
    get(value, "line", frame.line);
    get(value, "inlined", frame.inlined);
    return frame;
}

PythonFrame python_frame(const json& value) {
    expect_object(value, "python frame");
    PythonFrame frame;
    get(value, "function", frame.function);
    get(value, "file", frame.file);
    get(value, "line", frame.line);
    return frame;
}

void frames(const json& object, std::vector<PythonFrame>& python, std::vector<NativeFrame>& native) {
    if (const json* list = get_list(object, "python")) {
        for (const json& frame : *list) python.push_back(python_frame(frame));
    }
    if (const json* list = get_list(object, "native")) {
        for (const json& frame : *list) native.push_back(native_frame(frame));
    }
}

HangThread hang_thread(const json& value) {
    expect_object(value, "thread");
    HangThread thread;
    get(value, "tid", thread.tid);
    get(value, "name", thread.name);
    get(value, "state", thread.state);
    get(value, "waiting_on", thread.waiting_on);
    if (const json* list = get_list(value, "waits_for")) {
        for (const json& element : *list) {
            expect_object(element, "waits_for");
            WaitsFor& whom = thread.waits_for.emplace_back();
            get(element, "pid", whom.pid);
            get(element, "tid", whom.tid);
        }
    }
    get(value, "stack", thread.stack);
    frames(value, thread.python, thread.native);
    return thread;
}

}  // namespace

Session session(const json& value) {
    expect_object(value, "session");
    expect_fields(value, {"id", "started_at", "exit", "complete"});
    Session session;
    get(value, "id", session.id);
    get(value, "command", session.command);
    get(value, "cwd", session.cwd);
    if (const json* host = get_object(value, "host")) {
        get(*host, "name", session.host.name);
        get(*host, "kernel", session.host.kernel);
        get(*host, "machine", session.host.machine);
    }
    get_time(value, "started_at", session.started_at);
    get(value, "duration_seconds", session.duration_seconds);
    if (!(session.duration_seconds >= 0 && session.duration_seconds <= longest_session)) {
        fields::fail("duration_seconds", "a number from 0 to 1e9");
    }
    get_exit(value, session.exit);
    get(value, "timed_out", session.timed_out);
    get(value, "mode", session.mode);
    get(value, "complete", session.complete);
    if (const json* labels = get_object(value, "labels")) {
        for (const auto& [key, label] : labels->items()) {
            fields::convert(label, "labels", session.labels[key]);
        }
    }
    return session;
}

ProcessInfo process(const json& value) {
    expect_object(value, "process");
    expect_fields(value, {"pid", "instrumented"});
    ProcessInfo process;
    get(value, "pid", process.pid);
    get(value, "ppid", process.ppid);
    get_time(value, "started_at", process.started_at);
    get_time(value, "ended_at", process.ended_at);
    get(value, "executable", process.executable);
    get(value, "command", process.command);
    get(value, "instrumented", process.instrumented);
    get(value, "reason", process.reason);
    get_exit(value, process.exit);
    if (const json* counts = get_object(value, "counts")) {
        for (const auto& [name, numbers] : counts->items()) {
            const auto kind = kind_by_name(name);
            if (!kind) continue;  // of a later version
            expect_object(numbers, "counts." + name);
            Counts& to = process.counts[*kind];
            get(numbers, "created", to.created);
            get(numbers, "released", to.released);
            get(numbers, "peak", to.peak);
        }
    }
    return process;
}

Stack stack(const json& value) {
    expect_object(value, "stack");
    expect_fields(value, {"id", "python", "native"});
    Stack stack;
    get(value, "id", stack.id);
    frames(value, stack.python, stack.native);
    return stack;
}

Module module(const json& value) {
    expect_object(value, "module");
    expect_fields(value, {"id", "path"});
    Module module;
    get(value, "id", module.id);
    get(value, "path", module.path);
    get(value, "build_id", module.build_id);
    get_hex(value, "base", module.base);
    return module;
}

CleanupLog cleanup(const json& value) {
    expect_object(value, "cleanup");
    CleanupLog cleanup;
    get_time(value, "started_at", cleanup.started_at);
    get(value, "duration_seconds", cleanup.duration_seconds);
    get(value, "reclaimed_bytes", cleanup.reclaimed_bytes);
    if (const json* actions = get_list(value, "actions")) {
        for (const json& element : *actions) {
            expect_object(element, "action");
            CleanupAction& action = cleanup.actions.emplace_back();
            get_word(element, "kind", kind_by_name, action.kind);
            get(element, "name", action.name);
            get(element, "pid", action.pid);
            get(element, "action", action.action);
            get(element, "result", action.result);
            get(element, "error", action.error);
        }
    }
    return cleanup;
}

Hang hang(const json& value) {
    expect_object(value, "hang");
    Hang hang;
    const json* processes = get_list(value, "processes");
    if (processes == nullptr) return hang;
    for (const json& element : *processes) {
        expect_object(element, "process");
        HangProcess& process = hang.processes.emplace_back();
        get(element, "pid", process.pid);
        get(element, "command", process.command);
        get(element, "error", process.error);
        get(element, "stack", process.stack);
        if (const json* threads = get_list(element, "threads")) {
            for (const json& thread : *threads) process.threads.push_back(hang_thread(thread));
        }
        get(element, "session", process.session);
    }
    return hang;
}

Leak leak(const json& value) {
    expect_object(value, "leak");
    expect_fields(value, {"kind", "severity", "status", "name", "pid"});
    Leak leak;
    get_word(value, "kind", kind_by_name, leak.kind);
    leak.severity = record::row(leak.kind).severity;
    get_word(value, "severity", severity_by_name, leak.severity);
    get_word(value, "status", status_by_name, leak.status);
    get(value, "name", leak.name);
    get(value, "pid", leak.pid);
    get(value, "tid", leak.tid);
    get(value, "thread_name", leak.thread_name);
    get_time(value, "created_at", leak.created_at);
    get(value, "fingerprint", leak.fingerprint);
    get(value, "stack", leak.stack);
    get(value, "error", leak.error);
    if (const json* object = get_object(value, "details")) leak.details = details(*object);
    get(value, "session", leak.session);
    return leak;
}

}  // namespace leftover::from_json
