// What a call that fails says.
#pragma once

#include <stdexcept>
#include <string>

namespace leftover {

// The message of the std::runtime_error that it throws; empty when it throws none.
template <class Call>
std::string trouble_in(Call&& call) {
    try {
        call();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

}  // namespace leftover
