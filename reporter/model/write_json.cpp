#include "reporter/model/json.h"
#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"

namespace leftover {

namespace {

void write_time(JsonStream& json, Time time) {
    // What would be written as the very beginning of time would read as unknown.
    if (time > -1000 && time < 1000) {
        json.null();
    } else {
        json.value(format_time(time));
    }
}

void write_strings(JsonStream& json, const std::vector<std::string>& strings) {
    json.begin('[');
    for (const std::string& string : strings) json.value(string);
    json.end(']');
}

void write_exit(JsonStream& json, const Exit& exit) {
    if (exit.code) {
        json.begin('{').key("code").value(*exit.code).end('}');
    } else if (exit.signal) {
        json.begin('{').key("signal").value(signal_name(*exit.signal)).end('}');
    } else if (exit.running) {
        json.begin('{').key("running").value(true).end('}');
    } else {
        json.null();
    }
}

void write_session(JsonStream& json, const Session& session) {
    json.begin('{');
    json.key("id").value(session.id);
    json.key("command");
    write_strings(json, session.command);
    json.key("cwd").value_or_null(session.cwd);
    json.key("host").begin('{');
    json.key("name").value_or_null(session.host.name);
    json.key("kernel").value_or_null(session.host.kernel);
    json.key("machine").value_or_null(session.host.machine);
    json.end('}');
    json.key("started_at");
    write_time(json, session.started_at);
    json.key("duration_seconds").value(session.duration_seconds);
    json.key("exit");
    write_exit(json, session.exit);
    json.key("timed_out").value(session.timed_out);
    json.key("mode").value(session.mode);
    json.key("complete").value(session.complete);
    json.key("labels").begin('{');
    for (const auto& [key, value] : session.labels) json.key(key).value(value);
    json.end('}');
    json.end('}');
}

void write_summary(JsonStream& json, const Summary& summary) {
    json.begin('{');
    json.key("leaks").value(summary.leaks);
    json.key("errors").value(summary.errors);
    json.key("warnings").value(summary.warnings);
    json.key("notes").value(summary.notes);
    json.key("cleaned").value(summary.cleaned);
    json.key("in_use").value(summary.in_use);
    json.key("failed").value(summary.failed);
    json.key("suppressed").value(summary.suppressed);
    json.key("baseline").value(summary.baseline);
    json.key("reclaimed_bytes").value(summary.reclaimed_bytes);
    json.key("by_kind").begin('{');
    for (const auto& [kind, count] : summary.by_kind) json.key(name_of(kind)).value(count);
    json.end('}');
    json.end('}');
}

void write_process(JsonStream& json, const ProcessInfo& process) {
    json.begin('{');
    json.key("pid").value(process.pid);
    json.key("ppid").value_or_null(process.ppid);
    json.key("started_at");
    write_time(json, process.started_at);
    json.key("ended_at");
    write_time(json, process.ended_at);
    json.key("executable").value_or_null(process.executable);
    json.key("command");
    write_strings(json, process.command);
    json.key("instrumented").value(process.instrumented);
    json.key("reason").value_or_null(process.reason);
    json.key("exit");
    write_exit(json, process.exit);
    json.key("counts").begin('{');
    for (const auto& [kind, counts] : process.counts) {
        json.key(name_of(kind)).begin('{');
        json.key("created").value(counts.created);
        json.key("released").value(counts.released);
        json.key("peak").value(counts.peak);
        json.end('}');
    }
    json.end('}');
    json.end('}');
}

void write_details(JsonStream& json, const Details& details) {
    const auto put = [&json](std::string_view name, const auto& field) {
        if (field) json.key(name).value(*field);
    };
    const auto put_strings = [&json](std::string_view name, const auto& field) {
        if (!field) return;
        json.key(name);
        write_strings(json, *field);
    };
    json.begin('{');
    put("path", details.path);
    put("inode", details.inode);
    put("bytes", details.bytes);
    put("id", details.more->id);
    put("key", details.more->key);
    put("fd", details.fd);
    put("pid", details.more->pid);
    put_strings("command", details.more->command);
    put("state", details.more->state);
    put("resident_bytes", details.more->resident_bytes);
    put_strings("holds", details.more->holds);
    put("start_routine", details.more->start_routine);
    put("attribution", details.more->attribution);
    json.end('}');
}

void write_leak(JsonStream& json, const Leak& leak, bool with_session) {
    json.begin('{');
    json.key("kind").value(name_of(leak.kind));
    json.key("severity").value(name_of(leak.severity));
    json.key("status").value(name_of(leak.status));
    json.key("name").value(leak.name);
    json.key("pid").value_or_null(leak.pid);
    json.key("tid").value_or_null(leak.tid);
    json.key("thread_name").value_or_null(leak.thread_name);
    json.key("created_at");
    write_time(json, leak.created_at);
    json.key("fingerprint").value_or_null(leak.fingerprint);
    json.key("stack");
    if (leak.stack) {
        json.value(*leak.stack);
    } else {
        json.null();
    }
    json.key("error").value_or_null(leak.error);
    json.key("details");
    write_details(json, leak.details);
    if (with_session) json.key("session").value(leak.session);
    json.end('}');
}

void write_frames(JsonStream& json, const std::vector<PythonFrame>& python,
                  const std::vector<NativeFrame>& native) {
    json.key("python").begin('[');
    for (const PythonFrame& frame : python) {
        json.begin('{');
        json.key("function").value(frame.function);
        json.key("file").value(frame.file);
        json.key("line").value_or_null(frame.line);
        json.end('}');
    }
    json.end(']');
    json.key("native").begin('[');
    for (const NativeFrame& frame : native) {
        json.begin('{');
        json.key("address").hex(frame.address);
        json.key("module");
        if (frame.module) {
            json.value(*frame.module);
        } else {
            json.null();
        }
        json.key("offset").hex(frame.offset);
        json.key("function").value_or_null(frame.function);
        json.key("file").value_or_null(frame.file);
        json.key("line").value_or_null(frame.line);
        json.key("inlined").value(frame.inlined);
        json.end('}');
    }
    json.end(']');
}

void write_stack(JsonStream& json, const Stack& stack) {
    json.begin('{');
    json.key("id").value(stack.id);
    write_frames(json, stack.python, stack.native);
    json.end('}');
}

void write_stack_id(JsonStream& json, const std::optional<int>& id) {
    if (id) {
        json.value(*id);
    } else {
        json.null();
    }
}

void write_hang_thread(JsonStream& json, const HangThread& thread) {
    json.begin('{');
    json.key("tid").value(thread.tid);
    json.key("name").value_or_null(thread.name);
    json.key("state").value_or_null(thread.state);
    json.key("waiting_on").value_or_null(thread.waiting_on);
    json.key("waits_for").begin('[');
    for (const WaitsFor& whom : thread.waits_for) {
        json.begin('{');
        json.key("pid").value(whom.pid);
        json.key("tid").value_or_null(whom.tid);
        json.end('}');
    }
    json.end(']');
    json.key("stack");
    write_stack_id(json, thread.stack);
    write_frames(json, thread.python, thread.native);
    json.end('}');
}

void write_hang(JsonStream& json, const Hang& hang, bool with_session) {
    json.begin('{');
    json.key("processes").begin('[');
    for (const HangProcess& process : hang.processes) {
        json.line().begin('{');
        json.key("pid").value(process.pid);
        json.key("command");
        write_strings(json, process.command);
        json.key("error").value_or_null(process.error);
        json.key("stack");
        write_stack_id(json, process.stack);
        json.key("threads").begin('[');
        for (const HangThread& thread : process.threads) {
            json.line();
            write_hang_thread(json, thread);
        }
        json.end(']');
        if (with_session) json.key("session").value(process.session);
        json.end('}');
    }
    json.end(']');
    json.end('}');
}

void write_module(JsonStream& json, const Module& module) {
    json.begin('{');
    json.key("id").value(module.id);
    json.key("path").value(module.path);
    json.key("build_id").value_or_null(module.build_id);
    json.key("base").hex(module.base);
    json.end('}');
}

void write_cleanup(JsonStream& json, const CleanupLog& cleanup) {
    json.begin('{');
    json.key("started_at");
    write_time(json, cleanup.started_at);
    json.key("duration_seconds").value(cleanup.duration_seconds);
    json.key("reclaimed_bytes").value(cleanup.reclaimed_bytes);
    json.key("actions").begin('[');
    for (const CleanupAction& action : cleanup.actions) {
        json.line().begin('{');
        json.key("kind").value(name_of(action.kind));
        json.key("name").value(action.name);
        json.key("pid").value_or_null(action.pid);
        json.key("action").value(action.action);
        json.key("result").value(action.result);
        json.key("error").value_or_null(action.error);
        json.end('}');
    }
    json.end(']');
    json.end('}');
}

// One element a line, for the eye, for grep and for diffs.
template <class Items, class Write>
void write_lines(JsonStream& json, std::string_view key, const Items& items, const Write& write) {
    json.line().key(key).begin('[');
    for (const auto& item : items) {
        json.line();
        write(json, item);
    }
    json.end(']');
}

}  // namespace

void write_json(const Report& report, std::ostream& out) {
    const bool merged = report.sessions.size() != 1;
    JsonStream json(out);
    json.begin('{');
    json.key("schema").value(report_schema);
    json.line().key("tool").begin('{');
    json.key("name").value("leftover").key("version").value(LEFTOVER_VERSION);
    json.end('}');
    if (merged) {
        write_lines(json, "sessions", report.sessions, write_session);
    } else {
        json.line().key("session");
        write_session(json, report.sessions.front());
    }
    json.line().key("summary");
    write_summary(json, summarize(report));
    write_lines(json, "processes", report.processes, write_process);
    write_lines(json, "leaks", report.leaks, [merged](JsonStream& to, const Leak& leak) {
        write_leak(to, leak, merged);
    });
    write_lines(json, "stacks", report.stacks, write_stack);
    write_lines(json, "modules", report.modules, write_module);
    json.line().key("cleanup");
    if (report.cleanup) {
        write_cleanup(json, *report.cleanup);
    } else {
        json.null();
    }
    json.line().key("hang");
    if (report.hang) {
        write_hang(json, *report.hang, merged);
    } else {
        json.null();
    }
    json.end('}').finish();
}

}  // namespace leftover
