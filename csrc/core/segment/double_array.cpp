#include "segment/double_array.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <stdexcept>

namespace nlptk {
namespace {

constexpr std::uint32_t kFirst = Alphabet::kMost + 1;  // nodes below are the root and its children
constexpr int kTries = 1000;  // places tried for a family before later ones of its size begin further on
constexpr std::uint64_t kMostGaps = std::uint64_t{1} << 20;  // beside 64 for each node: more is damage
constexpr int kFewTries = 16;  // the same for families that added words move

}  // namespace

// ---- alphabet ----------------------------------------------------------------------------------------------------

std::uint16_t Alphabet::astral_code(char32_t c) const {
  const auto found = astral_.find(c);
  return found == astral_.end() ? 0 : found->second;
}

std::uint16_t Alphabet::add(char32_t c) {
  if (const std::uint16_t old = code(c)) return old;
  if (characters_.size() == kMost)
    throw std::invalid_argument("the dictionary's words have more than 65535 different characters");
  characters_.push_back(c);
  const auto made = static_cast<std::uint16_t>(characters_.size());
  (c < 0x10000 ? bmp_[c] : astral_[c]) = made;
  return made;
}

// ---- building ----------------------------------------------------------------------------------------------------

// Places the families of a trie level by level, large families first, each in the first gap that takes it.
class DoubleArrayBuilder {
 public:
  DoubleArrayBuilder(DoubleArray& to, const std::vector<std::u32string>& words) : to_(to) {
    count_characters(words);
    codes_.reserve(words.size());
    for (const std::u32string& word : words) {
      std::u16string code(word.size(), u'\0');
      std::transform(word.begin(), word.end(), code.begin(), [&](char32_t c) { return to_.alphabet_.code(c); });
      codes_.push_back(std::move(code));
    }
    order_.resize(words.size());
    std::iota(order_.begin(), order_.end(), 0u);
    std::stable_sort(order_.begin(), order_.end(), [&](auto a, auto b) { return codes_[a] < codes_[b]; });
  }

  void build() {
    std::vector<Family> level{{DoubleArray::kRoot, 0, order_.size(), {}, {}}};
    for (std::size_t depth = 0; !level.empty(); ++depth) {
      for (Family& family : level) split(family, depth);
      std::stable_sort(level.begin(), level.end(),
                       [](const Family& a, const Family& b) { return a.codes.size() > b.codes.size(); });
      std::vector<Family> below;
      for (const Family& family : level) {
        if (!family.codes.empty()) place(family, below);
      }
      level = std::move(below);
    }
  }

 private:
  struct Family {  // a node, the words [first, last) of order_ that begin with it, and where its children part
    std::uint32_t node;
    std::size_t first, last;
    std::vector<std::uint16_t> codes;
    std::vector<std::size_t> bounds;
  };

  void count_characters(const std::vector<std::u32string>& words) {
    std::unordered_map<char32_t, std::size_t> counts;
    for (const std::u32string& word : words) {
      for (const char32_t c : word) ++counts[c];
    }
    std::vector<std::pair<char32_t, std::size_t>> sorted(counts.begin(), counts.end());
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    for (const auto& [c, count] : sorted) to_.alphabet_.add(c);
  }

  void split(Family& family, std::size_t depth) {
    std::size_t at = family.first;
    for (; at < family.last && codes_[order_[at]].size() == depth; ++at) to_.ids_[family.node] = order_[at];
    while (at < family.last) {
      const char16_t code = codes_[order_[at]][depth];
      family.codes.push_back(code);
      family.bounds.push_back(at);
      while (at < family.last && codes_[order_[at]][depth] == code) ++at;
    }
    family.bounds.push_back(family.last);
  }

