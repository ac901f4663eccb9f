// What the server counts and times, for Prometheus. Names are listed in docs/metrics.md.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace limner::metrics {

// How a request that was accepted ended.
enum class Outcome { Completed, Failed, Cancelled };

// Any thread may call anything at any time; nothing waits. Label values come from the route table
// and the model list; should they not, the first 64 of a family are kept and the rest become
// "other", so that no client can fill memory.
class Metrics {
 public:
  explicit Metrics(std::string_view version);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // HTTP. `route` is the pattern of the route table, never the path that came.
  void http_request(std::string_view route, int status, std::chrono::duration<double> took);
  void set_connections(int open);
  void set_streams(int open);  // answers being streamed

  // Requests for pictures.
  void refused(std::string_view reason);  // an error code such as "queue_full"
  void set_queued(int waiting);
  void set_running(int active);
  void queue_wait(std::string_view model, std::chrono::duration<double> waited);
  void request_ended(std::string_view model, Outcome outcome);
  // Why an accepted request failed: an error code such as "non_finite_numbers".
  void request_failed(std::string_view model, std::string_view reason);

  // Painting.
  void step(std::string_view model, int rows, std::chrono::duration<double> took);
  // From acceptance to the last picture.
  void painted(std::string_view model, int images, std::chrono::duration<double> time_to_picture);
  void decoded(std::string_view model, std::chrono::duration<double> took);
  void encoded(std::string_view format, std::chrono::duration<double> took);

  // Caches: "prompt_embeds", "compiled_models", …
  void cache_lookup(std::string_view cache, bool hit);
  void set_stored_bytes(std::size_t bytes);

  // Prometheus text format 0.0.4, with the process's own memory, descriptors and processor time.
  std::string render() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

// The media type of render().
inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace limner::metrics
