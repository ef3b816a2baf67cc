#include "reporter/commands/report_inputs.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "preload/record/format.h"
#include "reporter/commands/progress.h"
#include "reporter/judge/judge.h"
#include "reporter/model/decompress.h"
#include "reporter/model/json.h"
#include "reporter/model/read_file.h"
#include "reporter/model/utf8.h"

namespace leftover::commands {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view record_magic{record::magic, sizeof record::magic};

// What the launcher writes into its session's folder, even when no process left a record; not just
// any file of that name.
bool is_session_file(const fs::path& path) {
    if (path.filename() != "session.json") return false;
    try {
        return read_file(path.string()).find("\"boot_id\"") != std::string::npos;
    } catch (const std::runtime_error&) {
        return false;
    }
}

bool is_record_name(const fs::path& path) {
    return path.extension() == ".record";
}

// What a file in a folder turned out to be: a report, trouble, or (neither) nothing of ours.
struct Read {
    std::optional<Report> report;
    std::string trouble;
};

// A folder of artifacts holds many JSON files; ours says so, or has our name but was cut off.
Read read_json_in_folder(const std::string& path) {
    Read result;
    try {
        const std::string text = decompressed(read_file(path), path);
        const bool says_so = text.find("\"leftover.report/") != text.npos;
        const bool is_named_so = fs::path(path).filename().string().starts_with("leftover.") &&
                                 text.find("\"leftover.") == text.npos;
        if (says_so || is_named_so) result.report = read_json(text, path);
    } catch (const std::runtime_error& error) {
        result.trouble = error.what();
    }
    return result;
}

bool has_report_ending(const fs::path& path) {
    std::string name = path.filename().string();
    take_compression_ending(name);
    return name.ends_with(".json");
}

// Reads all of them, several at a time; the results are in the order of the paths.
std::vector<Read> read_all(const std::vector<std::string>& paths) {
    std::vector<Read> results(paths.size());
    Progress progress("reading files", paths.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < paths.size(); i = next++) {
            results[i] = read_json_in_folder(paths[i]);
            progress.step();
        }
    };
    constexpr std::size_t few = 16;  // not worth a thread
    const unsigned wanted = paths.size() < few ? 1 : std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
    std::vector<std::jthread> others;
    try {
        for (unsigned i = 1; i < wanted; ++i) others.emplace_back(work);
    } catch (const std::system_error&) {
        // No more threads for us: those that there are do it.
    }
    work();
    others.clear();  // joins
    return results;
}

class Reader {
public:
    Inputs take() {
        read_records();
        return std::move(inputs_);
    }

    void read(const std::string& path) {
        std::error_code error;
        const fs::file_status status = fs::status(path, error);
        if (fs::is_directory(status)) {
            found_ = false;
            json_files_.clear();
            read_folder(path);
            take_json_files();
            if (!found_) complain(fmt::format("{}: no report and no record in this folder", path));
        } else if (!fs::exists(status)) {
            // Something that may not be looked at is not said to be missing.
            complain(fmt::format("{}: {}", path, error ? error.message() : "No such file or directory"));
        } else {
            read_file_of_user(path, fs::is_regular_file(status));
        }
    }

private:
    void complain(const std::string& trouble) { inputs_.troubles.push_back(printable(trouble)); }

    // Keeps what `read` gives, or why it gives nothing.
    template <class Read>
    void keep(const Read& read) {
        found_ = true;
        try {
            inputs_.reports.push_back(read());
        } catch (const std::runtime_error& error) {
            complain(error.what());
        }
    }

    void read_file_of_user(const std::string& path, bool regular) {
        try {
            if (regular && (is_record_name(path) || read_file(path, record_magic.size()) == record_magic)) {
                records_.emplace_back(path);
                return;
            }
            const std::string text = decompressed(read_file(path), path);
            if (text.starts_with(record_magic)) {
                complain(fmt::format("{}: a record can be read only from a file that is not compressed", path));
                return;
            }
            keep([&] { return read_json(text, path); });
        } catch (const std::runtime_error& error) {
            complain(error.what());
        }
    }

    void read_folder(const fs::path& folder) {
        std::vector<fs::path> folders;
        std::vector<fs::path> files;
        bool is_session = false;
        std::error_code error;
        fs::directory_iterator entry(folder, error);
        for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
            std::error_code gone;  // while we look; no trouble
            // Links to folders are not followed: they may lead round in a circle.
            if (entry->is_directory(gone) && !entry->is_symlink(gone)) {
                folders.push_back(entry->path());
            } else if (entry->is_regular_file(gone)) {
                is_session =
                    is_session || is_record_name(entry->path()) || is_session_file(entry->path());
                files.push_back(entry->path());
            }
        }
        if (error) {
            found_ = true;
            complain(fmt::format("{}: {}", folder.string(), error.message()));
        }
        // The folder's own order is anybody's guess.
        std::sort(folders.begin(), folders.end());
        std::sort(files.begin(), files.end());
        if (is_session) {
            keep([&] { return judge_folder(folder); });
        }
        for (const fs::path& file : files) {
            if (has_report_ending(file)) json_files_.push_back(file.string());
        }
        for (const fs::path& next : folders) read_folder(next);
    }

    void take_json_files() {
        for (Read& read : read_all(json_files_)) {
            if (read.report) inputs_.reports.push_back(std::move(*read.report));
            if (!read.trouble.empty()) complain(read.trouble);
            found_ = found_ || read.report || !read.trouble.empty();
        }
    }

    void read_records() {
        if (!records_.empty()) {
            keep([&] { return judge_records(records_); });
        }
    }

    Inputs inputs_;
    std::vector<fs::path> records_;  // named by the user, judged together
    bool found_ = false;             // something in the folder being read
    std::vector<std::string> json_files_;  // in it, to be read together
};

}  // namespace

Inputs read_inputs(const std::vector<std::string>& paths) {
    Reader reader;
    for (const std::string& path : paths) reader.read(path);
    return reader.take();
}

}  // namespace leftover::commands
