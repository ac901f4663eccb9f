#include "http/request_head.hpp"

#include <string>

#include <gtest/gtest.h>

namespace limner::http {
namespace {

using namespace std::string_literals;

// "none", "sized N", "chunked", or the status that the head is refused with.
std::string judge(const std::string& raw, const HeadLimits& limits = {}) {
  const auto refused = [](const Error& error) {
    return std::to_string(
        finer_status(error).value_or(error.kind == ErrorKind::InvalidArgument ? 400 : 500));
  };
  const auto size = find_head_end(raw, limits);
  if (!size) return refused(size.error());
  if (*size == 0) return "incomplete";
  RequestParser parser(limits);
  const auto framing = parser.parse_head(std::string_view(raw).substr(0, *size));
  if (!framing) return refused(framing.error());
  if (const auto* sized = std::get_if<SizedBody>(&*framing)) {
    return "sized " + std::to_string(sized->size);
  }
  return std::holds_alternative<NoBody>(*framing) ? "none" : "chunked";
}

std::string post(const std::string& fields) {
  return "POST /v1 HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(RequestHead, AcceptsWhatClientsSend) {
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"), "none");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nhost:[::1]:8080\r\n\r\n"), "none");
  EXPECT_EQ(judge("GET / HTTP/1.0\r\n\r\n"), "none");
  EXPECT_EQ(judge(post("Content-Length: 5\r\n")), "sized 5");
  EXPECT_EQ(judge(post("Content-Length: 0\r\n")), "none");
  EXPECT_EQ(judge(post("Transfer-Encoding: chunked\r\n")), "chunked");
  EXPECT_EQ(judge(post("Transfer-Encoding: Chunked\r\n")), "chunked");
  EXPECT_EQ(judge(post("Expect: 100-Continue\r\nContent-Length: 5\r\n")), "sized 5");
}

// The rows of the table that Beast alone lets through.
TEST(RequestHead, RefusesTransferEncodingsOtherThanChunked) {
  EXPECT_EQ(judge(post("Transfer-Encoding: gzip\r\n")), "501");
  EXPECT_EQ(judge(post("Transfer-Encoding: chunked, gzip\r\n")), "501");
  EXPECT_EQ(judge(post("Transfer-Encoding: gzip, chunked\r\n")), "501");
  EXPECT_EQ(judge(post("Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n")), "501");
  EXPECT_EQ(judge(post("Transfer-Encoding: identity\r\n")), "501");
  EXPECT_EQ(judge(post("Transfer-Encoding: \"chunked\"\r\n")), "501");
  EXPECT_EQ(judge(post("Transfer-Encoding:\r\n")), "501");
}

