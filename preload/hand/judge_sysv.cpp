// System V objects, from /proc/sysvipc: unlike IPC_STAT it also shows those that may not be read, and
// those whose id nobody wrote down. The rules are those of reporter/judge/sysv.cpp.
#include <initializer_list>

#include "preload/core/text.h"
#include "preload/hand/judge.h"
#include "preload/hand/lines.h"

namespace leftover::hand {

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t longest_call = 5;  // seconds, on a machine with too much to do
constexpr std::uint64_t removed = 01000;   // SHM_DEST: goes when the last process lets go of it

struct Object {
    std::uint64_t id, key, creator_uid, creator_pid, changed, bytes, semaphores, mode;
    bool used;
    const Resource* owner;
};

struct Source {
    Kind kind;
    const char* path;
    std::string_view id, size;
};

constexpr Source tables[] = {
    {Kind::sysv_shared_memory, "/proc/sysvipc/shm", "shmid", "size"},
    {Kind::sysv_semaphore, "/proc/sysvipc/sem", "semid", ""},
    {Kind::sysv_message_queue, "/proc/sysvipc/msg", "msqid", "cbytes"},
};

constexpr std::size_t most_columns = 24;

struct Columns {
    char text[512];
    std::string_view names[most_columns];
    std::size_t count = 0;

    void read(std::string_view line) {
        if (line.size() > sizeof text) return;
        copy_bytes(text, line.data(), line.size());
        line = {text, line.size()};
        while (count < most_columns && !(names[count] = take_word(line)).empty()) ++count;
    }
};

void set(Object& object, const Source& table, std::string_view column, std::uint64_t value) {
    if (column == table.id) object.id = value;
    if (column == table.size) object.bytes = value;
    if (column == "key") object.key = static_cast<std::uint32_t>(value);
    if (column == "perms") object.mode = value;
    if (column == "nsems") object.semaphores = value;
    if (column == "cuid") object.creator_uid = value;
    if (column == "cpid") object.creator_pid = value;
    if (column == "ctime") object.changed = value;
    for (const std::string_view use : {"atime", "otime", "stime", "rtime"}) {
        if (column == use && value != 0) object.used = true;
    }
}

List<Object> read_objects(const Source& table, Pool& pool) {
    List<Object> objects;
    Columns columns;
    each_line(table.path, [&](std::string_view line) {
        if (columns.count == 0) {
            columns.read(line);
            return;
        }
        Object object{};
        for (std::size_t at = 0; at < columns.count; ++at) {
            std::string_view word = take_word(line);
            const bool negative = word.starts_with('-');
            if (negative) word.remove_prefix(1);
            std::uint64_t value = 0;
            if (!take_number(word, value, columns.names[at] == "perms" ? 8 : 10)) return;
            set(object, table, columns.names[at], negative ? -value : value);
        }
        if ((object.mode & removed) != 0 && table.kind == Kind::sysv_shared_memory) return;
        object.mode &= 0777;
        objects.add(pool, object);
    });
    return objects;
}

bool is_same(const Case& about, const Resource& resource, const Object& object) {
    if (object.changed + 1 < resource.created_ns / second || resource.b != object.key) return false;
    const Member* const writer = about.census.writer_of(*resource.record);
    const bool numbers_compare = writer == nullptr || !writer->foreign;
    return object.creator_pid == 0 || !numbers_compare ||
           object.creator_pid == static_cast<std::uint64_t>(resource.pid);
}

bool may_own(const Case& about, const Resource& resource, const Object& object) {
    if (!is_same(about, resource, object) || resource.value != object.mode ||
        resource.record->owner != object.creator_uid) {
        return false;
    }
    if (resource.kind == Kind::sysv_shared_memory && resource.c != object.bytes) return false;
    if (resource.kind == Kind::sysv_semaphore && resource.c != object.semaphores) return false;
    if (object.key == 0 && object.used) return false;
    return object.changed <= resource.created_ns / second + longest_call;
}

// A table does not tell 0 from 1, and ids begin there.
constexpr std::uint64_t first_key = 2;

void find_owners(const Case& about, Kind kind, const List<Object>& objects,
                 List<const Resource*>& intents) {
    Table by_id;
    for (std::uint32_t at = 0; at < objects.size(); ++at) {
        bool is_new = false;
        by_id.enter(about.pool(), objects[at].id + first_key, at, is_new);
    }
    about.each(kind, [&](const Resource& resource) {
        if (resource.state == record::State::intent) {
            if (is_dead(about, resource)) intents.add(about.pool(), &resource);
            return;
        }
        const std::uint32_t* const at = by_id.find(resource.a + first_key);
        if (resource.state != record::State::live || at == nullptr) return;
        Object& object = objects[*at];
        if (!is_same(about, resource, object)) return;
        if (object.owner == nullptr || object.owner->created_ns < resource.created_ns) {
            object.owner = &resource;
        }
    });
}

// What a kill between the call and its confirmation left: each intent can own one object only.
void find_interrupted(const Case& about, const List<Object>& objects,
                      const List<const Resource*>& intents) {
    for (Object& object : objects) {
        if (object.owner != nullptr) continue;
        const Resource** nearest = nullptr;
        for (const Resource*& intent : intents) {
            if (intent == nullptr || !may_own(about, *intent, object)) continue;
            if (nearest == nullptr || (*nearest)->created_ns < intent->created_ns) nearest = &intent;
        }
        if (nearest == nullptr) continue;
        object.owner = *nearest;
        *nearest = nullptr;
    }
}

void judge(const Case& about, const Source& table) {
    bool any = false;
    about.each(table.kind, [&](const Resource&) { any = true; });
    if (!any) return;
    Pool& pool = about.pool();
    const List<Object> objects = read_objects(table, pool);
    List<const Resource*> intents;
    find_owners(about, table.kind, objects, intents);
    find_interrupted(about, objects, intents);
    for (const Object& object : objects) {
        if (object.owner == nullptr) continue;
        char name[32];
        Text text(name, sizeof name);
        (text << "id:").number(object.id);
        Leak* const leak = about.findings.make(pool, table.kind, pool.keep(text.view()), object.owner);
        if (leak == nullptr) return;
        leak->id = object.id;
        leak->key = object.key;
        leak->changed = object.changed;
        leak->bytes = object.bytes;
        about.findings.count(pool, leak);
    }
}

}  // namespace

void judge_sysv(const Case& about) {
    for (const Source& table : tables) judge(about, table);
}

}  // namespace leftover::hand
