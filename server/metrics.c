/* The metrics of the front: rows, atomics, and the Prometheus text form (version 0.0.4). */
#include "server/metrics.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "server/front.h"
#include "server/routes.h"

struct row {
    const char *name, *help;
};

static const struct row counter_rows[METRICS_COUNTERS] = {
    [METRICS_PROMPT_TOKENS] = {"seekd_prompt_tokens_total", "Prompt tokens of finished and running requests."},
    [METRICS_GENERATION_TOKENS] = {"seekd_generation_tokens_total", "Generated tokens."},
    [METRICS_CACHED_PROMPT_TOKENS] = {"seekd_cached_prompt_tokens_total", "Prompt tokens whose cached state was reused."},
    [METRICS_ABORTED] = {"seekd_requests_aborted_total", "Clients that left before their reply was complete."},
    [METRICS_SLOW_READERS] = {"seekd_slow_readers_total", "Streams dropped because their client did not read."},
    [METRICS_REFUSED_QUEUE] = {"seekd_refused_queue_total", "Requests refused because the queue was full."},
    [METRICS_REFUSED_KEY] = {"seekd_refused_key_total", "Requests refused by their key's limits."},
    [METRICS_ENGINE_DEATHS] = {"seekd_engine_deaths_total", "Engine processes that ended unasked."},
    [METRICS_FRAMING_REFUSALS] = {"seekd_framing_refusals_total", "Connections refused by the HTTP framing gate."},
    [METRICS_STALE_FRAMES] = {"seekd_stale_frames_total", "Engine messages of requests that were over."},
};

static const struct row histogram_rows[METRICS_HISTOGRAMS] = {
    [METRICS_TIME_TO_FIRST_TOKEN] = {"seekd_time_to_first_token_seconds", "From a request's head to its first token."},
    [METRICS_INTER_TOKEN] = {"seekd_inter_token_seconds", "Between two tokens of one choice."},
    [METRICS_REQUEST_TIME] = {"seekd_request_seconds", "From a request's head to the end of its reply."},
    [METRICS_QUEUE_TIME] = {"seekd_queue_seconds", "Time a request waited in the engine's queue."},
    [METRICS_PREFILL_TIME] = {"seekd_prefill_seconds", "Time a request's prompt took."},
};

enum gauge { GAUGE_RUNNING, GAUGE_WAITING, GAUGE_PARKED, GAUGE_CACHE_USE, GAUGE_CONNECTIONS, GAUGE_EXCHANGES, GAUGE_ENGINE_RSS, GAUGES };

static const struct row gauge_rows[GAUGES] = {
    [GAUGE_RUNNING] = {"seekd_requests_running", "Sequences that run."},
    [GAUGE_WAITING] = {"seekd_requests_waiting", "Sequences that wait for a place."},
    [GAUGE_PARKED] = {"seekd_requests_parked", "Sequences preempted, to be computed again."},
    [GAUGE_CACHE_USE] = {"seekd_kv_use_ratio", "Share of the cache pages held by sequences."},
    [GAUGE_CONNECTIONS] = {"seekd_connections", "Open connections."},
    [GAUGE_EXCHANGES] = {"seekd_http_requests_open", "HTTP requests between head and end of reply."},
    [GAUGE_ENGINE_RSS] = {"seekd_engine_resident_bytes", "Resident memory of the engine process."},
};

static const char pages_name[] = "seekd_kv_pages", pages_help[] = "Cache pages by state: free, cached, held.";
static const char requests_name[] = "seekd_requests_total", requests_help[] = "Finished HTTP requests by route and status.";
static const char preempted_name[] = "seekd_preemptions_total", preempted_help[] = "Sequences preempted by the running engine.";

static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
enum { BOUNDS = sizeof bounds / sizeof bounds[0], ROUTES_MAX = 64 };

static const unsigned short statuses[] = {200, 400, 401, 403, 404, 405, 408, 413, 414, 415, 417, 429, 431, 499, 500, 501, 503, 504, 505};
enum { STATUSES = sizeof statuses / sizeof statuses[0] };

struct histogram {
    _Atomic uint64_t buckets[BOUNDS + 1]; /* not cumulative; the last is above all bounds */
    _Atomic uint64_t sum_ns;
};

struct metrics {
    _Atomic uint64_t counters[METRICS_COUNTERS];
    struct histogram histograms[METRICS_HISTOGRAMS];
    _Atomic uint64_t requests[ROUTES_MAX + 1][STATUSES + 1]; /* the last row: no route; the last column: another status */
    _Atomic int64_t connections, exchanges;
};

struct metrics *metrics_create(void)
{
    check(routes_count <= ROUTES_MAX);
    return mem_zalloc(sizeof(struct metrics));
}

void metrics_free(struct metrics *metrics)
{
    mem_free(metrics);
}

void metrics_add(struct metrics *metrics, enum metrics_counter counter, uint64_t n)
{
    atomic_fetch_add_explicit(&metrics->counters[counter], n, memory_order_relaxed);
}

