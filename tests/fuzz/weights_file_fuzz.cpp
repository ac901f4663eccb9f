// A .safetensors file may hold anything: it is refused, or read as a checkpoint or a LoRA whose
// tensors lie within the file.
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.hpp"
#include "weights/checkpoint.hpp"
#include "weights/lora.hpp"

namespace {

namespace weights = limner::weights;

void touch(weights::WeightSource& source) {
  for (const auto& name : source.names()) {
    const auto* tensor = source.find(name);
    LIMNER_CHECK(tensor != nullptr);
    if (tensor->dtype == weights::DType::Other) continue;
    LIMNER_CHECK(tensor->bytes.size() ==
                 weights::element_count(tensor->shape) * weights::size_bytes(tensor->dtype));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = weights::parse_safetensors({data, size}, nullptr, "fuzz");
  if (!file) return 0;
  if (const auto checkpoint = weights::read_checkpoint(*file, "fuzz", "")) {
    for (const auto& component : checkpoint->components) touch(*component.weights);
  }
  // The file's own tensors stand for the model that a LoRA is added to.
  const weights::LoraBase base{"unet",
                               std::make_shared<weights::MapWeightSource>(file->tensors, "base")};
  auto lora = weights::Lora::read({.tensors = *file}, "fuzz", {&base, 1});
  if (!lora) return 0;
  const auto shared = std::make_shared<const weights::Lora>(*std::move(lora));
  touch(*weights::with_loras("unet", base.weights, {{shared, 0.5f}}));
  return 0;
}
