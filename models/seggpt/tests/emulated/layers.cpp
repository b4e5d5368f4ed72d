// The kernels between matrix products, and the decoder's end, against their definitions.
#include "checks.hpp"
#include "depthwise.cu"
#include "paint.cu"
#include "rows.cu"

static unsigned blocks(int count, int size) { return unsigned((count + size - 1) / size); }

template <typename T> static void check_rows(int width) {
    const int rows = 5, count = rows * width / 8;
    const Numbers<T> x(rows * width, 1), bias(width, 1), residual(rows * width, 1);
    const Numbers<float> weight(width, 1), offset(width, 1);
    Numbers<T> y(rows * width);
    auto finished = [&](auto body, auto expected, const char *what) {
        launch({blocks(count, 256), 1, 1}, 256, body);
        Worst worst;
        for (int i = 0; i < rows * width; i++) worst.add(y.data[i], expected(i, x(i) + bias(i % width)));
        expect(worst, 1.1, what, width);
    };
    finished([&] { finish<T, BIAS>(x.data, bias.data, nullptr, y.data, width, count); }, [](int, double sum) { return sum; }, "bias");
    finished([&] { finish<T, BIAS_GELU>(x.data, bias.data, nullptr, y.data, width, count); },
             [](int, double sum) { return gelu_of(sum); }, "bias and GELU");
    finished([&] { finish<T, BIAS_RESIDUAL>(x.data, bias.data, residual.data, y.data, width, count); },
             [&](int i, double sum) { return residual(i) + sum; }, "bias and residual");

    launch({blocks(rows, 4), 1, 1}, 128, [&] { normalise<T>(x.data, weight.data, offset.data, y.data, 1e-6f, width, rows); });
    Worst worst;
    for (int row = 0; row < rows; row++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < width; i++) mean += x(row * width + i) / width;
        for (int i = 0; i < width; i++) variance += std::pow(x(row * width + i) - mean, 2) / width;
        for (int i = 0; i < width; i++) {
            const double normal = (x(row * width + i) - mean) / std::sqrt(variance + 1e-6);
            worst.add(y.data[row * width + i], normal * weight(i) + offset(i));
        }
    }
    expect(worst, 1.1, "layer norm", width);
}

template <typename T> static void check_depthwise(int edge) {
    const int grids = 2, rows = 5, columns = 7, channels = 12, count = grids * rows * columns * channels;
    const Numbers<T> x(count, 1), weight(channels * edge * edge, .2), bias(channels, 1);
    Numbers<T> y(count);
    launch({blocks(count, 256), 1, 1}, 256,
           [&] { add_depthwise(x.data, weight.data, bias.data, y.data, edge, rows, columns, channels, count); });
    Worst worst;
    for (int i = 0; i < count; i++) {
        const int channel = i % channels, column = i / channels % columns, row = i / channels / columns % rows;
        const int grid = i / channels / columns / rows, reach = edge / 2;
        double sum = x(i) + bias(channel);
        for (int r = std::max(0, row - reach); r <= std::min(rows - 1, row + reach); r++)
            for (int c = std::max(0, column - reach); c <= std::min(columns - 1, column + reach); c++)
                sum += weight((channel * edge + r - row + reach) * edge + c - column + reach) *
                       x(((grid * rows + r) * columns + c) * channels + channel);
        worst.add(y.data[i], sum);
    }
    expect(worst, 1.1, "depthwise convolution", edge);
}

template <typename T> static void check_paint(int height, int width) {
    const Numbers<T> pixels((height + 2) * width * D, 1), taps(9 * D * D, .05);
    const Numbers<float> numbers(sizeof(Finish) / sizeof(float), 1);
    const Finish *finish = reinterpret_cast<const Finish *>(numbers.data);
    Numbers<T> out(COLOURS * height * width);
    Numbers<char> shared(2 * (ROWS + D) * D * sizeof(T));
    launch({blocks(height * width, ROWS), 1, 1}, WARPS * 32,
           [&] { paint<T>(pixels.data, taps.data, finish, out.data, 1e-6f, height, width, shared.data); });
    Worst worst;
    for (int pixel = 0; pixel < height * width; pixel++) {
        double sums[D], mean = 0, variance = 0;
        for (int o = 0; o < D; o++) {
            sums[o] = finish->bias[o];
            for (int tap = 0; tap < 9; tap++) {
                const int row = pixel / width + tap / 3, column = pixel % width + tap % 3 - 1;
                if (column < 0 || column >= width) continue;
                for (int i = 0; i < D; i++) sums[o] += pixels((row * width + column) * D + i) * taps((tap * D + o) * D + i);
            }
            mean += sums[o] / D;
        }
        for (double sum : sums) variance += std::pow(sum - mean, 2) / D;
        for (int colour = 0; colour < COLOURS; colour++) {
            double painted = finish->head_bias[colour];
            for (int o = 0; o < D; o++) {
                const double normal = (sums[o] - mean) / std::sqrt(variance + 1e-6);
                painted += gelu_of(normal * finish->weight[o] + finish->offset[o]) * finish->head[colour][o];
            }
            worst.add(out.data[colour * height * width + pixel], painted);
        }
    }
    expect(worst, 1.5, "paint", width);
}

int main() {
    for (int width : {8, 72, 264, 1024}) check_rows<bf16>(width), check_rows<f16>(width);
    for (int edge : {3, 5}) check_depthwise<bf16>(edge), check_depthwise<f16>(edge);
    check_paint<f16>(1, 1);
    check_paint<f16>(9, 31);
    check_paint<bf16>(2, 64);
    return failures;
}
