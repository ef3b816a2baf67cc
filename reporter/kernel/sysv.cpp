#include "reporter/kernel/sysv.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "reporter/kernel/text.h"

namespace leftover::kernel {

namespace {

class Columns {
public:
    explicit Columns(std::vector<std::string_view> names) : names_(std::move(names)) {}

    std::optional<std::int64_t> number(const std::vector<std::string_view>& row,
                                       std::string_view name, int base = 10) const {
        const auto found = std::find(names_.begin(), names_.end(), name);
        const auto at = static_cast<std::size_t>(found - names_.begin());
        if (found == names_.end() || at >= row.size()) return std::nullopt;
        return parse_number<std::int64_t>(row[at], base);
    }

private:
    std::vector<std::string_view> names_;
};

const char* file_name(record::Kind kind) {
    if (kind == record::Kind::sysv_shared_memory) return "shm";
    return kind == record::Kind::sysv_semaphore ? "sem" : "msg";
}

const char* id_column(record::Kind kind) {
    if (kind == record::Kind::sysv_shared_memory) return "shmid";
    return kind == record::Kind::sysv_semaphore ? "semid" : "msqid";
}

const char* size_column(record::Kind kind) {
    return kind == record::Kind::sysv_shared_memory ? "size" : "cbytes";
}

// Times of use; 0 is never.
std::initializer_list<const char*> use_columns(record::Kind kind) {
    static constexpr std::initializer_list<const char*> memory{"atime"}, semaphores{"otime"},
        queue{"stime", "rtime"};
    if (kind == record::Kind::sysv_shared_memory) return memory;
    return kind == record::Kind::sysv_semaphore ? semaphores : queue;
}

// SHM_DEST of the kernel's include/linux/shm.h, among the permissions.
constexpr std::uint32_t removed = 01000;

}  // namespace

std::vector<SysvObject> parse_sysv(record::Kind kind, std::string_view text) {
    std::vector<SysvObject> objects;
    std::optional<Columns> columns;
    each_line(text, [&](std::string_view line) {
        auto words = split_words(line);
        if (!columns) {
            columns.emplace(std::move(words));
            return;
        }
        const auto id = columns->number(words, id_column(kind));
        const auto uid = columns->number(words, "uid");
        const auto changed = columns->number(words, "ctime");
        const auto mode = static_cast<std::uint32_t>(columns->number(words, "perms", 8).value_or(0));
        if (!id || !uid || !changed) return;
        if (kind == record::Kind::sysv_shared_memory && (mode & removed) != 0) return;
        SysvObject object;
        object.kind = kind;
        object.id = *id;
        // Printed as a signed number.
        object.key = static_cast<std::uint32_t>(columns->number(words, "key").value_or(0));
        object.uid = static_cast<uid_t>(*uid);
        object.creator_uid = static_cast<uid_t>(columns->number(words, "cuid").value_or(*uid));
        object.creator_pid = static_cast<int>(columns->number(words, "cpid").value_or(0));
        object.changed = *changed;
        object.bytes =
            static_cast<std::uint64_t>(columns->number(words, size_column(kind)).value_or(0));
        object.semaphores =
            static_cast<std::uint64_t>(columns->number(words, "nsems").value_or(0));
        object.attached =
            static_cast<std::uint64_t>(columns->number(words, "nattch").value_or(0));
        object.mode = mode & 0777;
        for (const char* column : use_columns(kind)) {
            object.used = object.used || columns->number(words, column).value_or(0) != 0;
        }
        objects.push_back(object);
    });
    return objects;
}

std::vector<SysvObject> list_sysv(record::Kind kind, const Roots& roots) {
    return parse_sysv(kind, read_text(roots.proc / "sysvipc" / file_name(kind)));
}

}  // namespace leftover::kernel
