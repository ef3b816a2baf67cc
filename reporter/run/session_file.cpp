#include "reporter/run/session_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "reporter/model/json.h"
#include "reporter/model/names.h"
#include "reporter/model/read_file.h"
#include "reporter/run/descriptor.h"
#include "reporter/run/no_room.h"

namespace leftover::run {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_bytes = 16U << 20U;  // a command line is at most a few MB

Json to_json(const Exit& exit) {
    if (exit.code) return {{"code", *exit.code}};
    if (exit.signal) return {{"signal", signal_name(*exit.signal)}};
    if (exit.running) return {{"running", true}};
    return nullptr;
}

Exit exit_from(const Json& json) {
    Exit exit;
    if (json.contains("code")) exit.code = json.at("code").get<int>();
    if (json.contains("signal")) exit.signal = signal_by_name(json.at("signal").get<std::string>());
    exit.running = json.value("running", false);
    return exit;
}

Json to_json(const SessionFile& file) {
    const Session& session = file.session;
    Json json;
    json["id"] = session.id;
    json["command"] = session.command;
    json["cwd"] = session.cwd;
    json["host"] = {{"name", session.host.name},
                    {"kernel", session.host.kernel},
                    {"machine", session.host.machine}};
    json["started_at"] = format_time(session.started_at);
    json["labels"] = session.labels;
    json["mode"] = session.mode;
    json["launcher"] = {{"pid", file.launcher.pid}, {"start_ticks", file.launcher.start_ticks}};
    json["program"] = {{"pid", file.program.pid},
                       {"start_ticks", file.program.start_ticks},
                       {"executable", file.executable},
                       {"instrumented", file.instrumented},
                       {"reason", file.instrumented ? Json(nullptr) : Json(file.reason)}};
    json["boot_id"] = file.boot_id;
    json["pid_namespace"] = file.pid_namespace;
    json["kept"] = file.kept;
    json["stdout"] = file.standard_output;
    json["stderr"] = file.standard_error;
    json["report"] = file.report;
    if (file.ended) {
        json["exit"] = to_json(session.exit);
        json["duration_seconds"] = session.duration_seconds;
        json["timed_out"] = session.timed_out;
    }
    return json;
}

ProcessId process_from(const Json& json) {
    return {json.at("pid").get<int>(), json.value("start_ticks", std::uint64_t{0})};
}

SessionFile from_json(const Json& json) {
    SessionFile file;
    Session& session = file.session;
    session.id = json.at("id").get<std::string>();
    session.command = json.at("command").get<std::vector<std::string>>();
    session.cwd = json.value("cwd", "");
    if (const auto host = json.find("host"); host != json.end()) {
        session.host = {host->value("name", ""), host->value("kernel", ""),
                        host->value("machine", "")};
    }
    session.started_at = parse_time(json.value("started_at", ""));
    session.labels = json.value("labels", std::map<std::string, std::string>{});
    session.mode = json.value("mode", session.mode);
    file.launcher = process_from(json.at("launcher"));
    const Json& program = json.at("program");
    file.program = process_from(program);
    file.executable = program.value("executable", "");
    file.instrumented = program.value("instrumented", true);
    if (!file.instrumented) file.reason = program.value("reason", "");
    file.boot_id = json.value("boot_id", "");
    file.pid_namespace = json.value("pid_namespace", std::uint64_t{0});
    file.kept = json.value("kept", false);
    file.standard_output = json.value("stdout", "");
    file.standard_error = json.value("stderr", "");
    file.report = json.value("report", "");
    if (const auto exit = json.find("exit"); exit != json.end()) {
        file.ended = true;
        session.exit = exit_from(*exit);
        session.duration_seconds = json.value("duration_seconds", 0.0);
        session.timed_out = json.value("timed_out", false);
    }
    return file;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

std::string session_file_text(const SessionFile& file) {
    // Arguments need not be UTF-8.
    return to_json(file).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_session_file(const std::string& folder, const SessionFile& file) {
    const std::string text = session_file_text(file);
    const std::string path = folder + "/" + session_file_name;
    const std::string fresh = path + ".new";
    const Descriptor out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    // Whatever the umask is: the owner reads it again.
    if (!out.is_open() || ::fchmod(out.get(), 0600) != 0 || !write_all(out.get(), text) ||
        std::rename(fresh.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(fresh.c_str());
        fail_to(fmt::format("write '{}'", path), error);
    }
}

std::optional<SessionFile> read_session_file(const std::string& folder) {
    try {
        return from_json(Json::parse(read_file(folder + "/" + session_file_name, most_bytes)));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

}  // namespace leftover::run