  void place(const Family& family, std::vector<Family>& below) {
    const std::uint32_t base = family.node == DoubleArray::kRoot ? 0 : first_fit(family.codes);
    to_.nodes_[family.node].base = base;
    to_.reach(base);
    for (std::size_t i = 0; i < family.codes.size(); ++i) {
      const std::uint32_t slot = base + family.codes[i];
      to_.occupy(slot, family.node);
      if (slot >= kFirst) take(slot);
      below.push_back({slot, family.bounds[i], family.bounds[i + 1], {}, {}});
    }
  }

  std::uint32_t first_fit(const std::vector<std::uint16_t>& codes) {
    std::uint32_t& from = from_[std::bit_width(codes.size())];
    std::uint32_t slot = next_free(std::max(from, kFirst));
    for (int tries = 0;; ++tries) {
      const std::uint32_t base = slot - codes.front();
      if (std::all_of(codes.begin(), codes.end(), [&](auto code) { return next_free(base + code) == base + code; })) {
        if (tries > kTries) from = slot;
        return base;
      }
      slot = next_free(slot + 1);
    }
  }

  // The first free slot from `slot` on: chains of taken slots, halved as they are followed.
  std::uint32_t next_free(std::uint32_t slot) {
    while (slot < next_.size() && next_[slot] != slot) {
      if (next_[slot] < next_.size()) next_[slot] = next_[next_[slot]];
      slot = next_[slot];
    }
    return slot;
  }
  void take(std::uint32_t slot) {
    while (next_.size() <= slot) next_.push_back(static_cast<std::uint32_t>(next_.size()));
    next_[slot] = slot + 1;
  }

