// Telling a picture's subject from its background: by a network (NetworkMatting), or without
// (ClassicalMatting).
#pragma once

#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "core/image.hpp"

namespace limner::cutout {

class Matting {
 public:
  virtual ~Matting() = default;

  // For answers and logs: "classical-border-cut".
  virtual std::string_view name() const = 0;

  // One channel of the same size: 255 subject, 0 background. `rgb` has three channels. The same
  // picture always gives the same answer. Any thread may call this.
  virtual Result<Image> alpha(const Image& rgb) const = 0;
};

// A picture's subject on transparency: RGBA with straight alpha. At soft edges the colour is the
// subject's own, without the old background in it. Grey counts as RGB; alpha that is already there
// stays and can only shrink.
//
// Made in pieces of bounded work, so that whoever runs them can serve others between two of them,
// or stop. The subject is found on a copy of at most kWorkSidePx; only its edge is looked at in the
// picture itself.
class CutOut {
 public:
  static constexpr int kWorkSidePx = 1024;

  // `matting` must outlive it. The picture is shared because it is large and never changes.
  CutOut(std::shared_ptr<const Image> picture, const Matting& matting);
  ~CutOut();

  static int step_count_of(ImageSize size);
  int step_count() const { return step_count_of(picture_->size); }
  int step_index() const { return step_index_; }
  bool is_finished() const { return step_index_ >= step_count(); }
  // An error leaves it where it was.
  Result<void> step();
  // Once, when finished.
  Image take();

 private:
  struct Edge;

  void shrink_rows(int band);
  Result<void> find_subject();
  void write_rows(int band);

  std::shared_ptr<const Image> picture_;
  const Matting& matting_;
  int step_index_ = 0;
  Image shrunk_;  // RGB on white, by a whole factor
  std::unique_ptr<Edge> edge_;
  Image out_;
};

// All pieces at once.
Result<Image> cut_out(const Image& image, const Matting& matting);

}  // namespace limner::cutout
