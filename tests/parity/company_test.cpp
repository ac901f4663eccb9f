// A request's picture does not depend, by one bit, on the requests beside it.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "parity/manifest.hpp"
#include "parity/painting.hpp"

namespace limner::parity {
namespace {

// One that enters the batch after `joins_at` steps of the whole.
struct Member {
  GenerationRequest request;
  int joins_at = 0;
};

struct Settings {
  int steps;
  SchedulerKind scheduler;
  std::uint64_t seed;
  double guidance_scale = 7.5;
  double eta = 0;
};

Member member(int joins_at, std::string prompt, const Settings& settings, int image_count = 1) {
  GenerationRequest request;
  request.prompt.text = std::move(prompt);
  request.sampling.num_inference_steps = settings.steps;
  request.sampling.scheduler = settings.scheduler;
  request.sampling.seed = settings.seed;
  request.sampling.guidance_scale = settings.guidance_scale;
  request.sampling.eta = settings.eta;
  request.truncates_prompt = true;  // some of the texts are longer than CLIP alone reads
  request.size = {64, 64};
  request.image_count = image_count;
  return {std::move(request), joins_at};
}

std::shared_ptr<const Image> striped(ImageSize size) {
  Image image = Image::blank(size, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(i * 7 % 251);
  }
  return std::make_shared<const Image>(std::move(image));
}

Member from_image(Member m, double strength) {
  m.request.task = Task::ImageToImage;
  m.request.init_image = striped(m.request.size);
  m.request.sampling.strength = strength;
  return m;
}

Member repainted(Member m) {
  m.request.task = Task::Inpaint;
  m.request.init_image = striped(m.request.size);
  Image mask = Image::blank(m.request.size, 1);
  std::fill(mask.pixels.begin(), mask.pixels.begin() + 64 * 30, std::uint8_t{255});
  m.request.mask = std::make_shared<const Mask>(Mask{std::move(mask)});
  return m;
}

// Steps, seeds, schedulers, guidance, prompts, image counts and ages all differ.
std::vector<Member> mixed_company() {
  using enum SchedulerKind;
  return {
      member(0, "a red cat", {9, Euler, 1}),
      member(0, "two dogs in the snow", {4, EulerAncestral, 2, 1.0}),
      member(1, "a blue house", {5, Heun, 3, 4.0}, 2),
      member(2, "", {7, UniPc, 1}),
      member(3, "a red cat", {6, Dpmpp2m, 77}),
      member(5, "snow", {3, Ddim, 5, 7.5, 0.5}),
      from_image(member(2, "a moon", {8, Lms, 9}), 0.6),
      repainted(member(4, "a moon", {6, Pndm, 4})),
  };
}

// The same for models that follow flows; the texts are of several lengths.
std::vector<Member> flow_company() {
  using enum SchedulerKind;
  std::string long_text;
  for (int i = 0; i < 12; ++i) long_text += "two dogs in the snow, ";
  return {
      member(0, "a red cat", {9, FlowMatchEuler, 1}),
      member(0, long_text, {4, FlowMatchHeun, 2, 0.0}),
      member(1, "a blue house", {5, Deis, 3, 4.0}, 2),
      member(2, "", {7, UniPc, 1}),
      member(3, long_text, {6, Dpmpp2m, 77, 1.0}),
      member(5, "snow", {3, DpmppSde, 5}),
      from_image(member(2, "a moon", {8, FlowMatchEuler, 9}), 0.6),
      repainted(member(4, "a moon", {6, FlowMatchEuler, 4})),
  };
}

bool takes(const pipelines::Pipeline& pipeline, SchedulerKind scheduler) {
  const auto& known = pipeline.traits().schedulers;
  return std::ranges::find(known, scheduler) != known.end();
}

// Every member's picture when all that are present step together.
std::vector<Result<Image>> paint_together(pipelines::Pipeline& pipeline,
                                          const std::vector<Member>& members) {
  std::vector<std::unique_ptr<pipelines::DenoiseState>> states(members.size());
  for (int tick = 0;; ++tick) {
    std::vector<pipelines::DenoiseState*> present;
    bool is_anyone_missing = false;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].joins_at == tick) {
        auto state = pipeline.prepare(members[i].request);
        if (!state) return {state.error()};
        states[i] = *std::move(state);
      }
      if (!states[i]) {
        is_anyone_missing = true;
      } else if (!states[i]->is_finished()) {
        present.push_back(states[i].get());
      }
    }
    if (present.empty() && !is_anyone_missing) break;
    for (const auto& done : pipeline.step(present)) {
      if (!done) return {done.error()};
    }
  }
  std::vector<Result<Image>> pictures;
  for (auto& state : states) pictures.push_back(decode_stacked(pipeline, *state));
  return pictures;
}

