// Answers as bytes of HTTP/1.1.
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

#include "http/response.hpp"

namespace limner::http {

// How the end of the answer is found.
enum class AnswerLength { Known, Chunked, UntilClose };

struct AnswerShape {
  AnswerLength length = AnswerLength::Known;
  int version_minor = 1;  // of the request
  bool keeps_alive = true;
  std::time_t now = 0;
};

// What every answer begins with, whatever it will say.
constexpr std::string_view kAnswerStart = "HTTP/1.1 ";

// A field that would break out of its line, or that is the server's to write.
bool is_sendable(const Headers& headers);

// The status line and the fields, with the empty line. `response.body` gives the length only.
std::string encode_head(const Response& response, const AnswerShape& shape);

// "1f4\r\n" before a chunk's bytes, which kChunkEnd follows.
std::string chunk_head(std::size_t size_bytes);
constexpr const char* kChunkEnd = "\r\n";
constexpr const char* kLastChunk = "0\r\n\r\n";

}  // namespace limner::http
