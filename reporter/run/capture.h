// The program's output, kept in DIR/stdout.log and DIR/stderr.log.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reporter/kernel/file.h"
#include "reporter/run/descriptor.h"
#include "reporter/run/pump.h"
#include "reporter/run/signals.h"

namespace leftover::run {

class Capture {
public:
    // Makes the folder and the files, the latter under other names until the program runs. Passed on,
    // each stream is a pipe and a helper process of ours (see pump.h) writes it to both places; else
    // it is the file itself, and needs nobody. Throws std::runtime_error, one line for the user.
    Capture(const std::string& folder, bool pass_on);

    // Of a program that never ran nothing stays.
    ~Capture();
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    // What is to be the program's standard output and error, until program_runs().
    int program_end(int fd) const { return stream(fd).program.get(); }

    // To recognise who holds it.
    kernel::FileId id(int fd) const { return stream(fd).id; }

    const std::string& path(int fd) const { return stream(fd).path; }  // absolute

    void program_runs();

    // Returns when all that the program wrote is where it belongs, or a termination signal comes. Never
    // waits for processes that are left over. Says what could not be written.
    void finish(const Signals& signals);

private:
    struct Stream {
        std::string path, fresh;
        Descriptor file, program;
        kernel::FileId id;
        std::unique_ptr<Pump> pump;
    };

    const Stream& stream(int fd) const { return streams_[static_cast<std::size_t>(fd - 1)]; }
    void make_folder(const std::string& folder);
    void open(Stream& stream, int fd, const std::string& folder, bool pass_on);
    void discard();

    std::array<Stream, 2> streams_;
    std::vector<std::string> made_;  // folders, the outermost first
    bool runs_ = false;
};

}  // namespace leftover::run
