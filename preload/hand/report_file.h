// The file a report is written to: under a temporary name beside its own, then renamed, so that
// nobody reads half a report. Any context but a vforked child; one at a time in a process.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"

namespace leftover::hand {

class ReportFile {
public:
    // `path` is changed while folders are made. `folder`: what a relative path is meant from.
    ReportFile(long folder, char* path);
    ReportFile(const ReportFile&) = delete;
    ReportFile& operator=(const ReportFile&) = delete;
    ~ReportFile() { finish(false); }

    bool is_open() const { return fd_ >= 0; }
    void write(std::string_view text);
    // Gives the file its name, or, when not `complete` or something could not be written, takes it
    // away.
    bool finish(bool complete = true);

private:
    void flush();
    void open();

    long folder_;
    char* path_;
    long fd_ = -1;
    bool temporary_ = false;
    bool failed_ = false;
    std::size_t used_ = 0;
};

}  // namespace leftover::hand
