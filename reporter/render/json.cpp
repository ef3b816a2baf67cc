#include "reporter/model/json.h"

#include "reporter/render/format.h"

namespace leftover::render {

void json(const Report& report, const Options&, std::ostream& out) {
    write_json(report, out);
}

}  // namespace leftover::render
