// What each captured thread waits for, in words, and for whom.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/hang/capture.h"
#include "reporter/hang/files_explained.h"

namespace leftover::hang {

class Explain {
public:
    explicit Explain(std::vector<CapturedProcess>& processes);

    // Empty words: it runs.
    Explanation operator()(CapturedProcess& process, const CapturedThread& thread);

private:
    Explanation child(const CapturedProcess& process, const Wait& wait);
    Explanation files(const CapturedProcess& process, const Wait& wait);
    Explanation futex(CapturedProcess& process, const CapturedThread& thread);
    const CapturedThread* owner(const CapturedProcess& process, std::uint32_t tid, bool is_shared,
                                const CapturedProcess*& of) const;
    const CapturedThread* joined(CapturedProcess& process, const CapturedThread& thread);
    const CapturedThread* lock_owner(CapturedProcess& process, const CapturedThread& thread);
    std::string call_of(CapturedProcess& process, const CapturedThread& thread);
    std::vector<int> users_of(const Mapping& file, int but) const;
    int outer_pid(const CapturedProcess& process, std::int64_t id) const;

    std::vector<CapturedProcess>& processes_;
    FilesExplained files_;
    std::unordered_map<int, std::vector<int>> children_;  // that live
};

}  // namespace leftover::hang
