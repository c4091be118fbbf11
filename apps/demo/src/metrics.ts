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
  const calls = new Counter({
    name: 'idem_calls_total',
    help: 'Calls by what happened to them.',
    labelNames: ['outcome'],
    registers,
  })
  for (const outcome of ['executed', 'replayed', 'collapsed', 'bypassed'] as const) {
    calls.inc({ outcome }, stats[outcome])
  }
  const trouble = new Counter({
    name: 'idem_trouble_total',
    help: 'Executions that did not go by the book.',
    labelNames: ['kind'],
    registers,
  })
  for (const kind of ['failedOpen', 'superseded', 'diverged', 'cancelled'] as const) {
    trouble.inc({ kind }, stats[kind])
  }
  const saved = { labelNames: ['by'], registers }
  const savedCalls = new Counter({
    name: 'idem_saved_calls_total',
    help: 'Upstream calls not made.',
    ...saved,
  })
  const savedTokens = new Counter({ name: 'idem_saved_tokens_total', help: 'Tokens not paid for.', ...saved })
  const savedDollars = new Counter({
    name: 'idem_saved_dollars_total',
    help: 'What they would have cost at list prices, US dollars.',
    ...saved,
  })
  for (const by of ['replayed', 'collapsed', 'retryCollapsed'] as const) {
    savedCalls.inc({ by }, stats.saved[by].calls)
    savedTokens.inc({ by }, stats.saved[by].tokens)
    savedDollars.inc({ by }, stats.saved[by].dollars)
  }
  const hitRate = new Gauge({
    name: 'idem_hit_ratio',
    help: 'Calls that cost no upstream call, 0 to 1.',
    registers,
  })
  hitRate.set(stats.hitRate)
  return { type: registry.contentType, text: await registry.metrics() }
}
