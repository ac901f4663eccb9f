// When previews are due.
#pragma once

#include <vector>

namespace limner::engine {

// Preview k of `partial_images` after step floor((k + 1) * S / (P + 1)) of S (docs/api.md): spread
// evenly, none before the first step or after the last. Fewer when there are fewer steps between.
std::vector<int> preview_steps(int partial_images, int step_count);

}  // namespace limner::engine
