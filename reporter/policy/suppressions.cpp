#include "reporter/policy/suppressions.h"

#include <ctime>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "reporter/findings/findings.h"
#include "reporter/model/names.h"
#include "reporter/model/read_file.h"
#include "reporter/model/utf8.h"
#include "reporter/render/words.h"

namespace leftover::policy {

namespace {

class LineParser {
public:
    LineParser(std::string_view line, std::string source) : rest_(line), source_(std::move(source)) {}

    // Nothing for a line without an entry.
    std::optional<Suppression> parse() {
        skip_blanks();
        if (at_end()) return std::nullopt;
        Suppression entry;
        entry.source = source_;
        const std::string_view all = rest_;
        entry.kind = parse_kind();
        for (const auto& [word, where] :
             {std::pair("frame=", Suppression::Where::frame), std::pair("top=", Suppression::Where::top)}) {
            if (!rest_.starts_with(word)) continue;
            entry.where = where;
            rest_.remove_prefix(std::string_view(word).size());
        }
        entry.glob = parse_word();
        entry.text = all.substr(0, all.size() - rest_.size());
        if (entry.glob.empty()) fail("the pattern is missing behind the ':'; * is any");
        for (skip_blanks(); !at_end(); skip_blanks()) parse_attribute(entry);
        return entry;
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error(printable(fmt::format("{}: {}", source_, what)));
    }

    static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

    void skip_blanks() {
        while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    }

    bool at_end() const { return rest_.empty() || rest_.front() == '#'; }

    std::optional<Kind> parse_kind() {
        const auto colon = rest_.find(':');
        const std::string_view name = rest_.substr(0, colon);
        if (colon == rest_.npos || name.find_first_of(" \t\"#") != name.npos) {
            fail(fmt::format("'{}' is not kind:pattern", name.substr(0, name.find_first_of(" \t#"))));
        }
        rest_.remove_prefix(colon + 1);
        if (name == "*") return std::nullopt;
        const auto kind = kind_by_name(name);
        if (!kind) {
            std::string all;
            for (const record::KindRow& row : record::kind_table) {
                all += (all.empty() ? "" : ", ");
                all += row.name;
            }
            fail(fmt::format("there is no kind '{}'; valid are *, {}", name, all));
        }
        return kind;
    }

    // Up to a blank, or in quotes, where \" and \\ stand for themselves.
    std::string parse_word() {
        std::string word;
        if (!rest_.starts_with('"')) {
            const auto end = std::find_if(rest_.begin(), rest_.end(), is_blank);
            word = std::string(rest_.begin(), end);
            rest_.remove_prefix(word.size());
            return word;
        }
        for (std::size_t at = 1; at < rest_.size(); ++at) {
            if (rest_[at] == '"') {
                rest_.remove_prefix(at + 1);
                if (!rest_.empty() && !is_blank(rest_.front())) fail("a blank is missing behind a '\"'");
                return word;
            }
            const bool escaped = rest_[at] == '\\' && at + 1 < rest_.size() &&
                                 (rest_[at + 1] == '"' || rest_[at + 1] == '\\');
            word += rest_[escaped ? ++at : at];
        }
        fail("a '\"' is not closed");
    }

    void parse_attribute(Suppression& entry) {
        if (rest_.starts_with("reason=")) {
            rest_.remove_prefix(7);
            entry.reason = parse_word();
        } else if (rest_.starts_with("expires=")) {
            rest_.remove_prefix(8);
            entry.expires = parse_word();
            if (!is_date(entry.expires)) {
                fail(fmt::format("expires={} is no date like 2027-01-31", entry.expires));
            }
        } else {
            fail(fmt::format("'{}' is neither reason=\"...\" nor expires=YYYY-MM-DD; a pattern with "
                             "blanks stands in quotes",
                             rest_.substr(0, rest_.find_first_of(" \t"))));
        }
    }

    static bool is_date(const std::string& text) {
        if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (i != 4 && i != 7 && (text[i] < '0' || text[i] > '9')) return false;
        }
        std::tm date{};
        const char* end = strptime(text.c_str(), "%Y-%m-%d", &date);
        if (end == nullptr || *end != '\0') return false;
        // The 31st of February would become the 3rd of March.
        std::tm normal = date;
        return timegm(&normal) != -1 && normal.tm_mday == date.tm_mday && normal.tm_mon == date.tm_mon;
    }

    std::string_view rest_;
    std::string source_;
};

std::string quoted_if_needed(const std::string& text) {
    const bool plain = !text.empty() && text.find_first_of(" \t\r\"\\") == text.npos;
    if (plain) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

// A glob that matches this text and nothing else.
std::string exactly(std::string_view text) {
    std::string glob;
    for (const char c : text) {
        if (c == '*' || c == '?' || c == '[' || c == '\\') glob += '\\';
        glob += c;
    }
    return glob;
}

}  // namespace

std::vector<Suppression> parse_suppressions(std::string_view text, const std::string& source) {
    std::vector<Suppression> entries;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        LineParser parser(text.substr(0, end), fmt::format("{}:{}", source, number));
        if (auto entry = parser.parse()) entries.push_back(std::move(*entry));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return entries;
}

std::vector<Suppression> read_suppressions(const std::string& path) {
    return parse_suppressions(read_file(path), path);
}

bool has_expired(const Suppression& suppression, std::string_view today) {
    return !suppression.expires.empty() && suppression.expires < today;
}

std::string today() {
    return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
}

std::string suggest_suppressions(const Report& report, bool notes) {
    std::string lines;
    std::set<std::string> known;
    const findings::FrameReader reader(report);
    for (const findings::Finding& finding : findings::find(report, {notes, false})) {
        // By the place where there is one: a name with * in it might be anybody's.
        std::string pattern = quoted_if_needed(finding.pattern);
        if (finding.stack != nullptr) {
            const auto telling = findings::telling_frames(reader.frames(*finding.stack));
            if (!telling.empty()) {
                const findings::Frame& top = telling.front();
                const bool named = !top.function.empty() && !top.function.starts_with('<');
                const std::string_view file = top.file.empty() ? top.module : top.file;
                std::string what = named && top.python ? std::string(top.function)
                                   : named             ? findings::identity_of(top)
                                                       : std::string(file.substr(file.rfind('/') + 1));
                if (!what.empty()) pattern = "top=" + quoted_if_needed(exactly(what));
            }
        }
        std::string entry = fmt::format("{}:{}", name_of(finding.kind), pattern);
        // What cannot be written on a line cannot be suggested by it.
        if (printable(entry) != entry || !known.insert(entry).second) continue;
        lines += fmt::format("# {}, {}, {}\n{} reason=\"FIXME: why nobody need care\"\n",
                             render::kind_words(finding.kind, finding.leaks.size()),
                             findings::words_of(finding.location), finding.fingerprint, entry);
    }
    return lines;
}

}  // namespace leftover::policy
