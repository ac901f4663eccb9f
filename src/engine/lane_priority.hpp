// Painting runs below the I/O threads, so that /health answers while every core paints.
#pragma once

namespace limner::engine {

// Lowers the calling thread only. Threads it starts later inherit: call this before the inference
// library makes its pool. 0 leaves the priority alone; failure is logged, painting goes on.
void lower_thread_priority(int niceness);

}  // namespace limner::engine
