// The record file: what one process image wrote down about the resources it created. The shim maps
// it shared and writes; the reporter, the launcher and, by hand, the root's shim read it, also after
// the writer was killed at any instant. This header is all that writer and readers have in common.
//
// A file `PID-TICKS-N.record` (N counts the images that one process exec'd) is a Header page, then
// chunks listed in the header. A chunk never moves or shrinks. Three types:
//   slots        SlotChunk, bitmap of claimed slots, Slot[], index. One Slot per live resource, reused.
//   arena        ArenaChunk, hash table, items. Append-only: strings, modules, stacks, each once.
//   descriptors  DescriptorChunk, Descriptor[]. One for each file descriptor, by its number.
// Everything is in the writer's byte order and read on the same machine.
//
// Rules for readers: trust nothing. A slot counts only in a published state, numbers and lengths
// are to be checked against the file's size, and the generation is to be compared before and after
// copying a slot of a live process. What a slot says is checked against the kernel before it is
// called a leak.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kinds.h"

namespace leftover::record {

inline constexpr char magic[8] = {'l', 'e', 'f', 't', 'o', 'v', 'e', 'r'};
inline constexpr std::uint32_t version = 1;
inline constexpr std::uint32_t byte_order = 0x01020304;

inline constexpr std::size_t max_chunks = 48;
inline constexpr std::size_t session_id_size = 64;

enum class ChunkType : std::uint32_t { none, slots, arena, descriptors };

struct ChunkEntry {
    std::uint64_t offset;  // in the file
    std::uint64_t size;    // bytes
    std::atomic<std::uint32_t> type;  // ChunkType; written last, released
    std::uint32_t reserved;
};

struct Counter {
    std::atomic<std::uint64_t> created;
    std::atomic<std::uint64_t> released;
    std::atomic<std::uint64_t> peak;
};

// How the image ended, as far as the shim saw it. `running` after a kill.
enum class Ending : std::uint32_t { running, code, signal, exec };

enum HeaderFlag : std::uint32_t {
    root = 1U << 0,      // the session's first process
    by_hand = 1U << 1,   // preloaded without a launcher
    threaded = 1U << 2,  // has had more than one thread
    no_unwind = 1U << 3, // forked without the unwinder's lock: stacks are missing on purpose
};

struct Header {
    char magic[8];
    std::uint32_t version;
    std::uint32_t byte_order;
    std::uint32_t header_size;
    std::uint32_t slot_size;
    std::uint32_t word_size;
    std::uint32_t flags;  // HeaderFlag

    std::uint32_t pid;    // in its own pid namespace
    std::uint32_t ppid;   // the process that created it; 0 when that ended before this image began
    std::uint64_t start_ticks;   // field 22 of /proc/PID/stat
    std::uint64_t started_ns;    // CLOCK_REALTIME when the process began (from its start ticks)
    std::uint64_t opened_ns;     // CLOCK_REALTIME when this record was opened
    std::uint64_t pid_namespace; // inode of /proc/self/ns/pid
    std::uint64_t boot_id[2];    // first 16 bytes of the boot id (root of a session by hand only)

    std::atomic<std::uint32_t> ending;        // Ending
    std::atomic<std::uint32_t> ending_value;  // exit code or signal number
    std::atomic<std::uint64_t> ended_ns;      // CLOCK_REALTIME
    std::atomic<std::uint32_t> lost;          // resources that found no room here
    std::atomic<std::uint32_t> chunk_count;
    std::atomic<std::uint32_t> reported;      // by hand: this process wrote its report
    std::atomic<std::uint32_t> module_count;  // numbers given to modules so far
    std::uint32_t command_size;               // bytes used in `command`
    std::atomic<std::uint32_t> lent;          // slots that hold children's descriptors; for the writers' sake

    char session[session_id_size];
    Counter counters[16];  // by Kind
    ChunkEntry chunks[max_chunks];

