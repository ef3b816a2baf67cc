// The parts of the HTML report that are the same in every one. page.css and page.js are what
// web/build.mjs makes.
#pragma once

#include <string_view>

namespace leftover::embedded {

std::string_view page_css();
std::string_view page_script();
std::string_view page_licences();

}  // namespace leftover::embedded
