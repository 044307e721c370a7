// SPDX-License-Identifier: Apache-2.0
#include "http/protocol.h"

#include <gtest/gtest.h>

namespace pfe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(HttpDate, IsTheFixedForm) {
  EXPECT_EQ(HttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(IsHost, ByItsCharacters) {
  for (const char* good :
       {"", "x", "x.example:9110", "[::1]:9110", "a_b~c", "127.0.0.1"})
    EXPECT_TRUE(IsHost(good)) << good;
  for (const char* bad : {"x y", "x/", "x@y", "x?", "x#", "\"x\"", "h\xf6st",
                          "x\ty", "<", "\x7f"})
    EXPECT_FALSE(IsHost(bad)) << bad;
}

TEST(HeadText, HasEachFieldOnce) {
  HttpResponse response(405, "");
  response.headers.emplace_back("Allow", "GET, HEAD");
  const std::string text = HeadText(response, 12, "close");
  const size_t date = text.find("Date: ");
  ASSERT_NE(date, std::string::npos);
  EXPECT_EQ(text.substr(0, date), "HTTP/1.1 405 Method Not Allowed\r\n");
  EXPECT_EQ(text.substr(text.find('\n', date) + 1),
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 12\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Connection: close\r\n"
            "Allow: GET, HEAD\r\n\r\n");
  EXPECT_EQ(HeadText(response, 0, "").find("Connection"), std::string::npos);
}

// Whether an answer whose client takes so many bytes each second, for as many
// seconds, is written as long as that.
bool Lasts(size_t bytes_per_second, int for_seconds) {
  Patience patience(kAlone);
  for (int i = 0; i < for_seconds; ++i)
    if (!patience.Note(seconds(1), bytes_per_second, kAlone)) return false;
  return true;
}

TEST(Patience, LastsAsLongAsTheClientReads) {
  EXPECT_TRUE(Lasts(kAlone.slowest, 100000));
  EXPECT_TRUE(Lasts(400000, 100000));
  EXPECT_TRUE(Lasts(kAlone.slowest / 2, 19));
  EXPECT_FALSE(Lasts(kAlone.slowest / 2, 21));
  EXPECT_TRUE(Lasts(0, 9));
  EXPECT_FALSE(Lasts(0, 10));
}

TEST(Patience, ManyBytesEarnNoMoreThanTheMost) {
  Patience patience(kAlone);
  EXPECT_TRUE(patience.Note(milliseconds(1), size_t{1} << 40, kAlone));
  EXPECT_FALSE(patience.Note(seconds(10), 0, kAlone));
}

TEST(Patience, IsLessInACrowd) {
  Patience patience(kAlone);
  EXPECT_TRUE(patience.Note(seconds(1), 0, kInACrowd));
  EXPECT_TRUE(patience.Note(seconds(3), 3 * kInACrowd.slowest, kInACrowd));
  EXPECT_FALSE(patience.Note(seconds(3), kInACrowd.slowest, kInACrowd));
}

}  // namespace
}  // namespace pfe
