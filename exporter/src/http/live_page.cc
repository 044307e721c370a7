// SPDX-License-Identifier: Apache-2.0
#include "http/live_page.h"

#include <map>
#include <memory>
#include <utility>

#include "base/version.h"
#include "http/html.h"
#include "render/gzip.h"
#include "web/embedded.h"

namespace pfe {
namespace {

constexpr std::string_view kPrefix = "/web/";
constexpr std::string_view kPage = "index.html";

// Only this server's own files, and no inline code: whatever a comm contains,
// the browser does not run it.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

struct Asset {
  std::shared_ptr<const std::string> plain, gzip;
};

const char* TypeOf(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  return "text/plain; charset=utf-8";
}

// All files by name, compressed at the first request for one.
const std::map<std::string_view, Asset>& Assets() {
  static const auto* const assets = [] {
    auto* const made = new std::map<std::string_view, Asset>;
    for (const EmbeddedFile& file : EmbeddedFiles())
      (*made)[file.name] = {
          std::make_shared<const std::string>(file.content),
          std::make_shared<const std::string>(Gzip(file.content))};
    return made;
  }();
  return *assets;
}

HttpResponse Respond(std::string_view name) {
  HttpResponse response;
  response.content_type = TypeOf(name);
  response.headers = {{"Content-Security-Policy", kPolicy},
                      {"Referrer-Policy", "no-referrer"},
                      // After an upgrade the browser must not mix old and new
                      // files.
                      {"Cache-Control", "no-cache"}};
  return response;
}

// Replaces the placeholder {{name}}.
void Fill(std::string_view name, std::string_view value, std::string* page) {
  const std::string place = "{{" + std::string(name) + "}}";
  const size_t at = page->find(place);
  if (at != std::string::npos)
    page->replace(at, place.size(), EscapeHtml(value));
}

std::string State(const View& view) {
  if (view.error) return "The source cannot be read: " + view.error->message;
  return std::to_string(view.processes) +
         " processes, read from the source \"" + view.source + "\".";
}

}  // namespace

bool IsAssetPath(std::string_view path) {
  if (!path.starts_with(kPrefix)) return false;
  path.remove_prefix(kPrefix.size());
  return path != kPage && Assets().count(path);
}

HttpResponse AnswerAsset(std::string_view path, bool gzip) {
  path.remove_prefix(kPrefix.size());
  const Asset& asset = Assets().at(path);
  HttpResponse response = Respond(path);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body.push_back(gzip ? asset.gzip : asset.plain);
  return response;
}

HttpResponse AnswerLivePage(const View& view, std::string_view telemetry_path) {
  std::string page = *Assets().at(kPage).plain;
  // The state comes last: it may contain a text that looks like a placeholder.
  Fill("version", Version(), &page);
  Fill("metrics", telemetry_path, &page);
  Fill("state", State(view), &page);
  HttpResponse response = Respond(kPage);
  response.body.push_back(std::make_shared<const std::string>(std::move(page)));
  return response;
}

}  // namespace pfe
