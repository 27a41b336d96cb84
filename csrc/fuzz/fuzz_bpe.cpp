// BPE: a model made from the input encodes a text as merging pair by pair does, and decoding gives the text back.
//
// Input: settings, pattern, number of merges and a seed for them, a byte each, then the text.
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "../tests/check.hpp"
#include "bpe/encoder.hpp"
#include "input.hpp"
#include "random.hpp"

namespace {

using namespace nlptk;

struct Model {
  std::vector<std::string> tokens;  // ids are their places
  std::vector<BpeMerge> merges;
  std::map<std::string, TokenId> ids;
  std::map<std::pair<TokenId, TokenId>, std::size_t> ranks;
  BpeOptions options;
  Pattern pattern = Pattern::gpt2;

  TokenId add(const std::string& token) {
    const auto [found, fresh] = ids.emplace(token, static_cast<TokenId>(tokens.size()));
    if (fresh) tokens.push_back(token);
    return found->second;
  }
  void add_merge(TokenId left, TokenId right) {
    if (options.marks_end && tokens[left].back() == kWordEnd) return;  // nothing follows the end of a word
    if (tokens[left].size() + tokens[right].size() > 40 || ranks.count({left, right}) > 0) return;
    ranks[{left, right}] = merges.size();
    merges.push_back({left, right, add(tokens[left] + tokens[right])});
  }
};

// Units: all bytes, or the characters of a small alphabet as they are and at the end of a word.
Model make_model(fuzz::Input& input) {
  Model model;
  const std::uint8_t settings = input.byte();
  model.options.byte_level = (settings & 1) != 0;
  model.options.ignore_merges = (settings & 2) != 0;
  model.options.marks_end = !model.options.byte_level && (settings & 4) != 0;
  std::vector<TokenId> parts;  // what merges are made of
  if (model.options.byte_level) {
    for (int byte = 0; byte < 256; ++byte) model.add(std::string(1, static_cast<char>(byte)));
    for (const char byte : std::string(" abe1\xC3\xA9\xE4\xB8\xAD")) parts.push_back(static_cast<std::uint8_t>(byte));
  } else {
    for (const std::string unit : {"a", "b", "\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80"}) {
      parts.push_back(model.add(unit));
      if (model.options.marks_end) parts.push_back(model.add(unit + kWordEnd));
    }
    if ((settings & 8) != 0) model.options.unknown = model.add("<unk>");
    model.options.fuse_unknown = (settings & 16) != 0;
  }
  model.pattern = static_cast<Pattern>(input.below(kPatterns));
  std::size_t merges = input.below(64);
  for (Random random(input.byte()); merges > 0; --merges) {
    const TokenId left = parts[random.below(parts.size())], right = parts[random.below(parts.size())];
    const std::size_t before = model.merges.size();
    model.add_merge(left, right);
    if (model.merges.size() > before) parts.push_back(model.merges.back().merged);
  }
  return model;
}

struct Tested {
  explicit Tested(Model made) : model(std::move(made)), encoder(kernel(model), text_options(model)) {}

  Model model;
  BpeEncoder encoder;
  BpeEncoder::Workspace workspace;

  static BpeModel kernel(const Model& model) {
    std::vector<TokenId> ids(model.tokens.size());
    std::iota(ids.begin(), ids.end(), TokenId{0});
    return {model.tokens, ids, model.merges, model.options};
  }
  static BpeTextOptions text_options(const Model& model) {
    BpeTextOptions options;
    options.pattern = model.pattern;
    return options;
  }
};

// The merge of best rank, leftmost first, again and again.
void merge_all(const Model& model, std::vector<TokenId>& tokens) {
  for (;;) {
    std::size_t best = model.merges.size(), place = 0;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto found = model.ranks.find({tokens[i], tokens[i + 1]});
      if (found != model.ranks.end() && found->second < best) {
        best = found->second;
        place = i;
      }
    }
    if (best == model.merges.size()) return;
    tokens[place] = model.merges[best].merged;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

void encode_piece(const Model& model, std::string_view piece, std::vector<TokenId>& out) {
  const BpeOptions& options = model.options;
  const auto whole = model.ids.find(std::string(piece));
  if (options.ignore_merges && whole != model.ids.end()) return out.push_back(whole->second);
  std::vector<TokenId> known;
  bool unknown_before = false;
  const auto flush = [&] {
    merge_all(model, known);
    out.insert(out.end(), known.begin(), known.end());
    known.clear();
  };
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t length = options.byte_level ? 1 : utf8::length_of(static_cast<unsigned char>(piece[at]));
    std::string unit(piece.substr(at, length));
    at += length;
    if (options.marks_end && at == piece.size()) unit += kWordEnd;
    const auto found = model.ids.find(unit);
    if (found != model.ids.end()) {
      known.push_back(found->second);
      unknown_before = false;
    } else if (options.unknown != kNoToken) {
      flush();
      if (!unknown_before || !options.fuse_unknown) out.push_back(options.unknown);
      unknown_before = true;
    }
  }
  flush();
}

void check_offsets(const BpeTokens& found, std::size_t size, bool tile) {
  CHECK(found.begins.size() == found.ids.size() && found.ends.size() == found.ids.size());
  std::size_t covered = 0;
  for (std::size_t i = 0; i < found.ids.size(); ++i) {
    CHECK(tile ? found.begins[i] == covered : found.begins[i] >= covered);
    CHECK(found.begins[i] < found.ends[i] && found.ends[i] <= size);
    covered = found.ends[i];
  }
  CHECK(!tile || covered == size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::Recent<Tested> recent;
  fuzz::Input input(data, size);
  Model made = make_model(input);
  Tested& tested = recent.get(input.taken(), [&] { return std::make_unique<Tested>(std::move(made)); });
  const Model& model = tested.model;
  const BpeEncoder& encoder = tested.encoder;
  BpeEncoder::Workspace& workspace = tested.workspace;
  const std::string valid = fuzz::valid_utf8(input.rest());
  const std::vector<char> bytes(valid.begin(), valid.end());
  const std::string_view text(bytes.data(), bytes.size());

  std::vector<TokenId> expected;
  for_each_piece(model.pattern, text.data(), text.size(), [&](std::size_t begin, std::size_t end) {
    encode_piece(model, text.substr(begin, end - begin), expected);
  });
  BpeEncoder::Request request;
  const bool drops = model.pattern == Pattern::whitespace || model.pattern == Pattern::whitespace_split;
  for (const bool offsets : {false, true, false}) {  // the last from the cache
    BpeTokens found;
    request.offsets = offsets;
    encoder.encode(text, request, workspace, found);
    CHECK(found.ids == expected);
    if (offsets) check_offsets(found, text.size(), model.options.byte_level && !drops);
    if (model.options.byte_level && !drops) CHECK(encoder.decode(found.ids.data(), found.ids.size(), false) == text);
  }

  // With dropout the tokens are others, but still the text's.
  request.dropout = 0.5;
  request.seed = size;
  BpeTokens dropped;
  encoder.encode(text, request, workspace, dropped);
  if (model.options.byte_level && !drops) CHECK(encoder.decode(dropped.ids.data(), dropped.ids.size(), false) == text);
  request.dropout = 1;
  BpeTokens units;
  encoder.encode(text, request, workspace, units);
  if (model.options.byte_level && !model.options.ignore_merges && !drops) CHECK(units.ids.size() == text.size());
  return 0;
}
