#include "preload/core/fresh.h"

namespace leftover {

// In a file of its own, which the link puts first: at the edge of the other variables it is one mapping
// more, in their midst two, and fork copies each.
constinit Fresh fresh{};

}  // namespace leftover
