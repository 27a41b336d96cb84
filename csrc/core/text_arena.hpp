// Texts kept one after another in large blocks, for tables that hold millions of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace nlptk {

class TextArena {
 public:
  explicit TextArena(std::size_t block) : block_(block) {}

  // The copy, which stays where it is as long as the arena; not null, even for an empty text.
  const char* keep(std::string_view text) {
    if (blocks_.empty() || left_ < text.size()) {
      left_ = std::max(block_, text.size());
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
      free_ = blocks_.back().get();
    }
    char* const copy = free_;
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    free_ += text.size();
    left_ -= text.size();
    return copy;
  }

 private:
  std::size_t block_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace nlptk
