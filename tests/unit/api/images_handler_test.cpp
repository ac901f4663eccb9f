// The images endpoints from body to bytes, with a painter that needs no model.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/routes.hpp"
#include "auth/principal.hpp"
#include "base/base64.hpp"
#include "base/json.hpp"
#include "codec/encode.hpp"
#include "unit/api/fake_exchange.hpp"
#include "unit/api/fake_services.hpp"

namespace limner::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ImagesHandlerTest : public ::testing::Test {
 protected:
  test::Sent post(std::string target, std::string body, http::Headers headers = {}) {
    return send("POST", std::move(target), std::move(body), std::move(headers));
  }
  test::Sent get(std::string target, http::Headers headers = {}) {
    return send("GET", std::move(target), {}, std::move(headers));
  }
  test::Sent send(std::string method, std::string target, std::string body, http::Headers headers) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.headers.add("Host", "here:1");
    request.body = std::move(body);
    auto sent =
        test::call(routes_, std::move(request), principal_ ? std::any(*principal_) : std::any());
    EXPECT_TRUE(sent) << "no answer";
    return sent.value_or(test::Sent{});
  }
  static json::object object_of(const test::Sent& sent) {
    auto value = parse_json(sent.body);
    EXPECT_TRUE(value) << sent.body;
    return value ? value->as_object() : json::object();
  }
  static std::string error_of(const test::Sent& sent, std::string_view member) {
    const auto body = object_of(sent);
    const auto* error = body.if_contains("error");
    return error ? std::string(error->at(member).as_string()) : "none";
  }
  static json::object first_picture(const json::object& body) {
    return body.at("data").as_array().front().as_object();
  }

  test::FakeServices fake_;
  std::optional<auth::Principal> principal_;  // whose key the next call has
  http::RouteTable routes_ =
      make_routes(fake_.services(), {.metrics_text = [] { return std::string(); },
                                     .is_draining = [] { return false; },
                                     .authenticate = {}});
};

constexpr auto kBody = R"({"prompt": "x", "size": "16x16", "seed": 5})";

TEST_F(ImagesHandlerTest, EachDialectAnswersInItsOwnShape) {
  const auto bifrost = object_of(post("/v1/images/generations", kBody));
  EXPECT_THAT(std::string(first_picture(bifrost).at("url").as_string()),
              StartsWith("http://here:1/v1/images/files/"));
  EXPECT_TRUE(first_picture(bifrost).contains("b64_json"));
  EXPECT_TRUE(bifrost.contains("extra_fields"));
  const auto openai = object_of(post("/openai/v1/images/generations", kBody));
  EXPECT_TRUE(first_picture(openai).contains("url"));
  EXPECT_FALSE(openai.contains("extra_fields"));
  EXPECT_FALSE(first_picture(openai).contains("index"));
  const auto ovms = object_of(post("/v3/images/generations", kBody));
  EXPECT_FALSE(first_picture(ovms).contains("url"));
  const auto nebula = object_of(post("/api/v1/images/generation", kBody));
  EXPECT_EQ(nebula.at("status"), "success");
  EXPECT_TRUE(first_picture(nebula).contains("timings"));
}

TEST_F(ImagesHandlerTest, AFallbackFromANameThatNoHeaderCanHoldIsAnswered) {
  const auto sent =
      post("/v1/images/generations", R"({"prompt": "x", "model": "mö\n", "fallbacks": ["fake"]})");
  EXPECT_EQ(sent.status, 200);
  EXPECT_EQ(sent.headers.get("x-limner-model"), "fake");
}

// "NAME: key key key" of each event, in order; numbers that tell one event from another are shown.
std::vector<std::string> transcript_of(const std::string& stream) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < stream.size();) {
    const auto end = stream.find("\n\n", at);
    const auto event = stream.substr(at, end - at);
    at = end + 2;
    const auto data = event.find("\ndata: ");
    std::string line = event.substr(7, data - 7) + ":";
    const auto parsed = parse_json(event.substr(data + 7));
    if (!parsed) return {event};
    for (const auto& member : parsed->as_object()) {
      const std::string name(member.key());
      line += " " + name;
      if (name == "sequence_number" || name == "index" || name == "partial_image_index") {
        line += "=" + json::serialize(member.value());
      }
    }
    lines.push_back(line);
  }
  return lines;
}

