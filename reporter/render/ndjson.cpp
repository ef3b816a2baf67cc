// One leak a line, flat: made for loading into a database. Columns are only ever added, at the end.
#include <map>
#include <ostream>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/findings/fingerprint.h"
#include "reporter/model/json.h"
#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/render/format.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

std::string labels_of(const Session& session) {
    std::string text;
    for (const auto& [key, value] : session.labels) {
        if (!text.empty()) text += '\n';
        text += key + '=' + value;
    }
    return text;
}

class Ndjson {
public:
    Ndjson(const Report& report, std::ostream& out) : report_(report), json_(out), reader_(report) {
        for (const Session& session : report.sessions) {
            sessions_.emplace(session.id, Known{&session, command_words(session.command, 0), labels_of(session)});
        }
        for (const Stack& stack : report.stacks) {
            std::string text;
            for (const findings::Frame& frame : reader_.frames(stack)) {
                if (!text.empty()) text += '\n';
                text += words_of(frame);
            }
            stacks_.emplace(stack.id, Place{&stack, findings::location_of(reader_, stack), std::move(text)});
        }
    }

    void write() {
        bool any = false;
        for (const Leak& leak : report_.leaks) {
            if (any) json_.next_document();
            any = true;
            write(leak);
        }
        any ? json_.finish() : json_.flush();
    }

private:
    struct Known {
        const Session* session;
        std::string command, labels;
    };
    struct Place {
        const Stack* stack;
        findings::Location location;
        std::string text;
    };

    const Known* session_of(const Leak& leak) const {
        const auto at = sessions_.find(leak.session);
        if (at != sessions_.end()) return &at->second;
        return report_.sessions.size() == 1 ? &sessions_.begin()->second : nullptr;
    }

    template <class Value>
    void number(std::string_view key, const std::optional<Value>& value) {
        json_.key(key);
        if (value) {
            json_.value(*value);
        } else {
            json_.null();
        }
    }

    void time(std::string_view key, Time when) {
        json_.key(key);
        if (when == 0) {
            json_.null();
        } else {
            json_.value(format_time(when));
        }
    }

    void write(const Leak& leak) {
        static const findings::Location nowhere;
        const Known* known = session_of(leak);
        const auto at = leak.stack ? stacks_.find(*leak.stack) : stacks_.end();
        const Place* place = at == stacks_.end() ? nullptr : &at->second;
        const findings::Location& location = place != nullptr ? place->location : nowhere;
        const Details& details = leak.details;

        json_.begin('{');
        json_.key("session").value_or_null(known != nullptr ? known->session->id : leak.session.str());
        json_.key("fingerprint").value_or_null(leak.fingerprint);
        json_.key("kind").value(name_of(leak.kind));
        json_.key("severity").value(name_of(leak.severity));
        json_.key("status").value(name_of(leak.status));
        json_.key("name").value(leak.name);
        json_.key("name_pattern").value(findings::pattern_of(leak, place ? place->stack : nullptr));
        json_.key("pid").value_or_null(leak.pid);
        json_.key("tid").value_or_null(leak.tid);
        json_.key("thread_name").value_or_null(leak.thread_name);
        time("created_at", leak.created_at);
        const std::string words = findings::words_of(location);
        json_.key("location").value_or_null(words == "-" ? std::string_view() : words);
        json_.key("function").value_or_null(location.function);
        json_.key("file").value_or_null(location.file);
        json_.key("line").value_or_null(location.line);
        json_.key("stack").value_or_null(place != nullptr ? place->text : std::string_view());
        json_.key("error").value_or_null(leak.error);
        json_.key("path").value_or_null(details.path.value_or(""));
        number("bytes", details.bytes);
        number("resident_bytes", details.more->resident_bytes);
        number("process_pid", details.more->pid);
        json_.key("process_command")
            .value_or_null(details.more->command ? command_words(*details.more->command, 0) : std::string());
        json_.key("process_state").value_or_null(details.more->state.value_or(""));
        json_.key("session_command").value_or_null(known != nullptr ? known->command : std::string_view());
        time("session_started_at", known != nullptr ? known->session->started_at : 0);
        json_.key("host").value_or_null(known != nullptr ? known->session->host.name : std::string_view());
        json_.key("labels").value_or_null(known != nullptr ? known->labels : std::string_view());
        json_.end('}');
    }

    const Report& report_;
    JsonStream json_;
    findings::FrameReader reader_;
    std::map<std::string_view, Known> sessions_;
    std::unordered_map<int, Place> stacks_;
};

}  // namespace

void ndjson(const Report& report, const Options&, std::ostream& out) {
    Ndjson(report, out).write();
}

}  // namespace leftover::render
