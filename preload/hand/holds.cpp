#include "preload/hand/holds.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/folder.h"
#include "preload/hand/lines.h"

namespace leftover::hand {

namespace {

constexpr std::size_t most_text = 4096;

// A table does not tell 0 from 1.
constexpr std::uint64_t first_key = 2;

struct Stream {
    bool known = false;
    struct stat status = {};

    explicit Stream(int fd) {
        known = sys::fstat(fd, &status) == 0 &&
                !(S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3) /* /dev/null */);
    }
    bool is(const struct stat& other) const {
        return known && status.st_ino == other.st_ino && status.st_dev == other.st_dev;
    }
};

struct Descriptors {
    bool output = false;
    bool error = false;
    bool any_socket = false;
    Table sockets;
};

std::string_view path_of(int pid, std::string_view file, Text& text) {
    (text << "/proc/").number(static_cast<std::uint64_t>(pid)) << '/' << file;
    return text.view();
}

bool read_descriptors(int pid, Pool& pool, Descriptors& found) {
    char path[48];
    Text text(path, sizeof path);
    path_of(pid, "fd", text);
    const long folder = sys::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sys::failed(folder)) return false;
    const Stream output(1);
    const Stream error(2);
    each_name(folder, [&](const char* name) {
        struct stat link;
        struct stat target;
        if (sys::call(SYS_newfstatat, folder, name, &link, AT_SYMLINK_NOFOLLOW) != 0 ||
            sys::call(SYS_newfstatat, folder, name, &target, 0) != 0) {
            return true;
        }
        // The link's mode says how it was opened.
        if ((link.st_mode & S_IWUSR) != 0) {
            found.output = found.output || output.is(target);
            found.error = found.error || error.is(target);
        }
        if (S_ISSOCK(target.st_mode)) {
            bool is_new = false;
            found.sockets.enter(pool, target.st_ino + first_key, 1, is_new);
            found.any_socket = true;
        }
        return true;
    });
    sys::close(folder);
    return true;
}

// At most eight digits of upper case.
bool read_hex(std::string_view digits, std::uint32_t& number) {
    char lower[8];
    if (digits.size() > sizeof lower) return false;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const char c = digits[i];
        lower[i] = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    std::string_view text(lower, digits.size());
    std::uint64_t value = 0;
    if (!take_number(text, value, 16) || !text.empty()) return false;
    number = static_cast<std::uint32_t>(value);
    return true;
}

bool take_hex_word(std::string_view& text, std::uint32_t& word) {
    if (text.size() < 8 || !read_hex({text.data(), 8}, word)) return false;
    text.remove_prefix(8);
    return true;
}

void write_four(Text& text, const unsigned char* bytes) {
    for (int i = 0; i < 4; ++i) {
        if (i != 0) text << '.';
        text.number(bytes[i]);
    }
}

// As RFC 5952 wants it: the longest run of zeros is `::`.
void write_sixteen(Text& text, const unsigned char* bytes) {
    unsigned groups[8];
    for (int i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    int best = -1;
    int longest = 1;
    for (int i = 0; i < 8; ++i) {
        int end = i;
        while (end < 8 && groups[end] == 0) ++end;
        if (end - i > longest) {
            longest = end - i;
            best = i;
        }
    }
    const bool has_four = best == 0 && longest == 5 && groups[5] == 0xffff;  // ::ffff:1.2.3.4
    text << '[';
    for (int i = 0; i < 8; ++i) {
        if (i == best) {
            text << "::";
            i += longest - 1;
            continue;
        }
        if (i != 0 && i != best + longest) text << ':';
        if (has_four && i == 6) {
            write_four(text, bytes + 12);
            break;
        }
        text.number(groups[i], 16);
    }
    text << ']';
}

// "0100007F:1F90": words as the machine holds them, and the port.
bool write_address(Text& text, std::string_view shown) {
    std::uint32_t words[4];
    int count = 0;
    while (count < 4 && take_hex_word(shown, words[count])) ++count;
    if (!shown.starts_with(':') || (count != 1 && count != 4)) return false;
    shown.remove_prefix(1);
    std::uint32_t port = 0;
    if (!read_hex(shown, port)) return false;
    const auto* bytes = reinterpret_cast<const unsigned char*>(words);
    text << "tcp:";
    if (count == 1) {
        write_four(text, bytes);
    } else {
        write_sixteen(text, bytes);
    }
    text << ':';
    text.number(port);
    return true;
}

bool is_theirs(const Descriptors& found, std::string_view number) {
    std::uint64_t inode = 0;
    return take_number(number, inode) && found.sockets.find(inode + first_key) != nullptr;
}

void add(Text& list, std::string_view entry) {
    if (list.size() + entry.size() + 1 < most_text) list << entry << '\0';
}

void add_tcp(int pid, std::string_view file, const Descriptors& found, Text& list) {
    char path[48];
    Text text(path, sizeof path);
    path_of(pid, file, text);
    each_line(path, [&](std::string_view line) {
        // sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
        std::string_view words[10];
        for (std::string_view& word : words) word = take_word(line);
        char entry[80];
        Text shown(entry, sizeof entry);
        if (words[3] == "0A" && is_theirs(found, words[9]) && write_address(shown, words[1])) {
            add(list, shown.view());
        }
    });
}

void add_unix(int pid, const Descriptors& found, Text& list) {
    char path[48];
    Text text(path, sizeof path);
    path_of(pid, "net/unix", text);
    each_line(path, [&](std::string_view line) {
        // Num       RefCount Protocol Flags    Type St Inode Path
        std::string_view words[7];
        for (std::string_view& word : words) word = take_word(line);
        while (line.starts_with(' ')) line.remove_prefix(1);
        // __SO_ACCEPTCON of the kernel's include/linux/net.h
        if (words[3] != "00010000" || line.empty() || !is_theirs(found, words[6])) return;
        char entry[256];
        Text shown(entry, sizeof entry);
        shown << "unix:" << line;
        add(list, shown.view());
    });
}

}  // namespace

bool read_holdings(int pid, Pool& pool, std::string_view& holds) {
    Descriptors found;
    if (!read_descriptors(pid, pool, found)) return false;
    char buffer[most_text];
    Text list(buffer, sizeof buffer);
    if (found.output) add(list, "stdout");
    if (found.error) add(list, "stderr");
    if (found.any_socket) {
        add_tcp(pid, "net/tcp", found, list);
        add_tcp(pid, "net/tcp6", found, list);
        add_unix(pid, found, list);
    }
    holds = pool.keep(list.view());
    return true;
}

}  // namespace leftover::hand
