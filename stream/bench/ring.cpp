// The ring of ring.py and its filter step in C++: the same mathematics, written as a C++ programmer would.
#include <algorithm>
#include <cmath>

constexpr int n = 16, m = 6, P = 2 * n;  // states, observations, points
using Row = double[P];

static void rates(const Row *__restrict x, Row *__restrict d) {
  for (int i = 0; i < n; ++i) {
    const double decay = 0.02 + 0.03 * i;
    const double *own = x[i], *before = x[(i + n - 1) % n], *after = x[(i + 1) % n];
    for (int s = 0; s < P; ++s)
      d[i][s] = -decay * own[s] + 0.05 * (before[s] / std::sqrt(1 + before[s] * before[s])) +
                0.01 * std::exp(-after[s] * after[s]) + 0.01;
  }
}

static void rk4(Row *__restrict x, Row *__restrict d, Row *__restrict t, Row *__restrict a, double h, int steps) {
  for (int q = 0; q < steps; ++q) {
    rates(x, d);
    for (int i = 0; i < n; ++i) for (int s = 0; s < P; ++s) { a[i][s] = d[i][s]; t[i][s] = x[i][s] + h / 2 * d[i][s]; }
    rates(t, d);
    for (int i = 0; i < n; ++i) for (int s = 0; s < P; ++s) { a[i][s] += 2 * d[i][s]; t[i][s] = x[i][s] + h / 2 * d[i][s]; }
    rates(t, d);
    for (int i = 0; i < n; ++i) for (int s = 0; s < P; ++s) { a[i][s] += 2 * d[i][s]; t[i][s] = x[i][s] + h * d[i][s]; }
    rates(t, d);
    for (int i = 0; i < n; ++i) for (int s = 0; s < P; ++s) x[i][s] += h / 6 * (a[i][s] + d[i][s]);
  }
}

static void draw(const double *mean, const double (*cov)[n], double (*L)[n], Row *x) {
  for (int j = 0; j < n; ++j) {
    double pivot = cov[j][j] * (1 + 1e-9);
    const double least = 1e-12 * std::fabs(pivot) + 1e-300;
    for (int k = 0; k < j; ++k) pivot -= L[j][k] * L[j][k];
    const double root = std::sqrt(std::max(pivot, least)), inverse = 1 / root;
    L[j][j] = root;
    for (int i = j + 1; i < n; ++i) {
      double sum = cov[i][j];
      for (int k = 0; k < j; ++k) sum -= L[i][k] * L[j][k];
      L[i][j] = sum * inverse;
    }
  }
  const double scale = std::sqrt(double(n));
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const double step = j <= i ? scale * L[i][j] : 0.0;
      x[i][j] = mean[i] + step;
      x[i][n + j] = mean[i] - step;
    }
}

extern "C" void ring_run(double *mean, double (*cov)[n], const double *values, const double *noises, int steps, int count) {
  alignas(64) static double x[n][P], d[n][P], t[n][P], a[n][P], z[m][P], L[n][n], S[m][m], C[m][n];
  const double w = 0.5 / n;
  for (int it = 0; it < count; ++it) {
    draw(mean, cov, L, x);
    rk4(x, d, t, a, 1.0 / steps, steps);
    for (int i = 0; i < n; ++i) {
      double sum = 0;
      for (int s = 0; s < P; ++s) sum += x[i][s];
      mean[i] = w * sum;
      for (int s = 0; s < P; ++s) x[i][s] -= mean[i];
      for (int k = 0; k <= i; ++k) {
        double product = 0;
        for (int s = 0; s < P; ++s) product += x[i][s] * x[k][s];
        cov[i][k] = cov[k][i] = w * product + (i == k ? 1e-3 : 0.0);
      }
    }
    draw(mean, cov, L, x);
    for (int i = 0; i < m; ++i) for (int s = 0; s < P; ++s) z[i][s] = std::exp(0.1 * x[i][s]) + x[i + 7][s];
    double y[m];
    for (int i = 0; i < m; ++i) {
      double sum = 0;
      for (int s = 0; s < P; ++s) sum += z[i][s];
      y[i] = values[i] - w * sum;
      for (int s = 0; s < P; ++s) z[i][s] -= w * sum;
      for (int k = 0; k <= i; ++k) {
        double product = 0;
        for (int s = 0; s < P; ++s) product += z[i][s] * z[k][s];
        S[i][k] = S[k][i] = w * product;
      }
      for (int k = 0; k < n; ++k) {
        double product = 0;
        for (int s = 0; s < P; ++s) product += (x[k][s] - mean[k]) * z[i][s];
        C[i][k] = w * product;
      }
    }
    for (int i = 0; i < m; ++i) {
      double variance = S[i][i] + noises[i];
      const double surprise = y[i] / std::sqrt(variance);
      if (std::fabs(surprise) > 3) variance *= surprise * surprise / 9;
      const double inverse = 1 / variance;
      for (int b = i + 1; b < m; ++b) {
        const double share = S[b][i] * inverse;
        y[b] -= share * y[i];
        for (int k = 0; k < n; ++k) C[b][k] -= share * C[i][k];
        for (int c = i + 1; c < m; ++c) S[b][c] -= share * S[c][i];
      }
      for (int k = 0; k < n; ++k) {
        mean[k] += C[i][k] * inverse * y[i];
        for (int j = 0; j < n; ++j) cov[k][j] -= C[i][k] * C[i][j] * inverse;
      }
    }
  }
}