TEST_F(ImagesHandlerTest, StreamsAreToTheLetterWhatClientsExpect) {
  const std::string begin = " type sequence_number=";
  const std::string look = " b64_json created_at size quality background output_format";
  const auto sent =
      post("/v1/images/generations",
           R"({"prompt": "x", "size": "16x16", "n": 2, "stream": true, "partial_images": 1})");
  EXPECT_THAT(std::string(sent.headers.get("Content-Type").value_or("")),
              StartsWith("text/event-stream"));
  EXPECT_THAT(transcript_of(sent.body),
              ElementsAre("image_generation.partial_image:" + begin +
                              "0 id model partial_image_index=0 index=0" + look + " extra_fields",
                          "image_generation.partial_image:" + begin +
                              "1 id model partial_image_index=0 index=1" + look + " extra_fields",
                          "image_generation.completed:" + begin + "2 id model index=0 seed" + look +
                              " usage extra_fields",
                          "image_generation.completed:" + begin + "3 id model index=1 seed" + look +
                              " usage extra_fields"));
  EXPECT_THAT(sent.body, HasSubstr(R"("request_type":"image_generation_stream")"));
  EXPECT_THAT(sent.body, HasSubstr(R"("chunk_index":3)"));
  // Where OpenAI's own clients are promised nothing else, there is nothing else.
  const auto openai =
      post("/openai/v1/images/generations", R"({"prompt": "x", "size": "16x16", "stream": true})");
  EXPECT_THAT(transcript_of(openai.body),
              ElementsAre("image_generation.completed:" + begin + "0 index=0" + look + " usage"));
}

TEST_F(ImagesHandlerTest, NebulaSendsADataUriWhereItIsAskedFor) {
  const auto sent =
      post("/api/v1/images/generation",
           R"({"prompt": "x", "width": 16, "height": 16, "response_format": "data_uri"})");
  const auto picture = first_picture(object_of(sent));
  EXPECT_THAT(std::string(picture.at("url").as_string()), StartsWith("data:image/png;base64,"));
  EXPECT_FALSE(picture.contains("b64_json"));
}

TEST_F(ImagesHandlerTest, ABaseUrlMayLackTheVersion) {
  EXPECT_EQ(post("/images/generations", kBody).status, 200);
}

TEST_F(ImagesHandlerTest, TheEffectiveSafetyIdentifierComesBack) {
  const auto answer = [&](std::string_view fields) {
    const auto body =
        object_of(post("/openai/v1/images/generations",
                       fmt::format(R"({{"prompt": "x", "size": "16x16"{}}})", fields)));
    const auto* identifier = body.if_contains("safety_identifier");
    return identifier ? std::string(identifier->as_string()) : "absent";
  };
  EXPECT_EQ(answer(R"(, "user": "u")"), "u");
  EXPECT_EQ(answer(R"(, "user": "u", "safety_identifier": "")"), "u");
  EXPECT_EQ(answer(R"(, "user": "u", "safety_identifier": "s")"), "s");
  EXPECT_EQ(answer(R"(, "safety_identifier": "")"), "absent");
}

TEST_F(ImagesHandlerTest, WhatWasLeftOutIsInTheNotes) {
  const auto sent = post("/v1/images/generations",
                         R"({"prompt": "x", "size": "16x16", "foo": 1, "partial_images": 1})");
  EXPECT_EQ(sent.status, 200);
  EXPECT_THAT(sent.headers.get_all("x-limner-note"),
              ElementsAre(StartsWith("partial_images:"), StartsWith("foo:")));
}

TEST_F(ImagesHandlerTest, ARemovedBackgroundSaysWhatItDoesNotUse) {
  const auto file = codec::encode_image(Image::blank({16, 16}, 3, 200), {});
  const auto body = fmt::format(
      R"({{"prompt": "x", "type": "background_removal", "seed": 4, "foo": 1, "image": "{}"}})",
      base64_encode(*file));
  const auto sent = post("/v1/images/edits", body);
  ASSERT_EQ(sent.status, 200) << sent.body;
  EXPECT_THAT(sent.headers.get_all("x-limner-note"),
              ElementsAre(StartsWith("prompt:"), StartsWith("seed:"), StartsWith("foo:")));
}

