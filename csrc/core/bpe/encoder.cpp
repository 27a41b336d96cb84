#include "bpe/encoder.hpp"

#include <algorithm>
#include <stdexcept>

#include "parallel.hpp"

namespace nlptk {

BpeEncoder::BpeEncoder(BpeModel model, BpeTextOptions options)
    : model_(std::move(model)), options_(std::move(options)) {
  std::vector<SpecialToken> given, normalized;
  for (const SpecialToken& token : options_.special)
    if (token.searched) (token.normalized ? normalized : given).push_back(token);
  given_ = SpecialTokens(std::move(given));
  normalized_ = SpecialTokens(std::move(normalized));
  for (std::size_t i = 0; i < options_.special.size(); ++i) special_of_.emplace(options_.special[i].id, i);
}

std::unique_ptr<BpeEncoder::Workspace> BpeEncoder::take() const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      auto workspace = std::move(idle_.back());
      idle_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<Workspace>();
}

void BpeEncoder::give(std::unique_ptr<Workspace> workspace) const noexcept {
  constexpr std::size_t kKept = std::size_t{1} << 26;  // bytes: what one huge text needed is not held for ever
  if (workspace->utf8.capacity() > kKept || workspace->buffer.capacity() > kKept) return;
  try {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(workspace));
  } catch (...) {
    // No memory to keep it: the next call makes a new one.
  }
}

namespace {

// Calls stretch(begin, end) for what lies between special tokens, and special(found) for each of them.
template <class Stretch, class Special>
void part(const SpecialTokens& tokens, std::string_view text, Stretch&& stretch, Special&& special) {
  std::size_t at = 0;
  SpecialTokens::Found found;
  for (std::size_t count = 1; !tokens.empty() && tokens.next(text, at, found); ++count) {
    if (count % 4096 == 0) poll_interrupt();
    stretch(at, found.begin);
    special(found);
    at = found.end;
  }
  stretch(at, text.size());
}

}  // namespace

void BpeEncoder::encode(std::string_view text, const Request& request, Workspace& workspace, BpeTokens& out) const {
  workspace.random = Random(request.seed);
  if (!(request.look & kGiven) || given_.empty()) return encode_rest(text, 0, request, workspace, out);
  part(
      given_, text,
      [&](std::size_t a, std::size_t b) { encode_rest(text.substr(a, b - a), a, request, workspace, out); },
      [&](const SpecialTokens::Found& found) { add(found.id, found.begin, found.end, request, out); });
}

// What the special tokens that are looked for first have left of a text.
void BpeEncoder::encode_rest(std::string_view text, std::size_t shift, const Request& request, Workspace& workspace,
                             BpeTokens& out) const {
  if (!(request.look & kNormalized) || normalized_.empty())
    return encode_stretch(text, shift, request, workspace, out);
  part(
      normalized_, text,
      [&](std::size_t a, std::size_t b) { encode_stretch(text.substr(a, b - a), shift + a, request, workspace, out); },
      [&](const SpecialTokens::Found& found) { add(found.id, shift + found.begin, shift + found.end, request, out); });
}

void BpeEncoder::encode_stretch(std::string_view text, std::size_t shift, const Request& request,
                                Workspace& workspace, BpeTokens& out) const {
  if (text.empty()) return;
  if (!options_.prefix_space || text.front() == ' ') return encode_plain(text, shift, request, workspace, out);
  workspace.prefixed.assign(1, ' ').append(text);
  const std::size_t before = out.begins.size();
  encode_plain(workspace.prefixed, shift, request, workspace, out);
  for (std::size_t i = before; i < out.begins.size(); ++i) {  // the space given lies in no text
    out.begins[i] = std::max(out.begins[i], shift + 1) - 1;
    out.ends[i] = std::max(out.ends[i], shift + 1) - 1;
  }
}

