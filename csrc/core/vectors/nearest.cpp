#include "vectors/nearest.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>

#include "kernels/coarse_kernel.hpp"
#include "kernels/nearest_kernel.hpp"
#include "parallel.hpp"

namespace nlptk {
namespace {

constexpr std::size_t kStep = 48;        // rows between two updates of the thresholds; a multiple of every tile and 16
constexpr std::size_t kGrain = 48 * 20;  // rows of a block: 300 KB at 300 dimensions, for all queries from L2
constexpr std::size_t kFewQueries = 4;   // so many are faster one by one than as lanes of a tile
constexpr std::size_t kBatch = 256;      // queries of one pass over the rows

struct Scored {
  double score;
  std::int64_t row;
};
bool better(const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; }

// The best rows of one query on one thread: a heap with the worst of them on top.
struct Best {
  std::vector<Scored> heap;

  void offer(const Scored& found, std::size_t top) {
    if (heap.size() < top) {
      heap.push_back(found);
      std::push_heap(heap.begin(), heap.end(), better);
    } else if (better(found, heap.front())) {
      std::pop_heap(heap.begin(), heap.end(), better);
      heap.back() = found;
      std::push_heap(heap.begin(), heap.end(), better);
    }
  }
  // A float that is not above the worst score.
  float threshold(std::size_t top) const {
    constexpr float kLowest = -std::numeric_limits<float>::infinity();
    return heap.size() < top ? kLowest : std::nextafter(static_cast<float>(heap.front().score), kLowest);
  }
};

// Of all rows what their scores are at most, and of each group the largest of these.
struct Bounds {
  std::vector<float> rows, best;

  // Those that the thread kept, if it has not lent them: fresh memory for each query would cost page faults.
  static Bounds taken() { return std::exchange(kept(), {}); }
  void keep() {
    if (rows.capacity() <= kKeptFloats) kept() = std::move(*this);
  }

 private:
  static constexpr std::size_t kKeptFloats = std::size_t{1} << 22;  // 16 MiB
  static Bounds& kept() {
    thread_local Bounds bounds;
    return bounds;
  }
};

class Search {
 public:
  Search(const NearestRows& rows, const NearestQueries& queries, std::size_t top)
      : kernels_(nearest_kernels()), rows_(rows), queries_(queries), top_(top), terms_(queries.positives + queries.negatives) {
    bound_ = {queries.positives, queries.negatives, queries.multiply, largest_norm()};
    if (queries.multiply && bound_.slack > 1.001f) throw std::invalid_argument("terms that are multiplied must have length 1");
    lanes_ = kernels_.lanes;
    groups_ = queries.queries < kFewQueries ? 0 : (queries.queries + lanes_ - 1) / lanes_;
    if (groups_ > 0)
      spread();
    else
      narrow();
    // Of a query so long or short, or of so many values, float32 and int32 might not hold what follows.
    const bool usual = bound_.slack > 0x1p-60f && bound_.slack < 0x1p60f && rows.dim <= std::size_t{1} << 16;
    if (groups_ == 0 && rows.coarse != nullptr && !queries.multiply && usual) shorten();
  }

  struct Workspace {
    std::vector<Best> best;
    std::vector<float> thresholds, products, scratch;
    std::vector<const float*> terms;  // the products of one row, or of one query
  };
  void prepare(Workspace& space) const {
    space.best.resize(queries_.queries);
    space.thresholds.assign(std::max(queries_.queries, groups_ * lanes_), std::numeric_limits<float>::infinity());
    std::fill_n(space.thresholds.begin(), queries_.queries, -std::numeric_limits<float>::infinity());
    space.products.assign(terms_ * kStep * lanes_, 0.0f);
    if (groups_ > 0) space.scratch.resize(kStep * rows_.dim);
    space.terms.resize(terms_);
  }

  bool has_coarse() const { return !short_.empty(); }

