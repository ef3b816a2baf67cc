#include "preload/core/mapping.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/descriptors.h"
#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/core/undisturbed.h"

namespace leftover {

using record::ArenaChunk;
using record::ChunkType;
using record::Header;
using record::Slot;
using record::SlotChunk;

namespace {

enum Opening : std::uint32_t { closed, opening, open, failed };
// Two records at most: ours and the one that was used when we were forked. Which is which says `fresh`,
// so that a child changes nothing here before it opens its own.
constinit Mapping records[2];
constinit Mapping no_record;
constinit Mapping* last_used = nullptr;
constinit std::uint32_t last_serial = 0;

constexpr std::uint32_t first_slots = 128;
constexpr std::uint32_t first_arena = 32768;
constexpr std::uint32_t largest_arena = 32U << 20;
constexpr std::uint32_t largest_slots = 1U << 22;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

constexpr std::uint64_t slot_chunk_size(std::uint64_t capacity) {
    return round_up(64 + round_up(capacity / 8, 64) + capacity * sizeof(Slot) + capacity / 4 * sizeof(record::Bucket),
                    4096);
}

constexpr std::uint64_t largest_written = 1U << 20;
constexpr std::uint64_t far_from_full = 64U << 20;

// On ext4 a page that was written into the cache, and has its block reserved, costs a fraction of one that was
// allocated: no journal now, none at the first store into it, and nothing at all if the file goes before it
// gets to the disk. On a disk that is nearly full such a write would wait for the journal before it fails.
// Elsewhere (tmpfs; btrfs, which reserves anew at each store) fallocate is as fast or surer.
bool is_cheaper_written(long fd, std::uint64_t size) {
    struct statfs system = {};
    return size <= largest_written && sys::call(SYS_fstatfs, fd, &system) == 0 &&
           system.f_type == EXT4_SUPER_MAGIC &&
           system.f_bavail > far_from_full / static_cast<std::uint64_t>(system.f_bsize);
}

bool write_zeros(long fd, std::uint64_t offset, std::uint64_t size) {
    static constinit const char zeros[16384] = {};
    while (size > 0) {
        const long written = sys::call(SYS_pwrite64, fd, zeros, size < sizeof zeros ? size : sizeof zeros, offset);
        if (written <= 0) return false;
        offset += static_cast<std::uint64_t>(written);
        size -= static_cast<std::uint64_t>(written);
    }
    return true;
}

bool take_blocks(long fd, std::uint64_t offset, std::uint64_t size) {
    if (is_cheaper_written(fd, size)) return write_zeros(fd, offset, size);
    const long result = sys::call(SYS_fallocate, fd, 0, offset, size);
    // NFS before 4.2, FUSE.
    return result == 0 || (result == -EOPNOTSUPP && write_zeros(fd, offset, size));
}

// Makes a file longer with its blocks allocated: a page without one would be a SIGBUS when the disk is
// full. Beyond RLIMIT_FSIZE the kernel sends SIGXFSZ, which ends a program by default, so it is blocked
// and taken back.
bool allocate(long fd, std::uint64_t offset, std::uint64_t size) {
    struct rlimit64 limit = {};
    const bool limited =
        sys::call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0L, &limit) != 0 || limit.rlim_cur != RLIM64_INFINITY;
    if (!limited) return take_blocks(fd, offset, size);
    if (limit.rlim_cur < offset + size) return false;
    const std::uint64_t one = signal_bit(SIGXFSZ);
    std::uint64_t before = 0;
    std::uint64_t pending = 0;
    sys::call(SYS_rt_sigpending, &pending, sizeof pending);
    sys::call(SYS_rt_sigprocmask, SIG_BLOCK, &one, &before, sizeof before);
    const bool done = take_blocks(fd, offset, size);
    if (!done && (pending & one) == 0) {
        const struct timespec now = {0, 0};
        sys::call(SYS_rt_sigtimedwait, &one, 0L, &now, sizeof one);
    }
    sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0L, sizeof before);
    return done;
}

