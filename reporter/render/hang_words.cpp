#include "reporter/render/hang_words.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "reporter/findings/fingerprint.h"
#include "reporter/model/frames.h"
#include "reporter/model/utf8.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

constexpr std::size_t most_chains = 3;
constexpr std::size_t most_threads = 8;  // of a group, named one by one

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string program_of(const HangProcess& process) {
    if (process.command.empty()) return "a process";
    std::string name = printable(base_name(process.command.front()));
    return name.empty() ? "a process" : name;
}

// What waits on behalf of those who call it: not the place that a reader looks for.
bool is_plumbing(std::string_view file) {
    static constexpr std::array names{"threading.py", "queue.py",  "selectors.py", "subprocess.py",
                                      "socket.py",    "socketserver.py", "ssl.py", "contextlib.py"};
    static constexpr std::array folders{"/multiprocessing/connection.py",  "/multiprocessing/popen_",
                                        "/multiprocessing/queues.py",      "/multiprocessing/synchronize.py",
                                        "/multiprocessing/process.py",     "/multiprocessing/reduction.py",
                                        "/concurrent/futures/_base.py",    "/asyncio/"};
    return file.starts_with('<') || std::find(names.begin(), names.end(), base_name(file)) != names.end() ||
           std::any_of(folders.begin(), folders.end(),
                       [&](std::string_view folder) { return file.find(folder) != file.npos; });
}

bool is_own(const PythonFrame& frame) { return !frame.file.starts_with('<') && !is_library_file(frame.file); }

std::string place_words(const std::string& function, const std::string& file, int line) {
    std::string words = fmt::format("in {}", printable(function));
    if (!file.empty() && line > 0) words += fmt::format(", line {} of {}", line, printable(base_name(file)));
    return words;
}

// The hang of one session.
class Words {
public:
    Words(const Report& report, const Session* session, const std::vector<const HangProcess*>& processes)
        : session_(session), processes_(processes), graph_(processes), reader_(report) {
        for (const Module& module : report.modules) owners_.emplace(module.id, owner_of(module.path));
        for (const Stack& stack : report.stacks) created_.emplace(stack.id, &stack);
    }

    HangWords find() const {
        HangWords words;
        words.session = session_;
        words.processes = processes_.size();
        for (const HangProcess* process : processes_) words.threads += process->threads.size();
        for (const HangChain& chain : graph_.chains(most_chains)) {
            if (chain.nodes.empty()) continue;
            if (words.chains.empty()) find_place(chain, words);
            words.chains.push_back(sentence(chain));
        }
        words.groups = find_groups();
        return words;
    }

private:
    // Where the first of them waits, and where it does not show, the next.
    void find_place(const HangChain& chain, HangWords& words) const {
        for (const HangNode& node : chain.nodes) {
            const Stack stack{0, node.thread->python, node.thread->native};
            if (words.fingerprint.empty()) words.fingerprint = findings::hang_fingerprint(reader_, stack);
            if (!words.location.file.empty() && words.location.is_source) return;
            findings::Location location = findings::location_of(reader_, stack);
            if (location.is_source || words.location.function.empty()) words.location = std::move(location);
        }
    }

    // Where it is, as a reader wants it: not in the plumbing.
    std::string place_of(const HangThread& thread) const {
        const PythonFrame* place = nullptr;
        const PythonFrame* own = nullptr;
        for (const PythonFrame& frame : thread.python) {
            if (is_import_machinery(frame)) continue;
            if (place == nullptr && !is_plumbing(frame.file)) place = &frame;
            if (own == nullptr && is_own(frame)) own = &frame;
        }
        if (place == nullptr && !thread.python.empty()) place = &thread.python.front();
        if (place != nullptr) {
            std::string words = place_words(place->function, place->file, place->line);
            if (own != nullptr && own != place) {
                words += fmt::format(" (called at {}:{})", printable(base_name(own->file)), own->line);
            }
            return words;
        }
        for (const NativeFrame& frame : thread.native) {
            const auto owner = frame.module ? owners_.find(*frame.module) : owners_.end();
            const bool is_own = owner != owners_.end() && owner->second == Owner::user;
            if (is_own && !frame.function.empty()) return place_words(frame.function, frame.file, frame.line);
        }
        for (const NativeFrame& frame : thread.native) {
            if (!frame.function.empty()) return place_words(frame.function, {}, 0);
        }
        return {};
    }

