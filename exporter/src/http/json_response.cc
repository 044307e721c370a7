// SPDX-License-Identifier: Apache-2.0
#include "http/json_response.h"

#include <nlohmann/json.hpp>

namespace pfe {

HttpResponse JsonResponse(int status, const nlohmann::json& json) {
  HttpResponse response(
      status,
      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
          "\n");
  response.content_type = "application/json; charset=utf-8";
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse JsonError(int status, const std::string& why) {
  return JsonResponse(status, {{"error", why}});
}

}  // namespace pfe
