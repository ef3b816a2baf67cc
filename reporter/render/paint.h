#pragma once

#include <string>
#include <string_view>

#include "reporter/model/model.h"

namespace leftover::render {

// Terminal colours, or none.
class Paint {
public:
    explicit Paint(bool on) : on_(on) {}

    std::string bold(std::string_view text) const { return in("1", text); }
    std::string dim(std::string_view text) const { return in("2", text); }
    std::string mark(std::string_view text) const { return in("1;32", text); }
    std::string good(std::string_view text) const { return in("32", text); }
    std::string of(Severity severity, std::string_view text) const {
        switch (severity) {
            case Severity::error: return in("1;31", text);
            case Severity::warning: return in("1;33", text);
            case Severity::note: break;
        }
        return in("1;36", text);
    }

private:
    std::string in(std::string_view code, std::string_view text) const {
        if (!on_) return std::string(text);
        return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
    }

    bool on_;
};

}  // namespace leftover::render