    // " (started at nested.py:12)", or nothing.
    std::string start_words(const std::optional<int>& id) const {
        const std::string place = start_of(id);
        return place.empty() ? place : fmt::format(" (started at {})", place);
    }

    // "nested.py:12": the line of the program's own that created a process or thread.
    std::string start_of(const std::optional<int>& id) const {
        const auto stack = id ? created_.find(*id) : created_.end();
        if (stack == created_.end()) return {};
        for (const PythonFrame& frame : stack->second->python) {
            if (is_own(frame) && frame.line > 0) return place_of_line(frame.file, frame.line);
        }
        if (!stack->second->python.empty()) return {};
        for (const NativeFrame& frame : stack->second->native) {
            const auto owner = frame.module ? owners_.find(*frame.module) : owners_.end();
            const bool is_users = owner != owners_.end() && owner->second == Owner::user;
            if (is_users && frame.line > 0) return place_of_line(frame.file, frame.line);
        }
        return {};
    }

    static std::string place_of_line(const std::string& file, int line) {
        return fmt::format("{}:{}", printable(base_name(file)), line);
    }

    std::string process_words(int pid, const HangProcess* process) const {
        return fmt::format("pid {}{}", pid, process != nullptr ? start_words(process->stack) : "");
    }

    std::string target_words(const HangNode& from, const WaitsFor& whom) const {
        const HangNode* node = graph_.find(whom);
        if (whom.tid == 0) return process_words(whom.pid, node != nullptr ? node->process : nullptr);
        const std::string start = node != nullptr ? start_words(node->thread->stack) : "";
        if (whom.pid != from.process->pid) return fmt::format("thread {} of pid {}{}", whom.tid, whom.pid, start);
        const bool is_first = whom.tid == whom.pid;
        const std::string name =
            node != nullptr && !is_first && node->thread->name != from.process->threads.front().name
                ? fmt::format(" ({})", printable(node->thread->name))
                : "";
        return fmt::format("{} {}{}{}", is_first ? "its first thread," : "its thread", whom.tid, name, start);
    }

    // What it waits for; `next` is the one of these that the sentence goes on with.
    std::string reason_words(const HangNode& node, const WaitsFor* next) const {
        const HangThread& thread = *node.thread;
        std::string words = printable(thread.waiting_on);
        if (next == nullptr) return words;
        const bool is_end = words.starts_with("the end of ") || words.starts_with("wait4 for pid ") ||
                            words.starts_with("waitid for pid ");
        if (is_end) return target_words(node, *next);
        if (const HangNode* other = graph_.find(*next); other != nullptr && next->tid == 0) {
            const std::string shown = process_words(next->pid, other->process);
            const std::string plain = fmt::format("pid {}", next->pid);
            if (thread.waits_for.size() == 1 && words.ends_with(plain)) {
                words.replace(words.size() - plain.size(), plain.size(), shown);
            }
        }
        return words;
    }

    std::string sentence(const HangChain& chain) const {
        std::string words;
        for (std::size_t i = 0; i < chain.nodes.size(); ++i) {
            const HangNode& node = chain.nodes[i];
            const HangThread& thread = *node.thread;
            const WaitsFor* next = nullptr;
            const HangThread* wanted = i + 1 < chain.nodes.size() ? chain.nodes[i + 1].thread
                                       : chain.cycle              ? chain.nodes[*chain.cycle].thread
                                                                  : nullptr;
            for (const WaitsFor& whom : thread.waits_for) {
                const HangNode* other = graph_.find(whom);
                if (next == nullptr && other != nullptr && other->thread == wanted) next = &whom;
            }
            if (i == 0) {
                words = fmt::format("{} ({})", program_of(*node.process), node.process->pid);
                if (thread.tid != node.process->pid) words = fmt::format("thread {} of {}", thread.tid, words);
            } else {
                // Who it is was only said when the reason for waiting names more than one, or none.
                const HangNode& before = chain.nodes[i - 1];
                words += before.thread->waits_for.size() > 1 ? fmt::format("; pid {}", node.process->pid) : ", which";
            }
            words += ' ' + what_it_does(thread, reason_words(node, next));
        }
        if (chain.cycle) words += "; " + cycle_words(chain);
        return words + ".";
    }

