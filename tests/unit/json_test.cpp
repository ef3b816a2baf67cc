#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "reporter/model/json.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "sample_report.h"
#include "tests/support/temporary_folder.h"
#include "trouble.h"

namespace leftover::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string written(const Report& report) {
    std::ostringstream out;
    write_json(report, out);
    return out.str();
}

std::string trouble_with(const std::string& text) {
    return trouble_in([&] { read_json(text, "file.json"); });
}

std::vector<std::string> keys(const nlohmann::ordered_json& object) {
    std::vector<std::string> names;
    for (const auto& [key, value] : object.items()) names.push_back(key);
    return names;
}

TEST(Json, HasTheSchemasFieldsInOrder) {
    const auto document = nlohmann::ordered_json::parse(written(make_report()));
    using Names = std::vector<std::string>;
    EXPECT_EQ(keys(document), (Names{"schema", "tool", "session", "summary", "processes", "leaks",
                                     "stacks", "modules", "cleanup", "hang"}));
    EXPECT_EQ(keys(document["session"]),
              (Names{"id", "command", "cwd", "host", "started_at", "duration_seconds", "exit",
                     "timed_out", "mode", "complete", "labels"}));
    EXPECT_EQ(keys(document["leaks"][0]),
              (Names{"kind", "severity", "status", "name", "pid", "tid", "thread_name", "created_at",
                     "fingerprint", "stack", "error", "details"}));
    EXPECT_EQ(document["session"]["started_at"], "2026-01-02T03:04:05.678901Z");
    EXPECT_EQ(document["session"]["exit"].dump(), R"({"signal":"SIGTERM"})");
    EXPECT_TRUE(document["leaks"][0]["fingerprint"].is_null());
    EXPECT_TRUE(document["leaks"][3]["stack"].is_null());
    EXPECT_TRUE(document["stacks"][0]["native"][1]["function"].is_null());
    EXPECT_TRUE(document["processes"][0]["reason"].is_null());
    EXPECT_TRUE(document["hang"].is_null());
}

TEST(Json, ReadsWhatItWrote) {
    Report report = make_report();
    report.leaks[0].fingerprint = "v1:0123456789abcdef";
    report.leaks[1].status = Status::failed;
    report.leaks[1].error = "unlink: Permission denied";
    report.leaks[3].details.more.edit().holds = {"stdout", "tcp:127.0.0.1:8080"};
    report.stacks[0].native[0].inlined = true;
    report.cleanup.emplace();
    report.cleanup->started_at = start;
    report.cleanup->actions.push_back(
        {Kind::process, "python3", 13, "terminate", "failed", "No such process"});
    const std::string once = written(report);
    const Report read = read_json(once, "once");
    EXPECT_EQ(written(read), once);
    EXPECT_EQ(read.leaks.at(0).session, "s1");
    EXPECT_EQ(read.leaks.at(0).created_at, report.leaks[0].created_at);
    EXPECT_EQ(read.modules.at(0).base, 0x7f0000000000u);
    EXPECT_EQ(read.processes.at(0).counts.at(Kind::semaphore).peak, 3u);
}

TEST(Json, OfSeveralSessionsNamesThemInEachLeak) {
    Report report = make_report();
    report.sessions.push_back(report.sessions[0]);
    report.sessions[1].id = "s2";
    report.leaks[3].session = "s2";
    const std::string once = written(report);
    const json document = json::parse(once);
    EXPECT_FALSE(document.contains("session"));
    EXPECT_EQ(document["sessions"].size(), 2u);
    EXPECT_EQ(document["leaks"][0]["session"], "s1");
    EXPECT_EQ(document["leaks"][3]["session"], "s2");
    EXPECT_EQ(written(read_json(once, "once")), once);
}

TEST(Json, TakesAnyBytesForText) {
    Report report = make_report();
    const std::string name = std::string("/\xff\xc3(") + '\0' + "\x1b[2J\u009b\u202e\"\\\n\u00e4";
    report.leaks[0].name = name;
    const std::string text = written(report);
    for (const char c : text) {
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    }
    EXPECT_THAT(text, HasSubstr("\\u009b\\u202e"));
    EXPECT_EQ(json::parse(text)["leaks"][0]["name"],
              std::string("/\ufffd\ufffd(") + '\0' + "\x1b[2J\u009b\u202e\"\\\n\u00e4");
}

