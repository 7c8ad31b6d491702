/* The floor: an Elman network trained by plain C, one sequence an update, with nothing between two updates.
 *
 *   h[t] = g(h[t-1] W_hh + u[t] W_uh + b_hh),  y = h[T] W_hy + b_hy,  loss = (y - target)^2,  SGD
 *
 * Compiled for one size, so that all loops have constant bounds: -DN_HIDDEN, -DN_STEPS, and -DSIGMOID=1, or 0 for tanh.
 * Hidden units are held in vectors of LANES floats (an extension of GCC and Clang). The units that fill up the last
 * vector have no weights and take no part. W_hh is also held transposed, so that both products with it run along rows.
 */
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#define LANES 8
#define V ((N_HIDDEN + LANES - 1) / LANES)
#define N_IN 2

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef union {
    vector v[V];
    float unit[V * LANES];
} Units;

static Units W_hh[V * LANES], W_hh_transposed[V * LANES], W_uh[N_IN], b_hh, W_hy;
static float b_hy;
static Units h[N_STEPS], delta[N_STEPS]; /* delta[t]: the gradient of the loss by what g is applied to at step t */

static inline vector clamped(vector x, float bound) {
    for (int l = 0; l < LANES; l++) {
        x[l] = x[l] > bound ? bound : x[l];
        x[l] = x[l] < -bound ? -bound : x[l];
    }
    return x;
}

/* To a few units in the last place: the rational function that Eigen and XLA use. */
static inline vector tanh_of(vector x) {
    x = clamped(x, 7.90531110763549805f);
    vector s = x * x;
    vector top = s * -2.76076847742355e-16f + 2.00018790482477e-13f;
    top = top * s + -8.60467152213735e-11f;
    top = top * s + 5.12229709037114e-08f;
    top = top * s + 1.48572235717979e-05f;
    top = top * s + 6.37261928875436e-04f;
    top = top * s + 4.89352455891786e-03f;
    vector bottom = s * 1.19825839466702e-06f + 1.18534705686654e-04f;
    bottom = bottom * s + 2.26843463243900e-03f;
    bottom = bottom * s + 4.89352518554385e-03f;
    return x * top / bottom;
}

static inline vector activation(vector x) { return SIGMOID ? 0.5f * tanh_of(0.5f * x) + 0.5f : tanh_of(x); }

/* g' in terms of g. */
static inline vector slope(vector a) { return SIGMOID ? a * (1.0f - a) : 1.0f - a * a; }

/* sum += row M. Where registers allow, in two partial sums, so that an addition need not wait for the one before. */
static inline void add_product(vector sum[V], const Units *row, const Units M[V * LANES]) {
    if (V > 7) {
        for (int i = 0; i < N_HIDDEN; i++)
            for (int v = 0; v < V; v++) sum[v] += row->unit[i] * M[i].v[v];
        return;
    }
    vector other[V] = {0};
    for (int i = 0; i < N_HIDDEN; i += 2)
        for (int v = 0; v < V; v++) {
            sum[v] += row->unit[i] * M[i].v[v];
            other[v] += row->unit[i + 1] * M[i + 1].v[v];
        }
    for (int v = 0; v < V; v++) sum[v] += other[v];
}

static inline float forward(const float *u) {
    for (int t = 0; t < N_STEPS; t++) {
        vector z[V];
        for (int v = 0; v < V; v++) z[v] = b_hh.v[v] + u[2 * t] * W_uh[0].v[v] + u[2 * t + 1] * W_uh[1].v[v];
        if (t > 0) add_product(z, &h[t - 1], W_hh);
        for (int v = 0; v < V; v++) h[t].v[v] = activation(z[v]);
    }
    vector products = {0};
    for (int v = 0; v < V; v++) products += h[N_STEPS - 1].v[v] * W_hy.v[v];
    float y = b_hy;
    for (int l = 0; l < LANES; l++) y += products[l];
    return y;
}

static inline void backward(float error) {
    for (int v = 0; v < V; v++) delta[N_STEPS - 1].v[v] = 2 * error * W_hy.v[v] * slope(h[N_STEPS - 1].v[v]);
    for (int t = N_STEPS - 1; t > 0; t--) {
        vector by_h[V] = {0};
        add_product(by_h, &delta[t], W_hh_transposed);
        for (int v = 0; v < V; v++) delta[t - 1].v[v] = by_h[v] * slope(h[t - 1].v[v]);
    }
}

static inline void descend(const float *u, float error, float rate) {
    for (int j = 0; j < N_HIDDEN; j++) W_hy.unit[j] -= rate * 2 * error * h[N_STEPS - 1].unit[j];
    b_hy -= rate * 2 * error;
    for (int t = 0; t < N_STEPS; t++)
        for (int v = 0; v < V; v++) {
            vector step = rate * delta[t].v[v];
            b_hh.v[v] -= step;
            W_uh[0].v[v] -= u[2 * t] * step;
            W_uh[1].v[v] -= u[2 * t + 1] * step;
        }
    for (int i = 0; i < N_HIDDEN; i++) {
        vector gradient[V] = {0};
        for (int t = 1; t < N_STEPS; t++)
            for (int v = 0; v < V; v++) gradient[v] += h[t - 1].unit[i] * delta[t].v[v];
        for (int v = 0; v < V; v++) W_hh[i].v[v] -= rate * gradient[v];
    }
    for (int i = 0; i < N_HIDDEN; i++)
        for (int j = 0; j < N_HIDDEN; j++) W_hh_transposed[j].unit[i] = W_hh[i].unit[j];
}

/* Initial weights W_uh (2, N_HIDDEN), W_hh (N_HIDDEN, N_HIDDEN), b_hh and W_hy (N_HIDDEN,), b_hy (1,). */
void set_parameters(const float *uh, const float *hh, const float *b, const float *hy, const float *by) {
    for (int j = 0; j < N_HIDDEN; j++) {
        for (int i = 0; i < N_HIDDEN; i++) W_hh[i].unit[j] = W_hh_transposed[j].unit[i] = hh[i * N_HIDDEN + j];
        for (int k = 0; k < N_IN; k++) W_uh[k].unit[j] = uh[k * N_HIDDEN + j];
        b_hh.unit[j] = b[j];
        W_hy.unit[j] = hy[j];
    }
    b_hy = by[0];
}

/* Inputs (n_sequences, N_STEPS, 2), targets (n_sequences,); order and losses (n_updates,). */
void train(const float *inputs, const float *targets, const int *order, int n_updates, float rate, float *losses) {
#if defined(__SSE__)
    unsigned int before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* what is below 1e-38 counts as 0, as in XLA: arithmetic with it is slow */
#endif
    for (int k = 0; k < n_updates; k++) {
        const float *u = inputs + order[k] * N_STEPS * N_IN;
        float error = forward(u) - targets[order[k]];
        backward(error);
        descend(u, error, rate);
        losses[k] = error * error;
    }
#if defined(__SSE__)
    _mm_setcsr(before);
#endif
}
