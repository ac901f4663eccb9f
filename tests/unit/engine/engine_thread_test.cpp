// The engine with its own threads: what only they can break. Nothing here sleeps; waits end by an
// event of the engine.
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/engine_fixture.hpp"

namespace limner::engine {
namespace {

using std::chrono::seconds;
using test::Client;
using test::request_for;

class EngineThreadTest : public testing::Test, public test::EngineFixture {};

TEST_F(EngineThreadTest, LoadsPaintsAndDrains) {
  pool().start();
  engine().start();
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(submit(request_for("r")));
  EXPECT_TRUE(engine().drain(seconds{3600}));
  for (const auto& client : clients) EXPECT_TRUE(client.sink->has_completed());
}

TEST_F(EngineThreadTest, AnswersEachOnceWhenManyThreadsSubmitAndLeave) {
  pool().start();
  engine().start();
  std::vector<std::future<std::vector<Client>>> threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(std::async(std::launch::async, [this] {
      std::vector<Client> clients;
      for (int i = 0; i < 50; ++i) {
        clients.push_back(submit(request_for("r")));
        if (i % 3 == 0) clients.back().leave.request_stop();
        if (i % 7 == 0 && clients.back().ticket) engine().cancel(clients.back().ticket->id);
      }
      return clients;
    }));
  }
  std::vector<Client> clients;
  for (auto& thread : threads) {
    for (auto& client : thread.get()) clients.push_back(std::move(client));
  }
  EXPECT_TRUE(engine().drain(seconds{3600}));
  for (const auto& client : clients) {
    EXPECT_EQ(client.sink->final_count(), client.ticket ? 1u : 0u);
  }
}

TEST_F(EngineThreadTest, AnswersEverybodyWhenDestroyedAtWork) {
  pool().start();
  engine().start();
  std::vector<Client> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(submit(request_for("r")));
  destroy_engine();
  for (const auto& client : clients) EXPECT_EQ(client.sink->final_count(), 1u);
}

TEST_F(EngineThreadTest, PaintsBelowTheOtherThreads) {
  std::promise<int> niceness;
  std::once_flag once;
  fake.on_step = [&](int) {
    std::call_once(once, [&] {
      niceness.set_value(::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())));
    });
  };
  const int before = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
  pool().start();
  engine().start();
  submit(request_for("r"));
  EXPECT_EQ(niceness.get_future().get(), 10);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())), before);
  EXPECT_TRUE(engine().drain(seconds{3600}));
}

}  // namespace
}  // namespace limner::engine
