// Word2vec: noise words, the Huffman tree, corpora in chunks, and one step of the kernel against plain loops in double.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <queue>
#include <string>
#include <vector>

#include "check.hpp"
#include "huge_pages.hpp"
#include "kernels/sgns_kernel.hpp"
#include "sgns/corpus.hpp"
#include "sgns/sampling.hpp"
#include "sgns/trainer.hpp"
#include "sgns/vocabulary.hpp"

using namespace nlptk;

namespace {

// ---- noise words ----

// The chance of every index, exactly: within a place of the table the low bits decide, below a bound for the one index
// and from it on for the other.
std::vector<double> chances(const AliasTable& table, std::size_t size) {
  std::vector<double> chance(size, 0.0);
  for (std::uint64_t place = 0; place < size; ++place) {
    const std::uint64_t high = ((place << 32) + size - 1) / size;
    const auto draw = [&](std::uint64_t low) { return table(high << 32 | low); };
    const std::uint32_t first = draw(0), last = draw(0xFFFFFFFF);
    std::uint64_t below = 0, above = std::uint64_t{1} << 32;
    while (first != last && above - below > 1) {
      const std::uint64_t middle = (below + above) / 2;
      (draw(middle) == first ? below : above) = middle;
    }
    const double share = first == last ? 1.0 : static_cast<double>(above) * 0x1p-32;
    chance[first] += share / static_cast<double>(size);
    chance[last] += (1.0 - share) / static_cast<double>(size);
  }
  return chance;
}

void test_noise_is_drawn_by_weight() {
  std::vector<std::vector<double>> cases{{1}, {1, 1}, {1, 0, 3}, {1e12, 1, 1}, {5, 4, 3, 2, 1, 0.5}};
  std::vector<double> zipf;
  for (int i = 0; i < 1000; ++i) zipf.push_back(std::pow(1000.0 / (i + 1), 0.75));
  cases.push_back(zipf);
  for (const std::vector<double>& weights : cases) {
    double total = 0;
    for (const double weight : weights) total += weight;
    const std::vector<double> chance = chances(AliasTable(weights), weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i)
      CHECK(std::abs(chance[i] - weights[i] / total) < 1e-9 * static_cast<double>(weights.size()));
  }
}

// ---- look-up ----

// Words of every length to 40 that differ in one byte, where heads and tails tell and where they do not.
void test_words_are_told_apart() {
  std::vector<std::string> words, absent;
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::string word(size, 'a');
    words.push_back(word);
    for (std::size_t at = 0; at < size; ++at) {
      words.push_back(word), words.back()[at] = 'b';
      absent.push_back(word), absent.back()[at] = 'c';
    }
  }
  absent.push_back(std::string(41, 'a'));
  const std::vector<std::string_view> views(words.begin(), words.end());
  const Vocabulary vocabulary(views, std::vector<std::uint64_t>(words.size(), 1));
  for (std::size_t i = 0; i < words.size(); ++i) {
    CHECK(vocabulary.find(words[i]) == i);
    std::string read = words[i];
    const Vocabulary::Wanted wanted = vocabulary.look_ahead(read);
    read.assign(read.size(), '?');  // as the reader's buffer goes on
    CHECK(vocabulary.find(wanted) == i);
  }
  for (const std::string& word : absent)
    CHECK(vocabulary.find(word) == Vocabulary::kNone && vocabulary.find(vocabulary.look_ahead(word)) == Vocabulary::kNone);
  CHECK(rejects([&] { Vocabulary({"otter", "otter"}, {2, 1}); }, "given twice"));
}

// ---- the Huffman tree ----