class Company : public testing::TestWithParam<std::string> {};

TEST_P(Company, ARequestPaintsTheSameAloneAndAmongOthers) {
  const auto model = load_model(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  pipelines::Pipeline& pipeline = *model->pipeline;
  const bool is_flow = !takes(pipeline, SchedulerKind::Euler);
  std::vector<Member> members = is_flow ? flow_company() : mixed_company();
  const auto& tasks = pipeline.traits().tasks;
  std::erase_if(members, [&](const Member& m) {
    return std::ranges::find(tasks, m.request.task) == tasks.end();
  });
  const auto pictures = paint_together(pipeline, members);
  ASSERT_EQ(pictures.size(), members.size()) << pictures.front().error().message;
  for (std::size_t i = 0; i < members.size(); ++i) {
    SCOPED_TRACE("member " + std::to_string(i));
    const auto alone = paint(pipeline, members[i].request);
    ASSERT_TRUE(alone) << alone.error().message;
    ASSERT_TRUE(pictures[i]) << pictures[i].error().message;
    ASSERT_EQ(pictures[i]->size, alone->size);
    EXPECT_EQ(compare(pictures[i]->pixels, alone->pixels).largest, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Company,
                         testing::Values("sd1", "sd2-v", "sdxl", "sd3", "sd35", "flux-dev",
                                         "z-image-base"),
                         test_name);

class Edits : public testing::TestWithParam<std::string> {};

// What an encoder gives for the picture is shared by the images of a request; draws are not. The
// scheduler draws at each step, so a draw too many or too few shows.
TEST_P(Edits, ImagesOfOneEditAreThoseOfTheirSeedsAlone) {
  const auto model = load_model(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  pipelines::Pipeline& pipeline = *model->pipeline;
  const auto& tasks = pipeline.traits().tasks;
  const auto scheduler = takes(pipeline, SchedulerKind::EulerAncestral)
                             ? SchedulerKind::EulerAncestral
                             : SchedulerKind::DpmppSde;
  const auto both = member(0, "a moon", {5, scheduler, 4}, 2);
  for (auto edit : {from_image(both, 0.6), repainted(both)}) {
    if (std::ranges::find(tasks, edit.request.task) == tasks.end()) continue;
    SCOPED_TRACE(edit.request.task == Task::Inpaint ? "inpainting" : "image to image");
    const auto together = paint(pipeline, edit.request);
    ASSERT_TRUE(together) << together.error().message;
    std::vector<std::uint8_t> alone;
    edit.request.image_count = 1;
    for (int i = 0; i < 2; ++i, ++edit.request.sampling.seed) {
      const auto one = paint(pipeline, edit.request);
      ASSERT_TRUE(one) << one.error().message;
      alone.insert(alone.end(), one->pixels.begin(), one->pixels.end());
    }
    ASSERT_EQ(together->pixels.size(), alone.size());
    EXPECT_EQ(compare(together->pixels, alone).largest, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Edits,
                         testing::Values("sd1", "sd-inpaint", "sdxl", "sd3", "flux-dev",
                                         "flux-fill", "z-image-turbo"),
                         test_name);

}  // namespace
}  // namespace limner::parity
