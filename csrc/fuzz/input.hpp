// How the fuzz targets read the bytes that they are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "utf8.hpp"

namespace fuzz {

// Takes settings from the front; zeros once there is nothing left.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : all_(reinterpret_cast<const char*>(data), size), bytes_(all_) {}

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const char first = bytes_.front();
    bytes_.remove_prefix(1);
    return static_cast<std::uint8_t>(first);
  }
  bool flag() { return (byte() & 1) != 0; }
  std::size_t below(std::size_t n) { return byte() % n; }
  std::string_view taken() const { return all_.substr(0, all_.size() - bytes_.size()); }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view all_, bytes_;
};

// What was built for the last few inputs that began with the same settings.
template <class T>
class Recent {
 public:
  // The one for these settings, built by make() if it is not there.
  template <class Make>
  T& get(std::string_view settings, Make&& make) {
    for (auto& [key, built] : kept_)
      if (key == settings) return *built;
    if (kept_.size() == kMost) kept_.erase(kept_.begin());
    kept_.emplace_back(settings, make());
    return *kept_.back().second;
  }

 private:
  static constexpr std::size_t kMost = 8;
  std::vector<std::pair<std::string, std::unique_ptr<T>>> kept_;
};

// The bytes without those that begin no UTF-8 sequence.
inline std::string valid_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t good = nlptk::utf8::find_invalid(bytes.data(), bytes.size());
    text += bytes.substr(0, good);
    bytes.remove_prefix(good < bytes.size() ? good + 1 : good);
  }
  return text;
}

// UTF-8 to code points.
inline std::u32string code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t at = 0; at < text.size(); at += nlptk::utf8::length_of(static_cast<unsigned char>(text[at])))
    points += nlptk::utf8::decode(text.data() + at);
  return points;
}

}  // namespace fuzz
