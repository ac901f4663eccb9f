#include "app/open_matting.hpp"

#include <utility>

#include "app/model_folders.hpp"
#include "base/guarded.hpp"
#include "base/log.hpp"
#include "cutout/network_matting.hpp"
#include "diffusion/models/matting_network.hpp"

namespace limner::app {
namespace {

constexpr std::string_view kFolder = "matting";

using Network = Guarded<std::unique_ptr<models::MattingNetwork>>;

Result<cutout::Plane> estimate(Network& network, const Image& rgb) {
  auto share = network.with([&](auto& loaded) { return (*loaded)(rgb); });
  if (!share) return share.error();
  cutout::Plane mask;
  mask.size = rgb.size;
  mask.values = *std::move(share);
  return mask;
}

Result<std::unique_ptr<const cutout::Matting>> open_network(const std::filesystem::path& folder,
                                                            PipelinesSource& source,
                                                            cutout::WhenUnsure when_unsure) {
  auto runtime = source.runtime();
  if (!runtime) return runtime.error();
  auto loaded = models::MattingNetwork::load(**runtime, folder);
  if (!loaded) return loaded.error();
  const int side_px = (*loaded)->config().sample_size;
  const auto network = std::make_shared<Network>(*std::move(loaded));
  return std::unique_ptr<const cutout::Matting>(std::make_unique<cutout::NetworkMatting>(
      [network](const Image& rgb) { return estimate(*network, rgb); }, side_px, when_unsure));
}

}  // namespace

Result<std::unique_ptr<const cutout::Matting>> open_matting(config::MattingMethod method,
                                                            PipelinesSource& source) {
  const auto classical = [] {
    return std::unique_ptr<const cutout::Matting>(std::make_unique<cutout::ClassicalMatting>());
  };
  if (method == config::MattingMethod::Classical) return classical();
  const auto folder = bundled_folder(kFolder, "config.json");
  const bool is_required = method == config::MattingMethod::Network;
  if (!folder) {
    if (!is_required) return classical();
    return invalid_value("",
                         "--matting network: its weights, models/matting, did not come with "
                         "this program",
                         "invalid_config");
  }
  auto network =
      open_network(*folder, source,
                   is_required ? cutout::WhenUnsure::KeepMask : cutout::WhenUnsure::UseClassical);
  if (network || is_required) return network;
  log::warn("{}; subjects are cut out by the classical method", network.error().message);
  return classical();
}

}  // namespace limner::app