  // A query by the 4-bit copies: all rows are bounded; some of the best bounds give a threshold, which is near the last
  // one as the bounds of all rows are about as wide; and the few rows that reach it are looked up.
  void coarse(std::size_t query, std::size_t begin, std::size_t end, int threads, std::vector<Workspace>& spaces) const {
    Bounds bounds = Bounds::taken();
    const std::size_t first = begin / kGroupRows, groups = coarse_groups(end) - first;
    bound_rows(query, first, groups, threads, bounds);
    const std::vector<std::size_t> done = best_rows(first, groups, begin, end, bounds);
    if (spaces[0].best.empty()) prepare(spaces[0]);
    for (std::size_t i = 0; i < done.size(); i += kStep)
      look_up(done.data() + i, std::min(kStep, done.size() - i), query, spaces[0]);
    const float threshold = spaces[0].thresholds[query];
    parallel_for(groups, threads, 256, [&](std::size_t from, std::size_t to, int thread) {
      Workspace& space = spaces[static_cast<std::size_t>(thread)];
      if (space.best.empty()) prepare(space);
      std::size_t found[kStep], count = 0;
      for (std::size_t g = from; g < to; ++g) {
        const float least = std::max(threshold, space.thresholds[query]);
        if (bounds.best[g] < least) continue;
        std::uint64_t rows = coarse_kernels().at_least(bounds.rows.data() + g * kGroupRows, least);
        for (; rows != 0; rows &= rows - 1) {
          const std::size_t row = (first + g) * kGroupRows + static_cast<std::size_t>(std::countr_zero(rows));
          if (row < begin || row >= end || std::binary_search(done.begin(), done.end(), row)) continue;
          for (std::size_t k = 0; k < rows_.dim; k += 64) __builtin_prefetch(rows_.codes + row * rows_.dim + k);
          found[count++] = row;
          if (count == kStep) look_up(found, std::exchange(count, 0), query, space);
        }
      }
      look_up(found, count, query, space);
    });
    bounds.keep();
  }

  void work(std::size_t begin, std::size_t end, Workspace& space) const {
    if (groups_ == 0)
      for (std::size_t q = 0; q < queries_.queries; ++q) few(begin, end, q, space);
    for (std::size_t g = 0; g < groups_; ++g)
      for (std::size_t row = begin; row < end; row += kStep) many(row, std::min(end - row, kStep), g, space);
  }

 private:
  void bound_rows(std::size_t query, std::size_t first, std::size_t groups, int threads, Bounds& bounds) const {
    bounds.rows.resize(groups * kGroupRows);
    bounds.best.resize(groups);
    const CoarseRows& rows = *rows_.coarse;
    const CoarseQuery kernel = short_[query].kernel();
    parallel_for(groups, threads, kGrain / kGroupRows, [&](std::size_t from, std::size_t to, int) {
      for (std::size_t g = from; g < to; ++g) {
        const std::size_t at = first + g;
        bounds.best[g] = coarse_kernels().bound_group(rows.groups + at * coarse_group_bytes(rows_.dim), kernel,
                                                      rows.inverse + at * kGroupRows, rows.slack + at * kGroupRows,
                                                      bounds.rows.data() + g * kGroupRows);
      }
    });
  }

  // Some rows of [begin, end) with the highest bounds, in their order; none where there are few groups.
  std::vector<std::size_t> best_rows(std::size_t first, std::size_t groups, std::size_t begin, std::size_t end,
                                     const Bounds& bounds) const {
    std::vector<std::size_t> found;
    const std::size_t some = top_ + 4;
    if (groups <= some) return found;
    std::vector<float> highest = bounds.best;
    std::nth_element(highest.begin(), highest.begin() + static_cast<std::ptrdiff_t>(some - 1), highest.end(), std::greater<>());
    const float high = highest[some - 1];
    for (std::size_t g = 0; g < groups && found.size() < 4 * some; ++g) {  // there may be as many ties as rows
      if (bounds.best[g] < high) continue;
      std::uint64_t rows = coarse_kernels().at_least(bounds.rows.data() + g * kGroupRows, high);
      for (; rows != 0; rows &= rows - 1) {
        const std::size_t row = (first + g) * kGroupRows + static_cast<std::size_t>(std::countr_zero(rows));
        if (row >= begin && row < end) found.push_back(row);
      }
    }
    for (const std::size_t row : found)
      for (std::size_t k = 0; k < rows_.dim; k += 64) __builtin_prefetch(rows_.codes + row * rows_.dim + k);
    return found;
  }

