// Compiled tables as flat bytes in this machine's byte order, for caches that are rebuilt where they do not fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "hash.hpp"

namespace nlptk {

class BlobWriter {
 public:
  template <class T>
  void value(const T& item) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&item), sizeof item);
  }
  template <class T>
  void array(const std::vector<T>& items) {
    static_assert(std::is_trivially_copyable_v<T>);
    value<std::uint64_t>(items.size());
    bytes_.append(reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T));
    bytes_.append((8 - bytes_.size() % 8) % 8, '\0');
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// std::invalid_argument where the bytes end too early.
class BlobReader {
 public:
  explicit BlobReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T value() {
    T item;
    std::memcpy(&item, take(sizeof item), sizeof item);
    return item;
  }
  template <class T>
  std::vector<T> array() {
    std::vector<T> items;
    each<T>([&](std::size_t count) { items.reserve(count); }, [&](const T& item) { items.push_back(item); });
    return items;
  }
  // The same without a copy of the whole: begin(count), then item(value) for each.
  template <class T, class Begin, class Item>
  void each(Begin&& begin, Item&& item) {
    const auto count = value<std::uint64_t>();
    if (count > (bytes_.size() - at_) / sizeof(T)) throw cut_short();
    const char* from = take(count * sizeof(T));
    begin(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i, from += sizeof(T)) {
      T read;
      std::memcpy(&read, from, sizeof read);
      item(read);
    }
    take((8 - at_ % 8) % 8);
  }

 private:
  static std::invalid_argument cut_short() { return std::invalid_argument("the compiled tables are cut short"); }
  const char* take(std::size_t count) {
    if (count > bytes_.size() - at_) throw cut_short();
    const char* from = bytes_.data() + at_;
    at_ += count;
    return from;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

// A 64-bit hash of bytes at memory speed: tells damage and changed files, not attackers.
inline std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t lanes[4] = {kHashSeed, kHashSeed + 1, kHashSeed + 2, kHashSeed + 3};
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    std::uint64_t words[4];
    std::memcpy(words, bytes.data() + at, 32);
    for (int i = 0; i < 4; ++i) lanes[i] = hash_step(lanes[i], words[i]);
  }
  std::uint64_t tail[4] = {};
  if (at < bytes.size()) std::memcpy(tail, bytes.data() + at, bytes.size() - at);
  std::uint64_t hash = hash_step(kHashSeed, bytes.size());
  for (int i = 0; i < 4; ++i) hash = hash_step(hash, hash_finish(hash_step(lanes[i], tail[i])));
  return hash_finish(hash);
}

}  // namespace nlptk
