// replay FILE|FOLDER...: a fuzz target on inputs that were kept, without libFuzzer.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <vector>

#include "reporter/model/read_file.h"
#include "tests/fuzz/fuzz.h"

int main(int count, char** words) {
    std::vector<std::filesystem::path> inputs;
    for (int i = 1; i < count; ++i) {
        if (!std::filesystem::is_directory(words[i])) inputs.emplace_back(words[i]);
        else for (const auto& entry : std::filesystem::directory_iterator(words[i])) inputs.push_back(entry.path());
    }
    std::sort(inputs.begin(), inputs.end());
    for (const std::filesystem::path& input : inputs) {
        const std::string bytes = leftover::read_file(input.string());
        try {
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s: %s\n", input.c_str(), error.what());
            return 1;
        }
    }
    std::printf("%zu inputs\n", inputs.size());
    return inputs.empty() ? 1 : 0;
}
