#include "reporter/render/page_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <streambuf>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "reporter/findings/findings.h"
#include "reporter/findings/fingerprint.h"
#include "reporter/model/json.h"
#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/render/hang_words.h"
#include "reporter/render/source.h"
#include "reporter/render/words.h"

namespace leftover::render {
namespace {

using findings::Finding;
using findings::Frame;

// Nobody reads on; the counts are exact, and the JSON report has them all.
constexpr std::size_t most_leaks = 40;
constexpr std::size_t most_sessions = 40;
constexpr std::size_t most_hangs = 20;
constexpr std::size_t most_threads = 100;  // of a hang, at different places
constexpr int lines_around = 2;

// In JSON `<` stands in strings only; escaped, nothing can end the script element or begin a comment.
class WithoutTags : public std::streambuf {
public:
    explicit WithoutTags(std::ostream& out) : out_(out) {}

private:
    std::streamsize xsputn(const char* text, std::streamsize size) override {
        std::string_view rest(text, static_cast<std::size_t>(size));
        for (auto at = rest.find('<'); at != rest.npos; at = rest.find('<')) {
            out_ << rest.substr(0, at) << "\\u003c";
            rest.remove_prefix(at + 1);
        }
        out_ << rest;
        return out_ ? size : 0;
    }
    int_type overflow(int_type c) override {
        const char one = traits_type::to_char_type(c);
        return xsputn(&one, 1) == 1 ? c : traits_type::eof();
    }

    std::ostream& out_;
};

void put_strings(JsonStream& json, const std::vector<std::string>& texts) {
    json.begin('[');
    for (const std::string& text : texts) json.value(text);
    json.end(']');
}

void put_time(JsonStream& json, Time time) {  // milliseconds, as the browser counts
    if (time == 0) {
        json.null();
    } else {
        json.value(static_cast<double>(time) / 1e6);
    }
}

std::string exit_of(const Exit& exit) {
    if (exit.running) return "still running";
    if (exit.signal) return "killed by " + signal_name(*exit.signal);
    if (exit.code) return fmt::format("exit {}", *exit.code);
    return "";
}

class PageData {
public:
    PageData(const Report& report, JsonStream& json)
        : report_(report), json_(json), reader_(report), hangs_(hang_words(report)) {
        for (std::size_t i = 0; i < report.sessions.size(); ++i) {
            sessions_.emplace(report.sessions[i].id, i);
        }
        for (const Stack& stack : report.stacks) stacks_.emplace(stack.id, &stack);
    }

    void write() {
        json_.begin('{');
        json_.key("version").value(LEFTOVER_VERSION);
        write_sessions();
        write_summary();
        write_processes();
        write_findings();
        write_hangs();
        write_stacks();
        write_frames();
        write_cleanup();
        json_.end('}').finish();
    }

private:
    // Of a process or leak; the only one there is where it says none.
    std::size_t session_index(std::string_view id) const {
        const auto at = sessions_.find(id);
        return at == sessions_.end() ? 0 : at->second;
    }

    void write_sessions() {
        json_.line().key("sessions").begin('[');
        for (const Session& session : report_.sessions) {
            json_.line().begin('{');
            json_.key("id").value(session.id);
            json_.key("command").value(command_words(session.command, 0));
            json_.key("cwd").value(session.cwd);
            json_.key("host").value(session.host.name);
            json_.key("started");
            put_time(json_, session.started_at);
            json_.key("seconds").value(session.duration_seconds);
            json_.key("exit").value(exit_of(session.exit));
            json_.key("timed_out").value(session.timed_out);
            json_.key("complete").value(session.complete);
            json_.key("labels").begin('{');
            for (const auto& [key, value] : session.labels) json_.key(key).value(value);
            json_.end('}').end('}');
        }
        json_.end(']');
    }

    void write_summary() {
        const Summary summary = summarize(report_);
        json_.line().key("summary").begin('{');
        const std::pair<std::string_view, std::uint64_t> numbers[] = {
            {"errors", summary.errors},         {"warnings", summary.warnings},
            {"notes", summary.notes},           {"cleaned", summary.cleaned},
            {"in_use", summary.in_use},         {"failed", summary.failed},
            {"suppressed", summary.suppressed}, {"baseline", summary.baseline},
            {"reclaimed_bytes", summary.reclaimed_bytes}};
        for (const auto& [name, number] : numbers) json_.key(name).value(number);
        json_.end('}');
    }

    void write_processes() {
        std::map<std::pair<std::size_t, int>, std::uint64_t> left;
        for (const Leak& leak : report_.leaks) {
            if (leak.severity != Severity::note) ++left[{session_index(leak.session), leak.pid}];
        }
        json_.line().key("processes").begin('[');
        for (const ProcessInfo& process : report_.processes) {
            const std::size_t session = session_index(process.session);
            json_.line().begin('{');
            json_.key("session").value(session);
            json_.key("pid").value(process.pid);
            json_.key("ppid").value(process.ppid);
            json_.key("start");
            put_time(json_, process.started_at);
            json_.key("end");
            put_time(json_, process.ended_at);
            json_.key("exit").value(exit_of(process.exit));
            json_.key("command").value(process.command.empty()
                                           ? process.executable
                                           : command_words(process.command, 0));
            json_.key("instrumented").value(process.instrumented);
            if (!process.reason.empty()) json_.key("reason").value(process.reason);
            const auto at = left.find({session, process.pid});
            json_.key("left").value(at == left.end() ? 0 : at->second);
            json_.end('}');
        }
        json_.end(']');
    }

