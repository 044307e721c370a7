// SPDX-License-Identifier: Apache-2.0
#include "http/protocol.h"

namespace pfe {
namespace {

const char* ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

}  // namespace

std::string HttpDate(std::time_t seconds) {
  std::tm time{};
  gmtime_r(&seconds, &time);
  char text[64];
  // The names are English ones, because the program sets no locale.
  return {text, std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT",
                              &time)};
}

bool IsHost(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return IsAlphanumeric(c) ||
           std::string_view("!$%&'()*+,-.:;=[]_~").find(c) !=
               std::string_view::npos;
  });
}

std::string HeadText(const HttpResponse& response, size_t length,
                     std::string_view connection) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  text.append(ReasonOf(response.status)).append("\r\n");
  add("Date", HttpDate(std::time(nullptr)));
  add("Content-Type", response.content_type);
  add("Content-Length", std::to_string(length));
  add("X-Content-Type-Options", "nosniff");
  if (!connection.empty()) add("Connection", connection);
  for (const auto& [name, value] : response.headers) add(name, value);
  return text.append("\r\n");
}

}  // namespace pfe