TEST_F(ImagesHandlerTest, ALongPromptIsCutUnlessTheDialectOrTheCallerIsStrict) {
  std::string prompt = "word";
  for (int i = 0; i < 99; ++i) prompt += " word";
  const auto body = fmt::format(R"({{"prompt": "{}", "size": "16x16"}})", prompt);
  for (const auto* path : {"/v1/images/generations", "/openai/v1/images/generations"}) {
    const auto sent = post(path, body);
    ASSERT_EQ(sent.status, 200) << path << sent.body;
    EXPECT_EQ(std::string(first_picture(object_of(sent)).at("revised_prompt").as_string()),
              prompt.substr(0, 75 * 5 - 1));
    EXPECT_THAT(sent.headers.get_all("x-limner-note"), ElementsAre(StartsWith("prompt:")));
  }
  EXPECT_EQ(post("/api/v1/images/generation", body).status, 200);
  for (const auto& sent : {post("/v3/images/generations", body),
                           post("/v1/images/generations", body, {{"x-bf-strict", "true"}})}) {
    EXPECT_EQ(error_of(sent, "code"), "prompt_too_long");
    EXPECT_THAT(error_of(sent, "message"), HasSubstr("--truncate-prompts"));
  }
}

TEST_F(ImagesHandlerTest, TheOperatorsWordOnLongPromptsGoesBeforeTheDialects) {
  std::string prompt = "word";
  for (int i = 0; i < 99; ++i) prompt += " word";
  const auto body = fmt::format(R"({{"prompt": "{}", "size": "16x16"}})", prompt);
  fake_.services().options.truncates_prompts = true;
  EXPECT_EQ(post("/v3/images/generations", body).status, 200);
  fake_.services().options.truncates_prompts = false;
  EXPECT_EQ(post("/v1/images/generations", body).status, 400);
}

TEST_F(ImagesHandlerTest, AFailureAfterTheFirstByteIsTheLastEvent) {
  const auto sent =
      post("/openai/v1/images/generations",
           R"({"prompt": "fails", "size": "16x16", "stream": true, "partial_images": 1})");
  const auto events = transcript_of(sent.body);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_THAT(events.back(), StartsWith("error: type sequence_number=1 created_at error"));
  EXPECT_THAT(sent.body, HasSubstr(R"("code":"engine_failure")"));
  EXPECT_THAT(sent.body, ::testing::Not(HasSubstr("secret")));
  EXPECT_FALSE(sent.was_aborted);
}

TEST_F(ImagesHandlerTest, AFailureOfOurOwnIsNotWorthARetry) {
  const auto sent = post("/v1/images/generations", R"({"prompt": "fails", "size": "16x16"})");
  EXPECT_EQ(sent.status, 500);
  EXPECT_EQ(sent.headers.get("x-should-retry"), "false");
  EXPECT_THAT(sent.body, ::testing::Not(HasSubstr("secret")));
}

