// The whole engine over fake models, with random requests, failures, departures, lost models and
// shutdowns. Whatever happens, each accepted request has exactly one end.
#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "base/log.hpp"
#include "property/seeds.hpp"
#include "support/engine_fixture.hpp"

namespace limner::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Client;
using test::FakePipeline;

constexpr int kEvents = 300;

struct Sent {
  GenerationRequest request;
  Client client;
  bool has_left = false;
};

class Simulation : test::EngineFixture {
 public:
  explicit Simulation(unsigned seed) : random_(seed) {
    names = {"fake", "other", "third"};
    fake.rows_max = pick(1, 6);
    fake.step_count = pick(1, 12);
    pool_options.memory_bytes_max = pick(0, 1) ? 0 : 250;
    pool_options.idle_max = pick(0, 1) ? seconds{0} : seconds{20};
    engine_options.queue.requests_max = static_cast<std::size_t>(pick(1, 40));
    engine_options.batch.active_max = pick(1, 16);
    engine_options.batch.active_reserved = pick(0, 8);
    if (pick(0, 3) == 0) broken["third"] = {.message = "broken"};
  }

  void run() {
    for (int i = 0; i < kEvents; ++i) {
      happen();
      ASSERT_NO_FATAL_FAILURE(check_calls());
    }
    finish();
    if (testing::Test::HasFatalFailure()) return;
    for (const auto& sent : sent_) ASSERT_NO_FATAL_FAILURE(check_end(sent));
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  void happen() {
    switch (pick(0, 9)) {
      case 0:
      case 1:
      case 2:
        return send();
      case 3:
        return leave();
      case 4:
        pool().run_one_load();
        return;
      case 5:
        clock.advance(milliseconds{pick(0, 20'000)});
        return;
      default:
        tick();
        return;
    }
  }

  void send() {
    static constexpr std::array kPrompts = {"a cat",          "a dog",         "[fail prepare]",
                                            "[fail step 2]",  "[stuck]",       "[poison step 1]",
                                            "[throw step 3]", "[fail decode]", "[throw prepare]"};
    const bool is_sound = pick(0, 3) != 0;
    auto request = test::request_for("r" + std::to_string(sent_.size()),
                                     kPrompts[static_cast<std::size_t>(pick(0, is_sound ? 1 : 8))]);
    request.model = names[static_cast<std::size_t>(std::max(0, pick(-3, 2)))];
    request.size = {64 * pick(1, 3), 64};
    request.principal = std::to_string(pick(0, 3));
    request.image_count = pick(1, 4);
    request.partial_images = pick(0, 3);
    request.wants_progress = pick(0, 1) == 1;
    if (pick(0, 4) == 0) request.model_wait_max = seconds{pick(0, 5)};
    request.sampling.seed = static_cast<std::uint64_t>(pick(0, 1'000'000));
    if (pick(0, 1)) request.sampling.num_inference_steps = pick(0, 20);
    auto client = submit(request);
    sent_.push_back({.request = std::move(request), .client = std::move(client)});
  }

  void leave() {
    if (sent_.empty()) return;
    Sent& sent = sent_[static_cast<std::size_t>(pick(0, static_cast<int>(sent_.size()) - 1))];
    if (pick(0, 1) || !sent.client.ticket) {
      sent.client.leave.request_stop();
    } else {
      engine().cancel(sent.client.ticket->id);
    }
    sent.has_left = true;
  }

  // Of every network call made since the last look.
  void check_calls() {
    std::map<std::string, const Sent*> by_id;
    for (const auto& sent : sent_) by_id[sent.request.id] = &sent;
    for (const auto& call : record->taken_calls()) {
      ASSERT_FALSE(call.request_ids.empty());
      for (const auto& key : call.keys) ASSERT_EQ(key, call.keys.front()) << "keys mixed";
      ASSERT_TRUE(call.rows <= fake.rows_max || call.request_ids.size() == 1) << "rows over budget";
      auto ids = call.request_ids;
      std::ranges::sort(ids);
      ASSERT_TRUE(std::ranges::adjacent_find(ids) == ids.end()) << "advanced twice in one call";
      for (const auto& id : ids) {
        ASSERT_FALSE(by_id.at(id)->has_left) << "painted for a client that had left";
      }
    }
  }

  void finish() {
    const int how = pick(0, 2);
    if (how == 0) {
      engine().begin_drain(clock.now() + seconds{pick(0, 5)});
      clock.advance(seconds{pick(0, 10)});
    }
    if (how != 1) {
      for (int i = 0; i < 100'000 && has_open(); ++i) {
        if (tick(), !pool().run_one_load()) clock.advance(milliseconds{100});
      }
      ASSERT_FALSE(has_open()) << "a request never ended";
    }
    destroy_engine();
  }

  bool has_open() const {
    return std::ranges::any_of(sent_, [](const Sent& sent) {
      return sent.client.ticket && sent.client.sink->final_count() == 0;
    });
  }

  static void check_end(const Sent& sent) {
    const auto& sink = *sent.client.sink;
    SCOPED_TRACE(sent.request.id + " " + sent.request.prompt.text);
    if (!sent.client.ticket) {
      ASSERT_EQ(sink.final_count(), 0u) << "refused, and answered too";
      return;
    }
    ASSERT_EQ(sink.final_count(), 1u);
    ASSERT_TRUE(sink.ends_with_final()) << "an event after the end";
    const auto completed = sink.all<event::Completed>();
    if (completed.empty()) return;
    ASSERT_EQ(std::ssize(completed[0].images), sent.request.image_count);
    const int steps = completed[0].effective.num_inference_steps;
    for (const auto& painted : completed[0].images) {
      ASSERT_EQ(painted.image.pixels,
                FakePipeline::painted(sent.request, painted.index, steps).pixels)
          << "the picture depends on the company";
    }
  }

  std::mt19937 random_;
  std::vector<Sent> sent_;
};

TEST(EngineProperty, EachAcceptedRequestEndsExactlyOnce) {
  ASSERT_TRUE(log::init("off"));  // thousands of injected failures
  for (unsigned seed = 1; seed <= test::seed_count(200); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Simulation simulation(seed);
    ASSERT_NO_FATAL_FAILURE(simulation.run());
  }
}

}  // namespace
}  // namespace limner::engine
