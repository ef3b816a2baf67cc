// The formats that a report can be rendered in, by name and by file ending.
#pragma once

#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "reporter/model/model.h"

namespace leftover::render {

struct Options {
    bool notes = false;   // also what is only a note
    bool excused = false; // text: also what is suppressed or in the baseline
    bool all = false;     // text: every name, process and session, however many
    bool colour = false;  // text: with terminal colours
    int width = 0;        // text: columns to fit in; 0: any
};

// Writes the report to `out`, whose state tells whether that worked. A pure function of the report
// and, for text, of the source files it names.
using Renderer = void (*)(const Report& report, const Options& options, std::ostream& out);

struct Format {
    std::string_view name;    // as after --format
    std::string_view ending;  // of a file in this format, with its dot; empty: by name only
    Renderer render;          // null: a later version will have it
};

std::span<const Format> formats();

// The format of that name. Throws std::runtime_error, with one line for the user, if there is none
// or none yet.
const Format& format_by_name(std::string_view name);

// An argument of -o: [FORMAT:]FILE.
struct Output {
    const Format* format;
    std::string file;  // "-": standard output
};

// By the prefix, else `format_name` (of --format; empty: not given), else the ending, else text.
// Throws like format_by_name, and if the file's name is empty.
Output parse_output(std::string_view argument, std::string_view format_name);

// Writes what `content` gives to that file ("-": standard output), over whatever was there: as a whole or
// not at all, whoever ends us meanwhile, so that a full disk costs no earlier one; a file that is no regular
// one is written to directly. `content` may be asked twice. Throws std::runtime_error with one line for the
// user.
void write_file(const std::string& file, const std::function<void(std::ostream&)>& content);

// The same for a report.
void write(const Report& report, const Options& options, const Output& output);

// Options for text on that descriptor: colours and width if it is a terminal (NO_COLOR, TERM and
// COLUMNS are respected).
Options options_for(int descriptor);

// The renderers, one file each.
void text(const Report& report, const Options& options, std::ostream& out);
void text_of_hang(const Report& report, const Options& options, std::ostream& out);  // that part of it alone
void json(const Report& report, const Options& options, std::ostream& out);
void html(const Report& report, const Options& options, std::ostream& out);
void sarif(const Report& report, const Options& options, std::ostream& out);
void junit(const Report& report, const Options& options, std::ostream& out);
void markdown(const Report& report, const Options& options, std::ostream& out);
void gitlab(const Report& report, const Options& options, std::ostream& out);
void ndjson(const Report& report, const Options& options, std::ostream& out);
void folded(const Report& report, const Options& options, std::ostream& out);

}  // namespace leftover::render
