// The JSON report, schema leftover.report/1: writing and reading.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "reporter/model/model.h"

namespace leftover {

inline constexpr std::string_view report_schema = "leftover.report/1";

// Writes the report in the schema's fields and order, one leak, process, stack and module a line.
// Text that is not UTF-8 is written with U+FFFD. Memory use does not grow with the report.
void write_json(const Report& report, std::ostream& out);

// Reads what write_json or the shim wrote. Unknown fields are ignored, missing optional ones take
// the model's defaults. `source` names the input in messages. Throws std::runtime_error with one
// line (what is wrong, where, at which byte) if it is no JSON, cut off, of another schema, or a
// field is of another type than the schema has it.
Report read_json(std::string_view text, const std::string& source);

// The same for a file; also thrown when it cannot be read.
Report read_json_file(const std::string& path);

// 2026-01-02T03:04:05.678901Z, microseconds cut off.
std::string format_time(Time time);

// The nanoseconds of an RFC 3339 time in UTC or with an offset; 0 if it is none.
Time parse_time(std::string_view text);

}  // namespace leftover