    std::string what_it_does(const HangThread& thread, const std::string& reason) const {
        const std::string place = place_of(thread);
        const std::string where = place.empty() ? "" : " " + place;
        if (thread.state == "Z") return "has ended, and its process goes on without it";
        if (thread.waiting_on.empty()) {
            return thread.state == "R" || thread.state.empty() ? "runs" + where
                                                                : fmt::format("is {}{}", state_words(thread.state), where);
        }
        if (thread.waiting_on.starts_with("stopped")) return "is " + reason + where;
        if (thread.waiting_on.starts_with("sleep")) return fmt::format("sleeps{} ({})", where, reason);
        return fmt::format("waits{} for {}", where.empty() ? "" : where + ",", reason);
    }

    static std::string cycle_words(const HangChain& chain) {
        const std::size_t begin = *chain.cycle;
        if (begin + 1 == chain.nodes.size()) return "it waits for itself, a cycle of one";
        std::string words = "a cycle: ";
        const auto name = [](const HangNode& node) {
            return node.thread->tid == node.process->pid ? fmt::format("pid {}", node.process->pid)
                                                         : fmt::format("thread {}", node.thread->tid);
        };
        for (std::size_t i = begin; i < chain.nodes.size(); ++i) words += name(chain.nodes[i]) + " -> ";
        return words + name(chain.nodes[begin]);
    }

    // Equal for threads that are at the same place, whatever the addresses.
    static std::string key_of(const HangNode& node) {
        const HangThread& thread = *node.thread;
        std::string key;
        for (const PythonFrame& frame : thread.python) {
            key += fmt::format("{}\x1f{}\x1f{}\n", frame.function, frame.file, frame.line);
        }
        for (const NativeFrame& frame : thread.native) {
            const int module = frame.function.empty() ? frame.module.value_or(0) : 0;
            key += fmt::format("{}\x1f{}\x1f{}\x1f{}\n", frame.function, frame.file, frame.line, module);
        }
        // Without any stack it is each process for itself.
        if (thread.python.empty() && thread.native.empty()) key = fmt::format("\x1e{}", node.process->pid);
        return key;
    }

    std::string name_of(const HangNode& node) const {
        const HangProcess& process = *node.process;
        const HangThread& thread = *node.thread;
        if (thread.tid == process.pid) return fmt::format("{} ({})", program_of(process), process.pid);
        const std::string name = printable(thread.name);
        const bool says_something = !name.empty() && name != printable(process.threads.front().name);
        return fmt::format("thread {}{} of pid {}", thread.tid, says_something ? fmt::format(" ({})", name) : "",
                           process.pid);
    }

    std::vector<HangGroup> find_groups() const {
        std::vector<HangGroup> groups;
        std::map<std::string, std::size_t> by_key;
        for (const HangProcess* process : processes_) {
            for (const HangThread& thread : process->threads) {
                const HangNode node{process, &thread};
                const auto [at, is_new] = by_key.try_emplace(key_of(node), groups.size());
                if (is_new) groups.emplace_back();
                groups[at->second].threads.push_back(node);
            }
        }
        for (HangGroup& group : groups) describe(group);
        return groups;
    }

    void describe(HangGroup& group) const {
        std::vector<std::string> names;
        for (const HangNode& node : group.threads) {
            if (names.size() < most_threads) names.push_back(name_of(node));
            std::string reason = state_words(node.thread->state);
            if (!node.thread->waiting_on.empty()) reason += ", waits for: " + printable(node.thread->waiting_on);
            group.reasons.push_back(std::move(reason));
        }
        // Equal reasons once, with how many share it.
        group.reasons = distinct(group.reasons);
        group.title = join(names);
        if (group.threads.size() > names.size()) {
            group.title += fmt::format(" and {} more", group.threads.size() - names.size());
        }
        if (group.threads.size() > 1) group.title = fmt::format("{} threads: {}", group.threads.size(), group.title);
        const HangNode& first = group.threads.front();
        group.error = printable(first.process->error);
        group.stack.python = first.thread->python;
        group.stack.native = first.thread->native;
        // Of threads; processes have their line where somebody waits for them.
        group.start = start_of(first.thread->stack);
        const bool same = std::all_of(group.threads.begin(), group.threads.end(), [&](const HangNode& node) {
            return start_of(node.thread->stack) == group.start;
        });
        if (!same) group.start.clear();
        group.is_process = group.threads.size() == 1 && first.thread->tid == first.process->pid;
    }

