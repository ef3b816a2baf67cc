#include "reporter/findings/name_pattern.h"

#include <algorithm>
#include <array>

namespace leftover::findings {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word(char c) {
    return is_digit(c) || is_lower(c) || is_upper(c) || (static_cast<unsigned char>(c) & 0x80) != 0;
}

bool is_python_random(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_digit(c) || is_lower(c) || c == '_'; });
}

bool is_random(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_digit(c) || is_lower(c) || is_upper(c) || c == '_'; });
}

// Prefixes behind which well-known makers put so many characters of [a-z0-9_] (hex is among them).
struct Maker {
    std::string_view prefix;
    std::size_t length;
};
constexpr std::array makers{
    Maker{"mp-", 8},    Maker{"psm_", 8},      Maker{"tmp", 8},
    Maker{"pymp-", 8},  Maker{"listener-", 8}, Maker{"sem.", 6},
    Maker{"wnsm_", 8},  Maker{"tmp.", 10},
};

// Of these makers everything behind the prefix is pids and chance.
constexpr std::array<std::string_view, 4> wholly_random{"loky-", "joblib_memmapping_folder_", "torch_",
                                                        "__KMP_REGISTERED_LIB_"};

// 8-4-4-4-12 hexadecimal digits at the front of the text.
constexpr std::size_t uuid_length = 36;
bool begins_with_uuid(std::string_view text) {
    if (text.size() < uuid_length) return false;
    for (std::size_t i = 0; i < uuid_length; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) return false;
    }
    return uuid_length == text.size() || !is_word(text[uuid_length]);
}

// A letter or two more would make it a word; so it was thrown: eight consonants in a row, case that
// changes in the middle again and again.
bool looks_thrown(std::string_view word) {
    if (word.size() < 6) return false;
    std::size_t vowels = 0;
    std::size_t changes = 0;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if ((static_cast<unsigned char>(word[i]) & 0x80) != 0) return false;
        vowels += std::string_view("aeiouyAEIOUY").find(word[i]) != std::string_view::npos ? 1U : 0U;
        if (i > 0 && is_lower(word[i]) != is_lower(word[i - 1])) ++changes;
    }
    return vowels == 0 || changes * 2 >= word.size();
}

void add_star(std::string& pattern) {
    if (!pattern.ends_with('*')) pattern += '*';
}

// A run of letters and digits: as it is, or with * for what is a number or thrown.
void add_word(std::string& pattern, std::string_view word) {
    const auto first_digit = std::find_if(word.begin(), word.end(), is_digit);
    if (first_digit == word.end()) {
        if (looks_thrown(word)) {
            add_star(pattern);
        } else {
            pattern += word;
        }
        return;
    }
    // worker12 is a worker with a number; a1b2 is a hash.
    const auto letters = static_cast<std::size_t>(first_digit - word.begin());
    if (letters >= 3 && std::all_of(first_digit, word.end(), is_digit)) {
        pattern += word.substr(0, letters);
    }
    add_star(pattern);
}

// What can be told of the text alone.
void add_plain(std::string& pattern, std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (begins_with_uuid(text.substr(at))) {
            add_star(pattern);
            at += uuid_length;
            continue;
        }
        const auto begin = text.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = std::find_if_not(begin, text.end(), is_word);
        if (end != begin) {
            const auto length = static_cast<std::size_t>(end - begin);
            add_word(pattern, text.substr(at, length));
            at += length;
            continue;
        }
        const char c = text[at++];
        // Version numbers and the like: 3.11, 1-2, how many there are of them may change.
        const bool between = pattern.ends_with('*') && at < text.size() && is_digit(text[at]) &&
                             (c == '.' || c == '-' || c == '_' || c == ':');
        if (between) continue;
        if (c == '*' || c == '?' || c == '[' || c == '\\') {
            add_star(pattern);  // a glob's own characters would match something else
        } else {
            pattern += c;
        }
    }
}

// One part of a path.
void add_part(std::string& pattern, std::string_view part, Randomness randomness) {
    for (const std::string_view prefix : wholly_random) {
        if (!part.starts_with(prefix) || part.size() == prefix.size()) continue;
        pattern += prefix;
        add_star(pattern);
        return;
    }
    for (const Maker& maker : makers) {
        if (!part.starts_with(maker.prefix)) continue;
        const std::string_view rest = part.substr(maker.prefix.size());
        if (rest.size() < maker.length) continue;
        const std::string_view thrown = rest.substr(0, maker.length);
        const std::string_view after = rest.substr(maker.length);
        const bool fits = maker.length == 8 ? is_python_random(thrown) : is_random(thrown);
        if (!fits || (!after.empty() && after.front() != '.')) continue;
        pattern += maker.prefix;
        add_star(pattern);
        add_plain(pattern, after);
        return;
    }
    if (randomness != Randomness::unknown) {
        const std::size_t length = randomness == Randomness::six ? 6 : 8;
        const auto dot = part.rfind('.');
        const bool has_ending = dot != part.npos && dot >= length && part.size() - dot <= 6 &&
                                is_random(part.substr(dot - length, length));
        const std::string_view stem = has_ending ? part.substr(0, dot) : part;
        if (stem.size() >= length && is_random(stem.substr(stem.size() - length))) {
            add_plain(pattern, stem.substr(0, stem.size() - length));
            add_star(pattern);
            add_plain(pattern, part.substr(stem.size()));
            return;
        }
    }
    add_plain(pattern, part);
}

// The kernel keeps 15 bytes of a thread's name: what is cut off moves with the number before it.
std::string thread_pattern(std::string_view name) {
    constexpr std::size_t kept_by_kernel = 15;
    std::string pattern;
    add_plain(pattern, name);
    if (name.size() >= kept_by_kernel) {
        if (const auto star = pattern.find('*'); star != pattern.npos) pattern.resize(star + 1);
    }
    return pattern;
}

}  // namespace

std::string name_pattern(Kind kind, std::string_view name, Randomness randomness) {
    std::string pattern;
    switch (kind) {
        case Kind::sysv_shared_memory:
        case Kind::sysv_semaphore:
        case Kind::sysv_message_queue:
        case Kind::timer:
            pattern = name.substr(0, name.find(':'));
            if (pattern.size() < name.size()) pattern += ":*";
            return pattern;
        case Kind::process:
        case Kind::zombie: {
            // python3.11 and python3.12 run the same program.
            name = name.substr(name.rfind('/') + 1);
            const auto last = name.find_last_not_of("0123456789.");
            const std::size_t stem = last == name.npos ? name.size() : last + 1;
            pattern = name.substr(0, stem);
            if (stem < name.size()) add_star(pattern);
            return pattern;
        }
        case Kind::thread:
        case Kind::detached_thread: return thread_pattern(name);
        default: break;
    }
    if (!name.starts_with('/')) {
        add_part(pattern, name, randomness);
        return pattern;
    }
    const auto slash = name.rfind('/');
    pattern = slash == 0 ? "/" : "*/";
    add_part(pattern, name.substr(slash + 1), randomness);
    return pattern;
}

}  // namespace leftover::findings
