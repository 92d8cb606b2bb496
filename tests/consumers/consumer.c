/* What a program in C does with optcore, and what Python has to arrive at too: a few clipped steps
 * of AdamW by a schedule, over a float32 matrix and a float64 vector. Prints the bits that come
 * out. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <optcore/optcore.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int failed(optcore_status status) {
    if (status == OPTCORE_OK)
        return 0;
    fprintf(stderr, "%s: %s\n", optcore_status_name(status), optcore_last_error());
    return 1;
}

int main(void) {
    static const int64_t shape[] = {5, 7};
    float W[35], dW[35];
    double b[6], db[6];
    void *const gradients[] = {dW, db};
    optcore_argument arguments[3] = {{sizeof arguments[0], "peak", 0.05, 0, 0, 0, 0, 0, 0},
                                     {sizeof arguments[0], "warmup", 0, 3, 0, 0, 0, 0, 0},
                                     {sizeof arguments[0], "total", 0, 10, 0, 0, 0, 0, 0}};
    optcore_schedule *rate = NULL;
    optcore_optimizer *optimizer = NULL;
    optcore_options options;
    optcore_tensor tensor;
    optcore_step step;

    memset(&options, 0, sizeof options);
    memset(&tensor, 0, sizeof tensor);
    memset(&step, 0, sizeof step);
    for (size_t i = 0; i < COUNT(W); ++i)
        W[i] = (float)((int)i - 17) / 16;
    for (size_t i = 0; i < COUNT(b); ++i)
        b[i] = (double)i / 8;

    options.struct_size = sizeof options;
    options.clip_norm = 1;
    if (failed(optcore_optimizer_create("adamw", &optimizer)) ||
        failed(optcore_schedule_create("warmup_cosine", arguments, 3, &rate)) ||
        failed(optcore_optimizer_set_schedule(optimizer, OPTCORE_ALL_GROUPS, "lr", rate)) ||
        failed(optcore_optimizer_set(optimizer, OPTCORE_ALL_GROUPS, "weight_decay", 0.1)) ||
        failed(optcore_optimizer_set_options(optimizer, &options)) ||
        failed(optcore_schedule_destroy(rate)))
        return 1;

    tensor.struct_size = sizeof tensor;
    tensor.name = "W";
    tensor.data = W;
    tensor.count = COUNT(W);
    tensor.ndim = 2;
    tensor.shape = shape;
    if (failed(optcore_optimizer_add(optimizer, 0, &tensor, NULL)))
        return 1;
    tensor.name = "b";
    tensor.data = b;
    tensor.count = COUNT(b);
    tensor.dtype = OPTCORE_F64;
    tensor.ndim = 0;
    tensor.shape = NULL;
    if (failed(optcore_optimizer_add(optimizer, 0, &tensor, NULL)))
        return 1;

    step.struct_size = sizeof step;
    step.count = COUNT(gradients);
    step.data = gradients;
    for (int k = 0; k < 10; ++k) {
        for (size_t i = 0; i < COUNT(dW); ++i)
            dW[i] = (float)((int)((i * 7 + (size_t)k * 3) % 11) - 5) / 8;
        for (size_t i = 0; i < COUNT(db); ++i)
            db[i] = (double)((int)((i * 5 + (size_t)k) % 7) - 3) / 4;
        if (failed(optcore_optimizer_step(optimizer, &step, NULL)))
            return 1;
    }

    for (size_t i = 0; i < COUNT(W); ++i) {
        uint32_t bits;
        memcpy(&bits, &W[i], sizeof bits);
        printf("%08" PRIx32 "\n", bits);
    }
    for (size_t i = 0; i < COUNT(b); ++i) {
        uint64_t bits;
        memcpy(&bits, &b[i], sizeof bits);
        printf("%016" PRIx64 "\n", bits);
    }
    return failed(optcore_optimizer_destroy(optimizer));
}
