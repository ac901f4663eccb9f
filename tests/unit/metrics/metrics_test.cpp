#include "metrics/metrics.hpp"

#include <regex>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "metrics/process.hpp"

namespace limner::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

// Something in every family.
void fill(Metrics& metrics) {
  metrics.http_request("/v1/images/generations", 200, 1500ms);
  metrics.set_connections(3);
  metrics.set_streams(2);
  metrics.refused("queue_full");
  metrics.set_queued(4);
  metrics.set_running(1);
  metrics.queue_wait("emoji", 20ms);
  metrics.request_ended("emoji", Outcome::Completed);
  metrics.request_failed("emoji", "non_finite_numbers");
  metrics.step("emoji", 2, 30ms);
  metrics.painted("emoji", 2, 800ms);
  metrics.decoded("emoji", 40ms);
  metrics.encoded("png", 8ms);
  metrics.cache_lookup("models", true);
  metrics.set_stored_bytes(12'345);
}

TEST(Metrics, renders_what_was_counted) {
  Metrics metrics("1.2.3");
  fill(metrics);
  metrics.http_request("/v1/images/generations", 200, 700ms);
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("limner_http_requests_total{route=\"/v1/images/generations\","
                              "status=\"200\"} 2"));
  EXPECT_THAT(text,
              HasSubstr("limner_http_request_seconds_count{route=\"/v1/images/generations\"} 2"));
  EXPECT_THAT(text, HasSubstr("limner_http_request_seconds_bucket{"
                              "route=\"/v1/images/generations\",le=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("limner_queue_depth 4"));
  EXPECT_THAT(text, HasSubstr("limner_step_rows_total{model=\"emoji\"} 2"));
  EXPECT_THAT(text, HasSubstr("limner_images_total{model=\"emoji\"} 2"));
  EXPECT_THAT(text, HasSubstr("limner_requests_total{model=\"emoji\",outcome=\"completed\"} 1"));
  EXPECT_THAT(text, HasSubstr("limner_cache_lookups_total{cache=\"models\",result=\"hit\"} 1"));
  EXPECT_THAT(text,
              HasSubstr("limner_failures_total{model=\"emoji\",reason=\"non_finite_numbers\"} 1"));
  EXPECT_THAT(text, HasSubstr("limner_build_info{version=\"1.2.3\"} 1"));
  EXPECT_THAT(text, HasSubstr("# TYPE limner_step_seconds histogram"));
}

TEST(Metrics, bounds_the_values_of_a_label) {
  Metrics metrics("test");
  for (int i = 0; i < 1'000; ++i) {
    metrics.http_request("/route/" + std::to_string(i), 404, 1ms);
    metrics.request_ended("model-" + std::to_string(i), Outcome::Failed);
  }
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("limner_http_requests_total{route=\"other\",status=\"404\"} 936"));
  EXPECT_THAT(text, HasSubstr("limner_requests_total{model=\"other\",outcome=\"failed\"} 936"));
  EXPECT_THAT(text, Not(HasSubstr("/route/64\"")));
}

TEST(Metrics, admits_no_status_outside_http) {
  Metrics metrics("test");
  for (const int status : {0, -7, 99, 600, 123'456}) metrics.http_request("/", status, 1ms);
  EXPECT_THAT(metrics.render(),
              HasSubstr("limner_http_requests_total{route=\"/\",status=\"other\"} 5"));
}

TEST(Metrics, escapes_label_values) {
  Metrics metrics("test");
  metrics.refused("a\"b\\c\nd");
  EXPECT_THAT(metrics.render(), HasSubstr(R"(reason="a\"b\\c\nd")"));
}

TEST(Metrics, counts_from_many_threads) {
  Metrics metrics("test");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          metrics.http_request("/health", 200, 1ms);
          if (i % 100 == 0) (void)metrics.render();
        }
      });
    }
  }
  EXPECT_THAT(metrics.render(), HasSubstr("limner_http_requests_total{route=\"/health\","
                                          "status=\"200\"} 2000"));
}

TEST(Metrics, are_all_documented_and_all_documented_ones_exist) {
  const auto names_in = [](const std::string& text, const char* pattern) {
    std::set<std::string> names;
    const std::regex expression(pattern, std::regex::multiline);
    for (std::sregex_iterator i(text.begin(), text.end(), expression), end; i != end; ++i) {
      names.insert((*i)[1]);
    }
    return names;
  };
  Metrics metrics("test");
  fill(metrics);
  const auto page = read_file(std::string(LIMNER_SOURCE_DIR) + "/docs/metrics.md", 1 << 20);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(names_in(*page, R"(^\| `([a-z_]+)`)"),
            names_in(metrics.render(), R"(^# TYPE ([a-z_]+) )"));
}

TEST(ProcessFacts, are_plausible) {
  const ProcessFacts facts = read_process_facts();
  EXPECT_GT(facts.resident_bytes, 1'000'000);
  EXPECT_GE(facts.open_descriptors, 3);
  EXPECT_GE(facts.threads, 1);
  EXPECT_GT(facts.cpu_seconds, 0);
}

}  // namespace
}  // namespace limner::metrics