    const Session* session_;
    const std::vector<const HangProcess*>& processes_;
    HangGraph graph_;
    findings::FrameReader reader_;
    std::map<int, Owner> owners_;
    std::map<int, const Stack*> created_;
};

}  // namespace

std::vector<HangWords> hang_words(const Report& report) {
    std::vector<HangWords> all;
    if (!report.hang) return all;
    std::map<std::string_view, const Session*> sessions;
    for (const Session& session : report.sessions) sessions.emplace(session.id, &session);
    const Session* only = report.sessions.size() == 1 ? &report.sessions.front() : nullptr;

    std::vector<std::pair<const Session*, std::vector<const HangProcess*>>> by_session;
    std::map<const Session*, std::size_t> known;
    for (const HangProcess& process : report.hang->processes) {
        const auto at = sessions.find(process.session);
        const Session* session = at != sessions.end() ? at->second : only;
        const auto [place, is_new] = known.try_emplace(session, by_session.size());
        if (is_new) by_session.emplace_back(session, std::vector<const HangProcess*>{});
        by_session[place->second].second.push_back(&process);
    }
    if (by_session.empty()) by_session.emplace_back(only, std::vector<const HangProcess*>{});
    for (const auto& [session, processes] : by_session) all.push_back(Words(report, session, processes).find());
    return all;
}

std::vector<HangFinding> hang_findings(const std::vector<HangWords>& hangs) {
    std::vector<HangFinding> found;
    std::map<std::string_view, std::size_t> known;
    for (const HangWords& hang : hangs) {
        if (hang.session == nullptr || !hang.session->timed_out || hang.threads == 0) continue;
        const auto [at, is_new] = known.try_emplace(hang.fingerprint, found.size());
        if (is_new) found.push_back({&hang, 0});
        ++found[at->second].sessions;
    }
    return found;
}

std::string headline(const HangWords& hang, std::size_t columns) {
    std::string who = "the program";
    if (const Session* session = hang.session) {
        const std::string command = command_words(session->command, columns);
        who = command.empty() ? printable(session->id) : command;
        if (session->timed_out) {
            who += " timed out, and was ended after " + seconds_words(session->duration_seconds);
        } else if (const std::string exit = exit_words(*session); !exit.empty()) {
            who += fmt::format(" ({})", exit);
        }
    }
    return fmt::format("{}: {} {}, {} {}", who, hang.processes, hang.processes == 1 ? "process" : "processes",
                       hang.threads, hang.threads == 1 ? "thread" : "threads");
}

std::string plain_text(const Report& report, const HangWords& hang) {
    constexpr std::size_t most_frames = 40;
    constexpr std::size_t most_groups = 50;
    const findings::FrameReader reader(report);
    std::string text;
    for (const std::string& chain : hang.chains) text += chain + '\n';
    for (std::size_t i = 0; i < hang.groups.size() && i < most_groups; ++i) {
        const HangGroup& group = hang.groups[i];
        text += '\n' + group.title + '\n';
        for (std::size_t j = 0; j < group.reasons.size() && j < most_reasons; ++j) text += "  " + group.reasons[j] + '\n';
        if (group.reasons.size() > most_reasons) text += fmt::format("  and {} more\n", group.reasons.size() - most_reasons);
        if (!group.start.empty()) text += "  started at " + group.start + '\n';
        if (!group.error.empty()) text += "  " + group.error + '\n';
        const auto frames = reader.frames(group.stack);
        for (std::size_t j = 0; j < frames.size() && j < most_frames; ++j) {
            text += "    " + findings::words_of(frames[j]) + '\n';
        }
    }
    if (hang.groups.size() > most_groups) {
        text += fmt::format("\nand {} more places, cut off here\n", hang.groups.size() - most_groups);
    }
    return text;
}

}  // namespace leftover::render
