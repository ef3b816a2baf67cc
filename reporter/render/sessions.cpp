#include "reporter/render/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>

#include "reporter/model/json.h"
#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/paint.h"
#include "reporter/render/words.h"

namespace leftover::render {
namespace {

using run::SessionState;
using run::SessionView;

constexpr std::size_t columns = 10;
using Row = std::array<std::string, columns>;

constexpr std::array<const char*, columns> headings = {
    "ID", "STATE", "PID", "ELAPSED", "PROCS", "THREADS", "SEMS", "SHM", "MEMORY", "COMMAND"};

// Numbers stand at the right of their column.
constexpr std::array<bool, columns> is_number = {false, false, true, true, true,
                                                 true,  true,  true, true, false};

std::string state_of(const SessionView& session) {
    switch (session.state) {
        case SessionState::running:
            return "running";
        case SessionState::unsupervised:
            return "running alone";
        case SessionState::ended:
            break;
    }
    if (session.exit.signal) return "ended, " + signal_name(*session.exit.signal);
    if (session.exit.code) return fmt::format("ended, {}", *session.exit.code);
    return "ended, killed";
}

std::string labelled(const SessionView& session) {
    std::string text = command_words(session.command, 0);
    for (const auto& [key, value] : session.labels) {
        text += fmt::format(" [{}={}]", printable(key), printable(value));
    }
    return text;
}

Row row_of(const SessionView& session) {
    const auto count = [](std::uint64_t number) {
        return number == 0 ? std::string("-") : std::to_string(number);
    };
    return {printable(session.id),
            state_of(session),
            session.pid == 0 ? "-" : std::to_string(session.pid),
            seconds_words(session.elapsed_seconds),
            count(session.processes),
            count(session.threads),
            count(session.semaphores),
            count(session.shared_memory),
            session.resident_bytes == 0 ? "-" : size_words(session.resident_bytes),
            labelled(session)};
}

std::string line_of(const Row& row, const std::array<std::size_t, columns>& widths, int width) {
    std::string line;
    for (std::size_t i = 0; i < columns; ++i) {
        const std::size_t used = columns_of(row[i]);
        const std::string pad(widths[i] > used ? widths[i] - used : 0, ' ');
        if (i > 0) line += "  ";
        if (i + 1 == columns) {
            line += row[i];
        } else {
            line += is_number[i] ? pad + row[i] : row[i] + pad;
        }
    }
    return shorten(line, width > 0 ? static_cast<std::size_t>(width) : 0);
}

void write_exit(JsonStream& json, const Exit& exit) {
    json.key("exit");
    if (!exit.code && !exit.signal && !exit.running) {
        json.null();
        return;
    }
    json.begin('{');
    if (exit.code) json.key("code").value(*exit.code);
    if (exit.signal) json.key("signal").value(signal_name(*exit.signal));
    if (exit.running) json.key("running").value(true);
    json.end('}');
}

void write_session(JsonStream& json, const SessionView& session) {
    json.begin('{');
    json.key("id").value(session.id);
    json.key("state").value(session.state == SessionState::ended ? "ended" : "running");
    json.key("pid").value_or_null(session.pid);
    json.key("command").begin('[');
    for (const std::string& word : session.command) json.value(word);
    json.end(']');
    json.key("labels").begin('{');
    for (const auto& [key, value] : session.labels) json.key(key).value(value);
    json.end('}');
    json.key("started_at").value_or_null(session.started_at == 0 ? std::string()
                                                                : format_time(session.started_at));
    json.key("elapsed_seconds").value(session.elapsed_seconds);
    write_exit(json, session.exit);
    json.key("processes").value(session.processes);
    json.key("threads").value(session.threads);
    json.key("semaphores").value(session.semaphores);
    json.key("shared_memory").value(session.shared_memory);
    json.key("resident_bytes").value(session.resident_bytes);
    json.key("stdout").value_or_null(session.standard_output);
    json.key("stderr").value_or_null(session.standard_error);
    json.key("report").value_or_null(session.report);
    // Its leftover was killed, or it never had one: nobody but `stop` will end it.
    json.key("supervised").value(session.state == SessionState::running);
    json.end('}');
}

}  // namespace

void sessions_text(const std::vector<SessionView>& sessions, const Options& options,
                   std::ostream& out) {
    std::vector<Row> rows;
    rows.reserve(sessions.size());
    for (const SessionView& session : sessions) rows.push_back(row_of(session));
    std::array<std::size_t, columns> widths{};
    Row head;
    for (std::size_t i = 0; i < columns; ++i) {
        head[i] = headings[i];
        widths[i] = head[i].size();
        for (const Row& row : rows) widths[i] = std::max(widths[i], columns_of(row[i]));
    }
    const Paint paint(options.colour);
    out << paint.bold(line_of(head, widths, options.width)) << '\n';
    for (const Row& row : rows) out << line_of(row, widths, options.width) << '\n';
}

void sessions_json(const std::vector<SessionView>& sessions, std::ostream& out) {
    JsonStream json(out);
    json.begin('{').key("sessions").begin('[');
    for (const SessionView& session : sessions) write_session(json, session);
    json.end(']').end('}').finish();
}

}  // namespace leftover::render
