#pragma once

#include <string>

namespace leftover {

// The bytes as they were before gzip or zstd, if they are a stream of either (by its first bytes, not
// by the file's name), else as they are. Streams may follow one another, as `cat` joins them. Throws
// std::runtime_error with one line that begins with `path` when the stream is damaged or cut off, or
// would be larger than any report.
std::string decompressed(std::string bytes, const std::string& path);

// Whether a name says that its file is compressed: .gz or .zst. Takes the ending off.
bool take_compression_ending(std::string& name);

}  // namespace leftover