  // One query and all rows of a range.
  void few(std::size_t begin, std::size_t end, std::size_t query, Workspace& space) const {
    std::size_t some[kStep];
    for (std::size_t row = begin; row < end; row += kStep) {
      const std::size_t count = std::min(end - row, kStep);
      for (std::size_t r = 0; r < count; ++r) some[r] = row + r;
      for (std::size_t at = 0; row + 2 * kStep <= end && at < kStep * rows_.dim; at += 64)
        __builtin_prefetch(rows_.codes + (row + kStep) * rows_.dim + at);
      look_up(some, count, query, space);
    }
  }

  // One query and some rows, at most kStep: lanes are rows.
  void look_up(const std::size_t* some, std::size_t count, std::size_t query, Workspace& space) const {
    if (count == 0) return;
    const std::int8_t* codes[kStep];
    float inverse[kStep] = {}, slack[kStep] = {};
    for (std::size_t r = 0; r < count; ++r) {
      codes[r] = rows_.codes + some[r] * rows_.dim;
      inverse[r] = rows_.inverse[some[r]];
      slack[r] = rows_.slack[some[r]] + narrow_slack_;
    }
    std::int32_t sums[kStep];
    for (std::size_t t = 0; t < terms_; ++t) {
      const Narrow& narrow = narrow_[query * terms_ + t];
      kernels_.dot_rows(codes, count, rows_.dim, narrow.values.data(), sums);
      float* const out = space.products.data() + t * kStep;
      for (std::size_t r = 0; r < count; ++r) out[r] = static_cast<float>(sums[r]) * narrow.scale;
      space.terms[t] = out;
    }
    std::uint64_t above = kernels_.rows_above(bound_, space.terms.data(), inverse, slack, kStep, space.thresholds[query]);
    above &= (std::uint64_t{1} << count) - 1;
    if (above == 0) return;
    if (rows_.exact != nullptr)
      for (std::uint64_t rest = above; rest != 0; rest &= rest - 1)
        for (std::size_t k = 0; k < rows_.dim; k += 16)
          __builtin_prefetch(rows_.exact + some[std::countr_zero(rest)] * rows_.exact_stride + k);
    for (; above != 0; above &= above - 1) offer(query, some[std::countr_zero(above)], space);
    space.thresholds[query] = std::max(space.thresholds[query], space.best[query].threshold(top_));
  }

  // Many queries and the next rows: lanes are queries.
  void many(std::size_t row, std::size_t count, std::size_t group, Workspace& space) const {
    for (std::size_t t = 0; t < terms_; ++t)
      kernels_.dot_tile(rows_.codes + row * rows_.dim, count, rows_.dim,
                        spread_.data() + (group * terms_ + t) * rows_.dim * lanes_, space.scratch.data(),
                        space.products.data() + t * kStep * lanes_);
    float* const thresholds = space.thresholds.data() + group * lanes_;
    std::uint64_t changed = 0;
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t t = 0; t < terms_; ++t) space.terms[t] = space.products.data() + (t * kStep + r) * lanes_;
      std::uint64_t above =
          kernels_.queries_above(bound_, space.terms.data(), rows_.inverse[row + r], rows_.slack[row + r], thresholds);
      changed |= above;
      for (; above != 0; above &= above - 1)
        offer(group * lanes_ + static_cast<std::size_t>(std::countr_zero(above)), row + r, space);
    }
    for (; changed != 0; changed &= changed - 1) {
      const std::size_t query = group * lanes_ + static_cast<std::size_t>(std::countr_zero(changed));
      space.thresholds[query] = space.best[query].threshold(top_);
    }
  }

