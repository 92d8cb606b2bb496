/* Logistic regression in C99: two clouds of points, full-batch gradients, Adam with a schedule.
 *
 *   cc logistic.c $(pkg-config --cflags --libs optcore) -lm -o logistic
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <optcore/optcore.h>

enum { POINTS = 400, FEATURES = 2, STEPS = 200 };

/* A number in [-1, 1) from a generator of a line. */
static float uniform(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 11) / 4503599627370496.0 - 1.0);
}

/* Every call can fail, and says why. */
static int ok(optcore_status status) {
    if (status != OPTCORE_OK)
        fprintf(stderr, "%s: %s\n", optcore_status_name(status), optcore_last_error());
    return status == OPTCORE_OK;
}

/* Parameters are described once; they stay where they are. */
static int add(optcore_optimizer *optimizer, const char *name, float *data, int64_t count) {
    optcore_tensor tensor = {0};
    tensor.struct_size = sizeof tensor;
    tensor.name = name;
    tensor.data = data;
    tensor.count = count;
    return ok(optcore_optimizer_add(optimizer, 0, &tensor, NULL));
}

static optcore_schedule *halved(void) {
    optcore_argument arguments[] = {{.name = "initial", .number = 0.1},
                                    {.name = "step_size", .whole = 50},
                                    {.name = "gamma", .number = 0.5}};
    optcore_schedule *made = NULL;
    for (size_t i = 0; i < 3; ++i)
        arguments[i].struct_size = sizeof arguments[i];
    return ok(optcore_schedule_create("step", arguments, 3, &made)) ? made : NULL;
}

/* The mean loss over all points and its gradients. */
static double loss_and_gradients(float x[POINTS][FEATURES], const float *y, const float *w, float b,
                                 float *dw, float *db) {
    double loss = 0;
    memset(dw, 0, FEATURES * sizeof *dw);
    *db = 0;
    for (int i = 0; i < POINTS; ++i) {
        const float z = x[i][0] * w[0] + x[i][1] * w[1] + b;
        const float p = 1 / (1 + expf(-z));
        const float error = (p - y[i]) / POINTS;
        loss -= log(y[i] > 0 ? p : 1 - p) / POINTS;
        for (int k = 0; k < FEATURES; ++k)
            dw[k] += error * x[i][k];
        *db += error;
    }
    return loss;
}

int main(void) {
    static float x[POINTS][FEATURES], y[POINTS];
    float w[FEATURES] = {0}, b = 0, dw[FEATURES], db;
    void *const gradients[] = {dw, &db};
    uint64_t state = 1;
    double first = 0, loss = 0;
    int right = 0;
    optcore_optimizer *optimizer = NULL;
    optcore_schedule *rate = halved();
    optcore_step step = {0};

    for (int i = 0; i < POINTS; ++i) {
        y[i] = (float)(i % 2);
        for (int k = 0; k < FEATURES; ++k)
            x[i][k] = uniform(&state) + (y[i] > 0 ? 0.7f : -0.7f);
    }

    if (!rate || !ok(optcore_optimizer_create("adam", &optimizer)) ||
        !ok(optcore_optimizer_set_schedule(optimizer, OPTCORE_ALL_GROUPS, "lr", rate)) ||
        !ok(optcore_schedule_destroy(rate)) || !add(optimizer, "w", w, FEATURES) ||
        !add(optimizer, "b", &b, 1))
        return 1;

    step.struct_size = sizeof step;
    step.count = 2;
    step.data = gradients;
    for (int k = 0; k < STEPS; ++k) {
        loss = loss_and_gradients(x, y, w, b, dw, &db);
        first = k == 0 ? loss : first;
        if (!ok(optcore_optimizer_step(optimizer, &step, NULL)))
            return 1;
    }
    optcore_optimizer_destroy(optimizer);

    for (int i = 0; i < POINTS; ++i)
        right += (x[i][0] * w[0] + x[i][1] * w[1] + b > 0) == (y[i] > 0);
    printf("loss %.4f -> %.4f, %d of %d points right\n", first, loss, right, POINTS);
    return loss < first / 2 && right > POINTS * 9 / 10 ? 0 : 1;
}
