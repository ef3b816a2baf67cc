#include <functional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "reporter/model/from_json.h"
#include "reporter/model/json.h"
#include "reporter/model/json_fields.h"
#include "reporter/model/read_file.h"
#include "reporter/model/utf8.h"

namespace leftover {

namespace {

using nlohmann::json;

// Takes a report apart while it is parsed: each element of the long lists is converted and dropped
// as soon as it is complete, so that memory holds the model but never the whole document.
//
// Trouble with a field is kept until the end: when the document turns out to be of another schema,
// that is what there is to say.
class ReportReader final : public nlohmann::json_sax<json> {
public:
    Report report;
    std::string schema;         // as found; empty: none
    bool is_object = false;     // the document is
    std::string trouble;        // the first field that is not as the schema has it
    std::string syntax_error;   // not JSON: what
    std::size_t error_at = 0;   // and at which byte

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return false; }

    bool start_object(std::size_t) override {
        if (depth_ == 0) {
            depth_ = 1;
            is_object = true;
            return true;
        }
        return open(json::object());
    }
    bool start_array(std::size_t) override {
        if (depth_ == 0) return false;
        if (depth_ == 1 && lists.contains(top_key_)) {
            depth_ = 2;
            index_ = 0;
            return true;
        }
        return open(json::array());
    }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        if (open_.empty()) {
            top_key_ = std::move(name);
            if (!seen_.insert(top_key_).second) note(top_key_ + ": there twice");
        } else {
            slot_ = &(*open_.back())[std::move(name)];
        }
        return true;
    }

    // What a report has and this one has not, as the document's end shows; empty: nothing.
    std::string missing() const {
        if (!seen_.contains("session") && !seen_.contains("sessions")) return "session";
        for (const char* key : {"processes", "leaks", "stacks", "modules"}) {
            if (!seen_.contains(key)) return key;
        }
        return report.sessions.empty() && !report.leaks.empty() ? "session" : "";
    }

    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& error) override {
        error_at = position;
        // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ...; last
        // read: '...'"
        std::string_view what = error.what();
        if (const auto at = what.find(": "); at != what.npos) what.remove_prefix(at + 2);
        what = what.substr(0, what.find("; last read"));
        syntax_error = what;
        return false;
    }

private:
    inline static const std::set<std::string_view> lists{"sessions", "processes", "leaks", "stacks",
                                                         "modules"};

    // Puts a value where it belongs, and gives its place if that is inside a value being built.
    json* place(json&& value) {
        if (open_.empty()) {
            value_ = std::move(value);
            return &value_;
        }
        json& parent = *open_.back();
        if (parent.is_object()) {
            *slot_ = std::move(value);
            return slot_;
        }
        parent.push_back(std::move(value));
        return &parent.back();
    }

    bool add(json&& value) {
        if (depth_ == 0) return false;
        place(std::move(value));
        if (open_.empty()) deliver();
        return true;
    }

    bool open(json&& container) {
        open_.push_back(place(std::move(container)));
        return true;
    }

    bool close() {
        if (open_.empty()) {
            --depth_;  // of a list, or the document itself
            return true;
        }
        open_.pop_back();
        if (open_.empty()) deliver();
        return true;
    }

    // A value is complete: of a field of the document, or an element of a list.
    void deliver() {
        try {
            if (depth_ == 2) {
                element();
            } else {
                field();
            }
        } catch (const fields::Error& error) {
            note(depth_ == 2 ? fmt::format("{}[{}].{}", top_key_, index_, error.what())
                             : fmt::format("{}.{}", top_key_, error.what()));
        }
        ++index_;
        value_ = nullptr;
    }

    void note(std::string what) {
        if (trouble.empty()) trouble = std::move(what);
    }

    void element() {
        if (top_key_ == "leaks") {
            report.leaks.push_back(from_json::leak(value_));
        } else if (top_key_ == "stacks") {
            report.stacks.push_back(from_json::stack(value_));
        } else if (top_key_ == "processes") {
            report.processes.push_back(from_json::process(value_));
        } else if (top_key_ == "modules") {
            report.modules.push_back(from_json::module(value_));
        } else {
            report.sessions.push_back(from_json::session(value_));
        }
    }

    void field() {
        if (top_key_ == "schema") {
            if (value_.is_string()) schema = value_.get<std::string>();
        } else if (top_key_ == "session") {
            report.sessions.push_back(from_json::session(value_));
        } else if (top_key_ == "cleanup") {
            if (!value_.is_null()) report.cleanup = from_json::cleanup(value_);
        } else if (top_key_ == "hang") {
            if (!value_.is_null()) report.hang = from_json::hang(value_);
        } else if (lists.contains(top_key_)) {
            note(top_key_ + ": a list expected");
        }
    }

    int depth_ = 0;  // 0 before the document, 1 in it, 2 in one of the lists
    std::string top_key_;
    std::set<std::string, std::less<>> seen_;  // the document's own keys
    std::size_t index_ = 0;
    json value_;                // being built
    std::vector<json*> open_;   // containers within it that are not yet closed
    json* slot_ = nullptr;      // of the key just read
};

// A merged report does not say which session a process is of. Where only one session was on when
// the process started it must be that one.
void assign_sessions(Report& report) {
    if (report.sessions.size() == 1) {
        for (Leak& leak : report.leaks) leak.session = report.sessions.front().id;
        for (ProcessInfo& process : report.processes) process.session = report.sessions.front().id;
        if (!report.hang) return;
        for (HangProcess& process : report.hang->processes) process.session = report.sessions.front().id;
        return;
    }
    for (ProcessInfo& process : report.processes) {
        int matching = 0;
        for (const Session& session : report.sessions) {
            const Time end =
                session.started_at + static_cast<Time>(session.duration_seconds * 1e9);
            if (process.started_at < session.started_at || process.started_at > end) continue;
            ++matching;
            process.session = session.id;
        }
        if (matching != 1) process.session.clear();
    }
}

}  // namespace

Report read_json(std::string_view text, const std::string& source) {
    const auto fail = [&source](std::string_view what) {
        throw std::runtime_error(printable(fmt::format("{}: {}", source, what)));
    };
    if (text.find_first_not_of(" \t\r\n") == text.npos) fail("empty, no report");
    ReportReader reader;
    const bool parsed = json::sax_parse(text.begin(), text.end(), &reader);
    if (!reader.syntax_error.empty() && reader.error_at > text.size()) {
        fail(fmt::format("cut off at byte {}: the JSON is not complete", text.size()));
    }
    if (!reader.syntax_error.empty()) {
        fail(fmt::format("not JSON at byte {}: {}", reader.error_at, reader.syntax_error));
    }
    if (!parsed || !reader.is_object) fail("no report: the JSON is not an object");
    if (reader.schema != report_schema) {
        fail(reader.schema.empty()
                 ? fmt::format("no report: it has no \"schema\": \"{}\"", report_schema)
                 : fmt::format("schema is '{}', this version of leftover reads '{}'", reader.schema,
                               report_schema));
    }
    if (!reader.trouble.empty()) fail(reader.trouble);
    if (const std::string missing = reader.missing(); !missing.empty()) fail(missing + ": missing");
    assign_sessions(reader.report);
    return std::move(reader.report);
}

Report read_json_file(const std::string& path) {
    return read_json(read_file(path), path);
}

}  // namespace leftover