    char executable[512];  // readlink /proc/self/exe, cut at the end
    char cwd[512];
    char command[1024];    // arguments, each with its NUL, cut at the end
};

inline constexpr std::size_t header_size = 4096;
static_assert(sizeof(Header) <= header_size);
static_assert(kind_count <= 16);

// A slot's life. Only `intent`, `live` and `ended` are published.
enum class State : std::uint8_t {
    free,
    claimed,  // being written
    intent,   // written before the call; nobody knows yet whether the call created it
    live,     // the call created it
    ended,    // a child that ended and was waited for, kept for the history
    tail,     // holds a piece of another slot's name
};

enum SlotFlag : std::uint8_t {
    detached = 1U << 0,      // thread
    finished = 1U << 1,      // thread: its start routine returned or it exited
    execed = 1U << 2,        // process: exec'd since; `name` is what it runs
    instrumented = 1U << 3,  // process: the shim was (or stays) in it
    unmapped = 1U << 4,      // file in /dev/shm that counts only once it was mapped shared
    fetched = 1U << 5,       // process: waited for
    zombie = 1U << 1,        // process: had ended, not waited for, when its creator ended
    // thread: CPython's own. From 3.13 on these stay joinable until their Thread object dies, which the
    // end of the process may well come before: nobody's bug.
    interpreters = 1U << 2,
};

// Why a child's new program could not take the shim; in a process slot's `value` while `execed` and
// not `instrumented`. Named as in the JSON report.
enum class Reason : std::uint8_t { none, static_, setuid, architecture, libc, unreadable, unknown };

// When the child has ended (`fetched` or `zombie`) the lower half is its wait status, and the reason above it.
inline constexpr unsigned reason_shift = 24;
constexpr std::uint32_t with_wait_status(std::uint32_t reason, int status) {
    return (reason & 0xff) << reason_shift | (static_cast<std::uint32_t>(status) & 0xffff);
}
constexpr int wait_status(std::uint32_t value) { return static_cast<int>(value & 0xffff); }
constexpr std::uint32_t reason_of(std::uint32_t value, bool has_status) {
    return has_status ? value >> reason_shift : value & 0xff;
}

inline constexpr std::size_t inline_name_size = 40;

// One live resource. The meaning of a, b, c, d and value by kind:
//   process            a pid (0 while an intent); b earliest and c latest start in ticks since boot
//                      (field 22 of its stat lies between); d ended (CLOCK_REALTIME ns); value the
//                      Reason it is not instrumented, and its wait status when `fetched` or `zombie`
//   semaphore, shared_memory, temporary_*, socket_file, message_queue   a inode; b device; where a is
//                      0 in a live slot, the file is the one of that name born between created_ns and d
//                      (CLOCK_REALTIME ns when the call was over). Where d is not 0 the inode is that of the
//                      name some time later; c when the thread had begun to remove the name before, with success
//   thread             a pthread_t; b start routine (an address); c its argument; d start routine as
//                      a NativeFrame; value its tid
//   sysv_*             a id (as an unsigned number; nothing while an intent); b key; c bytes, or how many
//                      semaphores; value its permission bits
//   timer              a what its creator finds it by; b the kernel's number
//   file_descriptor    a what its creator finds it by; b the descriptor. Only those that have no place in
//                      a chunk of type descriptors
//   others             see their hooks
// A name longer than inline_name_size goes on in the slot `next` (state `tail`), and from there in
// that one's `next`.
struct Slot {
    // low 8 bits State, upper 24 bits generation: changes with every claim and release
    std::atomic<std::uint32_t> state;
    Kind kind;
    std::atomic<std::uint8_t> flags;  // SlotFlag
    std::uint16_t name_size;          // bytes of the whole name
    std::uint32_t pid;                // the creator, in its own pid namespace
    std::uint32_t tid;
    std::atomic<std::uint32_t> stack;  // ItemId; 0 none
    std::uint32_t next;                // SlotId of the name's continuation; 0 none
    std::atomic<std::uint32_t> value;
    std::uint32_t reserved;
    std::uint64_t created_ns;  // CLOCK_REALTIME
    std::atomic<std::uint64_t> a, b, c, d;
    char thread_name[16];
    char name[inline_name_size];
};
static_assert(sizeof(Slot) == 128);

// In a slot in state `tail` the text fills all behind its first 32 bytes.
inline constexpr std::size_t tail_offset = 32;
inline constexpr std::size_t tail_size = sizeof(Slot) - tail_offset;

// SlotId: the chunk's number in the header in the top 6 bits, the slot's number + 1 in the lower 26.
// 0 is none.
using SlotId = std::uint32_t;
constexpr SlotId slot_id(std::uint32_t chunk, std::uint32_t number) { return chunk << 26 | (number + 1); }
constexpr std::uint32_t slot_chunk(SlotId id) { return id >> 26; }
constexpr std::uint32_t slot_number(SlotId id) { return (id & 0x3ffffffU) - 1; }

// Head of a chunk of type slots. Behind it, each at the next multiple of 64: the bitmap
// (capacity / 64 words), Slot[capacity], and the index (see below).
struct SlotChunk {
    std::uint32_t capacity;  // slots; a multiple of 64
    std::uint32_t reserved_slots;  // of these, the last ones are kept for children without a record of their own
    std::uint32_t bitmap_offset;  // from the chunk's begin
    std::uint32_t slots_offset;
    std::uint32_t index_offset;
    std::uint32_t index_buckets;  // a power of two
    std::atomic<std::uint32_t> used;
    std::atomic<std::uint32_t> hint;
};

// The index finds a slot by its key (kind and name, or kind and number) for the writer's sake.
// Readers need not look at it.
struct Bucket {
    std::atomic<std::uint64_t> entries[7];  // upper half of the key << 32 | slot number + 1; 0 empty
    std::atomic<std::uint64_t> overflowed;  // an entry that belongs here once had to go further on
};
static_assert(sizeof(Bucket) == 64);

// Head of a chunk of type descriptors. Behind it, Descriptor[capacity], for `first` and those that follow.
struct alignas(64) DescriptorChunk {
    std::uint32_t first;
    std::uint32_t capacity;
};

enum DescriptorFlag : std::uint8_t {
    name_cut = 1U << 0,   // `name` is only the end of what the descriptor was opened by
    handed_on = 1U << 1,  // in an image that ended by exec: the ones that follow keep it in these books
};

// An open descriptor, of the process that wrote the record.
struct Descriptor {
    // As in a slot; only free, claimed and live.
    std::atomic<std::uint32_t> state;
    std::uint32_t tid;
    std::atomic<std::uint32_t> stack;   // ItemId; 0 none
    std::atomic<std::uint32_t> target;  // ItemId of a string, what /proc showed at the end or exec; 0 not known
    std::uint64_t created_ns;           // CLOCK_REALTIME_COARSE
    std::uint8_t flags;                 // DescriptorFlag
    std::uint8_t name_size;
    std::uint16_t file;                 // handed_on: which file it was; for the writer's sake
    char thread_name[16];
    char name[84];  // what the program opened: a path as it was given, or what sort of thing
};
static_assert(sizeof(Descriptor) == 128);

// Chunk 0 holds 0 to 63, and each further one as many as all before it together.
inline constexpr std::uint32_t first_descriptors = 64;
inline constexpr std::uint32_t descriptor_chunks = 16;
constexpr std::uint32_t descriptor_chunk_of(std::uint32_t fd) {
    return fd < first_descriptors ? 0 : 32U - static_cast<std::uint32_t>(__builtin_clz(fd / first_descriptors));
}
constexpr std::uint32_t descriptor_chunk_first(std::uint32_t chunk) {
    return chunk == 0 ? 0 : first_descriptors << (chunk - 1);
}
constexpr std::uint32_t descriptor_chunk_capacity(std::uint32_t chunk) {
    return chunk == 0 ? first_descriptors : first_descriptors << (chunk - 1);
}
static_assert(descriptor_chunk_of(63) == 0 && descriptor_chunk_of(64) == 1 && descriptor_chunk_of(128) == 2);

// ItemId: chunk number in the top 6 bits, offset in the chunk / 8 in the lower 26. 0 is none.
using ItemId = std::uint32_t;
constexpr ItemId item_id(std::uint32_t chunk, std::uint64_t offset) {
    return chunk << 26 | static_cast<std::uint32_t>(offset >> 3);
}
constexpr std::uint32_t item_chunk(ItemId id) { return id >> 26; }
constexpr std::uint64_t item_offset(ItemId id) { return static_cast<std::uint64_t>(id & 0x3ffffffU) << 3; }

// Head of a chunk of type arena. Behind it the hash table (table_size ItemId, a power of two), then
// items from `first_item` up to `used`.
struct ArenaChunk {
    std::uint32_t size;
    std::uint32_t table_offset;
    std::uint32_t table_size;
    std::uint32_t first_item;
    std::atomic<std::uint32_t> used;
    std::uint32_t reserved[3];
};

enum class ItemType : std::uint32_t { none, string, module, stack };

// Every item begins with this and is a multiple of 8 long. `hash` is over the payload. Readers reach
// items by the id that slots, stacks and modules hold, or by walking from first_item: an item whose
// type is still 0 was torn, and walking goes on behind it only if its size is there.
struct Item {
    std::atomic<std::uint32_t> type;  // ItemType, written last, released
    std::uint32_t size;               // of the payload, bytes, without padding
    std::uint64_t hash;
};
static_assert(sizeof(Item) == 16);

// Payload of an ItemType::string: its bytes, without NUL.

// Payload of an ItemType::module, one for each mapped object that frames lie in; also those since
// unloaded. The number is what Frame::module holds.
struct Module {
    std::uint32_t number;
    std::uint32_t path;       // ItemId of a string; an absolute path
    std::uint64_t base;       // what is added to the object's own addresses (l_addr)
    std::uint32_t build_id_size;
    std::uint8_t build_id[36];  // at most 32 used
};
static_assert(sizeof(Module) == 56);

// A native frame: the return address as an address of its object (module base subtracted), or the
// plain address when the module is `no_module`.
using NativeFrame = std::uint64_t;
inline constexpr std::uint64_t no_module = 0xffff;
constexpr NativeFrame native_frame(std::uint64_t module, std::uint64_t offset) {
    return module << 48 | (offset & 0xffffffffffffULL);
}
constexpr std::uint32_t frame_module(NativeFrame f) { return static_cast<std::uint32_t>(f >> 48); }
constexpr std::uint64_t frame_offset(NativeFrame f) { return f & 0xffffffffffffULL; }

struct PythonFrame {
    std::uint32_t function;  // ItemId of a string
    std::uint32_t file;
    std::uint32_t line;
    std::uint32_t reserved;
};

// Payload of an ItemType::stack: this, then native_count NativeFrame, then python_count PythonFrame.
// Innermost first. The first native frame is the hook itself (in libleftover.so), named like the
// call it stands for.
struct Stack {
    std::uint16_t native_count;
    std::uint16_t python_count;
    std::uint32_t reserved;
};

}  // namespace leftover::record