void test_tree_is_optimal_and_prefix_free() {
  std::vector<std::vector<std::uint64_t>> cases{{7, 7}, {3, 2, 1}, {1, 1, 1, 1, 1}, {100, 1, 1, 1}};
  std::vector<std::uint64_t> zipf, powers;
  for (std::uint64_t i = 0; i < 3000; ++i) zipf.push_back(1'000'000 / (i + 1));
  for (int i = 40; i >= 0; --i) powers.push_back(std::uint64_t{1} << i);
  cases.push_back(zipf);
  cases.push_back(powers);
  for (const std::vector<std::uint64_t>& counts : cases) {
    const HuffmanTree tree(counts);
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> heap(counts.begin(), counts.end());
    std::uint64_t least = 0, cost = 0;  // of all words' codes: the sum of all inner nodes
    while (heap.size() > 1) {
      std::uint64_t sum = heap.top();
      heap.pop();
      sum += heap.top();
      heap.pop();
      heap.push(sum);
      least += sum;
    }
    CHECK(tree.offsets.size() == counts.size() + 1);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> child(2 * counts.size(), {0, 0});  // by node and label
    for (std::size_t word = 0; word < counts.size(); ++word) {
      const std::uint32_t begin = tree.offsets[word], end = tree.offsets[word + 1];
      cost += counts[word] * (end - begin);
      CHECK(end > begin && tree.nodes[begin] == counts.size() - 2);  // the root
      for (std::uint32_t n = begin; n < end; ++n) {
        CHECK(tree.labels[n] <= 1 && tree.nodes[n] < counts.size() - 1);
        // The same branch of the same node always leads to the same place: a word, or a node.
        const auto to = static_cast<std::uint32_t>(n + 1 < end ? tree.nodes[n + 1] + 1 : counts.size() + word);
        auto& slot = tree.labels[n] == 0 ? child[tree.nodes[n]].first : child[tree.nodes[n]].second;
        CHECK(slot == 0 || slot == to);
        slot = to;
      }
    }
    CHECK(cost == least);
  }
  CHECK(HuffmanTree({}).nodes.empty());
  CHECK(HuffmanTree({5}).nodes.empty());
}

// ---- corpora ----

