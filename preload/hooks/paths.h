// Paths that the program gave, as absolute ones: it may change its folder before they are looked at again.
#pragma once

#include <string_view>

#include "preload/core/law.h"

namespace leftover {

// One that was absolute is taken as it is, and must live as long. Of a relative one a leading `./` goes;
// nothing else is made plain. Any context; errno kept.
class FullPath {
  public:
    // Empty when the path cannot be read, is empty itself, lies nowhere (in a folder that was removed or
    // cannot be reached from the root) or has more than 1,023 bytes with its folder. `dirfd` as openat
    // takes it.
    FullPath(int dirfd, const char* path);

    std::string_view view() const { return view_; }
    const char* c_str() const { return view_.data(); }  // with its NUL; only if not empty
    bool empty() const { return view_.empty(); }
    // Of a name that is still being made; null when the program's own bytes are meant.
    char* copy() { return view_.data() == buffer_ ? buffer_ : nullptr; }

    FullPath(const FullPath&) = delete;
    FullPath& operator=(const FullPath&) = delete;

  private:
    void add_folder(int dirfd, const char* path);

    std::string_view view_;
    char buffer_[1024];
};

}  // namespace leftover