TEST_F(ImagesHandlerTest, WhatIsWrongBeforeTheFirstByteIsPlainJson) {
  const auto sent = post("/v1/images/generations", R"({"stream": true})");
  EXPECT_EQ(sent.status, 400);
  EXPECT_EQ(sent.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(error_of(sent, "param"), "prompt");
}

TEST_F(ImagesHandlerTest, AdaptersThatNobodyHasAreRefused) {
  const auto sent = post("/v3/images/generations", R"({"prompt": "x", "lora_alphas": {"ink": 1}})");
  EXPECT_EQ(sent.status, 422);
  EXPECT_EQ(error_of(sent, "param"), "lora_alphas");
}

TEST_F(ImagesHandlerTest, TheSameKeyAndBodyIsPaintedOnce) {
  const http::Headers key = {{"Idempotency-Key", "k"}};
  const auto first = post("/v1/images/generations", kBody, key);
  const auto second = post("/v1/images/generations", kBody, key);
  EXPECT_EQ(second.headers.get("idempotent-replayed"), "true");
  EXPECT_EQ(second.body, first.body);
  const auto other = post("/v1/images/generations", R"({"prompt": "y"})", key);
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(error_of(other, "code"), "idempotency_conflict");
  EXPECT_EQ(other.headers.get("x-should-retry"), "false");
}

TEST_F(ImagesHandlerTest, AnAddressIsNotFetchedUnlessAllowed) {
  const auto sent =
      post("/v1/images/edits", R"({"prompt": "x", "images": ["http://127.0.0.1/secret"]})");
  EXPECT_EQ(sent.status, 400);
  EXPECT_EQ(error_of(sent, "code"), "remote_image_not_allowed");
  EXPECT_EQ(error_of(sent, "param"), "images");
}

TEST_F(ImagesHandlerTest, AnEstimateResolvesWithoutPainting) {
  const auto sent = post("/v1/images/estimate",
                         R"({"prompt": "x", "model": "gpt-image-1", "n": 3, "size": "64x32",
                             "quality": "low", "fallbacks": ["nope"]})");
  ASSERT_EQ(sent.status, 200) << sent.body;
  const auto body = object_of(sent);
  EXPECT_EQ(body.at("model"), "fake");
  EXPECT_EQ(body.at("model_requested"), "gpt-image-1");
  EXPECT_EQ(body.at("size"), "64x32");
  EXPECT_EQ(body.at("num_inference_steps"), 20);  // 0.4 of 50
  EXPECT_EQ(body.at("expected_seconds"), 1.5);
  EXPECT_EQ(body.at("fallbacks").as_array().front().at("can_paint"), false);
}

TEST_F(ImagesHandlerTest, RequestsCanBeFoundByTheirId) {
  const auto painted = post("/v1/images/generations", kBody, {{"x-request-id", "mine"}});
  EXPECT_EQ(painted.headers.get("x-request-id"), "mine");
  const std::string job_id(painted.headers.get("x-limner-job-id").value_or(""));
  for (const auto& id : {std::string("mine"), job_id}) {
    const auto body = object_of(get("/v1/images/requests/" + id));
    EXPECT_EQ(body.at("status"), "completed");
    EXPECT_EQ(body.at("id"), "mine");
    EXPECT_EQ(std::string(body.at("job_id").as_string()), job_id);
    EXPECT_EQ(body.at("data").as_array().size(), 1U);
  }
}

TEST_F(ImagesHandlerTest, OneKeysRequestsAreNotAnothersWhateverTheirIds) {
  const http::Headers id = {{"x-request-id", "trace-1"}};
  const auto url_of = [](const json::object& body) { return body.at("data").at(0).at("url"); };
  principal_ = auth::Principal{.id = "a", .name = {}, .models = {}};
  const auto first = object_of(post("/v1/images/generations", kBody, id));
  principal_->id = "b";
  EXPECT_EQ(get("/v1/images/requests/trace-1").status, 404);
  EXPECT_EQ(post("/v1/images/requests/trace-1/cancel", "").status, 404);
  const auto second = object_of(post("/v1/images/generations", kBody, id));
  EXPECT_EQ(url_of(object_of(get("/v1/images/requests/trace-1"))), url_of(second));
  principal_->id = "a";
  EXPECT_EQ(url_of(object_of(get("/v1/images/requests/trace-1"))), url_of(first));
}

TEST_F(ImagesHandlerTest, AKeyedGetIsTheSameOnlyWithTheSameQuery) {
  const http::Headers key = {{"Idempotency-Key", "k"}};
  const std::string path = "/api/v1/images/generation?seed=1&width=16&height=16&prompt=";
  const auto apple = get(path + "apple", key);
  ASSERT_EQ(apple.status, 200) << apple.body;
  EXPECT_EQ(get(path + "apple", key).body, apple.body);
  const auto dog = get(path + "dog", key);
  EXPECT_EQ(dog.status, 409);
  EXPECT_EQ(error_of(dog, "code"), "idempotency_conflict");
}

TEST_F(ImagesHandlerTest, AKeyIsOneCredentialsOwn) {
  const http::Headers key = {{"Idempotency-Key", "k"}};
  principal_ = auth::Principal{.id = "a", .name = {}, .models = {}};
  post("/v1/images/generations", kBody, key);
  principal_->id = "b";
  EXPECT_FALSE(post("/v1/images/generations", kBody, key).headers.has("idempotent-replayed"));
  EXPECT_TRUE(post("/v1/images/generations", kBody, key).headers.has("idempotent-replayed"));
}

TEST_F(ImagesHandlerTest, ARefusalDoesNotUseUpAKey) {
  const http::Headers key = {{"Idempotency-Key", "k"}};
  EXPECT_EQ(post("/v1/images/generations", R"({"prompt": "x", "model": "nobody"})", key).status,
            404);
  EXPECT_EQ(post("/v1/images/generations", kBody, key).status, 200);
}

TEST_F(ImagesHandlerTest, AReplayNeverGivesUrlsOfPicturesThatAreGone) {
  const http::Headers key = {{"Idempotency-Key", "k"}};
  const auto first = object_of(post("/v1/images/generations", kBody, key));
  const std::string url(first_picture(first).at("url").as_string());
  const auto name = url.substr(url.rfind('/') + 1);
  fake_.pictures().remove(name.substr(0, name.find('.')));
  const auto again = post("/v1/images/generations", kBody, key);
  EXPECT_FALSE(again.headers.has("idempotent-replayed"));
  const std::string new_url(first_picture(object_of(again)).at("url").as_string());
  EXPECT_EQ(get(new_url.substr(new_url.find("/v1/"))).status, 200);
}

Error full_disk() {
  return {.kind = ErrorKind::Unavailable, .message = "no room", .code = "storage_full"};
}

TEST_F(ImagesHandlerTest, AFullDiskCostsTheUrlNotThePicture) {
  fake_.pictures().refusal = full_disk();
  const auto sent = post("/v1/images/generations", kBody);
  ASSERT_EQ(sent.status, 200) << sent.body;
  EXPECT_FALSE(first_picture(object_of(sent)).contains("url"));
  EXPECT_TRUE(first_picture(object_of(sent)).contains("b64_json"));
  EXPECT_EQ(sent.headers.get("x-limner-note"), "no url: no room");
}

TEST_F(ImagesHandlerTest, AFullDiskFailsWhoInsistsOnAUrl) {
  fake_.pictures().refusal = full_disk();
  const auto sent = post("/v1/images/generations",
                         R"({"prompt": "x", "size": "16x16", "response_format": "url"})");
  EXPECT_EQ(sent.status, 503);
  EXPECT_EQ(error_of(sent, "code"), "storage_full");
}

TEST_F(ImagesHandlerTest, PicturesAreKeptAllOrNone) {
  fake_.pictures().on_put = [this, count = 0]() mutable {
    if (++count == 3) fake_.pictures().refusal = full_disk();
  };
  const auto sent = post("/v1/images/generations", R"({"prompt": "x", "size": "16x16", "n": 3})");
  ASSERT_EQ(sent.status, 200);
  const auto body = object_of(sent);
  for (const auto& picture : body.at("data").as_array()) {
    EXPECT_FALSE(picture.as_object().contains("url"));
  }
  EXPECT_EQ(fake_.pictures().used_size_bytes(), 0U);
}

TEST_F(ImagesHandlerTest, ALibrarysExceptionAtTheEndStillHasOneAnswer) {
  fake_.pictures().on_put = [] { throw std::bad_alloc(); };
  const auto sent = post("/v1/images/generations", kBody, {{"x-request-id", "unlucky"}});
  EXPECT_EQ(sent.status, 500);
  EXPECT_EQ(error_of(sent, "code"), "internal_error");
  EXPECT_EQ(object_of(get("/v1/images/requests/unlucky")).at("status"), "failed");
  fake_.pictures().on_put = {};
  EXPECT_EQ(post("/v1/images/generations", kBody).status, 200);
}

// docs/api.md, "Answers" and "Errors".
TEST_F(ImagesHandlerTest, EachPathHasItsDocumentedMembers) {
  struct Row {
    std::string path;
    bool has_extra_fields;     // `id`, `model`, `extra_fields` of an answer
    bool has_index;            // `data[].index` and `seed`
    bool has_bifrost_members;  // of an error
    bool has_nebula_members;   // of an error
  };
  const Row rows[] = {
      {"/v1/images/generations", true, true, true, false},
      {"/openai/v1/images/generations", false, false, true, false},
      {"/openai/deployments/fake/images/generations", false, false, true, false},
      {"/litellm/v1/images/generations", false, false, true, false},
      {"/v3/images/generations", false, true, false, false},
      {"/api/v1/images/generation", false, true, false, true},
  };
  for (const auto& row : rows) {
    const auto good = object_of(post(row.path, kBody));
    for (const std::string name : {"id", "model", "extra_fields"}) {
      if (name == "model" && row.has_nebula_members) continue;  // Nebula's own
      EXPECT_EQ(good.contains(name), row.has_extra_fields) << row.path << " " << name;
    }
    EXPECT_EQ(first_picture(good).contains("index"), row.has_index) << row.path;
    EXPECT_EQ(first_picture(good).contains("seed"), row.has_index) << row.path;
    const auto bad = object_of(post(row.path, R"({"prompt": "x", "n": 0})"));
    for (const auto* name : {"is_bifrost_error", "status_code", "type", "extra_fields"}) {
      EXPECT_EQ(bad.contains(name), row.has_bifrost_members) << row.path << " " << name;
    }
    for (const auto* name : {"message", "status"}) {
      EXPECT_EQ(bad.contains(name), row.has_nebula_members) << row.path << " " << name;
    }
  }
}

TEST_F(ImagesHandlerTest, AnErrorTellsWhichModelWasAskedForHoweverEarlyItIs) {
  const auto asked = [this](const std::string& path, const std::string& body) {
    const auto sent = post(path, body);
    EXPECT_GE(sent.status, 400) << body;
    return std::string(object_of(sent).at("extra_fields").at("model_requested").as_string());
  };
  const std::string path = "/v1/images/generations";
  EXPECT_EQ(asked(path, R"({"model": "gpt-image-1", "prompt": "x", "n": 0})"), "gpt-image-1");
  EXPECT_EQ(asked(path, R"({"n": 0, "model": "nobody"})"), "nobody");
  EXPECT_EQ(asked(path, R"({"prompt": "x", "model": "nobody"})"), "nobody");
  EXPECT_EQ(asked(path, R"({"prompt": "fails", "size": "16x16", "model": "fake"})"), "fake");
  EXPECT_EQ(asked(path, R"({"n": 0})"), "fake") << "the default";
  EXPECT_EQ(asked(path, R"({"n": 0, "model": 7})"), "fake");
  EXPECT_EQ(asked("/openai/deployments/gpt-image-1/images/generations", R"({"n": 0})"),
            "gpt-image-1");
  EXPECT_EQ(asked("/openai/deployments/gpt-image-1/images/generations", "no json"), "gpt-image-1");
  EXPECT_EQ(asked("/v1/images/estimate", R"({"n": 0, "model": "fake"})"), "fake");
}

TEST_F(ImagesHandlerTest, OnlyErrorsAboutPicturesSayWhatKindOfRequestItWas) {
  const auto bad = object_of(post("/v1/images/edits", R"({"prompt": "x"})"));
  EXPECT_EQ(bad.at("extra_fields").at("request_type"), "image_edit");
  for (const std::string path : {"/v1/models/nobody", "/v1/images/requests/nobody"}) {
    const auto other = object_of(get(path));
    EXPECT_FALSE(other.at("extra_fields").as_object().contains("request_type")) << path;
  }
}

TEST_F(ImagesHandlerTest, AKeyIsShownOnlyTheModelsThatItMayUse) {
  fake_.painter().serve("second");
  EXPECT_EQ(object_of(get("/v1/models")).at("data").as_array().size(), 3U);
  principal_ = auth::Principal{.id = "a", .name = {}, .models = {"second"}};
  const auto ids = object_of(get("/v1/models")).at("data").as_array();
  ASSERT_EQ(ids.size(), 1U);
  EXPECT_EQ(ids.at(0).at("id"), "second");
  EXPECT_EQ(get("/v1/models/second").status, 200);
  for (const std::string name : {"fake", "gpt-image-1", "nobody"}) {
    const auto sent = get("/v1/models/" + name);
    EXPECT_EQ(sent.status, 404) << name;
    EXPECT_THAT(error_of(sent, "message"), HasSubstr("served for this key: second"));
    EXPECT_THAT(error_of(sent, "message"), ::testing::Not(HasSubstr("fake,")));
  }
  const auto capabilities = object_of(get("/v1/capabilities"));
  EXPECT_EQ(capabilities.at("default_model"), "second");
  EXPECT_EQ(capabilities.at("models").as_array().size(), 1U);
  const auto nebula = object_of(get("/api/v1/serverless/models"));
  EXPECT_EQ(nebula.at("data").at("models").as_array().size(), 1U);
}

TEST_F(ImagesHandlerTest, AKeyPaintsWithItsOwnModelsAndByDefaultWithTheFirst) {
  fake_.painter().serve("second");
  principal_ = auth::Principal{.id = "a", .name = {}, .models = {"second"}};
  for (const std::string path : {"/v1/images/generations", "/v3/images/generations"}) {
    const auto sent = post(path, kBody);
    EXPECT_EQ(sent.status, 200) << sent.body;
    EXPECT_EQ(sent.headers.get("x-limner-model"), "second");
  }
  const auto blocked =
      post("/v1/images/generations", R"({"prompt": "x", "size": "16x16", "model": "fake"})");
  EXPECT_EQ(blocked.status, 403);
  EXPECT_EQ(error_of(blocked, "code"), "model_blocked");
}

}  // namespace
}  // namespace limner::api
