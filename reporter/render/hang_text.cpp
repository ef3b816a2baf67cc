#include "reporter/render/hang_text.h"

#include <algorithm>
#include <array>
#include <map>
#include <ostream>
#include <sstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "reporter/model/frames.h"
#include "reporter/model/utf8.h"
#include "reporter/render/hang_graph.h"
#include "reporter/render/paint.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

constexpr std::size_t most_chains = 3;
constexpr std::size_t most_threads = 8;  // of a group, named one by one
constexpr std::size_t most_reasons = 5;  // likewise

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

class HangText {
public:
    HangText(const Report& report, const Options& options, std::ostream& out)
        : report_(report),
          options_(options),
          paint_(options.colour),
          stacks_(report, options),
          graph_(*report.hang),
          out_(out) {
        for (const Module& module : report.modules) {
            owners_.emplace(module.id, owner_of(module.path));
            modules_.emplace(module.id, &module);
        }
        for (const Stack& stack : report.stacks) created_.emplace(stack.id, &stack);
        for (const Session& session : report.sessions) {
            if (folder_.empty()) folder_ = session.cwd;
        }
    }

    void write() {
        write_chains();
        write_groups();
    }

private:
    using Group = std::vector<HangNode>;

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

    void write_chains() {
        for (const HangChain& chain : graph_.chains(most_chains)) {
            if (!chain.nodes.empty()) write_wrapped(sentence(chain));
        }
    }

    void write_wrapped(std::string_view text) {
        for (std::string_view indent = "  "; !text.empty(); indent = "    ") {
            const std::size_t room = width() - indent.size();
            std::size_t end = text.size();
            if (columns_of(text) > room) {
                // By bytes, of which a character has at least one.
                end = text.rfind(' ', room);
                if (end == text.npos) end = std::min(text.find(' '), text.size());
            }
            out_ << indent << text.substr(0, end) << '\n';
            text.remove_prefix(std::min(end + 1, text.size()));
        }
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

    void write_groups() {
        std::vector<Group> groups;
        std::map<std::string, std::size_t> by_key;
        for (const HangProcess& process : report_.hang->processes) {
            for (const HangThread& thread : process.threads) {
                const HangNode node{&process, &thread};
                const auto [at, is_new] = by_key.try_emplace(key_of(node), groups.size());
                if (is_new) groups.emplace_back();
                groups[at->second].push_back(node);
            }
        }
        for (const Group& group : groups) write(group);
    }

    void write(const Group& group) {
        const HangNode& first = group.front();
        std::vector<std::string> names;
        for (const HangNode& node : group) {
            if (names.size() < most_threads) names.push_back(name_of(node));
        }
        out_ << '\n';
        std::string line = join(names);
        if (group.size() > names.size()) {
            line += fmt::format(" and {} more", group.size() - names.size());
        }
        if (group.size() > 1) line = fmt::format("{} threads: {}", group.size(), line);
        out_ << paint_.bold(line) << '\n';
        write_reasons(group);
        if (group.size() == 1 && first.thread->tid == first.process->pid) {
            out_ << "    " << command_words(first.process->command, width() - 4) << '\n';
        }
        write_start(group);
        if (!first.process->error.empty()) out_ << "  " << printable(first.process->error) << '\n';
        Stack stack;
        stack.python = first.thread->python;
        stack.native = first.thread->native;
        if (stack.python.empty() && stack.native.empty()) return;
        out_ << "  call stack, innermost first:\n";
        std::ostringstream shown;
        stacks_.write(stack, folder_, 0, shown);
        if (shown.str().empty()) {
            write_plain(stack);
        } else {
            out_ << shown.str();
        }
    }

    // Of threads; processes have their line where somebody waits for them.
    void write_start(const Group& group) {
        const auto start = [this](const HangNode& node) { return start_of(node.thread->stack); };
        const std::string first = start(group.front());
        const bool same = std::all_of(group.begin(), group.end(), [&](const HangNode& node) { return start(node) == first; });
        if (same && !first.empty()) out_ << "  started at " << first << '\n';
    }

    // Of a stack that lies in system libraries as a whole.
    void write_plain(const Stack& stack) {
        constexpr std::size_t most = 16;
        for (std::size_t i = 0; i < stack.native.size() && i < most; ++i) {
            const NativeFrame& frame = stack.native[i];
            const auto module = frame.module ? modules_.find(*frame.module) : modules_.end();
            const std::string name =
                module == modules_.end() ? "unknown code" : printable(base_name(module->second->path));
            if (frame.function.empty()) {
                out_ << fmt::format("    {}+{:#x}\n", name, frame.offset);
            } else {
                out_ << fmt::format("    {} in {}\n", printable(frame.function), name);
            }
        }
    }

    // Equal reasons once, with how many share it.
    void write_reasons(const Group& group) {
        std::vector<std::string> reasons;
        for (const HangNode& node : group) {
            const HangThread& thread = *node.thread;
            std::string reason = state_words(thread.state);
            if (!thread.waiting_on.empty()) reason += ", waits for: " + printable(thread.waiting_on);
            reasons.push_back(std::move(reason));
        }
        reasons = distinct(reasons);
        for (std::size_t i = 0; i < reasons.size() && i < most_reasons; ++i) out_ << "  " << reasons[i] << '\n';
        if (reasons.size() > most_reasons) {
            out_ << fmt::format("  and {} more\n", reasons.size() - most_reasons);
        }
    }

    std::size_t width() const { return options_.width > 40 ? static_cast<std::size_t>(options_.width) : 100; }

    const Report& report_;
    const Options& options_;
    Paint paint_;
    StackText stacks_;
    HangGraph graph_;
    std::ostream& out_;
    std::string folder_;
    std::map<int, Owner> owners_;
    std::map<int, const Module*> modules_;
    std::map<int, const Stack*> created_;
};

}  // namespace

void hang_text(const Report& report, const Options& options, std::ostream& out) {
    if (report.hang) HangText(report, options, out).write();
}

}  // namespace leftover::render
