// consumer.c again, by the C++ interface.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include <optcore/optcore.hpp>

int main() {
    try {
        std::vector<float> W(35), dW(35);
        std::vector<double> b(6), db(6);
        for (int i = 0; i < 35; ++i)
            W[std::size_t(i)] = float(i - 17) / 16;
        for (int i = 0; i < 6; ++i)
            b[std::size_t(i)] = double(i) / 8;

        optcore::AdamW hyper;
        hyper.lr =
            optcore::Schedule("warmup_cosine", {{"peak", 0.05}, {"warmup", 3}, {"total", 10}});
        hyper.weight_decay = 0.1;
        optcore::Optimizer optimizer(hyper);
        optcore::Options options;
        options.clip_norm = 1;
        optimizer.set_options(options);
        optimizer.add("W", W.data(), {5, 7});
        optimizer.add("b", b.data(), {6});
        for (int k = 0; k < 10; ++k) {
            for (int i = 0; i < 35; ++i)
                dW[std::size_t(i)] = float((i * 7 + k * 3) % 11 - 5) / 8;
            for (int i = 0; i < 6; ++i)
                db[std::size_t(i)] = double((i * 5 + k) % 7 - 3) / 4;
            optimizer.step({dW.data(), db.data()});
        }

        for (const float value : W) {
            std::uint32_t bits = 0;
            std::memcpy(&bits, &value, sizeof bits);
            std::printf("%08lx\n", static_cast<unsigned long>(bits));
        }
        for (const double value : b) {
            std::uint64_t bits = 0;
            std::memcpy(&bits, &value, sizeof bits);
            std::printf("%016llx\n", static_cast<unsigned long long>(bits));
        }
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
