#include "api/idempotency_store.hpp"

#include <gtest/gtest.h>

#include "storage/memory_blob_store.hpp"
#include "support/manual_clock.hpp"

namespace limner::api {
namespace {

using namespace std::chrono_literals;

IdempotencyStore::Stored answer_of(int status, std::string body,
                                   std::vector<std::string> blob_ids = {}) {
  return std::make_shared<const Answer>(
      Answer{.response = {.status = status, .headers = {}, .body = std::move(body)},
             .blob_ids = std::move(blob_ids)});
}

class IdempotencyStoreTest : public ::testing::Test {
 protected:
  std::string begin(const std::string& key, const std::string& digest = "d") {
    const auto begun = store_.begin(
        key, digest, [this](const auto& stored) { heard_ += stored->response.body_text(); });
    if (std::holds_alternative<IdempotencyStore::First>(begun)) return "first";
    if (std::holds_alternative<IdempotencyStore::Waits>(begun)) return "waits";
    if (std::holds_alternative<IdempotencyStore::Clash>(begun)) return "clash";
    if (std::holds_alternative<IdempotencyStore::Crowded>(begun)) return "crowded";
    return std::string(std::get<IdempotencyStore::Stored>(begun)->response.body_text());
  }
  // Paints once and keeps the answer.
  void keep(const std::string& key, IdempotencyStore::Stored answer) {
    EXPECT_EQ(begin(key), "first");
    store_.finish(key, answer);
  }

  test::ManualClock clock_;
  storage::MemoryBlobStore pictures_{{.ttl = 60s, .size_bytes_max = 4 * 4'096}, clock_};
  IdempotencyStore store_{
      {.ttl = 100s, .size_bytes_max = 100'000, .waiting_max = 2}, pictures_, clock_};
  std::string heard_;
};

TEST_F(IdempotencyStoreTest, TheFirstPaintsTheOthersWaitAndLaterOnesGetTheSame) {
  EXPECT_EQ(begin("k"), "first");
  EXPECT_EQ(begin("k"), "waits");
  EXPECT_EQ(begin("k", "other"), "clash");
  EXPECT_EQ(begin("k"), "waits");
  EXPECT_EQ(begin("k"), "crowded");
  store_.finish("k", answer_of(200, "picture;"));
  EXPECT_EQ(heard_, "picture;picture;");
  EXPECT_EQ(begin("k"), "picture;");
  EXPECT_EQ(begin("k", "other"), "clash");
}

TEST_F(IdempotencyStoreTest, OnlySuccessIsKept) {
  for (const int status : {400, 401, 404, 409, 413, 422, 429, 500, 503, 504}) {
    keep("k", answer_of(status, "refused"));
  }
  EXPECT_EQ(begin("k", "corrected"), "first") << "the key is free for the corrected request";
  EXPECT_EQ(store_.used_size_bytes(), 0u);
}

TEST_F(IdempotencyStoreTest, AnAnswerLivesAsLongAsThePicturesOfItsUrls) {
  const std::vector<std::uint8_t> bytes(10, 1);
  const auto first = pictures_.put(bytes, "image/png")->id;
  const auto second = pictures_.put(bytes, "image/png")->id;
  keep("k", answer_of(200, "urls", {first, second}));
  EXPECT_EQ(begin("k"), "urls");
  pictures_.remove(second);
  EXPECT_EQ(begin("k", "even another"), "first") << "one url is dead: it is painted anew";
}

TEST_F(IdempotencyStoreTest, AnAnswerEndsWithTheTimeOfItsPicturesOrItsOwn) {
  const std::vector<std::uint8_t> bytes(10, 1);
  keep("urls", answer_of(200, "urls", {pictures_.put(bytes, "image/png")->id}));
  keep("base64", answer_of(200, "base64"));
  clock_.advance(61s);
  EXPECT_EQ(begin("urls"), "first");
  EXPECT_EQ(begin("base64"), "base64");
  clock_.advance(40s);
  EXPECT_EQ(begin("base64"), "first");
}

TEST_F(IdempotencyStoreTest, TheLimitCountsKeysHeadersAndNodesAndTheOldestGo) {
  for (int i = 0; i < 1'000; ++i) {
    Answer answer{.response = {.status = 200, .headers = {}, .body = "x"}};
    for (int h = 0; h < 8; ++h) {
      answer.response.headers.add("a header's long name", "a header's long value");
    }
    keep(std::string(200, 'k') + std::to_string(i), std::make_shared<const Answer>(answer));
    EXPECT_LE(store_.used_size_bytes(), 100'000u);
  }
  // At the least what the texts of one take: 200 of the key, 8 * 41 of the headers.
  EXPECT_GT(store_.used_size_bytes(), 90'000u);
  EXPECT_EQ(begin(std::string(200, 'k') + "999"), "x");
  EXPECT_EQ(begin(std::string(200, 'k') + "800"), "first") << "not more than 190 can fit";
}

TEST_F(IdempotencyStoreTest, OneThatCanNeverFitCostsNobodyHisPlace) {
  keep("small", answer_of(200, "small"));
  keep("large", answer_of(200, std::string(200'000, 'x')));
  EXPECT_EQ(begin("small"), "small");
  EXPECT_EQ(begin("large"), "first");
}

TEST_F(IdempotencyStoreTest, WhatIsDroppedFreesItsRoom) {
  const std::vector<std::uint8_t> bytes(10, 1);
  const auto id = pictures_.put(bytes, "image/png")->id;
  const auto before = store_.used_size_bytes();
  keep("k", answer_of(200, "urls", {id}));
  EXPECT_GT(store_.used_size_bytes(), before);
  pictures_.remove(id);
  EXPECT_EQ(begin("k"), "first");
  EXPECT_EQ(store_.used_size_bytes(), before);
}

}  // namespace
}  // namespace limner::api
