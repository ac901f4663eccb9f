// One images request from its fields to its last byte: tries the models it names, takes the
// engine's events, makes files of pictures, and prints them as JSON or as a stream.
//
// Threads: start() and everything that encodes runs on a worker; emit() is called by the engine and
// only hands over; the client's leaving is told by an I/O thread.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/call_context.hpp"
#include "api/load_images.hpp"
#include "api/openai/stream_events.hpp"
#include "api/reply_plan.hpp"
#include "api/services.hpp"
#include "base/guarded.hpp"
#include "http/exchange.hpp"

namespace limner::api {

class ImageJob final : public EventSink, public std::enable_shared_from_this<ImageJob> {
 public:
  ImageJob(Services& services, std::shared_ptr<http::Exchange> exchange, CallContext call,
           ImageRequest request);
  ~ImageJob() override;

  // Opens the pictures, picks the model, hands the request to the engine.
  void start();

  void emit(GenerationEvent event) override;

 private:
  struct Inbox {
    std::deque<GenerationEvent> events;
    bool is_being_read = false;
  };

  Result<void> open_pictures();
  // Tries the models from `attempt_` on until one accepts; else answers with the first's error.
  void try_models();
  Result<void> try_model(const std::string& name);
  Result<GenerationRequest> prepare(const ServedModel& model);
  Result<void> load_pictures_once();
  Result<void> shorten_prompt(GenerationRequest& generation);
  void fill_plan(const Resolved& resolved);
  void watch_client();

  void read_inbox();
  void take(event::Queued queued);
  void take(event::Progress progress);
  void take(event::Partial partial);
  void take(event::Completed completed);
  void take(event::Failed failed);

  Result<std::vector<std::uint8_t>> encode(const Image& image, std::uint64_t seed);
  Result<FinishedReply> finish(event::Completed completed);
  void answer(const FinishedReply& reply);
  void fail(const Error& error);

  http::ResponseStream* stream();
  void start_stream_if_silent();
  http::Headers reply_headers() const;
  std::int64_t now_seconds() const;

  Services& services_;
  const std::shared_ptr<http::Exchange> exchange_;
  const CallContext call_;
  ImageRequest request_;
  const TimePoint started_at_;

  std::vector<OpenedImage> pictures_;
  std::optional<OpenedImage> mask_file_;
  std::optional<LoadedImages> loaded_;
  std::vector<std::string> models_;  // to try, in order
  std::size_t attempt_ = 0;
  std::optional<Error> first_error_;
  std::uint64_t random_seed_ = 0;

  ReplyPlan plan_;
  GenerationRequest generation_;  // as accepted, without pictures: for metadata
  EffectiveParams expected_;      // for previews, which come before the effective values
  std::stop_source stop_;
  std::optional<std::stop_callback<std::function<void()>>> client_gone_;

  Guarded<Inbox> inbox_;
  std::atomic<bool> has_ended_ = false;
  std::atomic<bool> has_stream_ = false;
  // The stream is begun by a worker or by the timer, whoever is first; then only workers write.
  Guarded<std::shared_ptr<http::ResponseStream>> stream_;
  std::optional<openai::StreamEvents> events_;
};

}  // namespace limner::api