TEST(Json, SaysWhatIsWrong) {
    const std::string good = written(make_report());
    EXPECT_EQ(trouble_with(good), "");
    EXPECT_EQ(trouble_with(" \n"), "file.json: empty, no report");
    EXPECT_THAT(trouble_with("{\"schema\": nonsense}"), HasSubstr("file.json: not JSON at byte 13: "));
    EXPECT_EQ(trouble_with(good.substr(0, 200)),
              "file.json: cut off at byte 200: the JSON is not complete");
    EXPECT_EQ(trouble_with("[1, 2]"), "file.json: no report: the JSON is not an object");
    EXPECT_EQ(trouble_with("17"), "file.json: no report: the JSON is not an object");
    EXPECT_EQ(trouble_with("{\"leaks\": [17]}"),
              "file.json: no report: it has no \"schema\": \"leftover.report/1\"");
    EXPECT_EQ(trouble_with("{\"leaks\": {}, \"schema\": \"leftover.report/2\"}"),
              "file.json: schema is 'leftover.report/2', this version of leftover reads "
              "'leftover.report/1'");
}

// The sample with something changed in it.
template <class Change>
std::string trouble_after(Change change) {
    json document = json::parse(written(make_report()));
    change(document);
    return trouble_with(document.dump());
}

TEST(Json, SaysWhichFieldIsWrong) {
    EXPECT_EQ(trouble_after([](json&) {}), "");
    EXPECT_EQ(trouble_after([](json& report) { report["leaks"][1]["pid"] = "12"; }),
              "file.json: leaks[1].pid: a whole number expected");
    EXPECT_EQ(trouble_after([](json& report) { report["leaks"][0]["kind"] = "teapot"; }),
              "file.json: leaks[0].kind: unknown word 'teapot'");
    EXPECT_EQ(trouble_after([](json& report) { report["leaks"] = 5; }), "file.json: leaks: a list expected");
    EXPECT_EQ(trouble_after([](json& report) { report["stacks"] = nullptr; }), "file.json: stacks: a list expected");
    EXPECT_EQ(trouble_after([](json& report) { report["leaks"][2] = 7; }), "file.json: leaks[2].leak: an object expected");
    EXPECT_THAT(trouble_after([](json& report) { report["processes"][0]["pid"] = 99999999999; }),
                HasSubstr("processes[0].pid: a smaller number"));
}

TEST(Json, SaysWhichFieldIsMissing) {
    EXPECT_EQ(trouble_with("{\"schema\": \"leftover.report/1\"}"), "file.json: session: missing");
    for (const std::string field : {"session", "processes", "leaks", "stacks", "modules"}) {
        EXPECT_EQ(trouble_after([&](json& report) { report.erase(field); }), "file.json: " + field + ": missing");
    }
    for (const std::string field : {"kind", "severity", "status", "name", "pid"}) {
        EXPECT_EQ(trouble_after([&](json& report) { report["leaks"][1].erase(field); }),
                  "file.json: leaks[1]." + field + ": missing");
    }
    EXPECT_EQ(trouble_after([](json& report) { report["session"].erase("id"); }), "file.json: session.id: missing");
    EXPECT_EQ(trouble_after([](json& report) { report["stacks"][0].erase("id"); }), "file.json: stacks[0].id: missing");
    EXPECT_EQ(trouble_after([](json& report) { report["modules"][0].erase("path"); }),
              "file.json: modules[0].path: missing");
    // What is only told besides may be missing.
    EXPECT_EQ(trouble_after([](json& report) {
                  for (const char* field : {"tool", "summary", "cleanup", "hang"}) report.erase(field);
                  for (const char* field : {"tid", "details", "error"}) report["leaks"][0].erase(field);
              }),
              "");
}

TEST(Json, HasEachFieldOnce) {
    std::string text = written(make_report());
    text.insert(1, "\"leaks\": [],");
    EXPECT_EQ(trouble_with(text), "file.json: leaks: there twice");
}

TEST(Json, IgnoresWhatItDoesNotKnow) {
    const Report report = read_json(
        R"({"later": {"a": [1, {"b": [[]]}]}, "schema": "leftover.report/1",
            "session": {"id": "x", "started_at": null, "exit": {"code": 0}, "complete": true, "novel": [1, 2]},
            "leaks": [{"kind": "timer", "severity": "note", "status": "leaked", "name": "timer:1", "pid": 7, "x": {"y": 1}}],
            "processes": [], "stacks": [], "modules": [], "hang": {"processes": []}})",
        "x");
    EXPECT_EQ(report.sessions.at(0).id, "x");
    EXPECT_EQ(report.leaks.at(0).pid, 7);
    EXPECT_EQ(report.leaks.at(0).severity, Severity::note);
}