TEST(RequestHead, RefusesAmbiguousFraming) {
  EXPECT_EQ(judge(post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n")), "400");
  EXPECT_EQ(judge(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), "400");
  EXPECT_EQ(judge("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "400");
  EXPECT_EQ(judge(post("Content-Length: 5, 5\r\n")), "400");
  EXPECT_EQ(judge(post("Content-Length: 5\r\nContent-Length: 5\r\n")), "400");
  EXPECT_EQ(judge(post("Content-Length: 5\r\nContent-Length: 6\r\n")), "400");
  EXPECT_EQ(judge(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), "400");
  EXPECT_EQ(judge(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")), "400");
  EXPECT_EQ(judge(post("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n")), "400");
}

TEST(RequestHead, RefusesLengthsThatAreNotOneNumber) {
  for (const auto* value :
       {"+5", "-5", "0x5", "5 ", "5.0", "", "99999999999999999999", "5;", "٥"}) {
    const auto verdict = judge(post("Content-Length: "s + value + "\r\n"));
    EXPECT_TRUE(verdict == "400" || (value == "5 "s && verdict == "sized 5"))
        << value << " " << verdict;
  }
}

TEST(RequestHead, WantsExactlyOneHost) {
  EXPECT_EQ(judge("GET / HTTP/1.1\r\n\r\n"), "400");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), "400");
  EXPECT_EQ(judge("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), "400");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "400");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), "400");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), "400");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), "400");
}

TEST(RequestHead, RefusesFoldedLines) {
  EXPECT_EQ(judge(post("X: a\r\n b\r\n")), "400");
  EXPECT_EQ(judge(post("X: a\r\n\tb\r\n")), "400");
}

TEST(RequestHead, DropsFieldsWithAnUnderscoreInTheirName) {
  // Whoever takes '_' for '-' must not find a length or an encoding of its own.
  EXPECT_EQ(judge(post("Content_Length: 5\r\n")), "none");
  EXPECT_EQ(judge(post("Transfer_Encoding: chunked\r\n")), "none");
  EXPECT_EQ(judge(post("Content_Length: 7\r\nContent-Length: 5\r\n")), "sized 5");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: a\r\nHo_st: b\r\n\r\n"), "none");
  EXPECT_EQ(judge(post("X: with_underscore\r\n")), "none");
  RequestParser parser(HeadLimits{});
  ASSERT_TRUE(parser.parse_head(post("user_id: 7\r\n_: 1\r\nAuthorization_: x\r\nX-Y: 1\r\n")));
  EXPECT_EQ(parser.head().headers.size(), 2u);
  const HeadLimits limits{.head_bytes_max = 256, .fields_max = 4, .target_bytes_max = 64};
  EXPECT_EQ(judge(post("a_: 1\r\nb_: 1\r\nc_: 1\r\nd_: 1\r\n"), limits), "431");
}

TEST(RequestHead, RefusesMalformedLines) {
  EXPECT_EQ(judge("GET / HTTP/1.1\nHost: a\n\n"), "400");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"), "400");
  EXPECT_EQ(judge(post("X : a\r\n")), "400");
  EXPECT_EQ(judge(post("X: a"s + '\0' + "b\r\n")), "400");
  EXPECT_EQ(judge(post("X: a\rb\r\n")), "400");
  EXPECT_EQ(judge(post("no colon\r\n")), "400");
  EXPECT_EQ(judge(post(": empty\r\n")), "400");
  EXPECT_EQ(judge("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), "400");
  EXPECT_EQ(judge("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), "505");
  EXPECT_EQ(judge("GET\r\n\r\n"), "400");
  EXPECT_EQ(judge("\x16\x03\x01\x02"), "400");
  EXPECT_EQ(judge(" GET / HTTP/1.1\r\n"), "400");
}

TEST(RequestHead, SpeaksOnlyTwoVersions) {
  EXPECT_EQ(judge("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), "505");
  EXPECT_EQ(judge("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), "505");
  EXPECT_EQ(judge("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), "505");
  EXPECT_EQ(judge("PRI * HTTP/2.0\r\n\r\n"), "505");
}

TEST(RequestHead, RefusesOtherExpectations) {
  EXPECT_EQ(judge(post("Expect: x\r\n")), "417");
  EXPECT_EQ(judge(post("Expect: 100-continue\r\nExpect: 100-continue\r\n")), "417");
}

TEST(RequestHead, HasLimitsForTargetFieldsAndWhole) {
  const HeadLimits limits{.head_bytes_max = 256, .fields_max = 4, .target_bytes_max = 64};
  EXPECT_EQ(judge("GET /" + std::string(63, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits), "none");
  EXPECT_EQ(judge("GET /" + std::string(64, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits), "414");
  EXPECT_EQ(judge("GET /" + std::string(64, 'a'), limits), "414");
  EXPECT_EQ(judge(post("A: 1\r\nB: 1\r\nC: 1\r\n"), limits), "none");
  EXPECT_EQ(judge(post("A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n"), limits), "431");
  EXPECT_EQ(judge(post("A: " + std::string(256, 'a') + "\r\n"), limits), "431");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nA: " + std::string(256, 'a'), limits), "431");
  EXPECT_EQ(judge("GET / HTTP/1.1\r\nHost", limits), "incomplete");
}

class TextSink final : public RequestParser::BodySink {
 public:
  explicit TextSink(std::string& text, std::uint64_t size_max = 1u << 20)
      : text_(text), size_max_(size_max) {}
  Result<void> announce(std::uint64_t size) override {
    if (size <= size_max_ - text_.size()) return {};
    return Error{.kind = ErrorKind::TooLarge, .message = "too much"};
  }
  Result<void> put(std::string_view piece) override {
    if (auto fits = announce(piece.size()); !fits) return fits;
    text_ += piece;
    return {};
  }
  std::size_t size() const override { return text_.size(); }

 private:
  std::string& text_;
  std::uint64_t size_max_;
};

// Feeds `body` in pieces of `piece_size`; the decoded bytes, or "error".
std::string decode_chunks(std::string_view body, std::size_t piece_size) {
  RequestParser parser(HeadLimits{});
  const auto framing =
      parser.parse_head("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(framing);
  std::string decoded;
  std::string pending;
  TextSink sink(decoded);
  while (!parser.is_complete()) {
    if (body.empty()) return "incomplete";
    pending += body.substr(0, piece_size);
    body.remove_prefix(std::min(piece_size, body.size()));
    const auto used = parser.parse_body(pending, sink);
    if (!used) return "error";
    pending.erase(0, *used);
  }
  return decoded + "|" + pending + std::string(body);
}

TEST(ChunkedBody, IsTheSameHoweverItIsCut) {
  const std::string body =
      "5\r\nhello\r\n1;ext=1;q=\"a b\"\r\n \r\n5\r\nworld\r\n0\r\nX: trailer\r\n\r\nGET /";
  for (std::size_t size = 1; size <= body.size(); ++size) {
    EXPECT_EQ(decode_chunks(body, size), "hello world|GET /") << size;
  }
}

TEST(ChunkedBody, RefusesSizesThatAreNotHex) {
  for (const auto* body :
       {"-2\r\nab\r\n0\r\n\r\n", "11111111111111111\r\na", "x\r\n", "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n", "\r\n"}) {
    EXPECT_EQ(decode_chunks(body, 64), "error") << body;
  }
}

TEST(ChunkedBody, RefusesTrailersThatReframe) {
  EXPECT_EQ(decode_chunks("0\r\nContent-Length: 5\r\n\r\n", 64), "error");
  EXPECT_EQ(decode_chunks("0\r\nTransfer-Encoding: chunked\r\n\r\n", 64), "error");
}

TEST(ChunkedBody, AChunkThatIsTooLargeIsRefusedByItsHead) {
  for (const auto* head : {"ffffffffffffffff\r\n", "7fffffffffffffff\r\n", "100001\r\n",
                           "4\r\nabcd\r\nffffffffffffffff\r\n", "fffff\r\n"}) {
    RequestParser parser(HeadLimits{});
    ASSERT_TRUE(
        parser.parse_head("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    std::string text;
    TextSink sink(text);
    EXPECT_EQ(parser.parse_body(head, sink).has_value(), head == "fffff\r\n"s) << head;
  }
}

TEST(ChunkedBody, RefusesEndlessChunkHeads) {
  EXPECT_EQ(decode_chunks("5;" + std::string(200'000, 'a'), 4096), "error");
  EXPECT_EQ(decode_chunks("0\r\nX: " + std::string(200'000, 'a'), 4096), "error");
}

TEST(ChunkedBody, RefusesMostlyOverhead) {
  std::string tiny;
  for (int i = 0; i < 40'000; ++i) tiny += "1;x=yz\r\na\r\n";
  EXPECT_EQ(decode_chunks(tiny + "0\r\n\r\n", 4096), "error");
  std::string fair;
  for (int i = 0; i < 4'000; ++i) fair += "40\r\n" + std::string(64, 'a') + "\r\n";
  EXPECT_EQ(decode_chunks(fair + "0\r\n\r\n", 4096).size(), 4'000u * 64 + 1);
}

TEST(ChunkedBody, AnErrorOfTheSinkEndsIt) {
  RequestParser parser(HeadLimits{});
  ASSERT_TRUE(parser.parse_head("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"));
  std::string text;
  TextSink sink(text, 3);
  const auto used = parser.parse_body("abcd", sink);
  ASSERT_FALSE(used);
  EXPECT_EQ(used.error().message, "too much");
}

}  // namespace
}  // namespace limner::http
