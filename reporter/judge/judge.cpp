#include "reporter/judge/judge.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"
#include "reporter/judge/evidence.h"
#include "reporter/judge/session.h"

namespace leftover {

namespace {

using judge::SessionFacts;
using judge::Source;

// What could be read, and what there is to say about the rest.
struct Material {
    std::vector<Source> sources;
    std::deque<SessionFacts> sessions;  // sources point into it
    std::vector<std::string> remarks;
    bool complete = true;

    void miss(const std::string& remark) {
        remarks.push_back(remark);
        complete = false;
    }
};

void read_files(const std::vector<std::filesystem::path>& files, Material& material) {
    for (const auto& file : files) {
        try {
            material.sources.push_back({records::read_record(file), nullptr});
        } catch (const records::NeverBegun&) {
            continue;
        } catch (const std::runtime_error& error) {
            material.miss(error.what());
            continue;
        }
        const records::RecordFile& record = material.sources.back().record;
        if (!record.complete) material.miss(record.trouble);
        if (record.header.lost > 0) {
            material.miss(file.string() + ": " + std::to_string(record.header.lost) +
                          " resources found no room");
        }
    }
}

// Gives each record the session that it names, made up from the records of that name.
void assign_sessions(Material& material, const kernel::Roots& roots) {
    std::map<std::string, std::vector<const records::RecordFile*>> by_id;
    for (const Source& source : material.sources) {
        by_id[source.record.header.session].push_back(&source.record);
    }
    std::map<std::string, const SessionFacts*> facts;
    for (const auto& [id, records] : by_id) {
        facts[id] = &material.sessions.emplace_back(judge::session_from(records, roots));
    }
    for (Source& source : material.sources) source.session = facts[source.record.header.session];
}

Report judge_material(Material& material, const JudgeOptions& options) {
    const SessionFacts* first = material.sessions.empty() ? nullptr : &material.sessions.front();
    const judge::Census census(material.sources, first, options);
    judge::Findings findings(census, options.include_notes);
    std::size_t slots = 0;
    for (const Source& source : material.sources) slots += source.record.slots.size();
    findings.reserve(slots);
    judge::check_all(judge::gather(options, material.sources, census), findings);

    Report report;
    report.remarks = std::move(material.remarks);
    for (const judge::Member& member : census.members()) report.processes.push_back(member.info);
    std::stable_sort(report.processes.begin(), report.processes.end(),
                     [](const ProcessInfo& one, const ProcessInfo& other) {
                         return std::tie(one.started_at, one.pid) <
                                std::tie(other.started_at, other.pid);
                     });
    findings.move_to(report);
    for (SessionFacts& facts : material.sessions) {
        judge::complete_session(facts, material.sources, census);
        facts.session.complete = material.complete;
        report.sessions.push_back(std::move(facts.session));
    }
    if (report.sessions.size() == 1) {
        for (Leak& leak : report.leaks) leak.session.clear();
    }
    return report;
}

std::vector<std::filesystem::path> records_in(const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    std::filesystem::directory_iterator at(folder, error);
    for (; !error && at != std::filesystem::directory_iterator{}; at.increment(error)) {
        if (at->path().extension() == ".record") files.push_back(at->path());
    }
    if (error) throw std::runtime_error(folder.string() + ": " + error.message());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

Report judge_folder(const std::filesystem::path& session_folder, const JudgeOptions& options) {
    const auto files = records_in(session_folder);
    Material material;
    read_files(files, material);
    try {
        if (auto facts = judge::read_session(session_folder, options.roots)) {
            material.sessions.push_back(std::move(*facts));
        }
    } catch (const std::runtime_error& error) {
        material.miss(error.what());
    }
    if (material.sessions.empty()) {
        if (material.sources.empty()) {
            throw std::runtime_error(material.remarks.empty()
                                         ? session_folder.string() + ": no records of a session"
                                         : material.remarks.front());
        }
        assign_sessions(material, options.roots);
    } else {
        for (Source& source : material.sources) source.session = &material.sessions.front();
    }
    return judge_material(material, options);
}

Report judge_without_records(const std::string& session_json, const JudgeOptions& options) {
    Material material;
    material.sessions.push_back(judge::parse_session(session_json, "the session", options.roots));
    return judge_material(material, options);
}

Report judge_records(const std::vector<std::filesystem::path>& files, const JudgeOptions& options) {
    Material material;
    read_files(files, material);
    if (material.sources.empty()) {
        if (!material.remarks.empty()) throw std::runtime_error(material.remarks.front());
        throw std::runtime_error(files.empty() ? "no records to judge"
                                               : files.front().string() +
                                                     ": nothing was recorded in it yet");
    }
    assign_sessions(material, options.roots);
    return judge_material(material, options);
}

}  // namespace leftover