void lay_out_slots(char* base, std::uint32_t capacity, std::uint32_t reserved) {
    auto* head = reinterpret_cast<SlotChunk*>(base);
    head->capacity = capacity;
    head->reserved_slots = reserved;
    head->bitmap_offset = 64;
    head->slots_offset = static_cast<std::uint32_t>(64 + round_up(capacity / 8, 64));
    head->index_offset = static_cast<std::uint32_t>(head->slots_offset + capacity * sizeof(Slot));
    head->index_buckets = capacity / 4;
}

void lay_out_arena(char* base, std::uint32_t size) {
    auto* head = reinterpret_cast<ArenaChunk*>(base);
    head->size = size;
    head->table_offset = 64;
    head->table_size = size / 128;
    head->first_item = static_cast<std::uint32_t>(64 + head->table_size * sizeof(record::ItemId));
    head->used.store(head->first_item, std::memory_order_relaxed);
}

std::uint64_t descriptor_chunk_size(std::uint32_t chunk) {
    return round_up(sizeof(record::DescriptorChunk) + record::descriptor_chunk_capacity(chunk) * sizeof(record::Descriptor),
                    4096);
}

void lay_out_descriptors(char* base, std::uint32_t chunk) {
    auto* head = reinterpret_cast<record::DescriptorChunk*>(base);
    head->first = record::descriptor_chunk_first(chunk);
    head->capacity = record::descriptor_chunk_capacity(chunk);
    fresh.descriptors[chunk].store(reinterpret_cast<record::Descriptor*>(base + sizeof *head), std::memory_order_release);
}

void add_chunk(Mapping& mapping, std::uint64_t offset, char* base, std::uint64_t size, ChunkType type) {
    const std::uint32_t number = mapping.chunk_count.load(std::memory_order_relaxed);
    mapping.bases[number] = base;
    mapping.header->chunks[number].offset = offset;
    mapping.header->chunks[number].size = size;
    mapping.header->chunks[number].type.store(static_cast<std::uint32_t>(type), std::memory_order_release);
    mapping.header->chunk_count.store(number + 1, std::memory_order_release);
    mapping.chunk_count.store(number + 1, std::memory_order_release);
}

void fill_header(Header& header, std::uint64_t ticks) {
    header.version = record::version;
    header.byte_order = record::byte_order;
    header.header_size = record::header_size;
    header.slot_size = sizeof(Slot);
    header.word_size = sizeof(void*);
    header.pid = static_cast<std::uint32_t>(identity.pid);
    header.ppid = static_cast<std::uint32_t>(identity.ppid);
    header.start_ticks = ticks;
    header.opened_ns = realtime_ns();
    header.started_ns = header.opened_ns - (clock_ns(CLOCK_BOOTTIME) - ticks * 10'000'000U);
    struct stat where;
    if (sys::stat("/proc/self/ns/pid", &where) == 0) header.pid_namespace = where.st_ino;
    if (options.by_hand) header.flags |= record::by_hand;
    if (identity.no_unwind) header.flags |= record::no_unwind;
    if (is_session_root(ticks)) {
        header.flags |= record::root;
        if (options.by_hand) read_boot_id(header.boot_id);
    }
    Text(header.session, sizeof header.session) << options.session;
    Text(header.executable, sizeof header.executable) << options.executable;
    const long cwd = sys::call(SYS_getcwd, header.cwd, sizeof header.cwd);
    if (cwd <= 0) header.cwd[0] = 0;
    header.command_size = static_cast<std::uint32_t>(read_command(header.command, sizeof header.command));
    // Last, so that a file without it was torn before it held anything.
    std::atomic_thread_fence(std::memory_order_release);
    copy_bytes(header.magic, record::magic, sizeof header.magic);
}

void unmap(Mapping& mapping);

// Of no other record that this process or one that it shares walks with has.
std::uint32_t new_serial(std::uint64_t ticks) {
    const std::uint64_t hash = mix(mix(ticks, static_cast<std::uint64_t>(identity.pid)), ++last_serial);
    const auto serial = static_cast<std::uint32_t>(hash >> 32);
    return serial != 0 ? serial : 1;
}

