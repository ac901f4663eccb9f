#include "api/openapi.hpp"

#include <set>

#include <gmock/gmock.h>

#include "api/read_image_request.hpp"
#include "api/routes.hpp"
#include "unit/api/fake_services.hpp"

namespace limner::api {
namespace {

using ::testing::IsEmpty;

std::vector<std::string> served_routes() {
  test::FakeServices fake;
  return make_routes(fake.services(), {.metrics_text = [] { return std::string(); },
                                       .is_draining = [] { return false; },
                                       .authenticate = {}})
      .describe();
}

// "POST /v3/{model}/images/edits" of every operation.
std::set<std::string> described_routes(const json::object& document) {
  std::set<std::string> described;
  for (const auto& path : document.at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      std::string method(operation.key());
      for (auto& c : method) c = static_cast<char>(std::toupper(c));
      described.insert(method + " " + std::string(path.key()));
    }
  }
  return described;
}

json::object document() {
  return make_openapi("1.2.3", served_routes());
}

TEST(OpenApi, DescribesExactlyWhatIsServed) {
  std::set<std::string> served;
  for (auto route : served_routes()) {
    for (auto dots = route.find("...}"); dots != route.npos; dots = route.find("...}")) {
      route.erase(dots, 3);
    }
    served.insert(route);
  }
  EXPECT_EQ(described_routes(document()), served);
}

TEST(OpenApi, OperationIdsAreUnique) {
  std::set<std::string> ids;
  const auto made = document();
  for (const auto& path : made.at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      const std::string id(operation.value().at("operationId").as_string());
      EXPECT_TRUE(ids.insert(id).second) << id;
    }
  }
}

TEST(OpenApi, EveryPathParameterIsDescribed) {
  const auto made = document();
  for (const auto& path : made.at("paths").as_object()) {
    const std::string text(path.key());
    const auto open = text.find('{');
    if (open == text.npos) continue;
    const auto name = text.substr(open + 1, text.find('}') - open - 1);
    for (const auto& operation : path.value().as_object()) {
      std::set<std::string> parameters;
      for (const auto& parameter : operation.value().at("parameters").as_array()) {
        const auto* ref = parameter.as_object().if_contains("$ref");
        const json::value root = made;
        boost::system::error_code failed;
        const auto* found =
            ref ? root.find_pointer(ref->as_string().subview(1), failed) : &parameter;
        ASSERT_NE(found, nullptr);
        parameters.insert(std::string(found->at("name").as_string()));
      }
      EXPECT_TRUE(parameters.contains(name)) << text;
    }
  }
}

TEST(OpenApi, CarriesTheVersion) {
  EXPECT_EQ(document().at("info").at("version"), "1.2.3");
}

// The fields of the document are those that the reader asks for, neither more nor fewer.
TEST(OpenApi, FieldsAreThoseThatAreRead) {
  const Limits limits;
  auto fields = FieldReader::from_json("{}");
  ASSERT_TRUE(fields);
  const auto request = read_image_request(*fields, {},
                                          {.dialect = Dialect::Bifrost,
                                           .operation = Operation::Generation,
                                           .is_strict = false,
                                           .model_of_path = {},
                                           .limits = &limits});
  ASSERT_FALSE(request);  // without a prompt; every field was asked for nevertheless
  // Other servers' fields that are only known in order to be refused.
  std::set<std::string> asked(fields->asked().begin(), fields->asked().end());
  for (const auto* refused : {"frame_count", "frame_duration_ms", "svg"}) asked.erase(refused);
  std::set<std::string> described;
  const auto made = document();
  for (const auto* schema : {"ImageFields", "ImageInputs"}) {
    for (const auto& field :
         made.at("components").at("schemas").at(schema).at("properties").as_object()) {
      described.insert(std::string(field.key()));
    }
  }
  EXPECT_EQ(described, asked);
}

// A reference that leads nowhere.
void collect_dangling(const json::value& root, const json::value& value,
                      std::vector<std::string>& dangling) {
  if (const auto* list = value.if_array()) {
    for (const auto& entry : *list) collect_dangling(root, entry, dangling);
  }
  const auto* object = value.if_object();
  if (object == nullptr) return;
  if (const auto* ref = object->if_contains("$ref")) {
    const std::string target(ref->as_string());
    boost::system::error_code failed;
    if (root.find_pointer(target.substr(1), failed) == nullptr) dangling.push_back(target);
  }
  for (const auto& member : *object) collect_dangling(root, member.value(), dangling);
}

TEST(OpenApi, EveryReferenceLeadsSomewhere) {
  const json::value made = document();
  std::vector<std::string> dangling;
  collect_dangling(made, made, dangling);
  EXPECT_THAT(dangling, IsEmpty());
}

}  // namespace
}  // namespace limner::api
