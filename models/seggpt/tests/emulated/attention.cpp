// Attention against its definition, on canvases of odd sizes.
#include "checks.hpp"
#include "attention.cu"

struct Case {
    int heads, rows, columns, prompts, groups;
    bool is_answer, has_tables;
};

template <typename T, int D> struct Problem {
    Case c;
    int tokens, width, height, prompt_items, skipped, wanted;
    Numbers<T> qkv, row_table, column_table;

    explicit Problem(Case c)
        : c(c), tokens(c.rows * c.columns), width(c.heads * D), height(2 * c.rows),
          prompt_items(c.is_answer ? 1 : c.prompts), skipped(c.is_answer ? tokens - c.columns : 0),
          wanted(prompt_items * tokens - skipped), qkv(size_t(c.groups) * (c.prompts + 1) * tokens * 3 * width, 1.5),
          row_table((2 * height - 1) * D, .3), column_table((2 * c.columns - 1) * D, .3) {}

    double number(int group, int half, int token, int part, int channel) const {
        return qkv(((size_t(group * (c.prompts + 1) + half) * tokens + token) * 3 + part) * width + channel);
    }

    // Adds what a token of `half` attends to on the canvas of a prompt.
    void add(std::vector<double> &sum, int group, int head, int prompt, int half, int token) const {
        std::vector<double> weights(2 * tokens);
        const int row = (half == c.prompts ? c.rows : 0) + token / c.columns, column = token % c.columns;
        auto key_half = [&](int key) { return key < tokens ? prompt : c.prompts; };
        for (int key = 0; key < 2 * tokens; key++) {
            double score = 0;
            for (int d = 0; d < D; d++) {
                const double q = number(group, half, token, 0, head * D + d);
                score += q * number(group, key_half(key), key % tokens, 1, head * D + d) / std::sqrt(D);
                if (!c.has_tables) continue;
                score += q * row_table((row - key / c.columns + height - 1) * D + d);
                score += q * column_table((column - key % c.columns + c.columns - 1) * D + d);
            }
            weights[key] = score;
        }
        const double largest = *std::max_element(weights.begin(), weights.end());
        double total = 0;
        for (double &weight : weights) total += weight = std::exp(weight - largest);
        for (int d = 0; d < D; d++)
            for (int key = 0; key < 2 * tokens; key++)
                sum[d] += weights[key] / total * number(group, key_half(key), key % tokens, 2, head * D + d);
    }

    Numbers<T> run() const {
        const Shape shape = {c.heads, c.rows, c.columns, c.prompts, prompt_items, skipped};
        Numbers<T> out(size_t(c.groups) * (wanted + tokens) * width);
        const size_t parts = size_t(c.groups) * (c.prompts + 1) * tokens;
        Numbers<float> partials(parts * width), logs(parts * c.heads);
        const int items = prompt_items + (c.prompts > 1 ? c.prompts + 1 : 1);
        const size_t biases = ROWS * (shape.column_stride() + shape.row_stride());
        Numbers<char> shared((ROWS + 4 * KEYS) * D * sizeof(T) + biases * sizeof(float));
        launch({unsigned(tokens + ROWS - 1) / ROWS, unsigned(c.heads), unsigned(c.groups * items)}, WARPS * 32, [&] {
            const T *rows = c.has_tables ? row_table.data : nullptr;
            attend<T, D>(qkv.data, rows, column_table.data, out.data, partials.data, logs.data, shape, shared.data);
        });
        if (c.prompts > 1)
            launch({unsigned(tokens * width + 255) / 256, unsigned(c.groups), 1}, 256,
                   [&] { combine<T>(partials.data, logs.data, out.data, D, shape); });
        return out;
    }

    void check() const {
        const Numbers<T> out = run();
        Worst worst;
        for (int group = 0; group < c.groups; group++)
            for (int head = 0; head < c.heads; head++)
                for (int row = 0; row < wanted + tokens; row++) {
                    std::vector<double> expected(D);
                    if (row < wanted) {
                        const int prompt = (row + skipped) / tokens;
                        add(expected, group, head, prompt, prompt, (row + skipped) % tokens);
                    } else {
                        for (int i = 0; i < c.prompts; i++) add(expected, group, head, i, c.prompts, row - wanted);
                        for (double &x : expected) x /= c.prompts;
                    }
                    for (int d = 0; d < D; d++)
                        worst.add(out.data[(size_t(group) * (wanted + tokens) + row) * width + head * D + d], expected[d]);
                }
        expect(worst, 6, "attention", tokens);
    }
};

int main() {
    Problem<bf16, 64>({1, 3, 5, 1, 1, false, true}).check();
    Problem<bf16, 64>({2, 4, 4, 2, 1, false, true}).check();
    Problem<f16, 64>({1, 7, 11, 1, 1, true, true}).check();
    Problem<f16, 64>({1, 12, 13, 3, 1, true, true}).check();
    Problem<f16, 64>({1, 1, 1, 1, 2, false, true}).check();
    Problem<f16, 64>({1, 2, 1, 2, 2, false, true}).check();
    Problem<f16, 64>({1, 5, 33, 1, 1, false, true}).check();
    Problem<bf16, 32>({2, 9, 10, 2, 2, false, false}).check();
    Problem<f16, 32>({1, 40, 7, 1, 1, false, true}).check();
    return failures;
}
