// SPDX-License-Identifier: Apache-2.0
// Answers requests for profiles, as Go's net/http/pprof does.
#ifndef EXPORTER_HTTP_PPROF_H_
#define EXPORTER_HTTP_PPROF_H_

#include <string_view>

#include "http/message.h"
#include "profile/explanations.h"

namespace pfe {

// `query` is still encoded. Takes as long as its `seconds` say. The answer is a
// compressed protocol buffer; to a wrong parameter it is 400, if none can be
// made 503, each with a sentence that says why.
HttpResponse AnswerPprof(std::string_view query, Explanations* explanations);

}  // namespace pfe

#endif  // EXPORTER_HTTP_PPROF_H_
