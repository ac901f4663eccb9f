#include "auth/key_hash.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/files.hpp"
#include "base/ids.hpp"

namespace limner::auth {
namespace {

constexpr std::string_view kKeyPrefix = "ik-";

Error pepper_error(const std::filesystem::path& path, std::string_view what) {
  return {.kind = ErrorKind::Unavailable,
          .message = fmt::format("the pepper file {} {}", path.string(), what),
          .code = "key_store_unusable"};
}

std::string to_hex(const Pepper& pepper) {
  std::string text;
  for (const auto byte : pepper) text += fmt::format("{:02x}", byte);
  return text;
}

Result<Pepper> from_hex(std::string_view text, const std::filesystem::path& path) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  Pepper pepper{};
  bool is_valid = text.size() == 2 * pepper.size();
  for (std::size_t i = 0; is_valid && i < text.size(); ++i) {
    const auto digit = std::string_view("0123456789abcdef").find(text[i]);
    is_valid = digit != std::string_view::npos;
    if (is_valid) pepper[i / 2] = static_cast<std::uint8_t>(pepper[i / 2] * 16 + digit);
  }
  if (!is_valid) return pepper_error(path, "does not hold 64 hex digits");
  return pepper;
}

// Complete under its name or not there at all, also when two processes start at once.
Result<void> create_file(const std::filesystem::path& path, const std::string& text) {
  auto partial = path;
  partial += "." + random_id("").substr(0, 8);
  const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool is_done = fd >= 0 &&
                 ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                 ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  is_done = is_done && (::link(partial.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int code = errno;
  ::unlink(partial.c_str());
  if (!is_done) return pepper_error(path, fmt::format("cannot be made: {}", std::strerror(code)));
  return {};
}

}  // namespace

std::string make_key() {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t kDigitCount = 43;
  constexpr std::uint8_t kFairEnd = 248;  // 4 * 62: bytes above it would favour some digits
  std::string key(kKeyPrefix);
  while (key.size() < kKeyPrefix.size() + kDigitCount) {
    std::array<std::uint8_t, 64> bytes{};
    fill_random(bytes);
    for (const auto byte : bytes) {
      if (byte < kFairEnd && key.size() < kKeyPrefix.size() + kDigitCount) {
        key += kDigits[byte % 62];
      }
    }
  }
  return key;
}

std::string key_prefix(std::string_view key) {
  return std::string(key.substr(std::min(kKeyPrefix.size(), key.size()), 6));
}

Pepper random_pepper() {
  Pepper pepper{};
  fill_random(pepper);
  return pepper;
}

Result<Pepper> load_pepper(const std::filesystem::path& path, bool may_create) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return pepper_error(path, std::strerror(errno));
    if (!may_create) {
      return pepper_error(path, "is missing: without it no stored key can be checked, restore it");
    }
    auto created = create_file(path, to_hex(random_pepper()) + "\n");
    if (!created) return created.error();
    return load_pepper(path, false);
  }
  if ((info.st_mode & 077) != 0) {
    return pepper_error(path, "may be read by others: chmod 600 it");
  }
  const auto text = read_file(path, 1024);
  if (!text) return pepper_error(path, "cannot be read");
  return from_hex(*text, path);
}

KeyDigest hash_key(const Pepper& pepper, std::string_view key) {
  KeyDigest digest{};
  unsigned int size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
  const auto* made = HMAC(EVP_sha256(), pepper.data(), static_cast<int>(pepper.size()), bytes,
                          key.size(), digest.data(), &size);
  LIMNER_CHECK(made && size == digest.size(), "SHA-256 is always there");
  return digest;
}

bool are_equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace limner::auth