  void offer(std::size_t query, std::size_t row, Workspace& space) const {
    space.best[query].offer({score(query, row), static_cast<std::int64_t>(row)}, top_);
  }

  double score(std::size_t query, std::size_t row) const {
    double above = 1, below = 1;
    for (std::size_t t = 0; t < terms_; ++t) {
      double product, square;
      if (rows_.exact != nullptr)
        kernels_.exact_f32(rows_.exact + row * rows_.exact_stride, term(query, t), rows_.dim, &product, &square);
      else
        kernels_.exact_i8(rows_.codes + row * rows_.dim, term(query, t), rows_.dim, &product, &square);
      const double cosine = square > 0 ? product / std::sqrt(square) : 0.0;
      if (!queries_.multiply) return cosine;
      (t < queries_.positives ? above : below) *= std::max(0.0, 1 + cosine) / 2;
    }
    return above / (below + 1e-6);
  }

  const float* term(std::size_t query, std::size_t t) const {
    return queries_.terms + (query * terms_ + t) * rows_.dim;
  }

  float largest_norm() const {
    double most = 0;
    for (std::size_t t = 0; t < queries_.queries * terms_; ++t) {
      double product, square;
      const float* const x = queries_.terms + t * rows_.dim;
      kernels_.exact_f32(x, x, rows_.dim, &product, &square);
      if (!std::isfinite(square)) throw std::invalid_argument("a query holds NaN or an infinity");
      most = std::max(most, square);
    }
    return static_cast<float>(std::sqrt(most) * (1 + 1e-6));
  }

  // A term in 16 bits, laid out for dot_rows.
  struct Narrow {
    std::vector<std::int16_t> values;
    float scale;
  };
  void narrow() {
    for (std::size_t t = 0; t < queries_.queries * terms_; ++t) {
      const float* const x = queries_.terms + t * rows_.dim;
      double most = 0, sum = 0;
      for (std::size_t k = 0; k < rows_.dim; ++k) most = std::max(most, std::fabs(double{x[k]})), sum += std::fabs(x[k]);
      const double scale = std::max(most / 32767, sum / 16'000'000) + 1e-300;  // 127 * 16e6 < 2^31, roundings too
      const std::size_t whole = rows_.dim / kDotChunk * kDotChunk;
      Narrow made{std::vector<std::int16_t>(whole + (whole < rows_.dim ? kDotChunk : 0)), static_cast<float>(scale)};
      const std::size_t shift = made.values.size() - rows_.dim;  // of the values after the whole chunks
      double off = 0;
      for (std::size_t k = 0; k < rows_.dim; ++k) {
        const double code = std::nearbyint(x[k] / scale);
        made.values[k < whole ? k : k + shift] = static_cast<std::int16_t>(code);
        off += (x[k] - code * scale) * (x[k] - code * scale);
      }
      if (bound_.slack > 0) narrow_slack_ = std::max(narrow_slack_, static_cast<float>(2 * std::sqrt(off) / bound_.slack));
      narrow_.push_back(std::move(made));
    }
  }

