// Features that users name by strings: the table of their names, and a read-only model over their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace nlptk {

// The names of one unit's features, one after another. The buffers are reused.
struct NameList {
  std::string text;
  std::vector<std::size_t> ends;  // of each name in `text`

  std::size_t size() const { return ends.size(); }
  std::string_view operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return {text.data() + begin, ends[i] - begin};
  }
  void clear() {
    text.clear();
    ends.clear();
  }
};

// Names of any bytes, numbered from 0 in the order in which they came.
class AttributeTable {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  AttributeTable() : slots_(std::size_t{1} << 10) {}
  // `count` names; name i is bytes[offsets[i] .. offsets[i + 1]). Throws std::invalid_argument if one is there twice.
  AttributeTable(const char* bytes, const std::int64_t* offsets, std::size_t count);

  std::size_t size() const { return starts_.size() - 1; }
  std::string_view name(std::uint32_t id) const {
    return std::string_view(bytes_).substr(starts_[id], starts_[id + 1] - starts_[id]);
  }

  // Numbers of the names, into ids[names.size()]. intern() gives new names the next numbers, find() kNone.
  void intern(const NameList& names, std::uint32_t* ids);
  void find(const NameList& names, std::uint32_t* ids) const;

  // The table of these names alone, numbered in this order; each id once and below size().
  AttributeTable select(const std::uint32_t* ids, std::size_t count) const;

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t id = kNone;  // kNone: free
  };
  void guess(const NameList& names, std::uint32_t* hashes, std::uint32_t* ids) const;
  std::uint32_t look_up(std::string_view name, std::uint32_t hash) const;
  std::uint32_t add(std::string_view name, std::uint32_t hash);
  void place(std::uint32_t hash, std::uint32_t id);

  std::string bytes_;
  std::vector<std::size_t> starts_{0};  // [size + 1]
  std::vector<Slot> slots_;             // a power of two, at most half of them taken
};

// Weights of pairs of attribute and label. Immutable: threads share it.
class AttributeWeights {
 public:
  // The pairs of attribute a are pairs [row_starts[a], row_starts[a + 1]). Throws std::invalid_argument on arrays that
  // do not fit together, labels out of range and weights that are not finite.
  AttributeWeights(const std::uint32_t* row_starts, std::size_t attributes, const std::uint16_t* pair_labels,
                   const float* weights, std::size_t pairs, std::size_t labels);

  std::size_t attributes() const { return row_starts_.size() - 1; }
  std::size_t labels() const { return labels_; }

  // Scores of `units` units, into scores[units, labels]: unit u has the attributes ids[starts[u] .. starts[u + 1]), all
  // below attributes(), with `values` (null: all are 1). The same from any number of threads.
  void emissions(const std::int64_t* starts, std::size_t units, const std::uint32_t* ids, const float* values,
                 int threads, float* scores) const;

 private:
  struct Pair {
    float weight;
    std::uint32_t label;
  };
  std::size_t labels_;
  std::vector<std::uint32_t> row_starts_;
  std::vector<Pair> pairs_;
};

}  // namespace nlptk
