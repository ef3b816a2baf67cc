#include "preload/hand/pool.h"

#include "preload/core/sys.h"

namespace leftover::hand {

namespace {

constexpr std::size_t first_block = 128 << 10;
constexpr std::size_t largest_step = 16 << 20;

}  // namespace

void* Pool::take(std::size_t size) {
    size = (size + 15) & ~std::size_t{15};
    if (blocks_ == nullptr || size > blocks_->size - used_) {
        std::size_t wanted = blocks_ == nullptr ? first_block : blocks_->size * 2;
        if (wanted > largest_step) wanted = largest_step;
        while (wanted < size + sizeof(Block)) wanted *= 2;
        auto* fresh = static_cast<Block*>(
            sys::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (fresh == nullptr) {
            exhausted_ = true;
            return nullptr;
        }
        fresh->next = blocks_;
        fresh->size = wanted;
        blocks_ = fresh;
        used_ = sizeof(Block);
    }
    void* const taken = reinterpret_cast<char*>(blocks_) + used_;
    used_ += size;
    return taken;
}

std::string_view Pool::keep(std::string_view text) {
    char* copy = text.empty() ? nullptr : make<char>(text.size());
    if (copy == nullptr) return {};
    copy_bytes(copy, text.data(), text.size());
    return {copy, text.size()};
}

void Pool::clear() {
    while (blocks_ != nullptr) {
        Block* const block = blocks_;
        blocks_ = block->next;
        sys::munmap(block, block->size);
    }
    used_ = 0;
    exhausted_ = false;
}

Table::Entry* Table::place(std::uint64_t key) const {
    std::size_t at = mix(key, capacity_) & (capacity_ - 1);
    while (entries_[at].key != 0 && entries_[at].key != key) at = (at + 1) & (capacity_ - 1);
    return entries_ + at;
}

bool Table::grow(Pool& pool) {
    const Table old = *this;
    capacity_ = capacity_ == 0 ? 64 : capacity_ * 2;
    entries_ = pool.make<Entry>(capacity_);
    if (entries_ == nullptr) {
        *this = old;
        return false;
    }
    for (std::size_t i = 0; i < old.capacity_; ++i) {
        if (old.entries_[i].key != 0) *place(old.entries_[i].key) = old.entries_[i];
    }
    return true;
}

std::uint32_t* Table::enter(Pool& pool, std::uint64_t key, std::uint32_t fresh, bool& is_new) {
    if (key == 0) key = 1;
    is_new = false;
    if (used_ * 2 >= capacity_ && !grow(pool)) return nullptr;
    Entry* const entry = place(key);
    if (entry->key == 0) {
        *entry = {key, fresh};
        ++used_;
        is_new = true;
    }
    return &entry->value;
}

const std::uint32_t* Table::find(std::uint64_t key) const {
    if (capacity_ == 0) return nullptr;
    const Entry* const entry = place(key == 0 ? 1 : key);
    return entry->key == 0 ? nullptr : &entry->value;
}

}  // namespace leftover::hand
