#include "reporter/hang/hang.h"

#include <fmt/format.h>

#include <exception>
#include <map>
#include <string>
#include <thread>
#include <tuple>

#include "reporter/hang/capture.h"
#include "reporter/hang/explain.h"
#include "reporter/hang/refusal.h"
#include "reporter/kernel/process.h"

namespace leftover::hang {
namespace {

using Outcome = StoppedThread::Outcome;

class Recorder {
public:
    explicit Recorder(Report& report) : report_(report) {
        for (const Module& module : report.modules) {
            numbers_.try_emplace({module.path, module.build_id, module.base}, module.id);
            next_ = std::max(next_, module.id + 1);
        }
    }

    void run(const std::vector<int>& pids) {
        std::vector<CapturedProcess> processes = capture(pids);
        Explain explain(processes);
        Hang& hang = report_.hang.emplace();
        for (CapturedProcess& process : processes) {
            HangProcess& to = hang.processes.emplace_back();
            to.pid = process.pid;
            to.command = process.command;
            to.error = error_of(process);
            for (const CapturedThread& thread : process.threads) {
                HangThread& entry = to.threads.emplace_back();
                entry.tid = thread.tid;
                entry.name = thread.name;
                entry.state = std::string(1, thread.state);
                Explanation explained = explain(process, thread);
                entry.waiting_on = std::move(explained.words);
                entry.waits_for = std::move(explained.whom);
                entry.python = thread.python;
                for (const std::uint64_t address : thread.native) {
                    entry.native.push_back(frame(*process.images, address));
                }
            }
        }
    }

private:
    static std::string error_of(const CapturedProcess& process) {
        if (process.tracer != 0) {
            const auto stat = kernel::read_stat(process.tracer);
            return fmt::format("no stacks: it is traced by pid {}{}", process.tracer,
                               stat ? fmt::format(" ({})", stat->comm) : "");
        }
        if (process.is_refused) return refusal();
        return {};
    }

    NativeFrame frame(Images& images, std::uint64_t address) {
        NativeFrame frame;
        frame.address = address;
        frame.offset = address;
        // It may be the first address behind the module, when the last thing there is a call.
        const Image* image = images.at(address - 1);
        if (image == nullptr) return frame;
        const auto [at, is_new] = numbers_.try_emplace({image->path(), image->build_id(), image->base()}, next_);
        if (is_new) report_.modules.push_back({next_++, image->path(), image->build_id(), image->base()});
        frame.module = at->second;
        frame.offset = address - image->base();
        return frame;
    }

    Report& report_;
    std::map<std::tuple<std::string, std::string, std::uint64_t>, int> numbers_;
    int next_ = 1;
};

}  // namespace

void record(const std::vector<int>& pids, Report& report) {
    std::exception_ptr failure;
    // Its end lets go of all that it traces, whatever happened.
    std::thread([&] {
        try {
            Recorder(report).run(pids);
        } catch (...) {
            failure = std::current_exception();
        }
    }).join();
    if (failure) std::rethrow_exception(failure);
}

std::vector<int> family_of(int pid) {
    std::multimap<int, int> children;
    for (const int one : kernel::list_processes()) {
        const auto stat = kernel::read_stat(one);
        if (stat && kernel::is_alive(*stat)) children.emplace(stat->ppid, one);
    }
    std::vector<int> family = {pid};
    for (std::size_t i = 0; i < family.size(); ++i) {
        const auto [begin, end] = children.equal_range(family[i]);
        for (auto child = begin; child != end; ++child) family.push_back(child->second);
    }
    return family;
}

}  // namespace leftover::hang