  // A query in 8 bits, for 4-bit rows.
  struct Short {
    std::vector<std::int8_t> values;  // filled up with zeros to whole steps
    std::int32_t offset = 0;          // see CoarseQuery
    float scale, norm, slack;
    CoarseQuery kernel() const { return {values.data(), values.size() / kStepValues, offset, scale, norm, slack}; }
  };
  void shorten() {
    for (std::size_t q = 0; q < queries_.queries; ++q) {
      const float* const x = term(q, 0);
      Short made;
      made.values.resize((rows_.dim + kStepValues - 1) / kStepValues * kStepValues);
      double most = 0, off = 0;
      const float* const sizes = rows_.coarse->sizes;
      for (std::size_t k = 0; k < rows_.dim; ++k) most = std::max(most, std::fabs(double{x[k]} * sizes[k]));
      const double scale = most / 127 + 1e-300;
      for (std::size_t k = 0; k < rows_.dim; ++k) {
        made.values[k] = static_cast<std::int8_t>(std::nearbyint(x[k] * sizes[k] / scale));
        made.offset += 15 * made.values[k];
        const double rest = x[k] - made.values[k] * scale / sizes[k];
        off += rest * rest;
      }
      made.scale = static_cast<float>(scale / 2);
      made.norm = bound_.slack;
      made.slack = static_cast<float>(std::sqrt(off) * 1.0001);  // copies of rows are no longer than the rows
      short_.push_back(std::move(made));
    }
  }

  // Queries as lanes: [groups, terms, dim, lanes].
  void spread() {
    spread_.assign(groups_ * terms_ * rows_.dim * lanes_, 0.0f);
    for (std::size_t q = 0; q < queries_.queries; ++q)
      for (std::size_t t = 0; t < terms_; ++t) {
        float* const out = spread_.data() + (q / lanes_ * terms_ + t) * rows_.dim * lanes_ + q % lanes_;
        for (std::size_t k = 0; k < rows_.dim; ++k) out[k * lanes_] = term(q, t)[k];
      }
  }

  const NearestKernels& kernels_;
  const NearestRows& rows_;
  const NearestQueries& queries_;
  std::size_t top_, terms_, lanes_ = 0, groups_ = 0;
  UpperBound bound_;
  std::vector<float> spread_;
  std::vector<Narrow> narrow_;
  std::vector<Short> short_;
  float narrow_slack_ = 0;
};

// One pass over the rows for some queries.
void search(const NearestRows& rows, const NearestQueries& queries, std::size_t begin, std::size_t end, std::size_t top,
            int threads, std::int64_t* found, float* scores) {
  const Search one(rows, queries, top);
  const int workers = resolve_threads(threads);
  std::vector<Search::Workspace> spaces(static_cast<std::size_t>(workers));
  if (one.has_coarse()) {
    for (std::size_t q = 0; q < queries.queries; ++q) one.coarse(q, begin, end, workers, spaces);
  } else {
    parallel_for(end - begin, workers, kGrain, [&](std::size_t from, std::size_t to, int thread) {
      Search::Workspace& space = spaces[static_cast<std::size_t>(thread)];
      if (space.best.empty()) one.prepare(space);
      one.work(begin + from, begin + to, space);
    });
  }
  for (std::size_t q = 0; q < queries.queries; ++q) {
    std::vector<Scored> all;
    for (const Search::Workspace& space : spaces)
      if (!space.best.empty()) all.insert(all.end(), space.best[q].heap.begin(), space.best[q].heap.end());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(top), all.end(), better);
    for (std::size_t i = 0; i < top; ++i) {
      found[q * top + i] = all[i].row;
      scores[q * top + i] = static_cast<float>(all[i].score);
    }
  }
}

}  // namespace

void nearest_rows(const NearestRows& rows, const NearestQueries& queries, std::size_t begin, std::size_t end,
                  std::size_t top, int threads, std::int64_t* found, float* scores) {
  if (begin > end || end > rows.count) throw std::invalid_argument("the range of rows is not within the matrix");
  if (queries.positives + queries.negatives == 0 || (!queries.multiply && queries.positives + queries.negatives != 1))
    throw std::invalid_argument("a query needs terms, and one only unless they are multiplied");
  top = std::min(top, end - begin);
  if (top == 0) return;
  const std::size_t terms = queries.positives + queries.negatives;
  for (std::size_t q = 0; q < queries.queries; q += kBatch) {
    NearestQueries some = queries;
    some.terms += q * terms * rows.dim;
    some.queries = std::min(kBatch, queries.queries - q);
    search(rows, some, begin, end, top, threads, found + q * top, scores + q * top);
  }
}

}  // namespace nlptk
