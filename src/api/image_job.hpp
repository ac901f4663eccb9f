// One images request on its way: takes the engine's events, makes files of pictures, and prints
// them as JSON or as a stream.
//
// Threads: start() and everything that encodes runs on a worker, one piece at a time; emit() is
// called by the engine and only hands over; that the client left is told by an I/O thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/call_context.hpp"
#include "api/openai/stream_events.hpp"
#include "api/plan_request.hpp"
#include "api/reply_channel.hpp"
#include "api/services.hpp"
#include "base/guarded.hpp"
#include "codec/metadata.hpp"

namespace limner::api {

class ImageJob final : public EventSink, public std::enable_shared_from_this<ImageJob> {
 public:
  ImageJob(Services& services, std::shared_ptr<ReplyChannel> channel, CallContext call,
           ImageRequest request);
  ~ImageJob() override;

  // Plans the request and hands it to the engine, or answers with what is wrong.
  void start();

  void emit(GenerationEvent event) override;

 private:
  struct Inbox {
    std::deque<GenerationEvent> events;
    bool is_being_read = false;
  };

  void paint();
  void cut_out();
  Result<void> register_request();
  void watch_client();
  void hurry_headers();

  void note_status(const GenerationEvent& event);
  void read_inbox();
  void take(const event::Queued& queued);
  void take(const event::Progress& progress);
  void take(const event::Partial& partial);
  void take(const event::Completed& completed);
  void take(const event::Failed& failed);

  const ModelPlan& plan_of(const std::string& model) const;
  Result<std::vector<std::uint8_t>> encode(const Image& image, const ReplyPlan& plan,
                                           codec::Metadata metadata) const;
  Result<void> store(FinishedReply& reply, ReplyPlan& plan);
  Result<FinishedReply> finish(const event::Completed& completed, ModelPlan& plan);
  void answer(const FinishedReply& reply, const ReplyPlan& plan, const http::Headers& headers);
  void stream_images(const FinishedReply& reply, const ReplyPlan& plan);
  void fail(const Error& error);

  http::Headers reply_headers(const ModelPlan& plan) const;
  std::int64_t now_seconds() const;

  Services& services_;
  const std::shared_ptr<ReplyChannel> channel_;  // shared with the timer that may begin it
  const CallContext call_;
  RequestRegistry::Ticket ticket_;
  ImageRequest request_;
  const TimePoint started_at_;

  RequestPlan plan_;
  http::Headers first_headers_;  // of the model that is tried first
  std::optional<openai::StreamEvents> events_;
  std::stop_source stop_;
  std::optional<std::stop_callback<std::function<void()>>> client_gone_;
  Guarded<Inbox> inbox_;
};

}  // namespace limner::api
