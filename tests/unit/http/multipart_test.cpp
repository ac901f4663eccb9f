#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "http/multipart_head.hpp"
#include "http/multipart_parser.hpp"
#include "unit/http/body_limits.hpp"

namespace limner::http {
namespace {

using namespace std::string_literals;

const std::filesystem::path kSpill = std::filesystem::temp_directory_path();

// "name[filename;type]=content|…", or the error's code.
std::string describe(Result<std::vector<Part>> parts) {
  if (!parts) return parts.error().code;
  std::string text;
  for (const auto& part : *parts) {
    text += part.name;
    if (part.has_filename) text += "[" + part.filename + "]";
    if (!part.content_type.empty()) text += "<" + part.content_type + ">";
    text += "=" + std::string(part.content.text()) + "|";
  }
  return text;
}

MultipartLimits limits_with(std::size_t MultipartLimits::*limit, std::size_t value) {
  auto limits = kFormLimits;
  limits.*limit = value;
  return limits;
}

std::string parse(std::string_view body, std::string_view boundary = "b",
                  MultipartLimits limits = kFormLimits) {
  MultipartParser parser(boundary, limits, kSpill);
  auto pushed = parser.push(body);
  if (!pushed) return pushed.error().code;
  return describe(parser.finish());
}

std::string part(const std::string& name, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + content + "\r\n";
}

const std::string kForm =
    "preamble --b\r\n"
    "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na cat\r\n--bx\r\n-\r\n--b  \r\n"
    "content-disposition: form-data; name=\"image[]\"; filename=\"a.png\"\r\n"
    "Content-Type: image/png\r\n\r\n\r\n--\r\n--\r\r\n\0\xff\r\n"s
    "--b\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n--b\t\r\n"
    "Content-Disposition: form-data; name=\"n\"\r\n\r\n2\r\n--b--\r\nepilogue --b\r\n";
const std::string kFormParts =
    "prompt=a cat\r\n--bx\r\n-|image[][a.png]<image/png>=\r\n--\r\n--\r\r\n\0\xff|empty=|n=2|"s;

TEST(Multipart, ReadsPartsInOrder) {
  EXPECT_EQ(parse(kForm), kFormParts);
}

TEST(Multipart, IsTheSameCutInTwoAnywhere) {
  for (std::size_t cut = 0; cut <= kForm.size(); ++cut) {
    MultipartParser parser("b", kFormLimits, kSpill);
    ASSERT_TRUE(parser.push(std::string_view(kForm).substr(0, cut)));
    ASSERT_TRUE(parser.push(std::string_view(kForm).substr(cut)));
    EXPECT_EQ(describe(parser.finish()), kFormParts) << cut;
  }
}

TEST(Multipart, IsTheSameInPiecesOfAnySize) {
  for (std::size_t size = 1; size <= kForm.size(); ++size) {
    MultipartParser parser("b", kFormLimits, kSpill);
    for (std::size_t at = 0; at < kForm.size(); at += size) {
      ASSERT_TRUE(parser.push(std::string_view(kForm).substr(at, size)));
    }
    EXPECT_EQ(describe(parser.finish()), kFormParts) << size;
  }
}

TEST(Multipart, IsTheSameInRandomPiecesAndWhenSpilled) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    MultipartParser parser("b", limits_with(&MultipartLimits::spill_bytes, round % 12u), kSpill);
    for (std::size_t at = 0; at < kForm.size();) {
      const std::size_t size = random() % 9;
      ASSERT_TRUE(parser.push(std::string_view(kForm).substr(at, size)));
      at += size;
    }
    EXPECT_EQ(describe(parser.finish()), kFormParts) << round;
  }
}

TEST(Multipart, MissingItsLastBoundaryIsAnError) {
  const auto last = kForm.rfind("--b--");
  for (std::size_t size = 0; size < last + 5; ++size) {
    EXPECT_EQ(parse(kForm.substr(0, size)), "invalid_multipart") << size;
  }
  EXPECT_EQ(parse(kForm.substr(0, last + 5)), kFormParts);
}

TEST(Multipart, AnEmptyFormHasNoParts) {
  EXPECT_EQ(parse("--b--"), "");
  EXPECT_EQ(parse("--b--\r\n"), "");
  EXPECT_EQ(parse("\r\n--b--\r\n"), "");
  EXPECT_EQ(parse(""), "invalid_multipart");
}

