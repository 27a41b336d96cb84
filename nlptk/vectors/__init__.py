"""Word vectors: training (skip-gram, CBOW, subwords), look-up, files, evaluation."""
