#include "reporter/judge/session.h"

#include <algorithm>
#include <stdexcept>

#include "reporter/judge/census.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/text.h"
#include "reporter/model/from_json.h"
#include "reporter/model/json.h"
#include "reporter/model/json_fields.h"
#include "reporter/model/names.h"
#include "reporter/records/number.h"

namespace leftover::judge {

namespace {

bool is_this_boot(const std::string& boot, const kernel::Roots& roots) {
    const std::string now = kernel::boot_id(roots);
    return boot.empty() || now.empty() || boot == now;
}

// A record keeps the id's 32 hex digits, 16 a number.
bool is_this_boot(const std::array<std::uint64_t, 2>& boot, const kernel::Roots& roots) {
    std::string digits = kernel::boot_id(roots);
    std::erase(digits, '-');
    if ((boot[0] == 0 && boot[1] == 0) || digits.size() != 32) return true;
    const auto high = kernel::parse_number<std::uint64_t>(digits.substr(0, 16), 16);
    const auto low = kernel::parse_number<std::uint64_t>(digits.substr(16), 16);
    return high == boot[0] && low == boot[1];
}

Host this_host() {
    const kernel::System system = kernel::system();
    return {system.host, system.kernel, system.machine};
}

void get_exit(const nlohmann::json& object, Exit& exit) {
    const nlohmann::json* field = fields::get_object(object, "exit");
    if (field == nullptr) return;
    std::string signal;
    fields::get(*field, "code", exit.code);
    fields::get(*field, "signal", signal);
    fields::get(*field, "running", exit.running);
    if (!signal.empty()) exit.signal = signal_by_name(signal);
}

SessionFacts parse(const nlohmann::json& object, const kernel::Roots& roots) {
    using fields::get;
    fields::expect_object(object, "session");
    SessionFacts facts;
    Session& session = facts.session;
    session.host = this_host();
    std::string started, boot;
    get(object, "id", session.id);
    get(object, "command", session.command);
    get(object, "cwd", session.cwd);
    get(object, "started_at", started);
    get(object, "mode", session.mode);
    get(object, "boot_id", boot);
    get(object, "duration_seconds", session.duration_seconds);
    get(object, "timed_out", session.timed_out);
    get_exit(object, session.exit);
    session.started_at = parse_time(started);
    if (const auto* host = fields::get_object(object, "host")) {
        get(*host, "name", session.host.name);
        get(*host, "kernel", session.host.kernel);
        get(*host, "machine", session.host.machine);
    }
    if (const auto* labels = fields::get_object(object, "labels")) {
        for (const auto& [key, value] : labels->items()) {
            fields::convert(value, key, session.labels[key]);
        }
    }
    if (const auto* program = fields::get_object(object, "program")) {
        ProcessInfo& info = facts.program;
        get(*program, "pid", info.pid);
        get(*program, "start_ticks", info.start_ticks);
        get(*program, "executable", info.executable);
        get(*program, "instrumented", info.instrumented);
        get(*program, "reason", info.reason);
        info.command = session.command;
        info.started_at = session.started_at;
        info.exit = session.exit;
    }
    if (const auto* launcher = fields::get_object(object, "launcher")) {
        get(*launcher, "pid", facts.program.ppid);
    }
    facts.program_ended = session.exit.code || session.exit.signal;
    facts.same_boot = is_this_boot(boot, roots);
    return facts;
}

Time latest_event(const SessionFacts& facts, const std::vector<Source>& sources) {
    Time latest = facts.session.started_at;
    for (const Source& source : sources) {
        if (source.session != &facts) continue;
        latest = std::max({latest, source.record.header.opened_at, source.record.header.ended_at});
        for (const records::Slot& slot : source.record.slots) {
            latest = std::max(latest, slot.created_at);
            if (slot.kind == Kind::process) latest = std::max(latest, records::to_time(slot.d));
        }
    }
    return latest;
}

}  // namespace

std::optional<SessionFacts> read_session(const std::filesystem::path& folder,
                                         const kernel::Roots& roots) {
    const auto file = folder / "session.json";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return std::nullopt;
    const std::string text = kernel::read_text(file);
    if (text.empty()) throw std::runtime_error(file.string() + ": cannot be read");
    return parse_session(text, file.string(), roots);
}

SessionFacts parse_session(const std::string& text, const std::string& name,
                           const kernel::Roots& roots) {
    try {
        return parse(nlohmann::json::parse(text), roots);
    } catch (const nlohmann::json::exception&) {
        throw std::runtime_error(name + ": not JSON");
    } catch (const fields::Error& error) {
        throw std::runtime_error(name + ": " + error.what());
    }
}

SessionFacts session_from(const std::vector<const records::RecordFile*>& records,
                          const kernel::Roots& roots) {
    // The root's first image has the command that the user typed.
    const auto best = std::min_element(
        records.begin(), records.end(), [](const auto* one, const auto* other) {
            const bool one_is_root = (one->header.flags & record::root) != 0;
            const bool other_is_root = (other->header.flags & record::root) != 0;
            if (one_is_root != other_is_root) return one_is_root;
            return one->header.opened_at < other->header.opened_at;
        });
    const records::Header& header = (*best)->header;
    SessionFacts facts;
    facts.session.id = header.session;
    facts.session.command = header.command;
    facts.session.cwd = header.cwd;
    facts.session.host = this_host();
    facts.session.started_at = header.started_at;
    facts.same_boot = is_this_boot(header.boot_id, roots);
    return facts;
}

void complete_session(SessionFacts& facts, const std::vector<Source>& sources,
                      const Census& census) {
    Session& session = facts.session;
    const Member* program = nullptr;
    const Member* oldest = nullptr;
    for (const Member& member : census.members()) {
        if (member.session != &facts) continue;
        if (member.is_program && program == nullptr) program = &member;
        if (oldest == nullptr || member.info.started_at < oldest->info.started_at) oldest = &member;
    }
    if (program == nullptr) program = oldest;
    const bool has_exit = session.exit.code || session.exit.signal || session.exit.running;
    if (!has_exit && program != nullptr) session.exit = program->info.exit;
    if (session.duration_seconds > 0 || session.started_at == 0) return;

    Time end = latest_event(facts, sources);
    if (session.exit.running) {
        end = kernel::now();
    } else if (program != nullptr && program->info.ended_at != 0) {
        end = program->info.ended_at;
    }
    // A damaged record may tell of any times.
    const double seconds = static_cast<double>(end - session.started_at) / 1e9;
    if (seconds > 0 && seconds <= from_json::longest_session) session.duration_seconds = seconds;
}

}  // namespace leftover::judge
