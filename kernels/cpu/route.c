/* Choosing experts for each row. All in F32; ties go to the lower index. */
#include <math.h>

#include "kernels/cpu/cpu_ops.h"

enum { EXPERTS_MAX = 4096, GROUPS_MAX = 4096 };

static void scores_of(const struct router_rule *rule, const float *z, float *score)
{
    uint32_t n = rule->n_experts;
    if (rule->score == ROUTER_SOFTMAX) {
        float largest = z[0], sum = 0;
        for (uint32_t e = 1; e < n; e++)
            largest = z[e] > largest ? z[e] : largest;
        for (uint32_t e = 0; e < n; e++)
            sum += score[e] = expf(z[e] - largest);
        for (uint32_t e = 0; e < n; e++)
            score[e] /= sum;
        return;
    }
    for (uint32_t e = 0; e < n; e++)
        score[e] = rule->score == ROUTER_SIGMOID ? 1.0f / (1.0f + expf(-z[e]))
                                                 : sqrtf(z[e] > 20.0f ? z[e] : log1pf(expf(z[e])));
}

/* Marks the k largest of values[0..n) by ascending scans; a marked entry is true in taken. */
static void take_largest(const float *values, uint32_t n, uint32_t k, bool *taken)
{
    for (uint32_t i = 0; i < n; i++)
        taken[i] = false;
    for (uint32_t j = 0; j < k; j++) {
        uint32_t best = n;
        for (uint32_t i = 0; i < n; i++)
            if (!taken[i] && (best == n || values[i] > values[best]))
                best = i;
        if (best < n)
            taken[best] = true;
    }
}

static float group_score(const struct router_rule *rule, const float *choose, uint32_t size)
{
    float first = -INFINITY, second = -INFINITY;
    for (uint32_t i = 0; i < size; i++) {
        if (choose[i] > first) {
            second = first;
            first = choose[i];
        } else if (choose[i] > second) {
            second = choose[i];
        }
    }
    return rule->group == ROUTER_GROUP_MAX ? first : size > 1 ? first + second : first;
}

static void mask_groups(const struct router_rule *rule, float *choose)
{
    float per_group[GROUPS_MAX];
    bool kept[GROUPS_MAX];
    uint32_t size = rule->n_experts / rule->n_groups;
    float masked = rule->score == ROUTER_SOFTMAX ? 0.0f : -INFINITY;
    for (uint32_t g = 0; g < rule->n_groups; g++)
        per_group[g] = group_score(rule, choose + g * size, size);
    take_largest(per_group, rule->n_groups, rule->n_groups_used, kept);
    for (uint32_t e = 0; e < rule->n_experts; e++)
        if (!kept[e / size])
            choose[e] = masked;
}

void route_run(const struct launch *launch, const struct route_args *args)
{
    (void)launch;
    const struct router_rule *rule = args->rule;
    float score[EXPERTS_MAX], choose[EXPERTS_MAX];
    bool taken[EXPERTS_MAX];
    check(rule->n_experts <= EXPERTS_MAX && rule->n_used <= rule->n_experts);
    for (uint32_t r = 0; r < args->n_rows; r++) {
        scores_of(rule, args->logits + (size_t)r * rule->n_experts, score);
        for (uint32_t e = 0; e < rule->n_experts; e++)
            choose[e] = args->bias ? score[e] + args->bias[e] : score[e];
        if (rule->group != ROUTER_GROUP_NONE)
            mask_groups(rule, choose);
        take_largest(choose, rule->n_experts, rule->n_used, taken);
        uint32_t *experts = args->experts + (size_t)r * rule->n_used, n = 0;
        float *weights = args->weights + (size_t)r * rule->n_used, sum = 0;
        for (uint32_t e = 0; e < rule->n_experts; e++)
            if (taken[e]) {
                experts[n] = e;
                weights[n++] = score[e];
                sum += score[e];
            }
        for (uint32_t j = 0; j < n; j++)
            weights[j] = (rule->normalise ? weights[j] / (sum + 1e-20f) : weights[j]) * rule->scale;
    }
}
