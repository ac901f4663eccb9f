#include "http/sse.hpp"

#include <gtest/gtest.h>

namespace limner::http {
namespace {

TEST(Sse, AnEventHasNameDataAndAnEmptyLine) {
  EXPECT_EQ(sse_event("image_generation.completed", "{\"a\":1}"),
            "event: image_generation.completed\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(sse_event("", "[DONE]"), "data: [DONE]\n\n");
  EXPECT_EQ(sse_event("ping", ""), "event: ping\ndata: \n\n");
}

TEST(Sse, EachLineOfDataIsALineOfItsOwn) {
  EXPECT_EQ(sse_event("", "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(sse_event("x\ndata: forged", "a"), "event: x\ndata: a\n\n");
}

TEST(Sse, ACommentCannotBecomeAnEvent) {
  EXPECT_EQ(sse_comment("keep-alive"), ": keep-alive\n\n");
  EXPECT_EQ(sse_comment("a\n\ndata: b"), ": a\n: \n: data: b\n\n");
}

}  // namespace
}  // namespace limner::http
