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

/** The same for Prometheus, in its text format: a series for each process, since it is Prometheus that adds them up. */
export async function prometheusOf(
  statsByWorker: ReadonlyMap<number, Stats>,
): Promise<{ type: string; text: string }> {
  const registry = new Registry()
  const registers = [registry]
  const counter = (name: string, help: string, label: string) =>
    new Counter({ name, help, labelNames: ['worker', label], registers })
  const calls = counter('idem_calls_total', 'Calls by what happened to them.', 'outcome')
  const trouble = counter('idem_trouble_total', 'Executions that did not go by the book.', 'kind')
  const saved = {
    calls: counter('idem_saved_calls_total', 'Upstream calls not made.', 'by'),
    tokens: counter('idem_saved_tokens_total', 'Tokens not paid for.', 'by'),
    dollars: counter('idem_saved_dollars_total', 'Their list price, US dollars.', 'by'),
  }
  const hitRatio = new Gauge({
    name: 'idem_hit_ratio',
    help: 'Calls that cost no upstream call, 0 to 1.',
    labelNames: ['worker'],
    registers,
  })
  for (const [worker, stats] of statsByWorker) {
    for (const outcome of ['executed', 'replayed', 'collapsed', 'bypassed'] as const)
      calls.inc({ worker, outcome }, stats[outcome])
    for (const kind of ['failedOpen', 'superseded', 'diverged', 'cancelled'] as const)
      trouble.inc({ worker, kind }, stats[kind])
    for (const by of ['replayed', 'collapsed', 'retryCollapsed'] as const)
      for (const figure of ['calls', 'tokens', 'dollars'] as const)
        saved[figure].inc({ worker, by }, stats.saved[by][figure])
    hitRatio.set({ worker }, stats.hitRate)
  }
  return { type: registry.contentType, text: await registry.metrics() }
}
