#include "api/call_context.hpp"

#include <gtest/gtest.h>

#include "unit/api/fake_exchange.hpp"

namespace limner::api {
namespace {

using std::chrono::seconds;

std::optional<seconds> wait_of(std::initializer_list<std::string> prefer) {
  http::Request request;
  for (const auto& value : prefer) request.headers.add("Prefer", value);
  const test::FakeExchange exchange(std::move(request), {});
  return read_call(exchange, Dialect::Bifrost, Operation::Generation, {}).model_wait_max;
}

TEST(CallContext, ReadsHowLongTheClientWaits) {
  EXPECT_EQ(wait_of({}), std::nullopt);
  EXPECT_EQ(wait_of({"wait=0"}), seconds{0});
  EXPECT_EQ(wait_of({"respond-async, wait=100"}), seconds{100});
  EXPECT_EQ(wait_of({"handling=lenient", "Wait = 5 ; x=1"}), seconds{5});
  EXPECT_EQ(wait_of({"wait=1, wait=2"}), seconds{1}) << "the first counts";
}

TEST(CallContext, APreferenceThatCannotBeReadIsNone) {
  for (const std::string value : {"wait", "wait=", "wait=-1", "wait=soon", "wait=1.5", ",,", "=",
                                  "wait=99999999999999999999"}) {
    EXPECT_EQ(wait_of({value}), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace limner::api