TEST(Multipart, AnEmptyPartMayShareItsLineBreakWithTheBoundary) {
  EXPECT_EQ(parse("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--"), "a=|");
}

TEST(Multipart, RefusesHeadsItCannotTrust) {
  const auto head = [](const std::string& fields) {
    return parse("--b\r\n" + fields + "\r\n\r\nx\r\n--b--");
  };
  EXPECT_EQ(head("Content-Disposition: form-data; name=a"), "a=x|");
  for (const auto* fields :
       {"", "Content-Type: text/plain", "Content-Disposition: form-data",
        "Content-Disposition: form-data; name=\"\"", "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data; name=\"a", "Content-Disposition: form-data; name",
        "Content-Disposition: form-data; name=a; name=b", "Content-Disposition form-data",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "Content-Disposition: form-data;\r\n name=a", "Content-Disposition : form-data; name=a",
        "Content-Disposition: form-data; name=\"\xff\"",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64"}) {
    EXPECT_EQ(head(fields), "invalid_multipart") << fields;
  }
}

TEST(Multipart, ReadsNamesAsBrowsersCurlAndPythonWriteThem) {
  const auto name = [](const std::string& parameters) {
    auto part = parse_part_head("Content-Disposition: form-data; " + parameters);
    return part ? part->name + "|" + part->filename : part.error().message;
  };
  EXPECT_EQ(name(R"(name="a%22b"; filename="c%0D%0a.png")"), "a\"b|c%0D%0a.png");
  EXPECT_EQ(name(R"(name="a\"b"; filename="C:\dir\x.png")"), "a\"b|C:\\dir\\x.png");
  EXPECT_EQ(name(R"(name="a;b"; filename="x;y=\\z.png")"), R"(a;b|x;y=\z.png)");
  EXPECT_EQ(name(R"(filename=x.png ; NAME=a;)"), "a|x.png");
  EXPECT_EQ(name(R"(name="100%"; filename="%41")"), "100%|%41");
}

TEST(Multipart, IgnoresTheEncodingOfAFilename) {
  for (const std::string filename : {
           "\"\xcd\xbc\xc6\xac.png\"",     // GBK
           "\"\x95\x5c\"",                 // Shift JIS: its second byte is a backslash
           "\"\x1b$B\"N\";9\x1b(B.png\"",  // ISO-2022-JP: a quote and a semicolon
           "\"na\xefve.png\"",
           "na\xefve.png",
           "\"never closed",
       }) {
    auto part =
        parse_part_head("Content-Disposition: form-data; name=\"image\"; filename=" + filename);
    ASSERT_TRUE(part) << filename << part.error().message;
    EXPECT_EQ(part->name, "image");
    EXPECT_TRUE(part->has_filename);
  }
  const auto* extended = "Content-Disposition: form-data; name=a; filename*=latin-1''na%EFve.png";
  EXPECT_TRUE(parse_part_head(extended)->has_filename);
  const auto* in_front = "Content-Disposition: form-data; filename=\"\x95\x5c\"; name=\"image\"";
  EXPECT_EQ(parse_part_head(in_front)->name, "image");
}

TEST(Multipart, AFilenameHidesNoSecondName) {
  for (const std::string rest : {"name=a; filename=x; name=b", "filename=\"x",
                                 "filename=\"x; name=a", "name=a; other=\"x"}) {
    EXPECT_FALSE(parse_part_head("Content-Disposition: form-data; " + rest)) << rest;
  }
}

TEST(Multipart, SpillsLargePartsToAFileWithoutAName) {
  const std::string content(3u << 20, 'x');
  const std::string body = part("image", content) + part("mask", "small") + "--b--";
  MultipartParser parser("b", kFormLimits, kSpill);
  for (std::size_t at = 0; at < body.size(); at += 65'536) {
    ASSERT_TRUE(parser.push(std::string_view(body).substr(at, 65'536)));
    EXPECT_LE(parser.memory_size(), (1u << 20) + 200'000u);
  }
  auto parts = parser.finish();
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_TRUE((*parts)[0].content.is_spilled());
  EXPECT_EQ((*parts)[0].content.text(), content);
  EXPECT_FALSE((*parts)[1].content.is_spilled());
  auto moved = std::move((*parts)[0].content);
  EXPECT_EQ(moved.size(), content.size());
}

TEST(Multipart, SaysSoWhenTheSpillFolderCannotBeUsed) {
  MultipartParser parser("b", limits_with(&MultipartLimits::spill_bytes, 4),
                         "/proc/no-such-folder");
  const auto pushed = parser.push(part("image", "more than four"));
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(pushed.error().code, "upload_storage_full");
  EXPECT_EQ(pushed.error().message.find("/proc"), std::string::npos);
}

TEST(Multipart, HasLimits) {
  const std::string body = part("a", "12345") + part("b", "1") + "--b--";
  EXPECT_EQ(parse(body, "b", limits_with(&MultipartLimits::part_bytes_max, 5)), "a=12345|b=1|");
  EXPECT_EQ(parse(body, "b", limits_with(&MultipartLimits::part_bytes_max, 4)),
            "request_too_large");
  EXPECT_EQ(parse(body, "b", limits_with(&MultipartLimits::parts_max, 2)), "a=12345|b=1|");
  EXPECT_EQ(parse(body, "b", limits_with(&MultipartLimits::parts_max, 1)), "request_too_large");
  EXPECT_EQ(parse(body, "b", limits_with(&MultipartLimits::body_bytes_max, body.size())),
            "a=12345|b=1|");
  EXPECT_EQ(parse(body, "b", limits_with(&MultipartLimits::body_bytes_max, body.size() - 1)),
            "request_too_large");
  EXPECT_EQ(parse(body, "b", limits_with(&MultipartLimits::part_head_bytes_max, 40)),
            "a=12345|b=1|");
  EXPECT_EQ(parse(body, "b", limits_with(&MultipartLimits::part_head_bytes_max, 39)),
            "invalid_multipart");
  EXPECT_EQ(parse("--b\r\n" + std::string(9'000, 'x')), "invalid_multipart");
}

TEST(Multipart, APartsHeadHasOneLimitHoweverItIsCut) {
  const std::string begin = "Content-Disposition: form-data; name=\"a\"\r\nX: ";
  for (const std::size_t size : {99u, 100u, 101u, 102u, 103u, 104u}) {
    const auto head = begin + std::string(size - begin.size(), 'x');
    const auto body = "--b\r\n" + head + "\r\n\r\n1\r\n--b--";
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
      MultipartParser parser("b", limits_with(&MultipartLimits::part_head_bytes_max, 100), kSpill);
      const bool is_good = parser.push(std::string_view(body).substr(0, cut)) &&
                           parser.push(std::string_view(body).substr(cut)) && parser.finish();
      EXPECT_EQ(is_good, size <= 100) << size << " cut at " << cut;
    }
  }
}

TEST(Multipart, CountsWhatIsInMemoryAndWhatIsInFiles) {
  MultipartParser parser("b", limits_with(&MultipartLimits::spill_bytes, 10), kSpill);
  ASSERT_TRUE(parser.push(part("a", "12345") + part("b", std::string(200'000, 'x')) + "--b--"));
  EXPECT_EQ(parser.memory_size(), 5u);
  EXPECT_EQ(parser.spilled_size(), 200'000u);
}

TEST(Multipart, NamesThePartThatIsTooLarge) {
  MultipartParser parser("b", limits_with(&MultipartLimits::part_bytes_max, 4), kSpill);
  const auto pushed = parser.push(part("mask", "123456789"));
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().kind, ErrorKind::TooLarge);
  EXPECT_EQ(pushed.error().param, "mask");
}

TEST(Multipart, FindsTheBoundaryInItsHeader) {
  const auto boundary = [](std::string_view value) {
    auto found = multipart_boundary(value);
    return found ? *found : "error";
  };
  EXPECT_EQ(boundary("multipart/form-data; boundary=----WebKitFormBoundaryAb1"),
            "----WebKitFormBoundaryAb1");
  EXPECT_EQ(boundary("multipart/form-data; charset=utf-8; BOUNDARY=\"a b?c\""), "a b?c");
  EXPECT_EQ(boundary("multipart/form-data"), "error");
  EXPECT_EQ(boundary("multipart/form-data; boundary="), "error");
  EXPECT_EQ(boundary("multipart/form-data; boundary=\"a \""), "error");
  EXPECT_EQ(boundary("multipart/form-data; boundary=" + std::string(71, 'a')), "error");
  EXPECT_EQ(boundary("multipart/form-data; boundary=\"a\r\nb\""), "error");
}

}  // namespace
}  // namespace limner::http
