// How long things take here, learnt from what was measured, so that queues can promise a time.
#pragma once

#include <map>
#include <string>

#include "base/clock.hpp"
#include "engine/batcher.hpp"

namespace limner::engine {

// What a request will ask of the machine.
struct RequestShape {
  Group group;
  int rows = 1;
  int rows_max = 1;
  int step_count = 1;
  int image_count = 1;
};

// An exponential average. The first value is replaced by the second, not averaged: a shape's first
// call also compiles it.
class Average {
 public:
  void add(double value);
  bool is_empty() const { return count_ == 0; }
  double value() const { return value_; }
  // `guess` until something was measured; of a first value no more than the guess counts.
  double value_or(double guess) const;

 private:
  double value_ = 0;
  int count_ = 0;
};

class StepTimes {
 public:
  void record_step(const Group& group, int rows, Duration took);
  void record_prepare(const Group& group, Duration took);
  void record_decode(const Group& group, int image_count, Duration took);

  // One call with this many rows.
  Duration step(const Group& group, int rows) const;
  // The whole request, were it alone.
  Duration alone(const RequestShape& shape) const;
  // The request's share of the machine in its usual company: what it adds to a queue.
  Duration share(const RequestShape& shape) const;
  // Was any step of the model measured? Else all of the above are guesses.
  bool has_measured(const std::string& model) const;
  // For a request whose model is not loaded yet, of this many pixels an image.
  static Duration guess(std::size_t pixels, int image_count);

  std::size_t group_count() const { return measured_.size(); }

 private:
  struct Measured {
    std::map<int, Average> step_by_rows;  // seconds of a call
    Average row;                          // seconds of one row, in whatever company it was
    Average prepare;
    Average decode;  // of one image
  };
  // Seconds of one row; of another shape of the model scaled by area when this one is new.
  double row_seconds(const Group& group) const;
  double fixed_seconds(const RequestShape& shape) const;
  Measured& at(const Group& group);

  std::map<Group, Measured> measured_;
};

}  // namespace limner::engine
