// SPDX-License-Identifier: Apache-2.0
// /api/v1/explain: where the faults of some processes come from.
#ifndef EXPORTER_HTTP_EXPLAIN_H_
#define EXPORTER_HTTP_EXPLAIN_H_

#include <string_view>

#include "http/message.h"
#include "profile/explanations.h"

namespace pfe {

// `query` is still encoded. Takes as long as its `seconds` say. To a wrong
// parameter it answers 400, if too many others ask 503, each with a sentence
// that says what is wrong.
HttpResponse AnswerExplain(std::string_view query, Explanations* explanations);

}  // namespace pfe

#endif  // EXPORTER_HTTP_EXPLAIN_H_