void BpeEncoder::encode_plain(std::string_view text, std::size_t shift, const Request& request, Workspace& workspace,
                              BpeTokens& out) const {
  const bool fast = model_.complete() && model_.linear() && request.dropout == 0;
  unsigned pieces = 0;
  for_each_piece(options_.pattern, text.data(), text.size(), [&](std::size_t begin, std::size_t end) {
    if (++pieces % 4096 == 0) poll_interrupt();
    const std::string_view piece = text.substr(begin, end - begin);
    if (!fast) return encode_any(piece, shift + begin, request, workspace, out);
    const std::size_t before = out.ids.size();
    encode_fast(piece, text.size() - begin, workspace, out.ids);
    if (!request.offsets) return;
    std::size_t at = shift + begin;
    for (std::size_t i = before; i < out.ids.size(); ++i) {
      out.begins.push_back(at);
      out.ends.push_back(at += model_.width(out.ids[i]));
    }
  });
}

// Every byte is a token and no merge is left out: the usual case.
void BpeEncoder::encode_fast(std::string_view piece, std::size_t readable, Workspace& workspace,
                             std::vector<TokenId>& ids) const {
  PieceCache::Entry* entry = nullptr;
  PieceCache::Key key{0, 0};
  if (piece.size() <= PieceCache::kLongest) {
    key = PieceCache::key(piece, readable);
    entry = &workspace.cache.at(key);
    if (entry->key.low == key.low && entry->key.high == key.high) {
      for (const TokenId id : entry->ids) {
        if (id == kNoToken) break;
        ids.push_back(id);
      }
      return;
    }
  }
  std::vector<TokenId>& tokens = workspace.tokens;
  tokens.clear();
  const TokenId whole = model_.options().ignore_merges ? model_.find(piece) : kNoToken;
  if (whole != kNoToken)
    tokens.push_back(whole);
  else
    workspace.backtracker.encode(model_, piece, tokens);
  for (const TokenId token : tokens) ids.push_back(model_.external(token));
  if (entry == nullptr || tokens.size() > PieceCache::kMostTokens) return;
  entry->key = key;
  std::fill(std::copy(ids.end() - static_cast<std::ptrdiff_t>(tokens.size()), ids.end(), entry->ids),
            entry->ids + PieceCache::kMostTokens, kNoToken);
}

// Any model: units may be unknown, words may carry marks, merges may be dropped.
void BpeEncoder::encode_any(std::string_view piece, std::size_t shift, const Request& request, Workspace& workspace,
                            BpeTokens& out) const {
  const BpeOptions& options = model_.options();
  workspace.buffer.clear();
  workspace.units.clear();
  workspace.origins.clear();
  if (options.ignore_merges && request.dropout == 0) {  // as the reference does
    const TokenId whole = model_.find(options.marks_start ? kWordStart + std::string(piece) : std::string(piece));
    if (whole != kNoToken) return add(model_.external(whole), shift, shift + piece.size(), request, out);
  }
  bool unknown_before = false;
  for (std::size_t at = 0, units = 1; at < piece.size(); ++units) {
    if (units % 65536 == 0) poll_interrupt();
    const std::size_t length =
        options.byte_level ? 1 : utf8::length_of(static_cast<unsigned char>(piece[at]));
    const std::string_view unit = piece.substr(at, length);
    if (known_unit(unit, at == 0, at + length == piece.size(), workspace)) {
      workspace.origins.resize(workspace.buffer.size(), at);
      unknown_before = false;
    } else {
      const auto has_fallback = [&](char c) { return options.fallback[static_cast<std::uint8_t>(c)] != kNoToken; };
      if (options.byte_fallback && std::all_of(unit.begin(), unit.end(), has_fallback)) {
        flush(shift, request, workspace, out);
        for (std::size_t i = at; i < at + length; ++i)
          add(options.fallback[static_cast<std::uint8_t>(piece[i])], shift + i, shift + i + 1, request, out);
        unknown_before = false;
      } else if (options.unknown != kNoToken) {
        flush(shift, request, workspace, out);
        if (unknown_before && options.fuse_unknown) {
          if (request.offsets) out.ends.back() = shift + at + length;
        } else {
          add(options.unknown, shift + at, shift + at + length, request, out);
        }
        unknown_before = true;
      }
    }
    at += length;
  }
  flush(shift, request, workspace, out);
}

