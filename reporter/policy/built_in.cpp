// Helpers that programs start on purpose and that end by themselves.
#include "reporter/policy/suppressions.h"

#include <array>

namespace leftover::policy {

namespace {

struct Row {
    std::string_view name;     // glob on the executable's base name
    std::string_view command;  // glob on its command line
    std::string_view reason;
    bool when_alone = false;
};

constexpr std::array rows{
    Row{"*", "*multiprocessing.resource_tracker*", "Python's tracker, which ends when its work is done", true},
    Row{"*", "*multiprocessing.semaphore_tracker*", "Python's tracker, which ends when its work is done", true},
    Row{"*", "*loky.backend.resource_tracker*", "loky's tracker, which ends when its work is done", true},
    Row{"git", "*git gc --auto*", "git tidies up in the background and ends"},
    Row{"git", "*git maintenance run --auto*", "git tidies up in the background and ends"},
    Row{"gpg-agent", "*", "ends when its home folder is gone"},
    Row{"keyboxd", "*", "ends when its home folder is gone"},
    Row{"scdaemon", "*", "ends with its gpg-agent"},
    Row{"dirmngr", "*", "ends when its home folder is gone"},
    Row{"sccache", "*", "a compiler cache's server, which ends when idle"},
    Row{"ssh", "*\\[mux\\]*", "a shared connection, which ends by ControlPersist"},
    Row{"java", "*org.gradle.launcher.daemon*", "a Gradle daemon, which ends when idle"},
    Row{"java", "*org.jetbrains.kotlin.daemon*", "a Kotlin daemon, which ends when idle"},
    Row{"java", "*org.mvndaemon*", "a Maven daemon, which ends when idle"},
    Row{"dotnet", "*MSBuild.dll*nodeReuse:true*", "an MSBuild node, which ends when idle"},
    Row{"dotnet", "*VBCSCompiler.dll*", "a compiler server, which ends when idle"},
};

}  // namespace

const std::vector<Suppression>& built_in_suppressions() {
    static const std::vector<Suppression> all = [] {
        std::vector<Suppression> entries;
        for (const Row& row : rows) {
            Suppression& entry = entries.emplace_back();
            entry.kind = Kind::process;
            entry.glob = row.name;
            entry.command = row.command;
            entry.reason = row.reason;
            entry.when_alone = row.when_alone;
            entry.text = "process:" + entry.glob;
        }
        return entries;
    }();
    return all;
}

}  // namespace leftover::policy
