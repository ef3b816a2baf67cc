// bind to a path makes a file, which closing the socket does not take away.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>

#include "preload/core/sys.h"
#include "preload/hooks/given_names.h"
#include "preload/hooks/paths.h"

namespace leftover {

namespace {

constexpr std::size_t path_offset = offsetof(struct sockaddr_un, sun_path);

// The path that an address names, which need not end in a NUL; empty when it names none (an abstract
// name, one that the kernel is to make up, another family) or the kernel would not take it.
const char* path_of(const struct sockaddr* address, socklen_t size, char (&path)[sizeof(sockaddr_un) + 1]) {
    if (size <= path_offset || size > sizeof(sockaddr_un) || !sys::readable(address) ||
        address->sa_family != AF_UNIX) {
        return nullptr;
    }
    const char* const bytes = reinterpret_cast<const char*>(address);
    if (!sys::readable(bytes + size - 1)) return nullptr;
    copy_bytes(path, bytes + path_offset, size - path_offset);
    path[size - path_offset] = 0;
    return path[0] != 0 ? path : nullptr;
}

}  // namespace

HOOK(int, bind, int socket, const struct sockaddr* address, socklen_t size) {
    Entry entry(Kind::socket_file);
    char text[sizeof(sockaddr_un) + 1];
    const char* const path = entry ? path_of(address, size, text) : nullptr;
    if (path == nullptr) return real_bind(socket, address, size);
    const FullPath full(AT_FDCWD, path);
    if (full.empty()) return real_bind(socket, address, size);
    // Of that name, and gone if there is to be another.
    const SlotRef before = find_slot(Kind::socket_file, full.view());
    const SlotRef given = find_given_name(full.view());
    const SlotRef slot = intend_name(Kind::socket_file, full.view());
    const int result = real_bind(socket, address, size);
    if (result == 0) {
        confirm_name(slot, full.c_str());
        drop_intent(before);
        drop_intent(given);
    } else {
        drop_intent(slot);
    }
    return result;
}

}  // namespace leftover
