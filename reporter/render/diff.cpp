#include "reporter/render/diff.h"

#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/markup.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

using findings::Compared;

std::string count_words(const Compared& item) {
    const auto kind = item.finding->kind;
    if (item.before == 0) return kind_words(kind, item.after);
    if (item.after == 0 || item.before == item.after) return kind_words(kind, item.before);
    return fmt::format("{} (were {})", kind_words(kind, item.after), item.before);
}

std::string headline(const findings::Diff& diff) {
    return fmt::format("{} new, {} gone, {} unchanged", diff.added.size(), diff.gone.size(),
                       diff.unchanged.size());
}

void text_list(std::string_view title, const std::vector<Compared>& items, std::ostream& out) {
    for (const Compared& item : items) {
        const findings::Finding& finding = *item.finding;
        out << fmt::format("{}: {}: {}", title, name_of(finding.severity), count_words(item));
        if (!finding.pattern.empty()) out << ' ' << printable(finding.pattern);
        if (const std::string place = findings::words_of(finding.location); place != "-") {
            out << ", " << place;
        }
        out << "  " << finding.fingerprint << '\n';
    }
}

void json_list(JsonStream& json, std::string_view key, const std::vector<Compared>& items) {
    json.line().key(key).begin('[');
    for (const Compared& item : items) {
        const findings::Finding& finding = *item.finding;
        json.line().begin('{');
        json.key("fingerprint").value(finding.fingerprint);
        json.key("kind").value(name_of(finding.kind));
        json.key("severity").value(name_of(finding.severity));
        json.key("name_pattern").value(finding.pattern);
        json.key("function").value_or_null(finding.location.function);
        json.key("file").value_or_null(finding.location.file);
        json.key("line").value_or_null(finding.location.line);
        json.key("before").value(item.before);
        json.key("after").value(item.after);
        json.end('}');
    }
    json.end(']');
}

void markdown_list(std::string_view title, const std::vector<Compared>& items, std::ostream& out) {
    constexpr std::size_t most = 1000;
    if (items.empty()) return;
    out << fmt::format("\n### {} ({})\n\n", title, items.size());
    out << "| severity | what | name | where | fingerprint |\n| --- | --- | --- | --- | --- |\n";
    for (std::size_t i = 0; i < items.size() && i < most; ++i) {
        const findings::Finding& finding = *items[i].finding;
        out << fmt::format("| {} | {} | {} | {} | `{}` |\n", name_of(finding.severity),
                           count_words(items[i]), markdown_code(finding.pattern),
                           markdown_text(findings::words_of(finding.location)), finding.fingerprint);
    }
    if (items.size() > most) out << fmt::format("\nand {} more, cut off here.\n", items.size() - most);
}

}  // namespace

void diff_text(const findings::Diff& diff, std::ostream& out) {
    text_list("new", diff.added, out);
    text_list("gone", diff.gone, out);
    text_list("unchanged", diff.unchanged, out);
    out << headline(diff) << '\n';
}

void diff_json(const findings::Diff& diff, std::ostream& out) {
    JsonStream json(out);
    json.begin('{').key("schema").value("leftover.diff/1");
    json_list(json, "new", diff.added);
    json_list(json, "gone", diff.gone);
    json_list(json, "unchanged", diff.unchanged);
    json.end('}').finish();
}

void diff_markdown(const findings::Diff& diff, std::ostream& out) {
    out << "## leftover: " << headline(diff) << '\n';
    markdown_list("New", diff.added, out);
    markdown_list("Gone", diff.gone, out);
    markdown_list("Unchanged", diff.unchanged, out);
}

}  // namespace leftover::render
