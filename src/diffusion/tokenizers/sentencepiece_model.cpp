#include "diffusion/tokenizers/sentencepiece_model.hpp"

#include <bit>
#include <optional>

#include <fmt/format.h>

namespace limner::tokenizers {
namespace {

constexpr std::size_t kPiecesMax = 1u << 20;
constexpr std::uint64_t kUnigram = 1;

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

struct Field {
  std::uint64_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t integer = 0;    // of a varint or fixed field
  std::string_view bytes = {};  // of a length-delimited field
};

// The fields of one protobuf message, one after the other.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  bool is_at_end() const { return rest_.empty(); }

  // Empty where the message is cut short or has a wire type of old.
  std::optional<Field> next() {
    const auto tag = varint();
    if (!tag || *tag >> 3 == 0) return std::nullopt;
    Field field{.number = *tag >> 3, .type = static_cast<WireType>(*tag & 7)};
    switch (field.type) {
      case WireType::Varint: {
        const auto value = varint();
        if (!value) return std::nullopt;
        field.integer = *value;
        return field;
      }
      case WireType::Fixed64:
      case WireType::Fixed32: {
        const std::size_t size = field.type == WireType::Fixed64 ? 8 : 4;
        if (rest_.size() < size) return std::nullopt;
        for (std::size_t i = size; i-- > 0;) {
          field.integer = field.integer << 8 | static_cast<std::uint8_t>(rest_[i]);
        }
        rest_.remove_prefix(size);
        return field;
      }
      case WireType::Bytes: {
        const auto size = varint();
        if (!size || *size > rest_.size()) return std::nullopt;
        field.bytes = rest_.substr(0, *size);
        rest_.remove_prefix(*size);
        return field;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

// Calls visit(field) for each field of `message`; false where it cannot be read.
template <typename Visit>
bool for_each_field(std::string_view message, Visit visit) {
  FieldReader reader(message);
  while (!reader.is_at_end()) {
    const auto field = reader.next();
    if (!field) return false;
    visit(*field);
  }
  return true;
}

std::optional<SentencePiece> parse_piece(std::string_view message) {
  SentencePiece piece;
  std::uint64_t type = 1;
  const bool ok = for_each_field(message, [&](const Field& field) {
    if (field.number == 1 && field.type == WireType::Bytes) piece.text = field.bytes;
    if (field.number == 2 && field.type == WireType::Fixed32) {
      piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.integer));
    }
    if (field.number == 3 && field.type == WireType::Varint) type = field.integer;
  });
  // Viterbi adds and compares scores; a NaN would make every comparison false.
  if (!ok || type < 1 || type > 6 || !(piece.score > -1e30f && piece.score < 1e30f)) {
    return std::nullopt;
  }
  piece.type = static_cast<SentencePiece::Type>(type);
  return piece;
}

}  // namespace

Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes) {
  SentencePieceModel model;
  bool are_parts_ok = true;
  std::uint64_t model_type = kUnigram;
  const bool ok = for_each_field(bytes, [&](const Field& field) {
    if (field.type != WireType::Bytes || !are_parts_ok) return;
    if (field.number == 1) {
      auto piece = parse_piece(field.bytes);
      are_parts_ok = piece.has_value() && model.pieces.size() < kPiecesMax;
      if (are_parts_ok) model.pieces.push_back(std::move(*piece));
    } else if (field.number == 2) {
      are_parts_ok = for_each_field(field.bytes, [&](const Field& spec) {
        if (spec.number == 3 && spec.type == WireType::Varint) model_type = spec.integer;
      });
    } else if (field.number == 3) {
      are_parts_ok = for_each_field(field.bytes, [&](const Field& spec) {
        if (spec.number == 2 && spec.type == WireType::Bytes) {
          model.precompiled_charsmap = spec.bytes;
        }
      });
    }
  });
  if (!ok || !are_parts_ok) {
    return invalid_value("", "not a SentencePiece model, or cut short");
  }
  if (model_type != kUnigram) {
    return invalid_value(
        "", fmt::format("a SentencePiece model of type {}, expected 1 (unigram)", model_type));
  }
  if (model.pieces.empty()) return invalid_value("", "a SentencePiece model without pieces");
  return model;
}

}  // namespace limner::tokenizers