bool open_own() {
    Mapping& mapping = fresh.inherited == &records[0] ? records[1] : records[0];
    know_executable();
    if (mapping) unmap(mapping);  // a record of an ancestor further up: nobody writes there any more
    mapping.header = nullptr;
    mapping.chunk_count.store(0, std::memory_order_relaxed);
    mapping.growing.store(0, std::memory_order_relaxed);
    mapping.ticks = own_start_ticks();
    mapping.serial = new_serial(mapping.ticks);
    mapping.removed = false;
    const std::uint64_t slots_size = slot_chunk_size(first_slots);
    const std::uint64_t descriptors_size = wants_descriptors() ? descriptor_chunk_size(0) : 0;
    const std::uint64_t size = record::header_size + slots_size + first_arena + descriptors_size;
    char path[sizeof options.folder + 80];
    long fd = -1;
    for (mapping.image = 0; mapping.image < 100'000; ++mapping.image) {
        if (!record_path(mapping.ticks, mapping.image, path, sizeof path)) return false;
        fd = sys::open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd != -EEXIST) break;
    }
    mapping.in_memory = sys::failed(fd);
    // By hand the report at the end can still be made from plain memory; a launcher could not see it.
    if (mapping.in_memory && (!options.by_hand || inherited_record())) return false;
    char* base = nullptr;
    if (!sys::failed(fd)) {
        if (allocate(fd, 0, size)) {
            base = static_cast<char*>(sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
        }
        sys::close(fd);
        if (base == nullptr) sys::unlink(path);
    } else {
        base = static_cast<char*>(
            sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    }
    if (base == nullptr) return false;
    mapping.header = reinterpret_cast<Header*>(base);
    lay_out_slots(base + record::header_size, first_slots, first_slots / 4);
    lay_out_arena(base + record::header_size + slots_size, first_arena);
    add_chunk(mapping, record::header_size, base + record::header_size, slots_size, ChunkType::slots);
    add_chunk(mapping, record::header_size + slots_size, base + record::header_size + slots_size, first_arena,
              ChunkType::arena);
    if (descriptors_size != 0) {
        const std::uint64_t at = record::header_size + slots_size + first_arena;
        lay_out_descriptors(base + at, 0);
        add_chunk(mapping, at, base + at, descriptors_size, ChunkType::descriptors);
    }
    fill_header(*mapping.header, mapping.ticks);
    last_used = &mapping;
    fresh.own = &mapping;
    take_in_early_descriptors(mapping);
    return true;
}

// Where a new chunk of `size` bytes lies in memory; null when there is no room for it.
char* map_chunk(const Mapping& mapping, std::uint64_t offset, std::uint64_t size) {
    if (mapping.in_memory) {
        return static_cast<char*>(
            sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    }
    char path[sizeof options.folder + 80];
    if (!record_path(mapping.ticks, mapping.image, path, sizeof path)) return nullptr;
    const long fd = sys::open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (sys::failed(fd)) return nullptr;
    char* base = nullptr;
    if (allocate(fd, offset, size)) {
        base = static_cast<char*>(sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset));
    }
    sys::close(fd);
    return base;
}

bool lengthen(Mapping& mapping, ChunkType type, std::uint64_t wanted) {
    const std::uint32_t chunks = mapping.chunk_count.load(std::memory_order_relaxed);
    if (chunks == record::max_chunks) return false;
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < chunks; ++i) {
        if (mapping.type(i) != type) continue;
        total += type == ChunkType::slots ? reinterpret_cast<SlotChunk*>(mapping.bases[i])->capacity : mapping.size(i);
    }
    std::uint64_t capacity = 0;
    std::uint64_t size = 0;
    if (type == ChunkType::slots) {
        capacity = total < largest_slots ? total : largest_slots;
        size = slot_chunk_size(capacity);
    } else if (type == ChunkType::descriptors) {
        size = descriptor_chunk_size(static_cast<std::uint32_t>(wanted));
    } else {
        size = total < largest_arena ? total : largest_arena;
        while (size < wanted * 2) size *= 2;
    }
    const std::uint64_t offset = mapping.header->chunks[chunks - 1].offset + mapping.header->chunks[chunks - 1].size;
    char* const base = map_chunk(mapping, offset, size);
    if (base == nullptr) return false;
    if (type == ChunkType::slots) {
        lay_out_slots(base, static_cast<std::uint32_t>(capacity), 0);
    } else if (type == ChunkType::descriptors) {
        lay_out_descriptors(base, static_cast<std::uint32_t>(wanted));
    } else {
        lay_out_arena(base, static_cast<std::uint32_t>(size));
    }
    add_chunk(mapping, offset, base, size, type);
    return true;
}

