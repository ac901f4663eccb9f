#include "api/picture_files.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/byte_range.hpp"
#include "api/call_context.hpp"
#include "codec/image_format.hpp"

namespace limner::api {
namespace {

// "png" for "image/png", "jpg" for "image/jpeg".
bool fits_extension(std::string_view content_type, std::string_view extension) {
  for (const auto format :
       {codec::ImageFormat::Png, codec::ImageFormat::Jpeg, codec::ImageFormat::Webp}) {
    if (codec::mime_type(format) == content_type) {
      return codec::file_extension(format) == extension;
    }
  }
  return false;
}

Error not_found() {
  return {.kind = ErrorKind::NotFound,
          .message = "no such picture; urls work for a while only",
          .code = "image_not_found"};
}

http::Headers file_headers(const storage::BlobInfo& info, std::int64_t seconds_left) {
  return {{"Content-Type", info.content_type},
          {"Cache-Control", fmt::format("private, max-age={}, immutable", seconds_left)},
          {"ETag", info.etag},
          {"Accept-Ranges", "bytes"},
          // A picture must never be read as a page, whatever its bytes look like.
          {"X-Content-Type-Options", "nosniff"},
          {"Content-Security-Policy", "default-src 'none'; sandbox"},
          {"Content-Disposition", "inline"}};
}

bool matches_etag(std::string_view header, std::string_view etag) {
  return header == "*" || header.find(etag) != header.npos;
}

http::Response serve(const http::Request& request, storage::Blob blob, std::int64_t seconds_left) {
  http::Response response{
      .status = 200, .headers = file_headers(blob.info, seconds_left), .body = {}};
  if (const auto tags = request.header("if-none-match");
      tags && matches_etag(*tags, blob.info.etag)) {
    response.status = 304;
    return response;
  }
  const auto size = blob.content.size();
  // A range of another version is no range of this one.
  const bool is_range_valid = request.header("if-range").value_or(blob.info.etag) == blob.info.etag;
  const auto header = is_range_valid ? request.header("range").value_or("") : std::string_view();
  const auto range = parse_range(header, size);
  if (std::holds_alternative<UnsatisfiableRange>(range)) {
    response.status = 416;
    response.headers.add("Content-Range", fmt::format("bytes */{}", size));
    return response;
  }
  if (const auto* part = std::get_if<ByteRange>(&range)) {
    response.status = 206;
    response.headers.add("Content-Range",
                         fmt::format("bytes {}-{}/{}", part->first, part->last, size));
    response.body = blob.content.part(part->first, part->last - part->first + 1);
    return response;
  }
  response.body = std::move(blob.content);
  return response;
}

void handle(Services& services, const std::shared_ptr<http::Exchange>& exchange) {
  const auto name = exchange->path_parameter("name");
  const auto dot = name.find('.');
  auto blob = dot == name.npos ? Result<storage::Blob>(not_found())
                               : services.pictures.open(name.substr(0, dot));
  if (blob && !fits_extension(blob->info.content_type, name.substr(dot + 1))) blob = not_found();
  if (!blob) {
    const auto error = blob.error().kind == ErrorKind::NotFound ? not_found() : blob.error();
    const auto call = read_call(*exchange, Dialect::Bifrost, Operation::Generation, {});
    exchange->respond(error_response(error, call.error_context_of_no_picture()));
    return;
  }
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(blob->info.expires -
                                                                     services.clock.wall_now());
  exchange->respond(
      serve(exchange->request(), *std::move(blob), std::max<std::int64_t>(0, left.count())));
}

}  // namespace

void add_picture_files_route(http::RouteTable& routes, Services& services) {
  routes.add({.method = "GET",
              .pattern = "/v1/images/files/{name}",
              // Opens the file and no more: the kernel reads it as the client takes it. On the I/O
              // thread, so that it never waits behind the work of others.
              .handler = [&services](const std::shared_ptr<http::Exchange>& exchange) {
                handle(services, exchange);
              }});
}

}  // namespace limner::api
