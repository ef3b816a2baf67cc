// What was made in /dev/shm counts once it is mapped shared.
#include <sys/mman.h>

#include "preload/core/sys.h"
#include "preload/hooks/shm_file.h"

namespace leftover {

namespace {

void mapped(int flags, int fd) {
    if (fd < 0 || unmapped_files.load(std::memory_order_relaxed) == 0) return;
    const int type = flags & MAP_TYPE;
    if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE) return;
    Entry entry(Kind::shared_memory);
    struct stat status;
    if (!entry || sys::fstat(fd, &status) != 0) return;
    for (Mapping* mapping : {opened_record(), fresh.inherited}) {
        if (mapping == nullptr || !*mapping) continue;
        each_slot(*mapping, [&](const SlotRef& ref) {
            record::Slot& slot = *ref.slot;
            if (slot.kind != Kind::shared_memory || slot.a.load(std::memory_order_relaxed) != status.st_ino ||
                slot.b.load(std::memory_order_relaxed) != status.st_dev) {
                return;
            }
            constexpr auto bit = static_cast<std::uint8_t>(record::unmapped);
            const auto rest = static_cast<std::uint8_t>(~bit);
            if ((slot.flags.fetch_and(rest, std::memory_order_acq_rel) & bit) != 0) {
                unmapped_files.fetch_sub(1, std::memory_order_relaxed);
            }
        });
    }
}

}  // namespace

HOOK(void*, mmap, void* address, std::size_t size, int protection, int flags, int fd, off_t offset) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    void* const result = real_mmap(address, size, protection, flags, fd, offset);
    if (result != MAP_FAILED) mapped(flags, fd);
    return result;
}

HOOK(void*, mmap64, void* address, std::size_t size, int protection, int flags, int fd, off64_t offset) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    void* const result = real_mmap64(address, size, protection, flags, fd, offset);
    if (result != MAP_FAILED) mapped(flags, fd);
    return result;
}

}  // namespace leftover
