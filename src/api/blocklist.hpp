// Words that the operator does not want painted. Off without a file; it claims no more than to find
// the words that are in it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "api/image_request.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"

namespace limner::api {

class Blocklist {
 public:
  Blocklist();  // refuses nothing

  // One word or phrase a line; blank lines and lines that begin with # are skipped. A line that
  // begins with ~ is skipped for requests with moderation=low.
  static Result<Blocklist> load(const std::filesystem::path& path);
  static Blocklist parse(std::string_view text);

  // Whole words of the prompts, whatever their case, accents and width. Negative prompts are free:
  // there the words say what must not be seen. InvalidArgument with code "moderation_blocked".
  Result<void> check(const ImageRequest& request) const;
  bool blocks(std::string_view prompt, bool is_low) const;

  // The words of `other` from now on. Any thread, also while others check.
  void replace(const Blocklist& other);

 private:
  // Folded, with a space before and behind every word.
  struct Words {
    std::vector<std::string> hard;
    std::vector<std::string> soft;
  };
  std::shared_ptr<const Words> words() const;

  // Shared with checks that are under way while the words are replaced.
  std::unique_ptr<Guarded<std::shared_ptr<const Words>>> words_;
};

}  // namespace limner::api
