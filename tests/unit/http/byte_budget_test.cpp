#include "http/byte_budget.hpp"

#include <gtest/gtest.h>

#include "http/body_budget.hpp"
#include "http/client_address.hpp"
#include "http/server_core.hpp"

namespace limner::http {
namespace {

TEST(ByteBudget, BoundsTheTotalAndEachShare) {
  ByteBudget budget(100, 40);
  EXPECT_TRUE(budget.try_take("alice", 40));
  EXPECT_FALSE(budget.try_take("alice", 1));
  EXPECT_TRUE(budget.try_take("bob", 40));
  EXPECT_FALSE(budget.try_take("carol", 21));
  EXPECT_TRUE(budget.try_take("carol", 20));
  EXPECT_EQ(budget.used(), 100u);
  budget.give_back("alice", 40);
  EXPECT_TRUE(budget.try_take("", 40)) << "nobody has the total only";
  EXPECT_FALSE(budget.try_take("", 1));
  EXPECT_FALSE(budget.try_take("dave", std::size_t(-1))) << "no overflow";
}

TEST(ByteLease, GrowsShrinksAndGivesBack) {
  const auto budget = std::make_shared<ByteBudget>(100, 100);
  {
    ByteLease lease(budget, "alice", 10);
    EXPECT_TRUE(lease.resize(10));
    EXPECT_EQ(budget->used(), 0u);
    EXPECT_TRUE(lease.resize(110));
    EXPECT_FALSE(lease.resize(111));
    EXPECT_EQ(budget->used(), 100u) << "a refusal changes nothing";
    EXPECT_TRUE(lease.resize(20));
    EXPECT_EQ(budget->used(), 10u);
    ByteLease moved(std::move(lease));
    EXPECT_EQ(budget->used(), 10u);
  }
  EXPECT_EQ(budget->used(), 0u);
}

TEST(BodyBudget, SmallBodiesNeverWaitForLargeOnes) {
  const BodyBudget budget({.memory_bytes_max = 4u << 20, .spill_bytes_max = 4u << 20});
  BodyLease large[4];
  int taken = 0;
  for (auto& lease : large) {
    lease = BodyLease(budget, "owner " + std::to_string(taken++));
    EXPECT_TRUE(lease.resize(BodyBudget::kSmallBytes + (1u << 20), 1u << 20));
  }
  EXPECT_TRUE(budget.is_strained());
  BodyLease other(budget, "other");
  EXPECT_FALSE(other.resize(BodyBudget::kSmallBytes + 1, 0));
  EXPECT_FALSE(other.resize(0, 1));
  EXPECT_TRUE(other.resize(BodyBudget::kSmallBytes, 0));
}

TEST(BodyBudget, OneOwnerGetsAQuarter) {
  const BodyBudget budget({.memory_bytes_max = 4u << 20, .spill_bytes_max = 8u << 20});
  BodyLease first(budget, "alice");
  BodyLease second(budget, "alice");
  BodyLease bob(budget, "bob");
  EXPECT_TRUE(first.resize(BodyBudget::kSmallBytes + (1u << 20), 2u << 20));
  EXPECT_FALSE(second.resize(BodyBudget::kSmallBytes + 1, 0));
  EXPECT_FALSE(second.resize(0, 1));
  EXPECT_TRUE(bob.resize(BodyBudget::kSmallBytes + (1u << 20), 2u << 20));
}

TEST(ClientAddress, CountsNetworksAndNotThisMachine) {
  EXPECT_EQ(network_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("2001:db8:1:2::9"), network_of("2001:db8:1:2:ffff::"));
  for (const auto* here :
       {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "", "unix", "1.2"}) {
    EXPECT_EQ(network_of(here), "") << here;
  }
}

TEST(ClientAddress, BelievesOnlyAProxyOfThisMachine) {
  const Headers headers{{"X-Forwarded-For", "203.0.113.1, 198.51.100.2"}};
  EXPECT_EQ(body_owner({.host = "127.0.0.1"}, headers), "198.51.100.2");
  EXPECT_EQ(body_owner({.host = "192.0.2.7", .network = "192.0.2.7"}, headers), "192.0.2.7");
  EXPECT_EQ(body_owner({.host = "127.0.0.1"}, {}), "");
  EXPECT_EQ(body_owner({.host = "127.0.0.1"}, {{"X-Forwarded-For", "unknown"}}), "");
}

class NoConnection final : public Connection {
 public:
  void start() override {}
  void drain() override {}
  void close() override {}
};

TEST(ConnectionRegistry, BeyondItsLimitAnAddressMayAskForWhatIsVital) {
  ServerOptions options;
  options.connections_max = 5;
  options.connections_per_address_max = 2;
  ConnectionRegistry registry;
  std::vector<std::shared_ptr<Connection>> open;
  const auto connect = [&](const std::string& network) {
    const auto admission = registry.admit(network, options);
    if (!admission) return std::string("refused");
    open.push_back(std::make_shared<NoConnection>());
    registry.add(open.back(), {.host = {}, .network = network, .admission = *admission});
    return std::string(*admission == Admission::Full ? "full" : "vital");
  };
  EXPECT_EQ(connect("a"), "full");
  EXPECT_EQ(connect("a"), "full");
  EXPECT_EQ(connect("a"), "vital");
  EXPECT_EQ(connect(""), "full") << "this machine has no limit of its own";
  EXPECT_EQ(connect(""), "full");
  EXPECT_EQ(connect(""), "full");
  EXPECT_EQ(connect("b"), "vital") << "all are taken";
  std::string last;
  for (int i = 0; i < 70; ++i) last = connect("b");
  EXPECT_EQ(last, "refused");
  EXPECT_FALSE(registry.has_room(options));
  registry.remove(open[0].get());
  EXPECT_TRUE(registry.has_room(options));
  EXPECT_EQ(connect(""), "full");
}

}  // namespace
}  // namespace limner::http
