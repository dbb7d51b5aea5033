/* Latencies in microseconds, 64 steps a doubling: a percentile is at most 1.6 % too high. */
#ifndef LOA_BENCH_HISTOGRAM_H
#define LOA_BENCH_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { STEPS = 64, DOUBLINGS = 40 };

typedef struct {
    uint64_t count, sum, max;
    uint64_t bucket[STEPS * DOUBLINGS];
} Histogram;

static inline unsigned histogram_index(uint64_t value) {
    if (value < STEPS) return (unsigned)value;
    unsigned shift = 57u - (unsigned)__builtin_clzll(value); /* keeps the top seven bits */
    return shift * STEPS + (unsigned)(value >> shift);
}

static inline void histogram_add(Histogram *histogram, uint64_t value) {
    unsigned at = histogram_index(value);
    if (at >= STEPS * DOUBLINGS) at = STEPS * DOUBLINGS - 1;
    histogram->bucket[at]++;
    histogram->count++;
    histogram->sum += value;
    if (value > histogram->max) histogram->max = value;
}

static inline uint64_t histogram_upper(unsigned at) {
    if (at < 2 * STEPS) return at;
    unsigned shift = at / STEPS - 1;
    return ((uint64_t)(at - shift * STEPS + 1) << shift) - 1;
}

static inline uint64_t histogram_percentile(const Histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)((double)histogram->count * share + 0.999999), passed = 0;
    for (unsigned at = 0; at < STEPS * DOUBLINGS; at++) {
        passed += histogram->bucket[at];
        if (passed >= wanted && passed) return histogram_upper(at) < histogram->max ? histogram_upper(at) : histogram->max;
    }
    return histogram->max;
}

static inline void histogram_print(const Histogram *histogram, FILE *out) {
    fprintf(out, "{\"count\":%llu,\"mean\":%llu,\"p50\":%llu,\"p95\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu}",
            (unsigned long long)histogram->count,
            (unsigned long long)(histogram->count ? histogram->sum / histogram->count : 0),
            (unsigned long long)histogram_percentile(histogram, 0.50),
            (unsigned long long)histogram_percentile(histogram, 0.95),
            (unsigned long long)histogram_percentile(histogram, 0.99),
            (unsigned long long)histogram_percentile(histogram, 0.999), (unsigned long long)histogram->max);
}

#endif
