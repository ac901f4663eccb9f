// How many random worlds a property is tried on: few in `make test`, any number by hand.
#pragma once

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace limner::test {

// LIMNER_PROPERTY_SEEDS when set, else `usual`.
inline unsigned seed_count(unsigned usual) {
  const char* text = std::getenv("LIMNER_PROPERTY_SEEDS");
  if (!text) return usual;
  const std::string_view digits(text);
  std::from_chars(digits.data(), digits.data() + digits.size(), usual);
  return usual;
}

}  // namespace limner::test
