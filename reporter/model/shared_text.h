// Text that a great many things have in common.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace leftover {

// Text of which each is kept once, however many hold it, until the process ends: for what repeats itself, such as
// the session's id in each of a million leaks. Cheap to copy and to compare. Any thread may make one.
class SharedText {
public:
    SharedText() : text_(&nothing()) {}
    SharedText(std::string_view text) : text_(text.empty() ? &nothing() : &kept(text)) {}
    SharedText(const std::string& text) : SharedText(std::string_view(text)) {}
    SharedText(const char* text) : SharedText(std::string_view(text)) {}

    const std::string& str() const { return *text_; }
    operator const std::string&() const { return *text_; }
    operator std::string_view() const { return *text_; }
    bool empty() const { return text_->empty(); }
    void clear() { text_ = &nothing(); }

    friend bool operator==(const SharedText& a, const SharedText& b) { return a.text_ == b.text_; }
    friend bool operator==(const SharedText& a, std::string_view b) { return *a.text_ == b; }
    friend bool operator==(const SharedText& a, const std::string& b) { return *a.text_ == b; }
    friend bool operator==(const SharedText& a, const char* b) { return *a.text_ == b; }

private:
    static const std::string& nothing();
    static const std::string& kept(std::string_view text);

    const std::string* text_;  // never null
};

}  // namespace leftover

template <>
struct fmt::formatter<leftover::SharedText> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const leftover::SharedText& text, Context& context) const {
        return fmt::formatter<std::string_view>::format(text, context);
    }
};