  DoubleArray& to_;
  std::vector<std::u16string> codes_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> next_;
  std::uint32_t from_[17] = {};  // by the bits of a family's size: where to look first
};

DoubleArray::DoubleArray(const std::vector<std::u32string>& words) : top_(kFirst) {
  reach(kFirst);
  DoubleArrayBuilder(*this, words).build();
}

// ---- as bytes ----------------------------------------------------------------------------------------------------

// The nodes in use only: families of many children leave half of the array free.
void DoubleArray::write(BlobWriter& out) const {
  std::vector<Stored> used;
  for (std::uint32_t i = 0; i < top_; ++i) {
    if (i == kRoot || nodes_[i].check != kNone) used.push_back({i, nodes_[i].base, nodes_[i].check, ids_[i]});
  }
  out.array(alphabet_.characters());
  out.value<std::uint64_t>(nodes_.size());
  out.array(used);
}

DoubleArray::DoubleArray(BlobReader& in) : top_(kFirst) {
  for (const char32_t c : in.array<char32_t>()) alphabet_.add(c);
  const auto size = in.value<std::uint64_t>();
  const auto require = [](bool fits) {
    if (!fits) throw std::invalid_argument("the compiled dictionary's tables do not fit together");
  };
  const auto begin = [&](std::size_t used) {
    require(size > kFirst && used <= size && size <= kMostGaps + 64 * std::uint64_t{used});
    nodes_.resize(size);
    ids_.resize(size, kNone);
  };
  in.each<Stored>(begin, [&](const Stored& node) {
    require(node.slot < size && node.base + std::uint64_t{alphabet_.size()} < size);
    nodes_[node.slot] = {node.base, node.check, kNoWord};
    ids_[node.slot] = node.id;
    if (node.id != kNone) most_id_ = std::max(most_id_, node.id);
    top_ = std::max(top_, node.slot + 1);
  });
}

// ---- words -------------------------------------------------------------------------------------------------------

std::uint32_t DoubleArray::find(std::u32string_view text) const {
  std::uint32_t node = kRoot;
  for (const char32_t c : text) {
    const std::uint16_t code = alphabet_.code(c);
    if (code == 0 || (node = child(node, code)) == kNone) return kNone;
  }
  return node;
}

std::u32string DoubleArray::spell(std::uint32_t node) const {
  std::u32string text;
  for (; node != kRoot; node = nodes_[node].check) text += alphabet_.character(node - nodes_[nodes_[node].check].base);
  std::reverse(text.begin(), text.end());
  return text;
}

void DoubleArray::reach(std::size_t slot) {
  const std::size_t wanted = slot + alphabet_.size() + 1;
  if (wanted <= nodes_.size()) return;
  nodes_.resize(wanted);
  ids_.resize(wanted, kNone);
  if (!links_.empty()) links_.resize(wanted);
}

void DoubleArray::occupy(std::uint32_t slot, std::uint32_t parent) {
  reach(slot);
  nodes_[slot].check = parent;
  top_ = std::max(top_, slot + 1);
}

std::uint32_t DoubleArray::insert(std::u32string_view word) {
  if (links_.empty()) link_families();
  std::uint32_t node = kRoot;
  for (const char32_t c : word) {
    const std::size_t letters = alphabet_.size();
    const std::uint16_t code = alphabet_.add(c);
    // A new letter may be asked for at the node with the highest base.
    if (alphabet_.size() > letters) reach(nodes_.size() - letters - 1);
    const std::uint32_t next = child(node, code);
    node = next == kNone ? add_child(node, code) : next;
  }
  return node;
}

std::uint32_t DoubleArray::add_child(std::uint32_t parent, std::uint16_t code) {
  if (parent != kRoot) {
    const std::uint32_t base = nodes_[parent].base;
    if (base == 0 || nodes_[base + code].check != kNone || base + code < kFirst) {
      const std::vector<std::uint16_t> codes = children(parent);
      std::vector<std::uint16_t> wanted = codes;
      wanted.push_back(code);
      relocate(parent, codes, base_for(wanted));
    }
  }
  const std::uint32_t slot = nodes_[parent].base + code;
  occupy(slot, parent);
  links_[slot] = {0, links_[parent].child};
  links_[parent].child = code;
  return slot;
}

void DoubleArray::link_families() {
  links_.resize(nodes_.size());
  for (std::uint32_t slot = 1; slot < top_; ++slot) {
    const std::uint32_t parent = nodes_[slot].check;
    if (parent == kNone) continue;
    links_[slot].sibling = links_[parent].child;
    links_[parent].child = static_cast<std::uint16_t>(slot - nodes_[parent].base);
  }
}

std::vector<std::uint16_t> DoubleArray::children(std::uint32_t parent) const {
  std::vector<std::uint16_t> codes;
  for (std::uint16_t code = links_[parent].child; code != 0; code = links_[nodes_[parent].base + code].sibling)
    codes.push_back(code);
  return codes;
}

// A base under which all these children find a free node: the first gap from where families of this size were put last.
std::uint32_t DoubleArray::base_for(const std::vector<std::uint16_t>& codes) {
  const std::uint16_t low = *std::min_element(codes.begin(), codes.end());
  const auto fits = [&](std::uint32_t slot) {
    return std::all_of(codes.begin(), codes.end(), [&](std::uint16_t code) {
      const std::uint32_t at = slot - low + code;
      return at >= top_ || nodes_[at].check == kNone;
    });
  };
  std::uint32_t& from = from_[std::bit_width(codes.size())];
  std::uint32_t slot = std::max(from, kFirst);
  int tries = 0;
  for (; !fits(slot); ++slot) ++tries;
  if (tries > kFewTries) from = slot;
  return slot - low;
}

void DoubleArray::relocate(std::uint32_t parent, const std::vector<std::uint16_t>& codes, std::uint32_t base) {
  for (const std::uint16_t code : codes) {
    const std::uint32_t from = nodes_[parent].base + code, to = base + code;
    for (const std::uint16_t grandchild : children(from)) nodes_[nodes_[from].base + grandchild].check = to;
    occupy(to, parent);
    nodes_[to] = nodes_[from];
    ids_[to] = ids_[from];
    links_[to] = links_[from];
    nodes_[from] = Node{};
    ids_[from] = kNone;
    links_[from] = {};
  }
  nodes_[parent].base = base;
  reach(base);
}

}  // namespace nlptk