class TextFile {
 public:
  explicit TextFile(const std::string& text)
      : path_((std::filesystem::temp_directory_path() / ("nlptk-sgns-" + std::to_string(::getpid()) + ".txt")).string()) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TextFile() { std::filesystem::remove(path_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  Corpus corpus(std::size_t chunk_bytes, OnInvalid on_invalid = OnInvalid::strict, Layout layout = Layout::text) const {
    return Corpus({path_}, {"t"}, layout, on_invalid, chunk_bytes);
  }

 private:
  std::string path_;
};

// Words between spaces, lines between bars, in the order of the chunks.
std::string read(const Corpus& corpus) {
  TokenReader reader(corpus);
  std::string all;
  for (const Corpus::Chunk& chunk : corpus.chunks()) {
    reader.open(chunk);
    std::string_view token;
    for (auto event = reader.next(token); event != TokenReader::Event::end; event = reader.next(token)) {
      if (event == TokenReader::Event::token)
        all.append(token).append(1, ' ');
      else
        all.append(1, '|');
    }
  }
  return all;
}

void test_chunks_of_any_size_give_every_line_once() {
  const TextFile file("\xEF\xBB\xBFone two\n\n three\r\nlonger\xE3\x80\x80line of words\u2003here\n\nlast");
  for (const std::size_t chunk : {1, 2, 3, 4, 5, 7, 11, 13, 29, 1000})
    CHECK(read(file.corpus(chunk)) == "one two ||three |longer line of words here ||last |");
  const TextFile spooled(std::string("a b\x1F" "c\nd\x1E" "\x1E" "e\x1E", 11));
  for (const std::size_t chunk : {1, 2, 3, 5, 1000})
    CHECK(read(spooled.corpus(chunk, OnInvalid::strict, Layout::spooled)) == "a b c\nd ||e |");
  CHECK(read(TextFile("").corpus(10)).empty());
  CHECK(rejects([] { Corpus({"/no such file"}, {"t"}, Layout::text, OnInvalid::strict); }, "cannot read 't'"));
  CHECK(rejects([] { Corpus({}, {"t"}, Layout::text, OnInvalid::strict); }, "name"));
}

void test_long_lines_and_words() {
  std::string line, expected;
  for (int i = 0; i < 150'000; ++i) line += "word" + std::to_string(i) + "\u3000", expected += "word" + std::to_string(i) + " ";
  const TextFile file("a\n" + line + "\nb");
  for (const std::size_t chunk : {std::size_t{1000}, (std::size_t{1} << 18) - 1, std::size_t{1} << 20})
    CHECK(read(file.corpus(chunk)) == "a |" + expected + "|b |");
  const std::string word(TokenReader::kLongestToken, 'x');
  CHECK(read(TextFile(word + " y").corpus(1 << 20)) == word + " y |");
  CHECK(rejects([&] { read(TextFile("a\nb\n" + word + "x").corpus(1 << 20)); }, "t, line 3: a word of more than 1 MiB"));
}

void test_broken_bytes() {
  const TextFile file("a \xFF\nb\xE2\x80 c\xF0\x9F\xA6|\x80\xE2\x80" "A\n");
  CHECK(rejects([&] { read(file.corpus(3)); }, "t, line 1: byte 0xff is not UTF-8"));
  CHECK(read(file.corpus(3, OnInvalid::replace)) == "a \uFFFD |b\uFFFD c\uFFFD|\uFFFD\uFFFD" "A |");
  CHECK(read(file.corpus(3, OnInvalid::ignore)) == "a |b c|A |");
}

// ---- the kernel ----

using Floats = std::vector<float, HugePageAllocator<float>>;

// Blocks as they come, filled from chance; few rows, so that the same are there many times.
struct Case {
  std::size_t dim, stride, size, negative_count, rows;
  std::vector<std::uint32_t> inputs, input_offsets{0}, targets, target_offsets{0}, negatives;
  std::vector<std::uint8_t> labels;
  std::vector<float> weights, input_weights;
  Floats in, out, memory;
  SgnsBlock block;
  SgnsWorkspace workspace;

  Case(std::size_t dim_, std::size_t size_, std::size_t negative_count_, std::size_t rows_, std::size_t most_targets,
       bool with_labels, std::uint64_t seed)
      : dim(dim_), stride(row_stride(dim_)), size(size_), negative_count(negative_count_), rows(rows_) {
    Random random(seed);
    const auto row = [&] { return static_cast<std::uint32_t>(random.below(rows)); };
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t n = 1 + random.below(seed % 5 == 0 ? 40 : 4); n > 0; --n) inputs.push_back(row());
      for (std::size_t n = random.below(most_targets + 1); n > 0; --n) {
        targets.push_back(row());
        labels.push_back(static_cast<std::uint8_t>(with_labels ? random.below(2) : 1));
      }
      input_offsets.push_back(static_cast<std::uint32_t>(inputs.size()));
      target_offsets.push_back(static_cast<std::uint32_t>(targets.size()));
      weights.push_back(static_cast<float>(random.uniform()));
      input_weights.push_back(static_cast<float>(random.uniform()));
    }
    for (std::size_t j = 0; j < negative_count; ++j) negatives.push_back(row());
    for (Floats* matrix : {&in, &out}) {
      matrix->resize(rows * stride);
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t k = 0; k < dim; ++k) (*matrix)[i * stride + k] = static_cast<float>(random.uniform() - 0.5);
    }
    memory.resize(2 * size * stride + size * negative_count);
    workspace = {memory.data(), memory.data() + size * stride, memory.data() + 2 * size * stride};
    block.in = in.data();
    block.out = out.data();
    block.stride = stride;
    block.size = size;
    block.inputs = inputs.data();
    block.input_offsets = input_offsets.data();
    block.input_weights = input_weights.data();
    block.targets = targets.data();
    block.target_offsets = target_offsets.data();
    block.labels = with_labels ? labels.data() : nullptr;
    block.negatives = negatives.data();
    block.negative_count = negative_count;
    block.negative_weights = weights.data();
    block.rate = 0.02f;
  }
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// What a block learns, one number at a time: into `in` and `out`, [rows, dim]. Returns the loss before.
double learn(const Case& c, std::vector<double>& in, std::vector<double>& out) {
  std::vector<std::vector<double>> x(c.size, std::vector<double>(c.dim)), dx = x;
  double loss = 0;
  const auto dot = [&](const std::vector<double>& a, const std::vector<double>& matrix, std::size_t row) {
    double sum = 0;
    for (std::size_t k = 0; k < c.dim; ++k) sum += a[k] * matrix[row * c.dim + k];
    return sum;
  };
  for (std::size_t i = 0; i < c.size; ++i) {
    const double share = 1.0 / (c.input_offsets[i + 1] - c.input_offsets[i]);
    for (std::uint32_t r = c.input_offsets[i]; r < c.input_offsets[i + 1]; ++r)
      for (std::size_t k = 0; k < c.dim; ++k) x[i][k] += share * in[c.inputs[r] * c.dim + k];
  }
  for (std::size_t i = 0; i < c.size; ++i) {
    for (std::uint32_t t = c.target_offsets[i]; t < c.target_offsets[i + 1]; ++t)
      loss -= std::log(sigmoid((c.labels[t] != 0 ? 1 : -1) * dot(x[i], out, c.targets[t])));
    for (std::size_t j = 0; j < c.negative_count; ++j)
      loss -= static_cast<double>(c.weights[i]) * std::log(sigmoid(-dot(x[i], out, c.negatives[j])));
  }
  const double rate = static_cast<double>(c.block.rate);
  const auto add_errors = [&](std::size_t i, std::uint32_t row, double g, std::vector<double>& changes) {
    for (std::size_t k = 0; k < c.dim; ++k) {
      dx[i][k] += g * out[row * c.dim + k];
      changes[row * c.dim + k] += g * x[i][k];
    }
  };
  const auto apply = [](std::vector<double>& matrix, const std::vector<double>& changes) {
    for (std::size_t k = 0; k < matrix.size(); ++k) matrix[k] += changes[k];
  };
  std::vector<double> some(out.size(), 0.0);
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < c.size; ++i)
    for (std::uint32_t t = c.target_offsets[i]; t < c.target_offsets[i + 1]; ++t) {
      add_errors(i, c.targets[t], rate * (c.labels[t] - sigmoid(dot(x[i], out, c.targets[t]))), some);
      if (++pairs % kSgnsPairs != 0) continue;
      apply(out, some);
      some.assign(out.size(), 0.0);
    }
  apply(out, some);
  std::vector<double> changes(out.size(), 0.0);
  for (std::size_t i = 0; i < c.size; ++i)
    for (std::size_t j = 0; j < c.negative_count; ++j)
      add_errors(i, c.negatives[j], -rate * static_cast<double>(c.weights[i]) * sigmoid(dot(x[i], out, c.negatives[j])), changes);
  apply(out, changes);
  for (std::size_t i = 0; i < c.size; ++i)
    for (std::uint32_t r = c.input_offsets[i]; r < c.input_offsets[i + 1]; ++r)
      for (std::size_t k = 0; k < c.dim; ++k) in[c.inputs[r] * c.dim + k] += static_cast<double>(c.input_weights[i]) * dx[i][k];
  return loss;
}