TEST(Json, SurvivesEveryCut) {
    const std::string good = written(make_report());
    for (std::size_t length = 0; length + 2 < good.size(); ++length) {
        EXPECT_NE(trouble_with(good.substr(0, length)), "") << length;
    }
}

TEST(Json, SurvivesDeepNesting) {
    const std::string deep(1'000'000, '[');
    EXPECT_NE(trouble_with("{\"schema\": " + deep), "");
    EXPECT_NE(trouble_with(deep), "");
}

TEST(Time, IsWrittenAndRead) {
    EXPECT_EQ(format_time(start), "2026-01-02T03:04:05.678901Z");
    EXPECT_EQ(parse_time("2026-01-02T03:04:05.678901Z"), start);
    EXPECT_EQ(parse_time("2026-01-02T05:04:05.678901+02:00"), start);
    EXPECT_EQ(parse_time("1970-01-01T00:00:01Z"), 1'000'000'000);
    EXPECT_EQ(parse_time("2026-01-02T03:04:05.678901"), 0);
    EXPECT_EQ(parse_time("2026-13-02T03:04:05Z"), 0);
    EXPECT_EQ(parse_time("yesterday"), 0);
    EXPECT_EQ(parse_time("9999-01-01T00:00:00Z"), 0);
    EXPECT_EQ(format_time(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(Utf8, ReplacesOneForEachMaximalPart) {
    // Unicode 15, table 3-8.
    const std::string bytes = "\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64";
    EXPECT_EQ(printable(bytes), "a\ufffd\ufffd\ufffdb\ufffdc\ufffd\ufffdd");
    EXPECT_EQ(printable("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");  // a surrogate
    EXPECT_EQ(printable("\U0001f600"), "\U0001f600");
}

TEST(Utf8, SpellsControlsOut) {
    EXPECT_EQ(printable("a\x1b[31m\n\t\r\x7f\u009b\u202e\u2066"),
              "a\\x1b[31m\\n\\t\\r\\x7f\\x9b\\u{202e}\\u{2066}");
}

TEST(Schema, KnowsTheKinds) {
    std::ifstream file(LEFTOVER_SOURCE_DIR "/reporter/schema/leftover.report.schema.json");
    const json schema = json::parse(file);
    std::vector<std::string> kinds;
    for (const record::KindRow& row : record::kind_table) kinds.emplace_back(row.name);
    EXPECT_EQ(schema["$defs"]["kind"]["enum"], json(kinds));
}

// Everything that a report can hold, checked by an independent validator.
TEST(Schema, FitsWhatIsWritten) {
    if (std::system("python3 -c 'import jsonschema' >/dev/null 2>&1") != 0) {
        GTEST_SKIP() << "python3-jsonschema is not installed";
    }
    const test::TemporaryFolder folder;
    const auto validate = [&folder](const Report& report, const std::string& end = "") {
        const std::string path = folder / "report.json";
        std::ofstream(path) << written(report);
        const std::string command =
            "python3 -c 'import json, sys, jsonschema; jsonschema.Draft202012Validator(json.load(open("
            "sys.argv[1]))).validate(json.load(open(sys.argv[2])))' "
            "'" LEFTOVER_SOURCE_DIR "/reporter/schema/leftover.report.schema.json' '" +
            path + "'" + end;
        return std::system(command.c_str());
    };
    Report report = make_report();
    EXPECT_EQ(validate(report), 0);

    Leak& leak = report.leaks[0];
    Details& details = leak.details;
    MoreDetails& more = details.more.edit();
    details.path = more.state = more.start_routine = "x";
    details.inode = details.bytes = more.id = more.key = more.resident_bytes = 1;
    details.fd = 0;
    more.pid = 6;
    more.command = more.holds = {"stdout"};
    more.attribution = "window";
    leak.fingerprint = "v1:0123456789abcdef";
    report.leaks.push_back(Leak{});  // nothing known
    report.processes.emplace_back().pid = 1;
    report.sessions[0].exit = {};
    report.stacks[0].native.emplace_back();
    report.cleanup.emplace().actions.push_back({Kind::semaphore, "/x", 0, "unlink", "gone", ""});
    EXPECT_EQ(validate(report), 0);

    report.sessions.push_back(Session{});
    EXPECT_EQ(validate(report), 0);

    report.leaks[0].fingerprint = "v2:nonsense";
    EXPECT_NE(validate(report, " 2>/dev/null"), 0) << "the validator finds nothing";
}

}  // namespace
}  // namespace leftover::test
