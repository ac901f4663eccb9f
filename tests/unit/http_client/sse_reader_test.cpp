#include "http/client/sse_reader.hpp"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace limner::http {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Every event of `text`, read in pieces of `size` bytes.
Events events_of(std::string_view text, std::size_t size) {
  Events events;
  SseReader reader(1'000);
  const auto keep = [&](const SseEvent& event) {
    events.emplace_back(event.event, event.data);
    return true;
  };
  for (std::size_t at = 0; at < text.size(); at += size) {
    EXPECT_TRUE(reader.read(bytes_of(text.substr(at, size)), keep));
  }
  EXPECT_TRUE(reader.finish(keep));
  return events;
}

TEST(SseReader, EventsAreTheSameHoweverTheStreamIsCut) {
  const std::string_view text =
      "\xEF\xBB\xBF: hello\r\n"
      "event: image_generation.partial_image\r\ndata: {\"a\":1}\r\n\r\n"
      "data: one\ndata:two\n\n"
      "event: no_data\n\n"
      "retry: 10\rid: 7\rdata\r\r"
      "data: [DONE]\n\n"
      "data: without a blank line";
  const Events expected = {{"image_generation.partial_image", "{\"a\":1}"},
                           {"", "one\ntwo"},
                           {"", ""},
                           {"", "[DONE]"},
                           {"", "without a blank line"}};
  for (std::size_t size = 1; size <= text.size(); ++size) {
    EXPECT_EQ(events_of(text, size), expected) << "pieces of " << size;
  }
}

TEST(SseReader, AnEventBeyondItsLimitIsRefused) {
  for (const std::size_t size : {1, 7, 64}) {
    SseReader reader(32);
    const std::string text = "data: " + std::string(40, 'x') + "\n\n";
    bool is_refused = false;
    for (std::size_t at = 0; at < text.size() && !is_refused; at += size) {
      const auto read = reader.read(bytes_of(std::string_view(text).substr(at, size)),
                                    [](const SseEvent&) { return true; });
      is_refused = !read;
    }
    EXPECT_TRUE(is_refused) << size;
  }
}

TEST(SseReader, ManyLinesOfOneEventCountTogether) {
  SseReader reader(100);
  const auto ignore = [](const SseEvent&) { return true; };
  Result<void> read;
  for (int i = 0; i < 60 && read; ++i) read = reader.read(bytes_of("data: xx\n"), ignore);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::TooLarge);
}

TEST(SseReader, AReaderThatHasEnoughIsAskedNoMore) {
  SseReader reader(100);
  int count = 0;
  const auto first_only = [&](const SseEvent&) { return ++count < 1; };
  EXPECT_TRUE(reader.read(bytes_of("data: a\n\ndata: b\n\n"), first_only));
  EXPECT_TRUE(reader.finish(first_only));
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace limner::http
