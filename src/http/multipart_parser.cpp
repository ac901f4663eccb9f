#include "http/multipart_parser.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "http/multipart_head.hpp"
#include "http/spill_buffer.hpp"

namespace limner::http {
namespace {

Error malformed(std::string message) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = "multipart body: " + std::move(message),
          .code = "invalid_multipart"};
}

Error too_large(std::string_view param, std::string message) {
  return {.kind = ErrorKind::TooLarge,
          .message = std::move(message),
          .param = std::string(param),
          .code = "request_too_large"};
}

}  // namespace

// The body is searched for "\r\n--boundary". What follows it decides: "--" ends the body, blanks
// and CRLF begin a part, anything else means that it was data. `pending_` holds what is not decided
// yet.
class MultipartParser::Impl {
 public:
  Impl(std::string_view boundary, MultipartLimits limits, std::filesystem::path spill_folder)
      : delimiter_("\r\n--" + std::string(boundary)),
        limits_(limits),
        spill_folder_(std::move(spill_folder)) {}

  Result<void> push(std::string_view bytes);
  Result<std::vector<Part>> finish();
  std::size_t memory_size() const {
    return memory_size_ + pending_.size() + (content_ ? content_->memory_size() : 0);
  }
  std::size_t spilled_size() const {
    return spilled_size_ + (content_ ? content_->spilled_size() : 0);
  }

 private:
  enum class State { Preamble, PartHead, PartBody, Epilogue };
  enum class Line { NeedMore, Data, Part, End };
  struct Boundary {
    Line line;
    std::size_t size;  // with the delimiter
  };

  Result<bool> advance();
  Result<bool> read_head();
  Result<bool> read_body();
  Result<void> take_data(std::size_t size);
  Result<void> end_part();
  Boundary read_boundary_line(std::string_view text) const;
  void consume(std::size_t size) { at_ += size; }
  std::string_view rest() const { return std::string_view(pending_).substr(at_); }

  std::string delimiter_;
  MultipartLimits limits_;
  std::filesystem::path spill_folder_;
  State state_ = State::Preamble;
  // The first boundary may open the body without a line break before it.
  std::string pending_ = "\r\n";
  std::size_t at_ = 0;
  std::size_t lent_size_ = 2;  // line-break bytes at `at_` that are not data
  std::size_t body_size_ = 0;
  std::size_t memory_size_ = 0;
  std::size_t spilled_size_ = 0;
  Part part_;
  std::unique_ptr<SpillBuffer> content_;
  std::vector<Part> parts_;
};

Result<void> MultipartParser::Impl::push(std::string_view bytes) {
  body_size_ += bytes.size();
  if (body_size_ > limits_.body_bytes_max) {
    return too_large("", fmt::format("the body has more than {} bytes", limits_.body_bytes_max));
  }
  if (state_ == State::Epilogue) return {};
  pending_.append(bytes);
  for (;;) {
    auto has_more = advance();
    if (!has_more) return has_more.error();
    if (!*has_more) break;
  }
  pending_.erase(0, std::exchange(at_, 0));
  return {};
}

Result<std::vector<Part>> MultipartParser::Impl::finish() {
  if (state_ != State::Epilogue) {
    return malformed("it ends before its last boundary");
  }
  return std::move(parts_);
}

// One step; false when more bytes are needed.
Result<bool> MultipartParser::Impl::advance() {
  switch (state_) {
    case State::Preamble:
    case State::PartBody:
      return read_body();
    case State::PartHead:
      return read_head();
    case State::Epilogue:
      consume(rest().size());
      return false;
  }
  return false;
}

