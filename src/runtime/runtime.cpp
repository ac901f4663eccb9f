#include "runtime/runtime.hpp"

#include <atomic>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <unistd.h>

#include "base/log.hpp"
#include "runtime/graph_cache.hpp"
#include "runtime/network_impl.hpp"

namespace limner::runtime {
namespace {

namespace fs = std::filesystem;

// Library text is for the log: it may name files and addresses.
// The last line of OpenVINO's text is the reason; those before it are where in its source.
std::string reason_of(const std::exception& e) {
  std::string_view text = e.what();
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

Error library_error(std::string message, const std::exception& e) {
  return {.kind = ErrorKind::Internal, .message = std::move(message), .detail = reason_of(e)};
}

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

std::size_t data_count(const Input& input) {
  return std::visit([](auto span) { return span.size(); }, input.data);
}

}  // namespace

std::string_view to_string(Precision precision) {
  switch (precision) {
    case Precision::Auto:
      return "auto";
    case Precision::F32:
      return "f32";
    case Precision::Bf16:
      return "bf16";
  }
  return "unknown";
}

std::optional<Precision> parse_precision(std::string_view text) {
  for (const auto p : {Precision::Auto, Precision::F32, Precision::Bf16}) {
    if (to_string(p) == text) return p;
  }
  return std::nullopt;
}

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

struct Runtime::Impl {
  RuntimeOptions options;
  ov::Core core;
  GraphCache cache;
  Precision precision = Precision::F32;
  std::atomic<unsigned> exports_begun = 0;

  ov::AnyMap properties(std::optional<Precision> asked) const {
    ov::AnyMap map{ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                   ov::hint::num_requests(1)};
    switch (asked.value_or(options.precision)) {
      case Precision::Auto:
        break;
      case Precision::F32:
        map.insert(ov::hint::inference_precision(ov::element::f32));
        break;
      case Precision::Bf16:
        map.insert(ov::hint::inference_precision(ov::element::bf16));
        break;
    }
    if (options.device.starts_with("CPU")) {
      map.insert(ov::inference_num_threads(options.threads));
      // Painting shares the machine with I/O threads; pinned workers would fight them for a core.
      map.insert(ov::hint::enable_cpu_pinning(false));
      // Products with int8 weights may round their input to int8 too, which is faster; who asks for
      // float32 does not get that.
      if (asked.value_or(options.precision) == Precision::F32) {
        map.insert(ov::hint::dynamic_quantization_group_size(0));
      }
    }
    return map;
  }

  std::string full_key(const CompileRequest& request) const {
    return fmt::format("{}\n{}\n{}\n{}\n{}", ov::get_openvino_version().buildNumber, options.device,
                       options.threads, to_string(request.precision.value_or(options.precision)),
                       request.cache_key);
  }

  std::optional<ov::CompiledModel> import_cached(const fs::path& path, const ov::AnyMap& config) {
    std::error_code exists_error;
    if (!fs::exists(path, exists_error)) return std::nullopt;
    try {
      // Mapped: the network's constants stay in the page cache instead of this process's own
      // memory. A file is never rewritten in place, so the mapping holds.
      auto compiled = core.import_model(ov::read_tensor_data(path), options.device, config);
      cache.touch(path);
      return compiled;
    } catch (const std::exception& e) {
      log::warn("a cached graph could not be used and is made anew: {}", reason_of(e));
      std::error_code ec;
      fs::remove(path, ec);
      return std::nullopt;
    }
  }

  void export_cached(const fs::path& path, ov::CompiledModel& compiled) {
    fs::path partial = path;
    // Another process, or another thread of this one, may be writing the same graph.
    partial += fmt::format(".{}-{}.part", ::getpid(), exports_begun++);
    std::error_code ec;
    try {
      std::ofstream file(partial, std::ios::binary);
      compiled.export_model(file);
      file.close();
      if (file) {
        fs::rename(partial, path, ec);
        cache.trim();
        return;
      }
      log::warn("cache_dir {}: cannot write (disk full?)", path.parent_path().string());
    } catch (const std::exception& e) {
      log::warn("a compiled graph could not be cached: {}", reason_of(e));
    }
    fs::remove(partial, ec);
  }
};

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::create(RuntimeOptions options) {
  if (options.threads <= 0) options.threads = available_cpus();
  try {
    GraphCache cache(options.cache_dir, options.cache_bytes_max);
    auto impl = std::unique_ptr<Impl>(new Impl{std::move(options), ov::Core(), std::move(cache)});
    const auto capabilities =
        impl->core.get_property(impl->options.device, ov::device::capabilities);
    const bool has_bf16 =
        std::ranges::find(capabilities, ov::device::capability::BF16) != capabilities.end();
    impl->precision = impl->options.precision != Precision::Auto ? impl->options.precision
                      : has_bf16                                 ? Precision::Bf16
                                                                 : Precision::F32;
    return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
  } catch (const std::exception& e) {
    return library_error("the inference runtime could not start; is the device name right?", e);
  }
}

Result<std::unique_ptr<CompiledNetwork>> Runtime::compile(const CompileRequest& request) {
  auto compiled = std::make_unique<CompiledNetwork::Impl>();
  compiled->name = request.name;
  compiled->check_weights = request.check_weights;
  const auto config = impl_->properties(request.precision);
  const bool is_cached = impl_->cache.is_enabled() && !request.cache_key.empty();
  const fs::path path = is_cached ? impl_->cache.path_of(impl_->full_key(request)) : fs::path();
  try {
    std::optional<ov::CompiledModel> model;
    if (is_cached) model = impl_->import_cached(path, config);
    compiled->came_from_cache = model.has_value();
    if (!model) {
      auto network = request.build();
      if (!network) return network.error();
      model = impl_->core.compile_model(network->impl().model, impl_->options.device, config);
      if (request.check_weights) {
        if (auto checked = request.check_weights(); !checked) return checked.error();
      }
      if (is_cached) impl_->export_cached(path, *model);
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
Precision Runtime::effective_precision() const {
  return impl_->precision;
}
std::string Runtime::version() const {
  return ov::get_openvino_version().buildNumber;
}

}  // namespace limner::runtime
