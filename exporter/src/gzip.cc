// SPDX-License-Identifier: Apache-2.0
#include "gzip.h"

#include <libdeflate.h>

#include <memory>
#include <new>

namespace pfe {

std::string Gzip(std::string_view text) {
  // The fastest level: it is paid every tick, read at most once or twice.
  const std::unique_ptr<libdeflate_compressor,
                        decltype(&libdeflate_free_compressor)>
      compressor(libdeflate_alloc_compressor(1), libdeflate_free_compressor);
  if (!compressor) throw std::bad_alloc();
  std::string member(
      libdeflate_gzip_compress_bound(compressor.get(), text.size()), '\0');
  // It fits: the bound is for any text of the size.
  member.resize(libdeflate_gzip_compress(compressor.get(), text.data(),
                                         text.size(), member.data(),
                                         member.size()));
  member.shrink_to_fit();
  return member;
}

}  // namespace pfe
