#include "base/file_signature.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace limner {
namespace {

using namespace std::literals;

struct Signature {
  std::string_view begin;
  std::string_view what;
};

constexpr std::string_view kPickles =
    "is a PyTorch pickle (.bin, .ckpt, .pt), which can run code and is not read; download the "
    "safetensors file of this model, or convert it";
constexpr std::string_view kArchive = "is a packed archive; unpack it first";

constexpr Signature kSignatures[] = {
    {"version https://git-lfs.github.com/spec/"sv,
     "is a git-lfs pointer, which only stands for the file; run `git lfs pull` in its folder, or "
     "download the file itself"},
    {"GGUF"sv, "is GGUF, which is not read; download the safetensors file of this model"},
    {"PK\x03\x04"sv, kPickles},
    {"\x80\x02"sv, kPickles},
    {"\x80\x03"sv, kPickles},
    {"\x80\x04"sv, kPickles},
    {"\x80\x05"sv, kPickles},
    {"\x89HDF\r\n"sv, "is HDF5, which is not read; download the safetensors file of this model"},
    {"\x1f\x8b"sv, kArchive},
    {"7z\xbc\xaf\x27\x1c"sv, kArchive},
    {"Rar!\x1a"sv, kArchive},
    {"\xfd"
     "7zXZ"sv,
     kArchive},
    {"\x28\xb5\x2f\xfd"sv, kArchive},
    {"\xff\xfe"sv, "is UTF-16 text; save it as UTF-8"},
    {"\xfe\xff"sv, "is UTF-16 text; save it as UTF-8"},
};

constexpr std::string_view kPages[] = {"<!doctype", "<html", "<head", "<?xml", "<!--"};

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool is_page(std::string_view begin) {
  begin.remove_prefix(std::min(begin.find_first_not_of(" \t\r\n\xef\xbb\xbf"), begin.size()));
  return std::ranges::any_of(kPages, [&](std::string_view start) {
    return begin.size() >= start.size() &&
           std::ranges::equal(begin.substr(0, start.size()), start, {}, lower);
  });
}

}  // namespace

std::optional<std::string> foreign_content(std::string_view begin) {
  for (const auto& signature : kSignatures) {
    if (begin.starts_with(signature.begin)) return std::string(signature.what);
  }
  if (is_page(begin)) {
    return "is a web page, not the file: the download met an error or a login; fetch the file "
           "itself (on a hub the link with /resolve/, with a token where the model asks for one)";
  }
  return std::nullopt;
}

Result<void> check_content(std::string_view begin, std::string_view file) {
  const auto what = foreign_content(begin);
  if (!what) return {};
  return invalid_value("", fmt::format("{} {}", file, *what), "invalid_model");
}

}  // namespace limner
