#include "reporter/commands/report_inputs.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include "preload/record/format.h"
#include "reporter/judge/judge.h"
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
            read_folder(path);
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
            const std::string text = read_file(path);
            if (text.starts_with(record_magic)) {
                complain(fmt::format("{}: a record can be read from a file only, not from a pipe", path));
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
            if (file.extension() == ".json") read_json_in_folder(file.string());
        }
        for (const fs::path& next : folders) read_folder(next);
    }

    // A folder of artifacts holds many JSON files; ours says so, or has our name but was cut off.
    void read_json_in_folder(const std::string& path) {
        std::string text;
        try {
            text = read_file(path);
        } catch (const std::runtime_error& error) {
            found_ = true;
            complain(error.what());
            return;
        }
        const bool says_so = text.find("\"leftover.report/") != text.npos;
        const bool is_named_so = fs::path(path).filename().string().starts_with("leftover.") &&
                                 text.find("\"leftover.") == text.npos;
        if (says_so || is_named_so) {
            keep([&] { return read_json(text, path); });
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
};

}  // namespace

Inputs read_inputs(const std::vector<std::string>& paths) {
    Reader reader;
    for (const std::string& path : paths) reader.read(path);
    return reader.take();
}

}  // namespace leftover::commands
