#include "api/nebula/reply.hpp"

#include "api/json_writer.hpp"
#include "api/write_picture.hpp"

namespace limner::api::nebula {
namespace {

double inference_seconds(const Timings& timings) {
  return static_cast<double>((timings.prepare + timings.denoise + timings.decode).count()) / 1e6;
}

}  // namespace

std::string write_reply(const ReplyPlan& plan, const FinishedReply& reply) {
  JsonWriter json;
  json.begin_object();
  json.member("model", plan.model_requested).member("object", "list");
  json.key("data").begin_array();
  for (const auto& image : reply.images) {
    json.begin_object();
    json.key("timings").begin_object();
    json.key("inference").number(inference_seconds(reply.timings));
    json.end_object();
    json.member("index", image.index);
    write_picture(json, plan, image);
    json.key("seed").unsigned_integer(image.seed);
    json.end_object();
  }
  json.end_array();
  std::string message = "Image generated successfully";
  for (const auto& note : plan.notes) message += "; " + note;
  json.member("message", message).member("status", "success");
  json.end_object();
  return json.take();
}

}  // namespace limner::api::nebula
