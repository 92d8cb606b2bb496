// A multilayer perceptron in C++17 that learns to read handwritten digits: AdamW with warmup, a
// cosine and clipped gradients. Run digits.py first, which writes the file.
//
//   mlp digits.bin
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <optcore/optcore.hpp>

namespace {

constexpr int kHidden = 64, kBatch = 32, kEpochs = 20;

struct Digits {
    std::int32_t train = 0, test = 0, pixels = 0, classes = 0;
    std::vector<float> images;
    std::vector<std::int32_t> labels;

    explicit Digits(const std::string &path) {
        std::ifstream file(path, std::ios::binary);
        std::int32_t header[4] = {};
        read(file, header, sizeof header);
        train = header[0], test = header[1], pixels = header[2], classes = header[3];
        if (train <= 0 || test <= 0 || pixels <= 0 || classes <= 0)
            throw std::runtime_error(path + ": not what digits.py writes");
        images.resize(std::size_t(train + test) * std::size_t(pixels));
        labels.resize(std::size_t(train + test));
        read(file, images.data(), images.size() * sizeof(float));
        read(file, labels.data(), labels.size() * sizeof(std::int32_t));
    }
    const float *image(int i) const { return images.data() + std::size_t(i) * std::size_t(pixels); }

private:
    static void read(std::ifstream &file, void *to, std::size_t bytes) {
        if (!file.read(static_cast<char *>(to), std::streamsize(bytes)))
            throw std::runtime_error("the file ends early, or is not there; run digits.py");
    }
};

/// y = Wx + b, with the gradients of W and b beside them.
struct Layer {
    int in, out;
    std::vector<float> W, b, dW, db;

    Layer(int inputs, int outputs, std::mt19937 &random) : in(inputs), out(outputs) {
        std::normal_distribution<float> normal(0, std::sqrt(2.0f / float(in)));
        W.resize(std::size_t(in) * std::size_t(out));
        std::generate(W.begin(), W.end(), [&] { return normal(random); });
        b.assign(std::size_t(out), 0);
        dW = W;
        db = b;
    }
    void forward(const float *x, float *y) const {
        for (int o = 0; o < out; ++o)
            y[o] = std::inner_product(x, x + in, &W[std::size_t(o * in)], b[std::size_t(o)]);
    }
    /// Adds this example's gradients; `dx` may be null.
    void backward(const float *x, const float *dy, float *dx) {
        for (int o = 0; o < out; ++o) {
            db[std::size_t(o)] += dy[o];
            for (int i = 0; i < in; ++i) {
                dW[std::size_t(o * in + i)] += dy[o] * x[i];
                if (dx)
                    dx[i] += dy[o] * W[std::size_t(o * in + i)];
            }
        }
    }
};

struct Network {
    Layer first, second;
    std::vector<float> hidden, scores;

    Network(const Digits &digits, std::mt19937 &random)
        : first(digits.pixels, kHidden, random), second(kHidden, digits.classes, random),
          hidden(kHidden), scores(std::size_t(digits.classes)) {}

    int read(const float *image) {
        first.forward(image, hidden.data());
        for (float &h : hidden)
            h = std::max(h, 0.0f);
        second.forward(hidden.data(), scores.data());
        return int(std::max_element(scores.begin(), scores.end()) - scores.begin());
    }
    /// The cross entropy of one example; its gradients, times `weight`, are added to the layers'.
    double learn(const float *image, int label, float weight) {
        const float most = scores[std::size_t(read(image))];
        float sum = 0;
        for (float &s : scores)
            sum += s = std::exp(s - most);
        const double loss = -std::log(double(scores[std::size_t(label)] / sum));
        for (float &s : scores)
            s *= weight / sum;
        scores[std::size_t(label)] -= weight;
        std::vector<float> back(kHidden);
        second.backward(hidden.data(), scores.data(), back.data());
        for (int h = 0; h < kHidden; ++h)
            back[std::size_t(h)] *= hidden[std::size_t(h)] > 0;
        first.backward(image, back.data(), nullptr);
        return loss;
    }
};

double train(Network &network, const Digits &digits, std::mt19937 &random) {
    const int batches = digits.train / kBatch;
    optcore::AdamW hyper;
    hyper.lr = optcore::Schedule("warmup_cosine",
                                 {{"peak", 3e-3}, {"warmup", 50}, {"total", kEpochs * batches}});
    hyper.weight_decay = 0.01;
    optcore::Optimizer optimizer(hyper);
    optcore::Options options;
    options.clip_norm = 1;
    options.zero_grads = 1; // the next batch adds to them
    optimizer.set_options(options);
    std::vector<void *> gradients;
    for (Layer *layer : {&network.first, &network.second}) {
        const std::string name = layer == &network.first ? "first/" : "second/";
        optimizer.add(name + "W", layer->W.data(), {layer->out, layer->in});
        optimizer.add(name + "b", layer->b.data(), {layer->out});
        gradients.insert(gradients.end(), {layer->dW.data(), layer->db.data()});
        std::fill(layer->dW.begin(), layer->dW.end(), 0.0f);
    }

    std::vector<int> order(std::size_t(digits.train));
    std::iota(order.begin(), order.end(), 0);
    double loss = 0;
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
        std::shuffle(order.begin(), order.end(), random);
        loss = 0;
        for (int batch = 0; batch < batches; ++batch) {
            for (int k = 0; k < kBatch; ++k) {
                const int i = order[std::size_t(batch * kBatch + k)];
                loss +=
                    network.learn(digits.image(i), digits.labels[std::size_t(i)], 1.0f / kBatch);
            }
            optimizer.step(gradients);
        }
        loss /= batches * kBatch;
    }
    return loss;
}

} // namespace

int main(int argc, char **argv) {
    try {
        if (argc != 2)
            throw std::runtime_error("usage: mlp digits.bin");
        const Digits digits(argv[1]);
        std::mt19937 random(1);
        Network network(digits, random);
        const double loss = train(network, digits, random);
        int right = 0;
        for (int i = digits.train; i < digits.train + digits.test; ++i)
            right += network.read(digits.image(i)) == digits.labels[std::size_t(i)];
        const double accuracy = double(right) / digits.test;
        std::printf("loss %.4f, %.1f %% of %d unseen digits read\n", loss, 100 * accuracy,
                    int(digits.test));
        return accuracy > 0.94 ? 0 : 1;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
