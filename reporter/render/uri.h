// Files as the services that show findings beside the source want them.
#pragma once

#include <string>
#include <string_view>

#include "reporter/findings/findings.h"

namespace leftover::render {

// The path in the repository, most likely: relative to the session's folder where it lies there, else
// as it is recorded. Empty when it is no source file.
std::string source_file(const findings::Location& location, std::string_view folder);

// A path as a URI reference: absolute ones as file:///..., everything but letters, digits and -._~/
// percent-encoded.
std::string uri_of(std::string_view path);

}  // namespace leftover::render
