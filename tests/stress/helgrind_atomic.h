// Included before all else of the stress test that Helgrind runs. It knows locks, but not what std::atomic
// orders: here each atomic tells it. So every `std::atomic` of the sources is this one, which is laid out alike.
#pragma once

// What uses the library's own.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include <valgrind/helgrind.h>

namespace std {

template <class T>
struct told_atomic : atomic<T> {
    using Base = atomic<T>;
    using Order = memory_order;

    constexpr told_atomic() noexcept = default;
    constexpr told_atomic(T value) noexcept : Base(value) {}

    T load(Order order = memory_order_seq_cst) const noexcept {
        return after(order, Base::load(order));
    }
    void store(T value, Order order = memory_order_seq_cst) noexcept {
        before(order);
        Base::store(value, order);
    }
    T exchange(T value, Order order = memory_order_seq_cst) noexcept {
        before(order);
        return after(order, Base::exchange(value, order));
    }
    bool compare_exchange_strong(T& expected, T value, Order order = memory_order_seq_cst) noexcept {
        before(order);
        return after(order, Base::compare_exchange_strong(expected, value, order));
    }
    bool compare_exchange_weak(T& expected, T value, Order order = memory_order_seq_cst) noexcept {
        before(order);
        return after(order, Base::compare_exchange_weak(expected, value, order));
    }
    T fetch_add(T value, Order order = memory_order_seq_cst) noexcept {
        before(order);
        return after(order, Base::fetch_add(value, order));
    }
    T fetch_sub(T value, Order order = memory_order_seq_cst) noexcept {
        before(order);
        return after(order, Base::fetch_sub(value, order));
    }
    T fetch_or(T value, Order order = memory_order_seq_cst) noexcept {
        before(order);
        return after(order, Base::fetch_or(value, order));
    }
    T fetch_and(T value, Order order = memory_order_seq_cst) noexcept {
        before(order);
        return after(order, Base::fetch_and(value, order));
    }
    operator T() const noexcept { return load(); }
    T operator=(T value) noexcept {
        store(value);
        return value;
    }

private:
    static bool releases(Order order) {
        return order == memory_order_release || order == memory_order_acq_rel || order == memory_order_seq_cst;
    }
    static bool acquires(Order order) {
        return order == memory_order_acquire || order == memory_order_acq_rel || order == memory_order_seq_cst;
    }
    void before(Order order) const {
        VALGRIND_HG_DISABLE_CHECKING(this, sizeof *this);
        if (releases(order)) ANNOTATE_HAPPENS_BEFORE(this);
    }
    template <class Result>
    Result after(Order order, Result result) const {
        VALGRIND_HG_DISABLE_CHECKING(this, sizeof *this);
        if (acquires(order)) ANNOTATE_HAPPENS_AFTER(this);
        return result;
    }
};

}  // namespace std

#define atomic told_atomic
