#include "metrics/metrics.hpp"

#include <mutex>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "metrics/bounded_label.hpp"
#include "metrics/process.hpp"

namespace limner::metrics {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

// From what a health check takes to what a large picture takes.
const Buckets& request_buckets() {
  static const Buckets buckets = {0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 60, 180, 600};
  return buckets;
}

const Buckets& step_buckets() {
  static const Buckets buckets = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10};
  return buckets;
}

const Buckets& codec_buckets() {
  static const Buckets buckets = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};
  return buckets;
}

template <typename Metric>
struct Labelled {
  Family<Metric>& family;
  BoundedLabel label = {};
};

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::Completed:
      return "completed";
    case Outcome::Failed:
      return "failed";
    case Outcome::Cancelled:
      return "cancelled";
  }
  return {};
}

std::string status_label(int status) {
  return status >= 100 && status <= 599 ? std::to_string(status) : "other";
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;

  Family<Counter>& counter(const std::string& name, const std::string& help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Gauge>& gauge(const std::string& name, const std::string& help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& histogram(const std::string& name, const std::string& help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  Labelled<Counter> http_requests{
      counter("limner_http_requests_total", "HTTP requests answered, by route and status.")};
  Labelled<Histogram> http_seconds{
      histogram("limner_http_request_seconds", "From the request's head to the answer's end.")};
  Gauge& connections = gauge("limner_http_connections", "Open connections.").Add({});
  Gauge& streams = gauge("limner_http_streams", "Answers being streamed.").Add({});

  Labelled<Counter> refusals{
      counter("limner_refusals_total", "Requests for pictures refused, by error code.")};
  Gauge& queued = gauge("limner_queue_depth", "Requests waiting for the engine.").Add({});
  Gauge& running = gauge("limner_requests_running", "Requests being painted.").Add({});
  Labelled<Histogram> queue_seconds{
      histogram("limner_queue_wait_seconds", "From acceptance to the first work.")};
  Labelled<Counter> ended{
      counter("limner_requests_total", "Accepted requests that ended, by outcome.")};
  Labelled<Counter> failures{
      counter("limner_failures_total", "Accepted requests that failed, by error code.")};
  BoundedLabel failure_reason = {};

  Labelled<Histogram> step_seconds{
      histogram("limner_step_seconds", "One denoising step of one batch.")};
  Labelled<Counter> step_rows{
      counter("limner_step_rows_total", "Rows advanced by one step, summed over steps.")};
  Labelled<Counter> images{counter("limner_images_total", "Pictures painted.")};
  Labelled<Histogram> time_to_picture{histogram("limner_time_to_picture_seconds",
                                                "From acceptance to the request's last picture.")};
  Labelled<Histogram> decode_seconds{
      histogram("limner_decode_seconds", "Latents to pixels, per request.")};
  Labelled<Histogram> encode_seconds{
      histogram("limner_encode_seconds", "Pixels to a file, by format.")};

  Labelled<Counter> cache_lookups{
      counter("limner_cache_lookups_total", "Look-ups, by cache and result.")};
  Gauge& stored_bytes = gauge("limner_stored_bytes", "Pictures kept for url answers.").Add({});

  Family<Gauge>& build_info = gauge("limner_build_info", "Always 1; the version is a label.");
  Gauge& resident_bytes =
      gauge("process_resident_memory_bytes", "Resident memory size in bytes.").Add({});
  Gauge& open_descriptors = gauge("process_open_fds", "Open file descriptors.").Add({});
  Gauge& threads = gauge("process_threads", "Threads.").Add({});
  Counter& cpu_seconds =
      counter("process_cpu_seconds_total", "User and system processor time used.").Add({});
  std::mutex rendering = {};  // cpu_seconds grows by what it lacks, once
};

Metrics::Metrics(std::string_view version) : families_(std::make_unique<Families>()) {
  families_->build_info.Add({{"version", std::string(version)}}).Set(1);
}

Metrics::~Metrics() = default;

void Metrics::http_request(std::string_view route, int status, std::chrono::duration<double> took) {
  auto& [requests, label] = families_->http_requests;
  const std::string admitted = label.admit(route);
  requests.Add({{"route", admitted}, {"status", status_label(status)}}).Increment();
  families_->http_seconds.family.Add({{"route", admitted}}, request_buckets())
      .Observe(took.count());
}

void Metrics::set_connections(int open) {
  families_->connections.Set(open);
}

void Metrics::set_streams(int open) {
  families_->streams.Set(open);
}

void Metrics::refused(std::string_view reason) {
  auto& [family, label] = families_->refusals;
  family.Add({{"reason", label.admit(reason)}}).Increment();
}

void Metrics::set_queued(int waiting) {
  families_->queued.Set(waiting);
}

void Metrics::set_running(int active) {
  families_->running.Set(active);
}

void Metrics::queue_wait(std::string_view model, std::chrono::duration<double> waited) {
  auto& [family, label] = families_->queue_seconds;
  family.Add({{"model", label.admit(model)}}, request_buckets()).Observe(waited.count());
}

void Metrics::request_ended(std::string_view model, Outcome outcome) {
  auto& [family, label] = families_->ended;
  family.Add({{"model", label.admit(model)}, {"outcome", std::string(to_string(outcome))}})
      .Increment();
}

void Metrics::request_failed(std::string_view model, std::string_view reason) {
  auto& [family, label] = families_->failures;
  family.Add({{"model", label.admit(model)}, {"reason", families_->failure_reason.admit(reason)}})
      .Increment();
}

void Metrics::step(std::string_view model, int rows, std::chrono::duration<double> took) {
  auto& [family, label] = families_->step_seconds;
  const std::string admitted = label.admit(model);
  family.Add({{"model", admitted}}, step_buckets()).Observe(took.count());
  families_->step_rows.family.Add({{"model", admitted}}).Increment(rows);
}

void Metrics::painted(std::string_view model, int images,
                      std::chrono::duration<double> time_to_picture) {
  auto& [family, label] = families_->images;
  const std::string admitted = label.admit(model);
  family.Add({{"model", admitted}}).Increment(images);
  families_->time_to_picture.family.Add({{"model", admitted}}, request_buckets())
      .Observe(time_to_picture.count());
}

void Metrics::decoded(std::string_view model, std::chrono::duration<double> took) {
  auto& [family, label] = families_->decode_seconds;
  family.Add({{"model", label.admit(model)}}, step_buckets()).Observe(took.count());
}

void Metrics::encoded(std::string_view format, std::chrono::duration<double> took) {
  auto& [family, label] = families_->encode_seconds;
  family.Add({{"format", label.admit(format)}}, codec_buckets()).Observe(took.count());
}

void Metrics::cache_lookup(std::string_view cache, bool hit) {
  auto& [family, label] = families_->cache_lookups;
  family.Add({{"cache", label.admit(cache)}, {"result", hit ? "hit" : "miss"}}).Increment();
}

void Metrics::set_stored_bytes(std::size_t bytes) {
  families_->stored_bytes.Set(static_cast<double>(bytes));
}

std::string Metrics::render() const {
  const std::lock_guard lock(families_->rendering);
  const ProcessFacts facts = read_process_facts();
  families_->resident_bytes.Set(static_cast<double>(facts.resident_bytes));
  families_->open_descriptors.Set(static_cast<double>(facts.open_descriptors));
  families_->threads.Set(static_cast<double>(facts.threads));
  families_->cpu_seconds.Increment(facts.cpu_seconds - families_->cpu_seconds.Value());
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace limner::metrics
