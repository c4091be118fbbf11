import type { Stats } from '@idem/core'
import type { Provider } from '@idem/testing'
import type { SharedRedis, Upstream } from './client.js'

/** What the scenarios run in. */
export interface World {
  readonly upstream: Upstream
  /** The bundled provider, whose behaviour can be scripted; undefined on the real API. */
  readonly provider: Provider | undefined
  /** Undefined without REDIS_URL. */
  readonly redis: SharedRedis | undefined
}

/** Where a scenario says what it sees, as it sees it. */
export interface Notebook {
  /** Something that must hold for the scenario to hold. */
  check(held: boolean, text: string): void
  /** A figure that decides nothing. */
  note(text: string): void
  /** What an idem of the scenario did, for the savings at the end: since `before`, or in all. */
  count(stats: Stats, before?: Stats): void
}

export interface Scenario {
  readonly name: string
  /** One sentence: what is done. */
  readonly what: string
  readonly needs?: 'redis' | 'provider' | 'redis and provider'
  run(world: World, notebook: Notebook): Promise<void>
}

/** `3 answers, all identical`. */
export function sameness(answers: readonly string[]): string {
  const different = new Set(answers).size
  return `${answers.length} answers, ${different === 1 ? 'all identical' : `${different} different ones`}`
}

/** `1 upstream call`, `4 upstream calls`. */
export function upstream(calls: number): string {
  return `${calls} upstream call${calls === 1 ? '' : 's'}`
}

/** Why a scenario cannot run in this world; undefined if it can. */
export function unmet({ needs }: Scenario, { redis, provider }: World): string | undefined {
  if (needs?.includes('redis') && !redis) return 'set REDIS_URL'
  if (needs?.includes('provider') && !provider) return 'it scripts the provider: unset ANTHROPIC_API_KEY'
  return undefined
}
