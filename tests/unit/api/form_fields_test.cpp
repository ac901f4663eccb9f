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

TEST(FormFields, APictureIsAFileOrAText) {
  const std::string png = "\x89PNG\r\n\x1a\n";
  for (const std::string name : {"image", "image[]", "image[0]", "images", "images[]", "images[0]",
                                 "input_image", "input_images", "input_images[]", "url", "url[]",
                                 "reference_image", "mask", "mask_image"}) {
    const auto base = name.substr(0, name.find('['));
    for (auto part : {&file_part, &text_part}) {
      const auto as_file = read((*part)(name, png));  // also without a filename
      ASSERT_TRUE(as_file) << name;
      ASSERT_EQ(as_file->files.size(), 1u) << name;
      EXPECT_EQ(as_file->files[0].name, base);
    }
    const auto as_text = read(text_part(name, "data:image/png;base64,AAAA"));
    ASSERT_TRUE(as_text) << name;
    EXPECT_TRUE(as_text->files.empty()) << name;
    EXPECT_TRUE(as_text->texts.contains(base)) << name;
  }
}

TEST(FormFields, AFileInputThatWasLeftEmptyIsAbsent) {
  auto empty = file_part("mask", "");
  empty.filename.clear();
  const auto form = read(std::move(empty), text_part("prompt", "x"));
  ASSERT_TRUE(form);
  EXPECT_TRUE(form->files.empty());
  EXPECT_EQ(texts(form), R"({"prompt":"x"})");
  // A file that was chosen and is empty is not.
  EXPECT_EQ(read(file_part("mask", ""))->files.size(), 1u);
}

TEST(FormFields, LosesByteOrderMarksInFrontOfTexts) {
  EXPECT_EQ(texts(read(text_part("n",
                                 "\xEF\xBB\xBF"
                                 "2"))),
            R"({"n":"2"})");
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
