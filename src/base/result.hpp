// A value or an Error. gcc 12 has no std::expected under C++20; this is the part of it we use.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.hpp"
#include "base/error.hpp"

namespace limner {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // unique_ptr<Derived> → Result<unique_ptr<Base>> and the like.
  template <typename U>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return *get(); }
  const T& value() const& { return *get(); }
  T&& value() && { return std::move(*get()); }
  T& operator*() & { return *get(); }
  const T& operator*() const& { return *get(); }
  T&& operator*() && { return std::move(*get()); }
  T* operator->() { return get(); }
  const T* operator->() const { return get(); }

  const Error& error() const& {
    LIMNER_CHECK(!has_value(), "error() of a Result that has a value");
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    LIMNER_CHECK(!has_value(), "error() of a Result that has a value");
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  T* get() {
    LIMNER_CHECK(has_value(), "value() of a Result that has an error");
    return std::get_if<0>(&state_);
  }
  const T* get() const {
    LIMNER_CHECK(has_value(), "value() of a Result that has an error");
    return std::get_if<0>(&state_);
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return error_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  const Error& error() const {
    LIMNER_CHECK(!has_value(), "error() of a Result that has a value");
    return *std::get_if<1>(&error_);
  }

 private:
  std::variant<std::monostate, Error> error_;
};

}  // namespace limner
