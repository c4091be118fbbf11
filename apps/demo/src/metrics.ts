import type { Stats } from '@idem/core'
import { Counter, Gauge, Registry } from 'prom-client'

/** What `GET /metrics/idempotency` answers: the figures a dashboard asks for first. */
export function summaryOf({ hitRate, requests, hits, saved }: Stats) {
  return {
    hit_rate_pct: Math.round(hitRate * 1_000) / 10,
    total_requests: requests,
    cache_hits: hits,
    tokens_saved: saved.tokens,
    est_cost_saved_usd: Math.round(saved.dollars * 10_000) / 10_000,
  }
}

/** The same for Prometheus, in its text format. A process reports its own; Prometheus adds them up. */
export async function prometheusOf(stats: Stats): Promise<{ type: string; text: string }> {
  const registry = new Registry()
  const registers = [registry]
  function count(name: string, help: string, label: string, counts: Record<string, number>): void {
    const counter = new Counter({ name, help, labelNames: [label], registers })
    for (const [value, total] of Object.entries(counts)) counter.inc({ [label]: value }, total)
  }
  const { executed, replayed, collapsed, bypassed, failedOpen, superseded, diverged, cancelled, saved } =
    stats
  const calls = { executed, replayed, collapsed, bypassed }
  count('idem_calls_total', 'Calls by what happened to them.', 'outcome', calls)
  const trouble = { failedOpen, superseded, diverged, cancelled }
  count('idem_trouble_total', 'Executions that did not go by the book.', 'kind', trouble)
  const by = (figure: 'calls' | 'tokens' | 'dollars') => ({
    replayed: saved.replayed[figure],
    collapsed: saved.collapsed[figure],
    retryCollapsed: saved.retryCollapsed[figure],
  })
  count('idem_saved_calls_total', 'Upstream calls not made.', 'by', by('calls'))
  count('idem_saved_tokens_total', 'Tokens not paid for.', 'by', by('tokens'))
  count('idem_saved_dollars_total', 'Their list price, US dollars.', 'by', by('dollars'))
  const hitRate = new Gauge({
    name: 'idem_hit_ratio',
    help: 'Calls that cost no upstream call, 0 to 1.',
    registers,
  })
  hitRate.set(stats.hitRate)
  return { type: registry.contentType, text: await registry.metrics() }
}
