#include "base/background_log.hpp"

#include <utility>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/spdlog.h>

#include "base/descriptor_sink.hpp"

namespace limner::log {
namespace {

void make_default(std::shared_ptr<spdlog::logger> logger) {
  logger->set_level(spdlog::get_level());
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

class Background::Impl {
 public:
  explicit Impl(const BackgroundOptions& options)
      : options_(options),
        sink_(std::make_shared<DescriptorSink>(options.descriptor)),
        pool_(std::make_shared<spdlog::details::thread_pool>(options.lines_max, 1)) {
    // The pool outlives the sink's use: its thread is the only one that writes.
    sink_->count_lost_lines([pool = pool_.get()] { return pool->overrun_counter(); });
    make_default(std::make_shared<spdlog::async_logger>(
        "limner", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest));
  }

  ~Impl() {
    sink_->give_up_at(std::chrono::steady_clock::now() + options_.last_wait_max);
    pool_.reset();  // writes what it can
    sink_->count_lost_lines({});
    make_default(std::make_shared<spdlog::logger>("limner", sink_));
  }

 private:
  const BackgroundOptions options_;
  const std::shared_ptr<DescriptorSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
};

Background::Background(BackgroundOptions options) : impl_(std::make_unique<Impl>(options)) {}
Background::~Background() = default;

}  // namespace limner::log
