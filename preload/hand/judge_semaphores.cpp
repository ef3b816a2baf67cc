// Named semaphores, and what a kill inside glibc's sem_open leaves. That makes a file `sem.XXXXXX`
// with a random name, fills and maps it, links it to the real name and removes the random one.
#include <sys/stat.h>

#include "preload/core/clock.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/folder.h"
#include "preload/hand/named.h"
#include "preload/hand/users.h"

namespace leftover::hand {

namespace {

constexpr char folder_path[] = "/dev/shm";
constexpr std::string_view prefix = "sem.";

bool is_random_name(std::string_view name) {
    if (name.size() != prefix.size() + 6 || !name.starts_with(prefix)) return false;
    for (const char c : behind(name, prefix.size())) {
        if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z'))
            return false;
    }
    return true;
}

// Another program may be in the middle of its own sem_open. A lease is granted only if nobody else
// has the file open or mapped, in whatever namespace. Should somebody open it in that instant, the
// kernel makes them wait and sends this thread a SIGIO, which SignalsBlocked takes back.
bool is_used(long folder, const char* name) {
    const long fd = sys::call(SYS_openat, folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (sys::failed(fd)) return true;
    const struct {
        int type;
        int pid;
    } receiver = {F_OWNER_TID, sys::gettid()};
    sys::call(SYS_fcntl, fd, F_SETOWN_EX, &receiver);
    const bool granted = sys::call(SYS_fcntl, fd, F_SETLEASE, F_WRLCK) == 0;
    if (granted) sys::call(SYS_fcntl, fd, F_SETLEASE, F_UNLCK);
    sys::close(fd);
    return !granted;
}

std::uint64_t time_of_ticks(std::uint64_t ticks) {
    return realtime_ns() - clock_ns(CLOCK_BOOTTIME) + ticks * 10'000'000U;
}

struct HalfMade {
    const Case& about;
    List<NamedLeak*> linked;        // what has a second name, made by the dead
    List<const Resource*> intents;  // of the dead, without a semaphore to show for it

    void collect(const List<NamedLeak*>& found);
    void find();
    void judge(long folder, const char* name);
    const Resource* take_intent(const FileFacts& facts);
    bool is_claimed(std::string_view name) const;
    bool is_heir(int pid, const FileFacts& facts) const;
    bool is_only_inherited(const FileFacts& facts) const;
    void add(const Resource& origin, const char* name, const FileFacts& facts) const;
};

void HalfMade::collect(const List<NamedLeak*>& found) {
    for (NamedLeak* leak : found) {
        // A process that lives is about to remove the random name itself.
        if (leak->facts.links > 1 && is_dead(about, *leak->origin)) linked.add(about.pool(), leak);
    }
    about.each(Kind::semaphore, [&](const Resource& resource) {
        if (resource.state != record::State::intent || !is_dead(about, resource)) return;
        for (const NamedLeak* leak : found) {
            if (leak->origin == &resource) return;
        }
        intents.add(about.pool(), &resource);
    });
}

bool HalfMade::is_claimed(std::string_view name) const {
    bool claimed = false;
    about.each(Kind::semaphore, [&](const Resource& resource) {
        claimed = claimed || posix_name(resource.name) == behind(name, prefix.size());
    });
    return claimed;
}

// A process of the session that lives, is not at such a call itself, and was forked when the file was there.
bool HalfMade::is_heir(int pid, const FileFacts& facts) const {
    bool at_work = false;
    about.each(Kind::semaphore, [&](const Resource& resource) {
        at_work = at_work || (resource.pid == pid && resource.state == record::State::intent && !is_dead(about, resource));
    });
    if (at_work) return false;
    for (const Member* member : about.census.members()) {
        if (member->pid == pid && member->alive && !member->foreign) {
            return facts.born_ns <= time_of_ticks(member->now.start_ticks) + clock_slack;
        }
    }
    return false;
}

// Whether all that use it have it from a creator that was killed half-way.
bool HalfMade::is_only_inherited(const FileFacts& facts) const {
    const long proc = sys::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sys::failed(proc)) return false;
    bool any = false;
    bool others = false;
    each_name(proc, [&](const char* name) {
        std::string_view digits(name);
        std::uint64_t pid = 0;
        if (!take_number(digits, pid) || !digits.empty()) return true;
        const Use use = use_of(name, facts.device, facts.inode);
        if (use == Use::none) return true;
        others = use == Use::unknown || !is_heir(static_cast<int>(pid), facts);
        any = true;
        return !others;
    });
    sys::close(proc);
    return any && !others;
}

// The intent nearest to the file's birth; each can own one file only.
const Resource* HalfMade::take_intent(const FileFacts& facts) {
    const Resource** nearest = nullptr;
    std::uint64_t distance = 0;
    for (const Resource*& intent : intents) {
        if (intent == nullptr || intent->record->owner != facts.user) continue;
        const std::uint64_t created = intent->created_ns;
        if (created > facts.born_ns + clock_slack) continue;
        const std::uint64_t its =
            created > facts.born_ns ? created - facts.born_ns : facts.born_ns - created;
        if (nearest != nullptr && its >= distance) continue;
        nearest = &intent;
        distance = its;
    }
    if (nearest == nullptr) return nullptr;
    const Resource* const taken = *nearest;
    *nearest = nullptr;
    return taken;
}

void HalfMade::add(const Resource& origin, const char* name, const FileFacts& facts) const {
    char path[64];
    Text text(path, sizeof path);
    text << folder_path << '/' << name;
    char shown[16];
    Text plain(shown, sizeof shown);
    plain << '/' << behind(name, prefix.size());
    Pool& pool = about.pool();
    add_named(about, Kind::semaphore,
              {&origin, pool.keep(plain.view()), pool.keep(text.view()), facts});
}

void HalfMade::judge(long folder, const char* name) {
    FileFacts facts;
    if (!is_random_name(name) || !look_at(folder, name, facts) || !S_ISREG(facts.mode)) return;
    if (is_claimed(name)) return;
    for (const NamedLeak* real : linked) {
        if (real->facts.inode == facts.inode && real->facts.device == facts.device) {
            add(*real->origin, name, facts);
            return;
        }
    }
    if (facts.links != 1 || (facts.bytes != 0 && facts.bytes != sizeof(long[4]))) return;
    if (intents.size() == 0 || (is_used(folder, name) && !is_only_inherited(facts))) return;
    if (const Resource* intent = take_intent(facts)) add(*intent, name, facts);
}

void HalfMade::find() {
    if (linked.size() == 0 && intents.size() == 0) return;
    const long folder = sys::open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sys::failed(folder)) return;
    each_name(folder, [&](const char* name) {
        judge(folder, name);
        return true;
    });
    sys::close(folder);
}

}  // namespace

void judge_semaphores(const Case& about) {
    const List<NamedLeak*> found = find_named(about, Kind::semaphore, "/dev/shm/sem.");
    for (const NamedLeak* leak : found) add_named(about, Kind::semaphore, *leak);
    HalfMade half{about, {}, {}};
    half.collect(found);
    half.find();
}

}  // namespace leftover::hand
