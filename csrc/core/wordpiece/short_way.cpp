// WordPiece::encode to ids: one look at each character, one cache line for each word.
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "wordpiece/wordpiece.hpp"

namespace nlptk::wordpiece {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL, kHigh = kOnes << 7;

// The high bit of each of eight bytes that is no ASCII letter or digit; a sum cannot carry, since bytes are below 128.
std::uint64_t other_bytes(std::uint64_t block) {
  const std::uint64_t byte = block & ~kHigh, letter = byte | kOnes * 0x20;
  const std::uint64_t letters = (letter + kOnes * (128 - 'a')) & ~(letter + kOnes * (127 - 'z'));
  const std::uint64_t digits = (byte + kOnes * (128 - '0')) & ~(byte + kOnes * (127 - '9'));
  return (~(letters | digits) | block) & kHigh;
}

std::uint64_t load(const void* from) {
  std::uint64_t block;
  std::memcpy(&block, from, sizeof block);
  return block;
}

void append(const WordCache::Entry& entry, std::vector<std::int32_t>& ids) {
  for (std::uint32_t i = 0; i < entry.count; ++i) ids.push_back(entry.ids[i]);
}

}  // namespace

// The first `bytes` bytes of the workspace's word, to ids.
void WordPiece::emit_word(std::size_t bytes, std::size_t chars, Workspace& workspace,
                          std::vector<std::int32_t>& ids) const {
  const char* word = workspace.word.data();
  WordCache::Key key{};
  if (bytes <= WordCache::kMaxBytes) {
    key = WordCache::key_of(word, bytes);
    if (const WordCache::Entry* found = workspace.cache.find(key)) return append(*found, ids);
  }
  vocabulary_.split({word, bytes}, chars, workspace.pieces);
  for (const Piece& piece : workspace.pieces) ids.push_back(piece.id);
  if (bytes <= WordCache::kMaxBytes) workspace.cache.insert(key, workspace.pieces);
}

// A cached word of ASCII letters and digits at text[at], with the white space or mark that ends it, eight bytes at a
// time; moves `at` behind it and returns true, or returns false and leaves all as it is.
template <class Char>
bool WordPiece::ascii_word(const Char* text, std::size_t length, std::size_t& at, Workspace& workspace,
                           std::vector<std::int32_t>& ids) const {
  if constexpr (sizeof(Char) != 1 || std::endian::native != std::endian::little) return false;
  if (!plain_ascii_ || length - at < 16) return false;
  const std::uint64_t lower = options_.lowercase ? kOnes * 0x20 : 0;  // digits have this bit already
  std::uint64_t block = load(text + at), others = other_bytes(block);
  WordCache::Key key{block | lower, 0};
  std::size_t bytes = static_cast<std::size_t>(std::countr_zero(others)) / 8;
  if (bytes == 0) return false;
  if (bytes < 8) {
    key.low &= (std::uint64_t{1} << (8 * bytes)) - 1;
  } else {
    block = load(text + at + 8);
    others = other_bytes(block);
    const std::size_t more = static_cast<std::size_t>(std::countr_zero(others)) / 8;
    if (more == 8) return false;
    key.high = (block | lower) & ((std::uint64_t{1} << (8 * more)) - 1);
    bytes += more;
  }
  const Action next = actions_[text[at + bytes]];
  const Action kind = next & ((1u << kKindBits) - 1);
  if (kind != kBlank && kind != kSingle) return false;
  key.high |= static_cast<std::uint64_t>(bytes) << 56;
  const WordCache::Entry* found = workspace.cache.find(key);
  if (found == nullptr) return false;
  append(*found, ids);
  if (kind == kSingle) ids.push_back(static_cast<std::int32_t>(next >> kKindBits));
  at += bytes + 1;
  return true;
}

// False if a character needs the general way; `ids` may have grown then.
template <class Char>
bool WordPiece::short_way(const Char* text, std::size_t length, Workspace& workspace,
                          std::vector<std::int32_t>& ids) const {
  std::vector<char>& word = workspace.word;
  std::size_t bytes = 0, chars = 0, no_added_before = 0;
  const auto put = [&](char32_t c) {
    if (word.size() < bytes + 4) word.resize(2 * word.size() + 64);
    bytes += put_utf8(c, word.data() + bytes);
    ++chars;
  };
  const auto end_word = [&] {
    if (bytes > 0) emit_word(bytes, chars, workspace, ids);
    bytes = chars = 0;
  };
  const auto at_text = [text](std::size_t i) { return scalar(text[i]); };
  for (std::size_t at = 0; at < length;) {
    if (bytes == 0 && ascii_word(text, length, at, workspace, ids)) continue;
    Action next = action(text[at], workspace);
    if (next == kAdded) {
      const AddedToken* token = at >= no_added_before ? added_.longest_at(at_text, at, length) : nullptr;
      if (token != nullptr) {
        const std::size_t end = no_added_before = at + token->content.size();
        if (AddedTokens::fits(*token, at_text, at, end, length)) {
          end_word();
          ids.push_back(token->id);
          at = end;
          continue;
        }
      }
      next = classify(text[at], workspace);
    }
    switch (next & ((1u << kKindBits) - 1)) {
      case kDrop: break;
      case kBlank: end_word(); break;
      case kLetter: put(next >> kKindBits); break;
      case kSingle:
        end_word();
        ids.push_back(static_cast<std::int32_t>(next >> kKindBits));
        break;
      case kLetters: {
        const char32_t c = at_text(at);
        normalize(options_, {&c, 4, 1}, 0, 1, workspace.normalizer, workspace.symbols);
        for (const Symbol& symbol : workspace.symbols) put(symbol.code);
        break;
      }
      default: return false;
    }
    ++at;
  }
  end_word();
  return true;
}

void WordPiece::encode(const TextSpan& text, Workspace& workspace, std::vector<std::int32_t>& ids) const {
  if (text.length > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw std::invalid_argument("the text has 2^31 characters or more; split it");
  const std::size_t before = ids.size();
  const bool done = normalized_added_.empty() &&
                    visit_text(text, [&](const auto* data) { return short_way(data, text.length, workspace, ids); });
  if (done) return;
  ids.resize(before);
  Pieces pieces;
  encode(text, workspace, pieces);
  ids.insert(ids.end(), pieces.ids.begin(), pieces.ids.end());
}

}  // namespace nlptk::wordpiece
