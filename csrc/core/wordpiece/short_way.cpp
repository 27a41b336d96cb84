// WordPiece::encode: one look at each character, one cache line for each word.
#include <bit>
#include <cstring>

#include "parallel.hpp"
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

// What the pieces are written to, one word after the other.
struct IdSink {
  static constexpr bool kPlaces = false;
  std::vector<std::int32_t>& ids;

  void add(std::int32_t id, std::size_t, std::size_t) { ids.push_back(id); }
  void next_word() {}
};

struct PieceSink {
  static constexpr bool kPlaces = true;
  Pieces& pieces;
  std::int32_t word = 0;

  void add(std::int32_t id, std::size_t start, std::size_t end) {
    pieces.ids.push_back(id);
    pieces.starts.push_back(static_cast<std::int32_t>(start));
    pieces.ends.push_back(static_cast<std::int32_t>(end));
    pieces.words.push_back(word);
  }
  void next_word() { ++word; }
};

}  // namespace

// The first `bytes` bytes of the workspace's word, if any.
template <class Sink>
void WordPiece::end_word(std::size_t bytes, std::size_t chars, Workspace& workspace, Sink& sink) const {
  if (bytes == 0) return;
  const char* word = workspace.word.data();
  const auto add = [&](std::int32_t id, std::size_t begin, std::size_t end) {
    if constexpr (Sink::kPlaces) {
      const std::int32_t first = workspace.origins[begin], last = workspace.origins[end - 1];
      sink.add(id, static_cast<std::size_t>(first), static_cast<std::size_t>(last) + 1);
    } else {
      sink.add(id, begin, end);
    }
  };
  const bool cached = bytes <= WordCache::kMaxBytes;
  const WordCache::Key key = cached ? WordCache::key_of(word, bytes) : WordCache::Key{};
  const WordCache::Entry* found = cached ? workspace.cache.find(key) : nullptr;
  if (found != nullptr) {
    for (std::size_t i = 0; i < found->count; ++i) add(found->ids[i], i == 0 ? 0 : found->ends[i - 1], found->ends[i]);
  } else {
    vocabulary_.split({word, bytes}, chars, workspace.pieces);
    for (const Piece& piece : workspace.pieces) add(piece.id, piece.begin, piece.end);
    if (cached) workspace.cache.insert(key, workspace.pieces);
  }
  sink.next_word();
}

// A cached word of ASCII letters and digits at text[at], with the white space or mark that ends it, eight bytes at a
// time; moves `at` behind it and returns true, or returns false and leaves all as it is.
template <class Char, class Sink>
bool WordPiece::ascii_word(const Char* text, std::size_t length, std::size_t& at, Workspace& workspace,
                           Sink& sink) const {
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
  for (std::size_t i = 0; i < found->count; ++i)
    sink.add(found->ids[i], at + (i == 0 ? 0 : found->ends[i - 1]), at + found->ends[i]);
  sink.next_word();
  at += bytes;
  if (kind == kSingle) {
    sink.add(static_cast<std::int32_t>(next >> kKindBits), at, at + 1);
    sink.next_word();
  }
  ++at;
  return true;
}

// False if a character needs the general way; the sink has got something then.
template <class Char, class Sink>
bool WordPiece::read(const Char* text, std::size_t length, Workspace& workspace, Sink& sink) const {
  std::size_t bytes = 0, chars = 0;
  std::size_t no_added_before = 0, done = 0;  // a token that was refused hides others; one that was taken ends here
  const auto put = [&](char32_t c, std::size_t origin) {
    workspace.reserve_word(bytes + 4);
    const std::size_t n = utf8::put(c, workspace.word.data() + bytes);
    if constexpr (Sink::kPlaces)
      for (std::size_t k = 0; k < n; ++k) workspace.origins[bytes + k] = static_cast<std::int32_t>(origin);
    bytes += n;
    ++chars;
  };
  const auto end = [&] {
    end_word(bytes, chars, workspace, sink);
    bytes = chars = 0;
  };
  const auto at_text = [text](std::size_t i) { return scalar(text[i]); };
  std::size_t next_poll = kCharsPerPoll;
  for (std::size_t at = 0; at < length;) {
    if (at >= next_poll) {
      poll_interrupt();
      next_poll = at + kCharsPerPoll;
    }
    if (bytes == 0 && ascii_word(text, length, at, workspace, sink)) continue;
    Action next = action(text[at], workspace);
    if (next == kAdded) {
      const AddedToken* token = at >= no_added_before ? added_.longest_at(at_text, at, length) : nullptr;
      if (token != nullptr) {
        no_added_before = at + token->content.size();
        if (AddedTokens::fits(*token, at_text, at, no_added_before, length)) {
          end();
          const auto [from, to] = AddedTokens::widened(*token, at_text, at, no_added_before, done, length);
          sink.add(token->id, from, to);
          sink.next_word();
          at = done = to;
          continue;
        }
      }
      next = classify(text[at], workspace);
    }
    switch (next & ((1u << kKindBits) - 1)) {
      case kDrop: break;
      case kBlank: end(); break;
      case kLetter: put(next >> kKindBits, at); break;
      case kSingle:
        end();
        sink.add(static_cast<std::int32_t>(next >> kKindBits), at, at + 1);
        sink.next_word();
        break;
      case kLetters: {
        const char32_t c = at_text(at);
        normalize(options_, {&c, 4, 1}, 0, 1, workspace.normalizer, workspace.symbols);
        for (const Symbol& symbol : workspace.symbols) put(symbol.code, at);
        break;
      }
      default: return false;
    }
    ++at;
  }
  end();
  return true;
}

template <class Sink>
bool WordPiece::short_way(const TextSpan& text, Workspace& workspace, Sink& sink) const {
  check_length(text);
  if (!normalized_added_.empty()) return false;
  return visit_text(text, [&](const auto* data) { return read(data, text.length, workspace, sink); });
}

void WordPiece::encode(const TextSpan& text, Workspace& workspace, Pieces& pieces) const {
  pieces.clear();
  PieceSink sink{pieces};
  if (!short_way(text, workspace, sink)) encode_generally(text, workspace, pieces);
}

void WordPiece::encode(const TextSpan& text, Workspace& workspace, std::vector<std::int32_t>& ids) const {
  const std::size_t before = ids.size();
  IdSink sink{ids};
  if (short_way(text, workspace, sink)) return;
  ids.resize(before);
  Pieces pieces;
  encode_generally(text, workspace, pieces);
  ids.insert(ids.end(), pieces.ids.begin(), pieces.ids.end());
}

}  // namespace nlptk::wordpiece