    void write_findings() {
        json_.line().key("findings").begin('[');
        for (const Finding& finding : findings::find(report_, {true, true})) {
            json_.line();
            write_finding(finding);
        }
        json_.end(']');
    }

    void write_finding(const Finding& finding) {
        std::set<std::size_t> sessions;
        std::set<std::pair<std::size_t, int>> creators;
        std::map<Status, std::uint64_t> statuses;
        std::uint64_t bytes = 0;
        Time first = 0;
        Time last = 0;
        for (const Leak* leak : finding.leaks) {
            const std::size_t session = session_index(leak->session);
            sessions.insert(session);
            creators.emplace(session, leak->pid);
            ++statuses[leak->status];
            bytes += leak->details.bytes.value_or(0) + leak->details.more->resident_bytes.value_or(0);
            if (leak->created_at == 0) continue;
            first = first == 0 ? leak->created_at : std::min(first, leak->created_at);
            last = std::max(last, leak->created_at);
        }
        json_.begin('{');
        json_.key("fingerprint").value(finding.fingerprint);
        json_.key("kind").value(name_of(finding.kind));
        json_.key("severity").value(name_of(finding.severity));
        json_.key("statuses").begin('{');
        for (const auto& [status, count] : statuses) json_.key(name_of(status)).value(count);
        json_.end('}');
        json_.key("count").value(finding.leaks.size());
        json_.key("title").value(finding.leaks.size() == 1 ? finding.leaks.front()->name
                                                           : finding.pattern);
        json_.key("where").value(findings::words_of(finding.location));
        json_.key("bytes").value(bytes);
        json_.key("first");
        put_time(json_, first);
        json_.key("last");
        put_time(json_, last);
        json_.key("stack");
        if (finding.stack != nullptr) {
            json_.value(finding.stack->id);
            used_stacks_.emplace(finding.stack->id, &session_of(*finding.leaks.front()));
        } else {
            json_.null();
        }
        json_.key("session_count").value(sessions.size());
        json_.key("sessions").begin('[');
        std::size_t shown = 0;
        for (const std::size_t session : sessions) {
            if (shown++ == most_sessions) break;
            json_.value(session);
        }
        json_.end(']');
        json_.key("creators").begin('[');
        shown = 0;
        for (const auto& [session, pid] : creators) {
            if (shown++ == most_leaks) break;
            json_.begin('[').value(session).value(pid).end(']');
        }
        json_.end(']');
        json_.key("leaks").begin('[');
        for (std::size_t i = 0; i < std::min(finding.leaks.size(), most_leaks); ++i) {
            write_leak(*finding.leaks[i]);
        }
        json_.end(']').end('}');
    }

    void write_leak(const Leak& leak) {
        const Details& details = leak.details;
        json_.begin('{');
        json_.key("name").value(leak.name);
        json_.key("pid").value(leak.pid);
        json_.key("session").value(session_index(leak.session));
        json_.key("status").value(name_of(leak.status));
        json_.key("created");
        put_time(json_, leak.created_at);
        if (!leak.thread_name.empty()) json_.key("thread").value(leak.thread_name);
        if (!leak.error.empty()) json_.key("error").value(leak.error);
        if (details.path) json_.key("path").value(*details.path);
        if (details.bytes) json_.key("bytes").value(*details.bytes);
        if (details.more->resident_bytes) json_.key("bytes").value(*details.more->resident_bytes);
        if (details.fd) json_.key("fd").value(*details.fd);
        if (details.more->pid) json_.key("process").value(*details.more->pid);
        if (details.more->state) json_.key("state").value(*details.more->state);
        if (details.more->start_routine) json_.key("start_routine").value(*details.more->start_routine);
        if (details.more->attribution) json_.key("attribution").value(*details.more->attribution);
        if (details.more->command) json_.key("command").value(command_words(*details.more->command, 0));
        if (details.more->holds) {
            json_.key("holds");
            put_strings(json_, *details.more->holds);
        }
        json_.end('}');
    }

    const Session& session_of(const Leak& leak) const {
        static const Session unknown;
        const std::size_t index = session_index(leak.session);
        return index < report_.sessions.size() ? report_.sessions[index] : unknown;
    }

    void write_hangs() {
        std::vector<HangFinding> shown = hang_findings(hangs_);
        for (const HangWords& hang : hangs_) {
            const bool goes_on = hang.session == nullptr || !hang.session->timed_out;
            if (goes_on && hang.threads > 0) shown.push_back({&hang, 1});
        }
        if (shown.empty()) return;
        shown.resize(std::min(shown.size(), most_hangs));
        json_.line().key("hangs").begin('[');
        for (const HangFinding& hang : shown) {
            json_.line();
            write_hang(*hang.first, hang.sessions);
        }
        json_.end(']');
    }

