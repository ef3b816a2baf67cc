#include "preload/hooks/given_names.h"

#include "preload/core/sys.h"

namespace leftover {

using record::State;

namespace {

// Which names were given last. As many as many threads may give while one of them is kept from making its
// file. A forked child inherits its parent's, which the record's serial tells from its own.
struct Given {
    std::atomic<std::uint64_t> slot{0};  // id << 32 | generation
    std::atomic<std::uint32_t> serial{0};
};
constexpr std::uint32_t given_count = 1024;
constinit Given given[given_count];

bool is_intent(const SlotRef& ref) {
    return ref && ref.slot->state.load(std::memory_order_acquire) ==
                      (ref.generation << 8 | static_cast<std::uint32_t>(State::intent));
}

// Its name as a path; false when it is too long, or the slot's no more.
bool read_name(const SlotRef& ref, char* buffer, std::size_t room) {
    Text text(buffer, room);
    std::size_t left = ref.slot->name_size;
    std::size_t part = left < record::inline_name_size ? left : record::inline_name_size;
    text << std::string_view(ref.slot->name, part);
    record::SlotId next = ref.slot->next;
    for (left -= part; left != 0; left -= part) {
        const SlotRef tail = slot_at(*ref.mapping, next);
        if (!tail) return false;
        part = left < record::tail_size ? left : record::tail_size;
        text << std::string_view(reinterpret_cast<const char*>(tail.slot) + record::tail_offset, part);
        next = tail.slot->next;
    }
    return !text.cut() && is_intent(ref);
}

// Pushed out by a later name: it counts from now on if there is a file of that name.
void settle(const SlotRef& ref) {
    char path[1024];
    struct stat status;
    if (!is_intent(ref)) return;
    if (read_name(ref, path, sizeof path) && sys::stat(path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode) && status.st_uid == static_cast<uid_t>(sys::call(SYS_geteuid))) {
        ref.slot->a.store(status.st_ino, std::memory_order_relaxed);
        ref.slot->b.store(status.st_dev, std::memory_order_relaxed);
        confirm_slot(ref);
    } else {
        release_slot(ref);
    }
}

}  // namespace

void note_given_name(std::string_view path) {
    drop_intent(find_given_name(path));
    const SlotRef slot = intend_name(Kind::temporary_file, path);
    // Another's record is not ours to fill with what may never be.
    if (!slot || slot.mapping != fresh.own) {
        drop_intent(slot);
        return;
    }
    const std::uint32_t at = fresh.names_given.fetch_add(1, std::memory_order_relaxed) % given_count;
    const std::uint64_t old = given[at].slot.exchange(static_cast<std::uint64_t>(slot.id) << 32 | slot.generation,
                                                      std::memory_order_acq_rel);
    const std::uint32_t serial = given[at].serial.exchange(slot.mapping->serial, std::memory_order_acq_rel);
    if (old == 0 || serial != slot.mapping->serial) return;
    SlotRef oldest = slot_at(*slot.mapping, static_cast<record::SlotId>(old >> 32));
    oldest.generation = static_cast<std::uint32_t>(old);
    settle(oldest);
}

SlotRef find_given_name(std::string_view path) {
    if (!names_were_given()) return {};
    const SlotRef slot = find_slot(Kind::temporary_file, path);
    return is_intent(slot) ? slot : SlotRef{};
}

}  // namespace leftover