void check_kernel(const SgnsKernels& kernels, Case c) {
  const auto unpadded = [&c](const Floats& matrix) {
    std::vector<double> plain;
    for (std::size_t i = 0; i < c.rows; ++i)
      plain.insert(plain.end(), matrix.begin() + static_cast<std::ptrdiff_t>(i * c.stride),
                   matrix.begin() + static_cast<std::ptrdiff_t>(i * c.stride + c.dim));
    return plain;
  };
  c.block.in = c.in.data();
  c.block.out = c.out.data();
  std::vector<double> in = unpadded(c.in), out = unpadded(c.out);
  const double loss = learn(c, in, out);
  CHECK(std::abs(kernels.loss(c.block, c.workspace) - loss) < 1e-4 * (1 + loss));
  kernels.step(c.block, c.workspace);
  double largest = 1;  // one row that is there many times learns much
  for (const double value : in) largest = std::max(largest, std::abs(value));
  for (const double value : out) largest = std::max(largest, std::abs(value));
  const std::vector<double> in_after = unpadded(c.in), out_after = unpadded(c.out);
  for (std::size_t k = 0; k < in.size(); ++k) {
    CHECK(std::abs(in_after[k] - in[k]) < 1e-4 * largest);
    CHECK(std::abs(out_after[k] - out[k]) < 1e-4 * largest);
  }
  for (std::size_t i = 0; i < c.rows; ++i)
    for (std::size_t k = c.dim; k < c.stride; ++k) CHECK(c.in[i * c.stride + k] == 0 && c.out[i * c.stride + k] == 0);
}

