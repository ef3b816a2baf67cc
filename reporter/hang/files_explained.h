// Descriptors in words: what they lead to, and which processes have the other end.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/kernel/open_files.h"
#include "reporter/kernel/sockets.h"
#include "reporter/model/model.h"

namespace leftover::hang {

struct Explanation {
    std::string words;
    std::vector<WaitsFor> whom;

    void add(int pid, int tid = 0);
};

// "pid 12, 13"; `own` is marked. At most eight.
std::string pids_in_words(const std::vector<int>& pids, int own);

class FilesExplained {
public:
    // What a thread of that process waits for when it wants to read from or write to a descriptor:
    // "pipe:[4711], written by pid 12, 13", "tcp:127.0.0.1:8080".
    Explanation file(int pid, int fd, bool for_reading);

    // The members of an epoll set, with what they are watched for.
    struct Watched {
        int fd;
        bool for_reading;
    };
    static std::vector<Watched> epoll_set(int pid, int fd);

    // The process behind a pidfd; 0: it is none.
    static int process_of(int pid, int fd);

    // "/path, held by pid 12".
    Explanation lock(int pid, int fd, bool is_record);

private:
    const kernel::OpenFiles& open_files();
    const std::unordered_map<std::uint64_t, kernel::Socket>& sockets_of(int pid);
    Explanation pipe(int pid, const std::string& target, const kernel::FileId& id, bool for_reading);
    Explanation socket(int pid, const std::string& target, const kernel::FileId& id);

    std::optional<kernel::OpenFiles> open_files_;
    std::unordered_map<std::string, std::unordered_map<std::uint64_t, kernel::Socket>> sockets_;
};

}  // namespace leftover::hang
