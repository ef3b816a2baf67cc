#include "reporter/html/embedded.h"

// Defined in embedded_files.S.
extern "C" const char leftover_page_css[], leftover_page_css_end[];
extern "C" const char leftover_page_script[], leftover_page_script_end[];
extern "C" const char leftover_page_licences[], leftover_page_licences_end[];

namespace leftover::embedded {
namespace {

std::string_view between(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view page_css() { return between(leftover_page_css, leftover_page_css_end); }
std::string_view page_script() { return between(leftover_page_script, leftover_page_script_end); }
std::string_view page_licences() {
    return between(leftover_page_licences, leftover_page_licences_end);
}

}  // namespace leftover::embedded