// Appends the unit with the marks of its place to the buffer if that is a token.
bool BpeEncoder::known_unit(std::string_view unit, bool first, bool last, Workspace& workspace) const {
  const std::size_t before = workspace.buffer.size();
  if (first && model_.options().marks_start) workspace.buffer += kWordStart;
  workspace.buffer += unit;
  if (last && model_.options().marks_end) workspace.buffer += kWordEnd;
  const TokenId token = model_.find(std::string_view(workspace.buffer).substr(before));
  if (token == kNoToken) {
    workspace.buffer.resize(before);
    return false;
  }
  workspace.units.push_back(token);
  return true;
}

// Encodes the run of known units in the buffer and empties it.
void BpeEncoder::flush(std::size_t shift, const Request& request, Workspace& workspace, BpeTokens& out) const {
  if (workspace.units.empty()) return;
  std::vector<TokenId>& tokens = workspace.tokens;
  tokens.clear();
  if (model_.linear() && request.dropout == 0)
    workspace.backtracker.encode(model_, workspace.buffer, tokens);
  else
    workspace.merger.encode(model_, workspace.units, request.dropout, workspace.random, tokens);
  std::size_t at = 0;
  for (const TokenId token : tokens) {
    const std::size_t last = at + model_.length(token) - 1;
    const std::string_view bytes(workspace.buffer);
    std::size_t unit = last;  // where the last unit of the token begins, whose bytes share an origin
    while (unit > at && workspace.origins[unit - 1] == workspace.origins[last]) --unit;
    const auto is_mark = [&](char c) {
      return (c == kWordStart && model_.options().marks_start) || (c == kWordEnd && model_.options().marks_end);
    };
    std::size_t width = 0;
    for (std::size_t i = unit; i <= last; ++i) width += !is_mark(bytes[i]);
    add(model_.external(token), shift + workspace.origins[at], shift + workspace.origins[last] + width, request, out);
    at = last + 1;
  }
  workspace.buffer.clear();
  workspace.units.clear();
  workspace.origins.clear();
}

void BpeEncoder::add(TokenId id, std::size_t begin, std::size_t end, const Request& request, BpeTokens& out) const {
  out.ids.push_back(id);
  if (!request.offsets) return;
  out.begins.push_back(begin);
  out.ends.push_back(end);
}

std::string BpeEncoder::decode(const TokenId* ids, std::size_t count, bool skip_special) const {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 65536 == 65535) poll_interrupt();
    const auto special = special_of_.find(ids[i]);
    if (special != special_of_.end()) {
      const SpecialToken& token = options_.special[special->second];
      if (!skip_special || !token.special) text += token.text;
    } else if (model_.has(ids[i])) {
      text += model_.bytes(ids[i]);
    } else {
      throw std::invalid_argument("the id " + std::to_string(ids[i]) + " at place " + std::to_string(i) +
                                  " is no token's");
    }
  }
  // Words are parted by what marks their end, or else their beginning.
  const BpeOptions& options = model_.options();
  if (options.marks_start && options.marks_end) std::erase(text, kWordStart);
  if (options.marks_end) {
    std::replace(text.begin(), text.end(), kWordEnd, ' ');
    if (!text.empty() && text.back() == ' ') text.pop_back();
  } else if (options.marks_start) {
    std::replace(text.begin(), text.end(), kWordStart, ' ');
    if (!text.empty() && text.front() == ' ') text.erase(0, 1);
  }
  return text;
}

}  // namespace nlptk