bool can_open(std::uint32_t state) { return state == closed || state == failed; }

// The rest of writable_record(), out of the way of what is nearly always all of it.
__attribute__((noinline)) Mapping* open_record(std::uint32_t state) {
    if (!recording.load(std::memory_order_relaxed)) return opened_record();
    if (state == failed) {
        // What was in the way (no descriptors) may have passed: tried again ever more seldom.
        const std::uint32_t attempt = fresh.attempts.fetch_add(1, std::memory_order_relaxed);
        if ((attempt & (attempt - 1)) != 0) return opened_record();
    }
    const pid_t self = current_tid();
    if (can_open(state)) {
        const Undisturbed whole;
        if (fresh.opening.compare_exchange_strong(state, opening)) {
            fresh.opener.store(self, std::memory_order_relaxed);
            fresh.opening.store(open_own() ? open : failed, std::memory_order_release);
            return opened_record();
        }
    }
    // Another thread is at it, which takes microseconds. Where signals may not be blocked, a handler that interrupted
    // it must not wait.
    for (unsigned spins = 0; spins < 100'000 && fresh.opening.load(std::memory_order_acquire) == opening; ++spins) {
        if (fresh.opener.load(std::memory_order_relaxed) == self) break;
        sys::yield();
    }
    return opened_record();
}

}  // namespace

Mapping* opened_record() {
    if (fresh.opening.load(std::memory_order_acquire) == open) return fresh.own;
    return fresh.inherited;
}

Mapping* writable_record() {
    const std::uint32_t state = fresh.opening.load(std::memory_order_acquire);
    return state == open ? fresh.own : open_record(state);
}

bool grow(Mapping& mapping, ChunkType type, std::uint64_t wanted) {
    if (&mapping != fresh.own) return false;
    const auto self = static_cast<std::uint32_t>(current_tid());
    const std::uint32_t seen = mapping.chunk_count.load(std::memory_order_acquire);
    std::uint32_t grower = 0;
    {
        const Undisturbed whole;
        if (mapping.growing.compare_exchange_strong(grower, self)) {
            const bool somebody_did = mapping.chunk_count.load(std::memory_order_acquire) != seen;
            const bool done = somebody_did || lengthen(mapping, type, wanted);
            mapping.growing.store(0, std::memory_order_release);
            return done;
        }
    }
    for (unsigned spins = 0; spins < 1'000'000 && mapping.growing.load(std::memory_order_acquire) != 0; ++spins) {
        if (grower == self) return false;  // as above: we interrupted it
        sys::yield();
    }
    return mapping.chunk_count.load(std::memory_order_acquire) != seen;
}

namespace {

// The first region holds the header and the first chunks, which are one mapping.
void unmap(Mapping& mapping) {
    const std::uint32_t chunks = mapping.chunk_count.load(std::memory_order_relaxed);
    std::uint64_t first = record::header_size;
    for (std::uint32_t i = 0; i < chunks; ++i) {
        const char* begin = reinterpret_cast<char*>(mapping.header);
        if (mapping.bases[i] == begin + first) {
            first += mapping.size(i);
        } else {
            sys::munmap(mapping.bases[i], mapping.size(i));
        }
    }
    sys::munmap(mapping.header, first);
}

}  // namespace

bool record_path(std::uint64_t ticks, std::uint32_t image, char* buffer, std::size_t size) {
    Text path(buffer, size);
    path << options.folder << '/';
    path.number(static_cast<std::uint64_t>(identity.pid)) << '-';
    path.number(ticks) << '-';
    path.number(image) << ".record";
    return !path.cut();
}

Mapping& own_record() { return fresh.own != nullptr ? *fresh.own : no_record; }
Mapping& inherited_record() { return fresh.inherited != nullptr ? *fresh.inherited : no_record; }

void inherit_records() {
    fresh.own = nullptr;
    fresh.inherited = last_used;
}

}  // namespace leftover