    void write_hang(const HangWords& hang, std::size_t sessions) {
        static const Session unknown;
        const Session& session = hang.session != nullptr ? *hang.session : unknown;
        json_.begin('{');
        json_.key("headline").value(headline(hang, 400));
        json_.key("timed_out").value(session.timed_out);
        json_.key("sessions").value(sessions);
        json_.key("chains");
        put_strings(json_, hang.chains);
        json_.key("groups").begin('[');
        for (std::size_t i = 0; i < hang.groups.size() && i < most_threads; ++i) {
            const HangGroup& group = hang.groups[i];
            json_.line().begin('{');
            json_.key("title").value(group.title);
            if (group.is_process) {
                json_.key("command").value(command_words(group.threads.front().process->command, 0));
            }
            json_.key("reasons");
            put_strings(json_, group.reasons);
            if (!group.start.empty()) json_.key("start").value(group.start);
            if (!group.error.empty()) json_.key("error").value(group.error);
            json_.key("frames").begin('[');
            for (const Frame& frame : reader_.frames(group.stack)) json_.value(number_of(frame, session));
            json_.end(']').end('}');
        }
        json_.end(']');
        json_.key("more").value(hang.groups.size() - std::min(hang.groups.size(), most_threads));
        json_.end('}');
    }

    void write_stacks() {
        json_.line().key("stacks").begin('{');
        for (const auto& [id, session] : used_stacks_) {
            json_.line().key(std::to_string(id)).begin('[');
            for (const Frame& frame : reader_.frames(*stacks_.at(id))) {
                json_.value(number_of(frame, *session));
            }
            json_.end(']');
        }
        json_.end('}');
    }

    using FrameKey = std::tuple<std::string_view, std::string_view, int, std::string_view,
                                std::uint64_t, bool, const Session*>;

    std::size_t number_of(const Frame& frame, const Session& session) {
        const bool is_known = !frame.function.empty();
        const FrameKey key{frame.function, frame.file, frame.line, is_known ? "" : frame.module,
                           is_known ? 0 : frame.offset, frame.inlined, &session};
        const auto [at, is_new] = frame_numbers_.try_emplace(key, frames_.size());
        if (is_new) frames_.emplace_back(frame, &session);
        return at->second;
    }

    void write_frames() {
        json_.line().key("frames").begin('[');
        for (const auto& [frame, session] : frames_) {
            json_.line().begin('{');
            json_.key("text").value(findings::words_of(frame));
            json_.key("name").value(findings::identity_of(frame));
            if (!frame.file.empty()) json_.key("file").value(frame.file);
            if (frame.line != 0) json_.key("line").value(frame.line);
            if (!frame.module.empty()) json_.key("module").value(frame.module);
            json_.key("user").value(frame.owner == Owner::user);
            if (frame.python) json_.key("python").value(true);
            if (frame.inlined) json_.key("inlined").value(true);
            if (frame.owner == Owner::user && frame.line != 0) write_source(frame, *session);
            json_.end('}');
        }
        json_.end(']');
    }

    // The line and its neighbours, as they were when the session began.
    void write_source(const Frame& frame, const Session& session) {
        const std::string file(frame.file);
        if (!sources_.line(file, session.cwd, frame.line, session.started_at)) return;
        json_.key("source").begin('[');
        for (int line = std::max(frame.line - lines_around, 1); line <= frame.line + lines_around;
             ++line) {
            const auto text = sources_.line(file, session.cwd, line, session.started_at);
            if (text) json_.begin('[').value(line).value(*text).end(']');
        }
        json_.end(']');
    }

    void write_cleanup() {
        if (!report_.cleanup) return;
        json_.line().key("cleanup").begin('{');
        json_.key("seconds").value(report_.cleanup->duration_seconds);
        json_.key("reclaimed_bytes").value(report_.cleanup->reclaimed_bytes);
        std::map<std::string, std::uint64_t> results;
        for (const CleanupAction& action : report_.cleanup->actions) ++results[action.result];
        json_.key("results").begin('{');
        for (const auto& [result, count] : results) json_.key(result).value(count);
        json_.end('}').end('}');
    }

    const Report& report_;
    JsonStream& json_;
    findings::FrameReader reader_;
    std::vector<HangWords> hangs_;
    Sources sources_;
    std::unordered_map<std::string_view, std::size_t> sessions_;
    std::unordered_map<int, const Stack*> stacks_;
    std::map<int, const Session*> used_stacks_;
    std::map<FrameKey, std::size_t> frame_numbers_;
    std::vector<std::pair<Frame, const Session*>> frames_;  // some point into hangs_
};

}  // namespace

void write_page_data(const Report& report, std::ostream& out) {
    WithoutTags filter(out);
    std::ostream filtered(&filter);
    JsonStream json(filtered);
    PageData(report, json).write();
}

}  // namespace leftover::render
