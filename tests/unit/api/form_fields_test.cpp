#include "api/form_fields.hpp"

#include <gmock/gmock.h>

namespace limner::api {
namespace {

http::Part text_part(std::string name, std::string text) {
  http::Part part;
  part.name = std::move(name);
  part.content = http::PartContent(std::move(text));
  return part;
}

http::Part file_part(std::string name, std::string bytes) {
  auto part = text_part(std::move(name), std::move(bytes));
  part.filename = "upload";
  part.has_filename = true;
  return part;
}

template <typename... P>
Result<Form> read(P... parts) {
  std::vector<http::Part> list;
  (list.push_back(std::move(parts)), ...);
  return read_form(std::move(list));
}

std::string texts(const Result<Form>& form) {
  return form ? json::serialize(form->texts) : form.error().message;
}

TEST(FormFields, ReadsListsAndObjectsAsTheSdksWriteThem) {
  EXPECT_EQ(texts(read(text_part("prompt", "a cat"), text_part("n", "2"))),
            R"({"prompt":"a cat","n":"2"})");
  EXPECT_EQ(texts(read(text_part("fallbacks[]", "a"), text_part("fallbacks[]", "b"))),
            R"({"fallbacks":["a","b"]})");
  EXPECT_EQ(texts(read(text_part("fallbacks", "a"), text_part("fallbacks", "b"))),
            R"({"fallbacks":["a","b"]})");
  EXPECT_EQ(texts(read(text_part("fallbacks[0]", "a"), text_part("fallbacks[1]", "b"))),
            R"({"fallbacks":["a","b"]})");
  EXPECT_EQ(
      texts(read(text_part("fallbacks[][provider]", "p"), text_part("fallbacks[][model]", "m"),
                 text_part("fallbacks[][provider]", "q"), text_part("fallbacks[][model]", "n"))),
      R"({"fallbacks":[{"provider":"p","model":"m"},{"provider":"q","model":"n"}]})");
  EXPECT_EQ(texts(read(text_part("svg[model]", "x"))), R"({"svg":{"model":"x"}})");
}

TEST(FormFields, CollectsImagesUnderEveryNameInOrderOfArrival) {
  const auto form =
      read(file_part("image[]", "1"), text_part("model", "m"), file_part("image", "2"),
           file_part("image[0]", "3"), file_part("mask", "4"));
  ASSERT_TRUE(form);
  ASSERT_EQ(form->files.size(), 4u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(form->files[i].name, "image");
    EXPECT_EQ(form->files[i].content.text(), std::to_string(i + 1));
  }
  EXPECT_EQ(form->files[3].name, "mask");
}

TEST(FormFields, APictureNeedsNoFilename) {
  const auto form = read(text_part("image", "bytes"));
  ASSERT_TRUE(form);
  EXPECT_EQ(form->files.size(), 1u);
}

TEST(FormFields, RefusesNamesAndTextsThatMakeNoSense) {
  EXPECT_FALSE(read(text_part("a[", "1")));
  EXPECT_FALSE(read(text_part("a[b", "1")));
  EXPECT_FALSE(read(text_part("a]b[", "1")));
  EXPECT_FALSE(read(text_part("a[b]c", "1")));
  EXPECT_FALSE(read(text_part("", "1")));
  EXPECT_FALSE(read(text_part("[]", "1")));
  EXPECT_FALSE(read(text_part("a[][][][][]", "1")));
  EXPECT_FALSE(read(text_part("a[b]", "1"), text_part("a[]", "2")));
  EXPECT_FALSE(read(text_part("a[b]", "1"), text_part("a", "2")));
  EXPECT_FALSE(read(text_part("prompt", "\xff")));
  EXPECT_FALSE(read(text_part("\xff", "x")));
}

}  // namespace
}  // namespace limner::api
