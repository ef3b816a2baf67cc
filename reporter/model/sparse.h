// A value that most owners never set.
#pragma once

#include <memory>
#include <utility>

namespace leftover {

// Reads as an empty T until edit() makes one, and costs a pointer till then. Copies are copies of the value.
template <class T>
class Sparse {
public:
    Sparse() = default;
    Sparse(const Sparse& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
    Sparse(Sparse&&) noexcept = default;
    Sparse& operator=(Sparse other) noexcept {
        value_ = std::move(other.value_);
        return *this;
    }
    ~Sparse() = default;

    explicit operator bool() const { return value_ != nullptr; }  // whether there is one
    const T& operator*() const { return value_ ? *value_ : empty(); }
    const T* operator->() const { return &**this; }
    T& edit() {
        if (!value_) value_ = std::make_unique<T>();
        return *value_;
    }

private:
    static const T& empty() {
        static const T nothing;
        return nothing;
    }

    std::unique_ptr<T> value_;
};

}  // namespace leftover
