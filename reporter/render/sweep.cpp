#include "reporter/render/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "reporter/model/json_stream.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/paint.h"
#include "reporter/render/words.h"

namespace leftover::render {
namespace {

using sweep::Found;
using sweep::Leftover;

double age_of(const Leftover& item, Time now) {
    const Time since = item.leak.created_at;
    return since == 0 || since > now ? 0 : static_cast<double>(now - since) / 1e9;
}

std::uint64_t size_of(const Leftover& item) {
    return item.leak.details.more->resident_bytes.value_or(0) + item.leak.details.bytes.value_or(0);
}

std::string result_words(const Leftover& item) {
    if (item.result == "done") return item.action == "kill" ? "killed" : "cleaned up";
    if (item.result == "gone") return "gone by itself";
    if (item.result == "in_use") return fmt::format("in use: {}", printable(item.leak.error));
    if (item.result == "failed") return fmt::format("failed: {}", printable(item.leak.error));
    return "";
}

class SweepText {
public:
    SweepText(Time now, const Options& options, std::ostream& out)
        : now_(now),
          width_(options.width > 0 ? static_cast<std::size_t>(options.width) : 120),
          paint_(options.colour),
          out_(out) {}

    void write(const Found& found, bool cleaned) {
        // In the order in which they were found: by session.
        std::vector<std::pair<std::string, std::string>> groups;
        std::map<std::pair<std::string, std::string>, std::vector<const Leftover*>> members;
        for (const Leftover& item : found.leftovers) {
            const std::pair key(item.session, item.reason);
            auto& group = members[key];
            if (group.empty()) groups.push_back(key);
            group.push_back(&item);
        }
        for (const auto& key : groups) {
            const std::string session =
                key.first.empty() ? "" : fmt::format("session {}: ", printable(key.first));
            out_ << paint_.bold(session + printable(key.second)) << '\n';
            write_processes(members[key]);
            write_names(members[key]);
        }
        if (!groups.empty()) out_ << '\n';
        write_total(found, cleaned);
    }

private:
    void write_processes(const std::vector<const Leftover*>& items) {
        for (const Leftover* item : items) {
            const Details& details = item->leak.details;
            if (item->leak.kind != Kind::process) continue;
            const std::string head =
                fmt::format("  {:>8} {:>12} {:>10}  ", fmt::format("pid {}", details.more->pid.value_or(0)),
                            seconds_words(age_of(*item, now_)), size_words(size_of(*item)));
            const std::size_t room = width_ > head.size() + 20 ? width_ - head.size() : 20;
            out_ << head << command_words(details.more->command.value_or(std::vector<std::string>{}), room)
                 << '\n';
            std::string more;
            if (details.more->holds && !details.more->holds->empty()) {
                more = "holds " + printable(join(*details.more->holds));
            }
            if (const std::string result = result_words(*item); !result.empty()) {
                more += (more.empty() ? "" : "; ") + result;
            }
            if (!more.empty()) out_ << std::string(36, ' ') << more << '\n';
        }
    }

    // Names of one kind, and of one fate, together.
    void write_names(const std::vector<const Leftover*>& items) {
        std::map<std::tuple<Kind, std::string>, std::vector<const Leftover*>> groups;
        for (const Leftover* item : items) {
            if (item->leak.kind != Kind::process) {
                groups[{item->leak.kind, result_words(*item)}].push_back(item);
            }
        }
        for (const auto& [key, group] : groups) {
            std::vector<std::string> names;
            std::uint64_t bytes = 0;
            double oldest = 0;
            for (const Leftover* item : group) {
                names.push_back(printable(item->leak.name));
                bytes += size_of(*item);
                oldest = std::max(oldest, age_of(*item, now_));
            }
            const std::string head =
                fmt::format("  {:>8} {:>12} {:>10}  {}: ", "", seconds_words(oldest),
                            size_words(bytes), kind_words(std::get<0>(key), group.size()));
            const std::size_t room = width_ > head.size() + 20 ? width_ - head.size() : 20;
            out_ << head << list_words(names, room) << '\n';
            if (!std::get<1>(key).empty()) {
                out_ << std::string(36, ' ') << std::get<1>(key) << '\n';
            }
        }
    }

    void write_total(const Found& found, bool cleaned) {
        std::map<Kind, std::uint64_t> counts;
        std::uint64_t bytes = 0;
        std::uint64_t rest = 0;
        for (const Leftover& item : found.leftovers) {
            if (item.action.empty()) continue;
            ++counts[item.leak.kind];
            bytes += size_of(item);
            if (item.result != "done" && item.result != "gone") ++rest;
        }
        if (counts.empty()) {
            out_ << "leftover: nothing is left over\n";
            return;
        }
        std::vector<std::string> kinds;
        for (const auto& [kind, count] : counts) kinds.push_back(kind_words(kind, count));
        if (!cleaned) {
            out_ << fmt::format("leftover: {} left over, {}; 'leftover sweep --clean' cleans up\n",
                                join(kinds), size_words(bytes));
            return;
        }
        out_ << fmt::format("leftover: {}: {} in {}, {} of memory freed\n", join(kinds),
                            rest == 0 ? "all cleaned up" : fmt::format("all but {} cleaned up", rest),
                            seconds_words(found.seconds), size_words(found.reclaimed_bytes));
    }

    Time now_;
    std::size_t width_;
    Paint paint_;
    std::ostream& out_;
};

void put_text(JsonStream& json, std::string_view key, std::string_view text) {
    json.key(key).value_or_null(text);
}

void put_list(JsonStream& json, std::string_view key,
              const std::optional<std::vector<std::string>>& list) {
    json.key(key);
    if (!list) {
        json.null();
        return;
    }
    json.begin('[');
    for (const std::string& text : *list) json.value(text);
    json.end(']');
}

}  // namespace

void sweep_text(const Found& found, bool cleaned, Time now, const Options& options,
                std::ostream& out) {
    SweepText(now, options, out).write(found, cleaned);
}

void sweep_json(const Found& found, Time now, std::ostream& out) {
    JsonStream json(out);
    json.begin('{');
    json.key("schema").value("leftover.sweep/1");
    json.line().key("leftovers").begin('[');
    for (const Leftover& item : found.leftovers) {
        const Details& details = item.leak.details;
        json.line().begin('{');
        json.key("kind").value(name_of(item.leak.kind));
        json.key("name").value(item.leak.name);
        json.key("pid").value_or_null(details.more->pid.value_or(item.leak.pid));
        put_text(json, "session", item.session);
        json.key("age_seconds");
        if (item.leak.created_at == 0) {
            json.null();
        } else {
            json.value(age_of(item, now));
        }
        const auto put_bytes = [&json](std::string_view key, std::optional<std::uint64_t> bytes) {
            json.key(key);
            if (bytes) {
                json.value(*bytes);
            } else {
                json.null();
            }
        };
        put_bytes("resident_bytes", details.more->resident_bytes);
        put_bytes("bytes", details.bytes);
        put_list(json, "command", details.more->command);
        put_list(json, "holds", details.more->holds);
        put_text(json, "reason", item.reason);
        put_text(json, "action", item.action);
        put_text(json, "result", item.result);
        put_text(json, "error", item.leak.error);
        json.end('}');
    }
    json.end(']');
    json.line().key("reclaimed_bytes").value(found.reclaimed_bytes);
    json.end('}').finish();
}

}  // namespace leftover::render