void test_kernels() {
  std::vector<const SgnsKernels*> tables{&baseline::sgns_kernels};
#ifdef NLPTK_X86
  if (active_isa() >= Isa::avx2) tables.push_back(&avx2::sgns_kernels);
  if (active_isa() >= Isa::avx512) tables.push_back(&avx512::sgns_kernels);
#endif
  std::uint64_t seed = 1;
  for (const SgnsKernels* kernels : tables)
    for (const std::size_t dim : {1, 16, 17, 33, 48, 63, 100, 300})
      for (const std::size_t size : {1, 3, 4, 32})
        for (const std::size_t negatives : {0, 16, 128})
          for (const std::size_t rows : {1, 3, 50}) {
            const std::size_t most_targets = seed % 7 == 0 ? 300 : 9;
            check_kernel(*kernels, Case(dim, size, negatives, rows, most_targets, seed % 2 == 0, seed));
            ++seed;
          }
}

// ---- all of it ----

void test_training_learns_and_repeats() {
  std::string text;
  Random random(1);
  for (int line = 0; line < 400; ++line, text += '\n')
    for (int word = 0; word < 8; ++word) text += std::string(line % 2 == 0 ? "a" : "b") + std::to_string(random.below(5)) + " ";
  const TextFile file(text);
  const Corpus corpus = file.corpus(500);
  Vocabulary::Settings counting;
  counting.min_count = 1;
  const Vocabulary vocabulary = Vocabulary::count(corpus, counting, {});
  CHECK(vocabulary.size() == 10 && vocabulary.tokens() == 3200);
  std::vector<std::uint32_t> chunks;
  for (std::uint32_t i = 0; i < corpus.chunks().size(); ++i) chunks.push_back(i);
  for (const int threads : {1, 3}) {
    std::vector<std::vector<float>> results;
    for (int round = 0; round < 2; ++round) {
      SgnsSettings settings;
      settings.dim = 8;
      settings.sample = 0;
      settings.threads = threads;
      settings.schedule = 10 * vocabulary.tokens();
      settings.subwords = {1, 2, 20};
      settings.hierarchical = threads > 1;
      SgnsTrainer trainer(corpus, vocabulary, settings);
      for (std::uint64_t epoch = 0; epoch < 10; ++epoch) trainer.run(epoch, chunks, {});
      CHECK(trainer.status().tokens == settings.schedule);
      CHECK(std::abs(trainer.status().alpha - settings.min_alpha) < 1e-9);
      results.emplace_back(vocabulary.size() * settings.dim);
      trainer.word_vectors(results.back().data());
    }
    if (threads == 1) CHECK(results[0] == results[1]);
  }
  SgnsSettings wild;
  wild.dim = 0;
  wild.schedule = 1;
  CHECK(rejects([&] { SgnsTrainer(corpus, vocabulary, wild); }, "dimension"));
  wild.dim = 4;
  SgnsTrainer trainer(corpus, vocabulary, wild);
  CHECK(rejects([&] { trainer.run(0, {99'999}, {}); }, "no chunk"));
  trainer.in()[0] = INFINITY;
  CHECK(rejects([&] { trainer.run(0, {}, {}); }, "is not finite"));
}

}  // namespace

int main() {
  test_noise_is_drawn_by_weight();
  test_words_are_told_apart();
  test_tree_is_optimal_and_prefix_free();
  test_chunks_of_any_size_give_every_line_once();
  test_long_lines_and_words();
  test_broken_bytes();
  test_kernels();
  test_training_learns_and_repeats();
}
