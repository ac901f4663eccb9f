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
    BodyLease lease(budget_, "alice");
    ASSERT_TRUE(lease.resize(kBodyBytes, 0));
    state_ =
        std::make_shared<ExchangeState>(ExchangeState::Setup{.request = std::move(request),
                                                             .parameters = {{"id", "7"}},
                                                             .context = std::string("alice"),
                                                             .body_memory = std::move(lease),
                                                             .buffer_bytes_max = 10,
                                                             .wake = [this] { ++wake_count_; }});
  }

  // All of it: strained while the body is held.
  static constexpr std::size_t kBodyBytes = BodyBudget::kSmallBytes + 25;
  BodyBudget budget_{{.memory_bytes_max = 100, .spill_bytes_max = 0}};
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
  EXPECT_EQ(output.head->body_text(), "one");
  EXPECT_TRUE(output.is_closed);
  EXPECT_FALSE(output.is_stream);
  EXPECT_EQ(wake_count_, 1);
}

TEST_F(ExchangeStateTest, GivesParametersContextAndBody) {
  const auto exchange = state_->make_handle();
  EXPECT_EQ(exchange->path_parameter("id"), "7");
  EXPECT_EQ(exchange->path_parameter("other"), "");
  EXPECT_EQ(std::any_cast<std::string>(exchange->context()), "alice");
  BodyLease other(budget_, "alice");
  EXPECT_FALSE(other.resize(kBodyBytes, 0)) << "her share is taken";
  const auto body = exchange->take_body();
  EXPECT_EQ(std::get<std::string>(body), "body");
  EXPECT_EQ(exchange->request().body_bytes(), "");
  EXPECT_TRUE(other.resize(kBodyBytes, 0));
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

TEST_F(ExchangeStateTest, AnAnswerWithoutRoomIsToldAndNotKept) {
  const auto answers = std::make_shared<ByteBudget>(100, 60);
  const auto make = [&](const std::string& owner) {
    return std::make_shared<ExchangeState>(
        ExchangeState::Setup{.request = {},
                             .answer_memory = ByteLease(answers, owner, 10),
                             .buffer_bytes_max = 1'000,
                             .wake = [] {}});
  };
  const auto alice = make("alice");
  EXPECT_TRUE(alice->make_handle()->respond({.body = std::string(70, 'x')}));
  EXPECT_EQ(answers->used(), 60u);
  const auto again = make("alice");
  EXPECT_FALSE(again->make_handle()->respond({.body = std::string(11, 'x')}));
  EXPECT_TRUE(again->take().is_too_much);
  EXPECT_FALSE(again->take().head);
  const auto bob = make("bob");
  const auto stream = bob->make_handle()->start_stream(200, {});
  EXPECT_TRUE(stream->write(std::string(50, 'x')));
  EXPECT_FALSE(stream->write("a preview")) << "the total is taken";
  bob->take();
  bob->sent(50);
  EXPECT_EQ(answers->used(), 60u);
  alice->detach();
  EXPECT_EQ(answers->used(), 0u);
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
