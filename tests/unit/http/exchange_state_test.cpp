#include "http/exchange_state.hpp"

#include <gtest/gtest.h>

namespace limner::http {
namespace {

class ExchangeStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Request request;
    request.method = "GET";
    request.body = std::string("body");
    MemoryLease lease(budget_);
    ASSERT_TRUE(lease.grow_to(4));
    state_ =
        std::make_shared<ExchangeState>(ExchangeState::Setup{.request = std::move(request),
                                                             .parameters = {{"id", "7"}},
                                                             .context = std::string("alice"),
                                                             .body_memory = std::move(lease),
                                                             .buffer_bytes_max = 10,
                                                             .wake = [this] { ++wake_count_; }});
  }

  std::shared_ptr<MemoryBudget> budget_ = std::make_shared<MemoryBudget>(100);
  std::shared_ptr<ExchangeState> state_;
  int wake_count_ = 0;
};

TEST_F(ExchangeStateTest, TheFirstAnswerCounts) {
  const auto exchange = state_->make_handle();
  EXPECT_FALSE(exchange->responded());
  EXPECT_TRUE(exchange->respond({.status = 200, .headers = {}, .body = "one"}));
  EXPECT_FALSE(exchange->respond({.status = 500, .headers = {}, .body = "two"}));
  EXPECT_EQ(exchange->start_stream(200, {}), nullptr);
  EXPECT_TRUE(exchange->responded());
  const auto output = state_->take();
  ASSERT_TRUE(output.head);
  EXPECT_EQ(output.head->body, "one");
  EXPECT_TRUE(output.is_closed);
  EXPECT_FALSE(output.is_stream);
  EXPECT_EQ(wake_count_, 1);
}

TEST_F(ExchangeStateTest, GivesParametersContextAndBody) {
  const auto exchange = state_->make_handle();
  EXPECT_EQ(exchange->path_parameter("id"), "7");
  EXPECT_EQ(exchange->path_parameter("other"), "");
  EXPECT_EQ(std::any_cast<std::string>(exchange->context()), "alice");
  EXPECT_EQ(budget_->used_bytes(), 4u);
  const auto body = exchange->take_body();
  EXPECT_EQ(std::get<std::string>(body), "body");
  EXPECT_EQ(exchange->request().body_bytes(), "");
  EXPECT_EQ(budget_->used_bytes(), 0u);
}

TEST_F(ExchangeStateTest, DroppedWithoutAnAnswerIsAbandoned) {
  state_->make_handle();
  EXPECT_TRUE(state_->take().is_abandoned);
  EXPECT_EQ(wake_count_, 1);
}

TEST_F(ExchangeStateTest, AFullBufferDropsPreviewsButNotFinals) {
  const auto stream = state_->make_handle()->start_stream(200, {});
  EXPECT_TRUE(stream->write("12345678"));
  EXPECT_FALSE(stream->write("abc"));
  EXPECT_TRUE(stream->write("ab"));
  EXPECT_TRUE(stream->write_required("required"));
  EXPECT_FALSE(stream->write("x"));
  EXPECT_EQ(state_->take().pieces, (std::vector<std::string>{"12345678", "ab", "required"}));
  EXPECT_FALSE(stream->write("x")) << "taken is not sent";
  state_->sent(18);
  EXPECT_TRUE(stream->write("x"));
  EXPECT_TRUE(stream->write_final("the end"));
  EXPECT_FALSE(stream->write_final("again"));
  const auto output = state_->take();
  EXPECT_EQ(output.pieces, (std::vector<std::string>{"x", "the end"}));
  EXPECT_TRUE(output.is_closed);
  EXPECT_FALSE(output.is_aborted);
}

TEST_F(ExchangeStateTest, AStreamDroppedUnfinishedIsAborted) {
  auto stream = state_->make_handle()->start_stream(200, {});
  EXPECT_TRUE(state_->take().is_stream);
  stream.reset();
  EXPECT_TRUE(state_->take().is_aborted);
}

TEST_F(ExchangeStateTest, AfterDetachNobodyListens) {
  const auto exchange = state_->make_handle();
  const auto stream = exchange->start_stream(200, {});
  bool is_gone = false;
  const std::stop_callback on_gone(exchange->client_gone(), [&] { is_gone = true; });
  state_->signal_gone();
  EXPECT_TRUE(is_gone);
  state_->detach();
  EXPECT_FALSE(stream->write_required("x"));
  stream->close();
  EXPECT_EQ(wake_count_, 1);
}

}  // namespace
}  // namespace limner::http
