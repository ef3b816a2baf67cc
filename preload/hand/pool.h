// Memory for judging: zeroed, straight from the kernel, all given back at once. Any context; the
// caller is alone with it. What does not fit any more is marked, and the judgement incomplete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "preload/core/law.h"
#include "preload/core/text.h"

namespace leftover::hand {

class Pool {
public:
    Pool() = default;
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() { clear(); }

    // Null when there is no more.
    void* take(std::size_t size);
    template <class T>
    T* make(std::size_t count = 1) {
        static_assert(std::is_trivially_destructible_v<T>);
        return static_cast<T*>(take(count * sizeof(T)));
    }
    // A copy; empty when there is no room.
    std::string_view keep(std::string_view text);
    void clear();
    bool exhausted() const { return exhausted_; }

private:
    struct Block {
        Block* next;
        std::size_t size;
    };
    Block* blocks_ = nullptr;
    std::size_t used_ = 0;  // of the newest block
    bool exhausted_ = false;
};

// An array that grows, of what may be copied as bytes.
template <class T>
class List {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    bool add(Pool& pool, const T& item) {
        if (size_ == capacity_) {
            const std::size_t wanted = capacity_ == 0 ? 16 : capacity_ * 2;
            T* fresh = pool.make<T>(wanted);
            if (fresh == nullptr) return false;
            if (size_ != 0) copy_bytes(fresh, items_, size_ * sizeof(T));
            items_ = fresh;
            capacity_ = wanted;
        }
        items_[size_++] = item;
        return true;
    }
    T* begin() const { return items_; }
    T* end() const { return items_ + size_; }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t at) const { return items_[at]; }
    T& back() const { return items_[size_ - 1]; }

private:
    T* items_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

// Sorts in place (Shell's way), not stably.
template <class T, class Before>
void sort(const List<T>& list, Before before) {
    for (std::size_t gap = list.size() / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11) {
        for (std::size_t i = gap; i < list.size(); ++i) {
            const T item = list[i];
            std::size_t at = i;
            for (; at >= gap && before(item, list[at - gap]); at -= gap) list[at] = list[at - gap];
            list[at] = item;
        }
    }
}

// From keys to numbers. Keys that are hashes of what they stand for are as good as that: 64 bits of
// different things are not equal in practice.
class Table {
public:
    // The number kept for the key; where there is none it becomes `fresh`, and `is_new` says so.
    // Null when there is no room.
    std::uint32_t* enter(Pool& pool, std::uint64_t key, std::uint32_t fresh, bool& is_new);
    const std::uint32_t* find(std::uint64_t key) const;

private:
    struct Entry {
        std::uint64_t key;  // as given, or 1 for 0; 0 is empty
        std::uint32_t value;
    };
    Entry* place(std::uint64_t key) const;
    bool grow(Pool& pool);

    Entry* entries_ = nullptr;
    std::size_t capacity_ = 0;  // a power of two
    std::size_t used_ = 0;
};

}  // namespace leftover::hand
