// One file that needs no other and no network: style, script and data stand in it.
#include <ostream>
#include <string>

#include "reporter/html/embedded.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"
#include "reporter/render/page_data.h"
#include "reporter/render/words.h"

namespace leftover::render {
namespace {

std::string escaped(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '&': safe += "&amp;"; break;
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '"': safe += "&quot;"; break;
            default: safe += c;
        }
    }
    return safe;
}

std::string title_of(const Report& report) {
    if (report.sessions.size() != 1) {
        return "leftover: " + std::to_string(report.sessions.size()) + " sessions";
    }
    return "leftover: " + command_words(report.sessions.front().command, 80);
}

}  // namespace

void html(const Report& report, const Options&, std::ostream& out) {
    out << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           // Whatever a program's strings might do, nothing is fetched and nothing sent.
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
           "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        << "<title>" << escaped(title_of(report)) << "</title>\n<style>\n"
        << embedded::page_css() << "</style>\n</head>\n<body>\n"
        << "<noscript>This report needs JavaScript; `leftover report --format text` does "
           "not.</noscript>\n<div id=\"page\"></div>\n"
        << "<script type=\"application/json\" id=\"data\">\n";
    write_page_data(report, out);
    out << "</script>\n<script>\n" << embedded::page_script() << "</script>\n<!--\n"
        << embedded::page_licences() << "-->\n</body>\n</html>\n";
}

}  // namespace leftover::render
