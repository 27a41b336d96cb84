#include "wordpiece/wordpiece.hpp"

#include <algorithm>
#include <utility>

#include "parallel.hpp"

namespace nlptk::wordpiece {

WordPiece::WordPiece(const NormalizerOptions& options, Vocabulary vocabulary, std::vector<AddedToken> added_tokens)
    : options_(options), vocabulary_(std::move(vocabulary)), actions_(kTable) {
  Lease lease(*this);
  Workspace& workspace = *lease;
  std::vector<AddedToken> plain, normalized;
  for (AddedToken& token : added_tokens) {
    if (!token.normalized) {
      plain.push_back(std::move(token));
      continue;
    }
    const TextSpan content{token.content.data(), 4, token.content.size()};
    normalize(options_, content, 0, content.length, workspace.normalizer, workspace.symbols);
    token.content.clear();
    for (const Symbol& symbol : workspace.symbols) token.content.push_back(symbol.code);
    if (!token.content.empty()) normalized.push_back(std::move(token));
  }
  added_ = AddedTokens(std::move(plain));
  normalized_added_ = AddedTokens(std::move(normalized));

  for (char32_t c = 0; c < kTable; ++c) actions_[c] = classify(c, workspace);
  for (const AddedToken& token : added_.tokens()) {
    const char32_t first = token.content[0];
    if (first < kTable) actions_[first] = kAdded;
    else far_starts_.push_back(first);
  }
  plain_ascii_ = true;
  for (char32_t c = 0; c < 128; ++c) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const char32_t code = upper && options_.lowercase ? c + 32 : c;
    if (word && actions_[c] != (kLetter | code << kKindBits)) plain_ascii_ = false;
  }
}

// What the definition makes of a character that stands alone.
WordPiece::Action WordPiece::classify(char32_t c, Workspace& workspace) const {
  c = scalar(c);
  if ((char_flags(c) & ~kWordChar) == 0) return kLetter | c << kKindBits;
  std::vector<Symbol>& symbols = workspace.symbols;
  const TextSpan text{&c, 4, 1};
  normalize(options_, text, 0, 1, workspace.normalizer, symbols);
  if (symbols.empty()) return kDrop;
  std::uint8_t any = 0;
  std::size_t blanks = 0;
  Symbol last{};
  for (const Symbol& symbol : symbols) {
    const std::uint8_t flags = char_flags(symbol.code);
    any |= flags;
    if (flags & kSpace) ++blanks;
    else last = symbol;
  }
  // Canonical ordering looks at neighbours, so this character's fate is not its own.
  if (options_.strip_accents && (any & kNonStarter)) return kGeneral;
  if (blanks == symbols.size()) return kBlank;
  if (blanks == 0 && !(any & kPunctuation)) {
    return symbols.size() == 1 ? kLetter | last.code << kKindBits : static_cast<Action>(kLetters);
  }
  if (symbols.size() - blanks > 1) return kGeneral;
  char bytes[4];
  const std::size_t n = utf8::put(last.code, bytes);
  vocabulary_.split({bytes, n}, 1, workspace.pieces);
  return kSingle | static_cast<Action>(workspace.pieces[0].id) << kKindBits;
}

WordPiece::Action WordPiece::action(char32_t c, Workspace& workspace) const {
  if (c < kTable) return actions_[c];
  if (std::find(far_starts_.begin(), far_starts_.end(), c) != far_starts_.end()) return kAdded;
  return classify(c, workspace);
}

void WordPiece::encode_batch(const TextSpan* texts, std::size_t count, int threads,
                             std::vector<std::int32_t>* ids) const {
  parallel_for(count, threads, 8, [&](std::size_t begin, std::size_t end, int) {
    const Lease lease(*this);
    for (std::size_t i = begin; i < end; ++i) encode(texts[i], *lease, ids[i]);
  });
}

WordPiece::Lease::Lease(const WordPiece& owner) : owner_(owner) {
  {
    const std::lock_guard<std::mutex> lock(owner_.mutex_);
    if (!owner_.free_.empty()) {
      workspace_ = std::move(owner_.free_.back());
      owner_.free_.pop_back();
    }
  }
  if (!workspace_) workspace_ = std::make_unique<Workspace>();
}

WordPiece::Lease::~Lease() {
  const std::lock_guard<std::mutex> lock(owner_.mutex_);
  try {
    owner_.free_.push_back(std::move(workspace_));
  } catch (const std::bad_alloc&) {
    // Then this workspace is not kept.
  }
}

}  // namespace nlptk::wordpiece