Result<bool> MultipartParser::Impl::read_head() {
  const auto text = rest();
  // A head without fields is one empty line.
  const auto end = text.starts_with("\r\n") ? 0 : text.find("\r\n\r\n");
  // Without an end in sight the last three bytes may be the beginning of one.
  const auto size_min =
      end == text.npos ? text.size() - std::min<std::size_t>(text.size(), 3) : end;
  if (size_min > limits_.part_head_bytes_max) {
    return malformed(
        fmt::format("the head of a part has more than {} bytes", limits_.part_head_bytes_max));
  }
  if (end == text.npos) return false;
  auto head = parse_part_head(text.substr(0, end));
  if (!head) return head.error();
  part_ = std::move(*head);
  content_ = std::make_unique<SpillBuffer>(limits_.spill_bytes, spill_folder_);
  // The head's last line break may also be the one that a boundary begins with (an empty part).
  consume(end + 2);
  lent_size_ = 2;
  state_ = State::PartBody;
  return true;
}

// Preamble or content, up to the next boundary line.
Result<bool> MultipartParser::Impl::read_body() {
  const auto found = rest().find(delimiter_);
  if (found == std::string_view::npos) {
    const auto held_back = std::min(rest().size(), delimiter_.size() - 1);
    auto taken = take_data(rest().size() - held_back);
    if (!taken) return taken.error();
    return false;
  }
  auto taken = take_data(found);
  if (!taken) return taken.error();
  const auto boundary = read_boundary_line(rest());
  if (boundary.line == Line::NeedMore) return false;
  if (boundary.line == Line::Data) {
    taken = take_data(1);
    if (!taken) return taken.error();
    return true;
  }
  if (state_ == State::PartBody) {
    auto ended = end_part();
    if (!ended) return ended.error();
  }
  consume(boundary.size);
  state_ = boundary.line == Line::End ? State::Epilogue : State::PartHead;
  if (state_ == State::PartHead && parts_.size() == limits_.parts_max) {
    return too_large("", fmt::format("the form has more than {} parts", limits_.parts_max));
  }
  return true;
}

Result<void> MultipartParser::Impl::take_data(std::size_t size) {
  const auto lent = std::min(lent_size_, size);
  const auto data = rest().substr(lent, size - lent);
  lent_size_ -= lent;
  consume(size);
  if (state_ == State::Preamble || data.empty()) return {};
  if (content_->size() + data.size() > limits_.part_bytes_max) {
    return too_large(part_.name, fmt::format("{}: the part has more than {} bytes", part_.name,
                                             limits_.part_bytes_max));
  }
  return content_->append(data);
}

Result<void> MultipartParser::Impl::end_part() {
  auto content = content_->finish();
  if (!content) return content.error();
  (content->is_spilled() ? spilled_size_ : memory_size_) += content->size();
  part_.content = std::move(*content);
  parts_.push_back(std::move(part_));
  content_.reset();
  lent_size_ = 0;
  return {};
}

MultipartParser::Impl::Boundary MultipartParser::Impl::read_boundary_line(
    std::string_view text) const {
  constexpr std::size_t kPaddingMax = 128;
  const auto after = text.substr(delimiter_.size());
  if (after.starts_with("--")) return {Line::End, delimiter_.size() + 2};
  if (after.empty() || after == "-") return {Line::NeedMore, 0};
  const auto padding = std::min(after.find_first_not_of(" \t"), after.size());
  const auto line_end = after.substr(padding);
  if (padding > kPaddingMax) return {Line::Data, 0};
  if (line_end.starts_with("\r\n")) return {Line::Part, delimiter_.size() + padding + 2};
  return {line_end.empty() || line_end == "\r" ? Line::NeedMore : Line::Data, 0};
}

MultipartParser::MultipartParser(std::string_view boundary, MultipartLimits limits,
                                 std::filesystem::path spill_folder)
    : impl_(std::make_unique<Impl>(boundary, limits, std::move(spill_folder))) {}
MultipartParser::MultipartParser(MultipartParser&&) noexcept = default;
MultipartParser& MultipartParser::operator=(MultipartParser&&) noexcept = default;
MultipartParser::~MultipartParser() = default;

Result<void> MultipartParser::push(std::string_view bytes) {
  return impl_->push(bytes);
}
Result<std::vector<Part>> MultipartParser::finish() {
  return impl_->finish();
}
std::size_t MultipartParser::memory_size() const {
  return impl_->memory_size();
}
std::size_t MultipartParser::spilled_size() const {
  return impl_->spilled_size();
}

}  // namespace limner::http
