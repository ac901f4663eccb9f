#include "runtime/runtime.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openvino/core/model.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "base/log.hpp"
#include "runtime/graph_cache.hpp"
#include "runtime/library_error.hpp"
#include "runtime/network_impl.hpp"
#include "runtime/precision_meter.hpp"

namespace limner::runtime {
namespace {

namespace fs = std::filesystem;

ov::element::Type element_type(const Input& input) {
  return std::holds_alternative<std::span<const float>>(input.data) ? ov::element::f32
                                                                    : ov::element::i64;
}

// OpenVINO's tensors take a writable pointer although inputs are only read.
void* data_pointer(const Input& input) {
  return std::visit(
      [](auto span) {
        return static_cast<void*>(
            const_cast<std::remove_const_t<typename decltype(span)::element_type>*>(span.data()));
      },
      input.data);
}

// About what the network takes in the cache, where constants are most of every file.
std::size_t constants_size_bytes(const ov::Model& model) {
  std::size_t total = 0;
  for (const auto& node : model.get_ops()) {
    const auto* constant = dynamic_cast<const ov::op::v0::Constant*>(node.get());
    if (constant) total += constant->get_byte_size();
  }
  return total;
}

std::size_t data_count(const Input& input) {
  return std::visit([](auto span) { return span.size(); }, input.data);
}

}  // namespace

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

struct CompiledNetwork::Impl {
  std::string name;
  ov::CompiledModel compiled;
  ov::InferRequest request;
  bool came_from_cache = false;
  std::function<Result<void>()> check_weights;
};

CompiledNetwork::CompiledNetwork(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CompiledNetwork::~CompiledNetwork() = default;

Result<void> CompiledNetwork::run(std::span<const Input> inputs, std::span<const Output> outputs) {
  try {
    for (const auto& input : inputs) {
      LIMNER_CHECK(data_count(input) == element_count(input.shape), input.name);
      impl_->request.set_tensor(
          std::string(input.name),
          ov::Tensor(element_type(input), ov::Shape(input.shape.begin(), input.shape.end()),
                     data_pointer(input)));
    }
    // One left out would still be written where an earlier call wanted it.
    LIMNER_CHECK(outputs.size() == impl_->compiled.outputs().size());
    for (const auto& output : outputs) {
      const auto port = impl_->compiled.output(std::string(output.name));
      LIMNER_CHECK(output.data.size() == ov::shape_size(port.get_shape()), output.name);
      impl_->request.set_tensor(port,
                                ov::Tensor(ov::element::f32, port.get_shape(), output.data.data()));
    }
    impl_->request.infer();
    return impl_->check_weights ? impl_->check_weights() : Result<void>();
  } catch (const std::exception& e) {
    return library_error(fmt::format("{} failed while running", impl_->name), e);
  }
}

Shape CompiledNetwork::output_shape(std::string_view name) const {
  const auto shape = impl_->compiled.output(std::string(name)).get_shape();
  return {shape.begin(), shape.end()};
}

bool CompiledNetwork::came_from_cache() const {
  return impl_->came_from_cache;
}

// What every network is compiled with, whatever its precision.
ov::AnyMap common_properties(const RuntimeOptions& options) {
  ov::AnyMap map{ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                 ov::hint::num_requests(1)};
  if (options.device.starts_with("CPU")) {
    map.insert(ov::inference_num_threads(options.threads));
    // Painting shares the machine with I/O threads; pinned workers would fight them for a core.
    map.insert(ov::hint::enable_cpu_pinning(false));
  }
  return map;
}

struct Runtime::Impl {
  Impl(RuntimeOptions wanted, ov::Core started)
      : options(std::move(wanted)),
        core(std::move(started)),
        cache(options.cache_dir, options.cache_bytes_max),
        choice(cache.dir(), machine(), meter()) {}

  RuntimeOptions options;
  ov::Core core;
  GraphCache cache;
  PrecisionChoice choice;

  Precision resolve(const CompileRequest& request) const {
    if (options.precision != Precision::Auto) return options.precision;
    return request.precision.value_or(Precision::F32);
  }

  ov::AnyMap properties(Precision precision) const {
    ov::AnyMap map = common_properties(options);
    map.insert(ov::hint::inference_precision(precision == Precision::Bf16 ? ov::element::bf16
                                                                          : ov::element::f32));
    // Products with int8 weights may round their input to int8 too, which is faster; who asks for
    // float32 does not get that.
    if (options.device.starts_with("CPU") && options.precision == Precision::F32) {
      map.insert(ov::hint::dynamic_quantization_group_size(0));
    }
    return map;
  }

  std::string full_key(const CompileRequest& request) const {
    return fmt::format("{}\n{}\n{}\n{} {}\n{}", ov::get_openvino_version().buildNumber,
                       options.device, options.threads, to_string(options.precision),
                       to_string(resolve(request)), request.cache_key);
  }

  std::string machine() {
    return fmt::format("{} {} {} threads", core.get_property(options.device, ov::device::full_name),
                       ov::get_openvino_version().buildNumber, options.threads);
  }

  PrecisionChoice::Measure meter() {
    const auto capabilities = core.get_property(options.device, ov::device::capabilities);
    const auto bf16 = std::ranges::find(capabilities, ov::device::capability::BF16);
    if (bf16 == capabilities.end()) return {};
    return [this](const ProbeSizes& sizes) {
      return measure_precisions(core, options.device, common_properties(options), sizes);
    };
  }

  std::optional<ov::CompiledModel> import_cached(const std::string& key, const ov::AnyMap& config) {
    const auto path = cache.find(key);
    if (!path) return std::nullopt;
    try {
      // Mapped: the network's constants stay in the page cache instead of this process's own
      // memory. A file is never rewritten in place, so the mapping holds.
      const ov::Tensor file = ov::read_tensor_data(*path);
      const std::string_view bytes(static_cast<const char*>(file.data()), file.get_byte_size());
      if (const auto content = GraphCache::content_of(bytes)) {
        return core.import_model(ov::Tensor(file, ov::Coordinate{0}, ov::Coordinate{*content}),
                                 options.device, config);
      }
      log::warn("a cached graph is damaged and is made anew: {}", path->filename().string());
    } catch (const std::exception& e) {
      log::warn("a cached graph could not be used and is made anew: {}", reason_of(e));
    }
    cache.remove(key);
    return std::nullopt;
  }

  void export_cached(const std::string& key, ov::CompiledModel& compiled) {
    try {
      cache.store(key, [&](std::ostream& file) { compiled.export_model(file); });
    } catch (const std::exception& e) {
      log::warn("a compiled graph could not be cached: {}", reason_of(e));
    }
  }
};

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::create(RuntimeOptions options) {
  if (options.threads <= 0) options.threads = available_cpus();
  try {
    return std::unique_ptr<Runtime>(
        new Runtime(std::make_unique<Impl>(std::move(options), ov::Core())));
  } catch (const std::exception& e) {
    return library_error("the inference runtime could not start; is the device name right?", e);
  }
}

Result<std::unique_ptr<CompiledNetwork>> Runtime::compile(const CompileRequest& request) {
  auto compiled = std::make_unique<CompiledNetwork::Impl>();
  compiled->name = request.name;
  compiled->check_weights = request.check_weights;
  const auto config = impl_->properties(impl_->resolve(request));
  const bool is_cached = impl_->cache.is_enabled() && !request.cache_key.empty();
  const std::string key = is_cached ? impl_->full_key(request) : std::string();
  try {
    std::optional<ov::CompiledModel> model;
    if (is_cached) model = impl_->import_cached(key, config);
    compiled->came_from_cache = model.has_value();
    if (!model) {
      auto network = request.build();
      if (!network) return network.error();
      const std::size_t size_bytes = constants_size_bytes(*network->impl().model);
      model = impl_->core.compile_model(network->impl().model, impl_->options.device, config);
      if (request.check_weights) {
        if (auto checked = request.check_weights(); !checked) return checked.error();
      }
      if (is_cached && impl_->cache.takes(request.name, size_bytes)) {
        impl_->export_cached(key, *model);
      }
    }
    compiled->compiled = *model;
    compiled->request = model->create_infer_request();
  } catch (const std::exception& e) {
    return library_error(fmt::format("{} could not be compiled", request.name), e);
  }
  return std::make_unique<CompiledNetwork>(std::move(compiled));
}

Result<Network> Runtime::read_ir(const fs::path& xml) {
  try {
    auto impl = std::make_unique<Network::Impl>();
    impl->model = impl_->core.read_model(xml.string());
    return Network(std::move(impl));
  } catch (const std::exception& e) {
    return library_error(fmt::format("{} could not be read", xml.string()), e);
  }
}

const RuntimeOptions& Runtime::options() const {
  return impl_->options;
}
Precision Runtime::choose_precision(const ProbeSizes& sizes) {
  const auto& options = impl_->options;
  return options.precision != Precision::Auto ? options.precision : impl_->choice.choose(sizes);
}
std::string Runtime::version() const {
  return ov::get_openvino_version().buildNumber;
}

}  // namespace limner::runtime