void metrics_observe(struct metrics *metrics, enum metrics_histogram histogram, double seconds)
{
    struct histogram *h = &metrics->histograms[histogram];
    unsigned at = 0;
    while (at < BOUNDS && seconds > bounds[at])
        at++;
    atomic_fetch_add_explicit(&h->buckets[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_ns, seconds > 0 ? (uint64_t)(seconds * 1e9) : 0, memory_order_relaxed);
}

void metrics_request(struct metrics *metrics, int route, unsigned status)
{
    unsigned row = route >= 0 && (size_t)route < routes_count ? (unsigned)route : ROUTES_MAX, column = 0;
    while (column < STATUSES && statuses[column] != status)
        column++;
    atomic_fetch_add_explicit(&metrics->requests[row][column], 1, memory_order_relaxed);
}

void metrics_connections(struct metrics *metrics, int64_t delta)
{
    atomic_fetch_add(&metrics->connections, delta);
}

void metrics_exchanges(struct metrics *metrics, int64_t delta)
{
    atomic_fetch_add(&metrics->exchanges, delta);
}

int64_t metrics_exchanges_now(const struct metrics *metrics)
{
    return atomic_load(&metrics->exchanges);
}

/* ---- Writing ----------------------------------------------------------------------------------------------- */

static void head(struct buf *out, const char *name, const char *help, const char *type)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_histogram(struct buf *out, const struct row *row, const struct histogram *h)
{
    uint64_t total = 0;
    head(out, row->name, row->help, "histogram");
    for (unsigned i = 0; i < BOUNDS; i++) {
        total += h->buckets[i];
        buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", row->name, bounds[i], (unsigned long long)total);
    }
    total += h->buckets[BOUNDS];
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n", row->name, (unsigned long long)total);
    buf_printf(out, "%s_sum %.9g\n%s_count %llu\n", row->name, (double)h->sum_ns * 1e-9, row->name, (unsigned long long)total);
}

static void write_requests(struct buf *out, const struct metrics *metrics)
{
    head(out, requests_name, requests_help, "counter");
    for (unsigned r = 0; r <= ROUTES_MAX; r++)
        for (unsigned s = 0; s <= STATUSES; s++) {
            uint64_t n = metrics->requests[r][s];
            if (!n)
                continue;
            buf_printf(out, "%s{route=\"%s\",status=\"", requests_name, r < routes_count ? routes_table[r].path : "none");
            if (s < STATUSES)
                buf_printf(out, "%u\"} %llu\n", statuses[s], (unsigned long long)n);
            else
                buf_printf(out, "other\"} %llu\n", (unsigned long long)n);
        }
}

void metrics_write(const struct metrics *metrics, const struct front_state *state, struct buf *out)
{
    const struct protocol_stats *stats = &state->stats;
    double gauges[GAUGES] = {
        [GAUGE_RUNNING] = stats->n_running,
        [GAUGE_WAITING] = stats->n_waiting,
        [GAUGE_PARKED] = stats->n_parked,
        [GAUGE_CACHE_USE] = stats->pages_total ? (double)stats->pages_held / stats->pages_total : 0,
        [GAUGE_CONNECTIONS] = (double)metrics->connections,
        [GAUGE_EXCHANGES] = (double)metrics->exchanges,
        [GAUGE_ENGINE_RSS] = (double)stats->rss_bytes,
    };
    for (unsigned i = 0; i < GAUGES; i++) {
        head(out, gauge_rows[i].name, gauge_rows[i].help, "gauge");
        buf_printf(out, "%s %.12g\n", gauge_rows[i].name, gauges[i]);
    }
    head(out, pages_name, pages_help, "gauge");
    buf_printf(out, "%s{state=\"free\"} %u\n%s{state=\"cached\"} %u\n%s{state=\"held\"} %u\n", pages_name, stats->pages_free, pages_name,
               stats->pages_cached, pages_name, stats->pages_held);
    for (unsigned i = 0; i < METRICS_COUNTERS; i++) {
        head(out, counter_rows[i].name, counter_rows[i].help, "counter");
        buf_printf(out, "%s %llu\n", counter_rows[i].name, (unsigned long long)metrics->counters[i]);
    }
    head(out, preempted_name, preempted_help, "counter");
    buf_printf(out, "%s %llu\n", preempted_name, (unsigned long long)stats->preemptions);
    write_requests(out, metrics);
    for (unsigned i = 0; i < METRICS_HISTOGRAMS; i++)
        write_histogram(out, &histogram_rows[i], &metrics->histograms[i]);
}

static void markdown_row(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "| `%s` | %s | %s |\n", name, type, help);
}

void metrics_write_markdown(FILE *out)
{
    fputs("# Metrics\n\n`GET /metrics`, Prometheus text. This page is written by `make docs` from the tables in "
          "`server/metrics.c`.\n\n| name | type | meaning |\n| --- | --- | --- |\n", out);
    for (unsigned i = 0; i < GAUGES; i++)
        markdown_row(out, gauge_rows[i].name, "gauge", gauge_rows[i].help);
    markdown_row(out, "seekd_kv_pages{state=}", "gauge", pages_help);
    for (unsigned i = 0; i < METRICS_COUNTERS; i++)
        markdown_row(out, counter_rows[i].name, "counter", counter_rows[i].help);
    markdown_row(out, preempted_name, "counter", preempted_help);
    markdown_row(out, "seekd_requests_total{route=,status=}", "counter", requests_help);
    for (unsigned i = 0; i < METRICS_HISTOGRAMS; i++)
        markdown_row(out, histogram_rows[i].name, "histogram", histogram_rows[i].help);
}
