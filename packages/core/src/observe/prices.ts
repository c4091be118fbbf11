import { InvalidArgumentError } from '../errors/caller-errors.js'
import type { Usage } from './usage.js'

/** What a model costs, in US dollars. */
export interface ModelPrice {
  /** Per million input tokens. */
  readonly input: number
  /** Per million output tokens. @default 0, for models that answer with none */
  readonly output?: number
  /** Per million tokens read from the prompt cache. @default as input */
  readonly cacheRead?: number
  /** Per million tokens written to the prompt cache for 5 minutes. @default as input */
  readonly cacheWrite5m?: number
  /** Per million tokens written to it for an hour. @default as input */
  readonly cacheWrite1h?: number
  /** Per thousand web searches. @default 0 */
  readonly webSearches?: number
}

/** The list prices of one provider. */
export interface PriceList {
  /** The day they were read, `YYYY-MM-DD`. */
  readonly date: string
  /** By the name of the model without its date. */
  readonly models: Readonly<Record<string, ModelPrice>>
}

/** Prices by model name, which win over a provider's list: negotiated ones, or those of a model newer than it. */
export type Prices = Readonly<Record<string, ModelPrice>>

/** How models name a version of the same price: `-20251101`, `-2025-11-13`, `@20251101`, `-latest`. */
const VERSION = /[-@](\d{8}|\d{4}-\d{2}-\d{2}|latest)$/

/** What the usage cost at these prices, dollars; undefined for a model that none of them names. */
export function dollarsFor(usage: Usage, model: string, ...lists: readonly Prices[]): number | undefined {
  const names = [model, model.replace(VERSION, '')]
  const price = lists
    .flatMap((prices) => names.map((name) => (Object.hasOwn(prices, name) ? prices[name] : undefined)))
    .find((one) => one !== undefined)
  if (!price) return undefined
  const {
    input,
    output = 0,
    cacheRead = input,
    cacheWrite5m = input,
    cacheWrite1h = input,
    webSearches = 0,
  } = price
  const perMillion =
    usage.input * input +
    usage.output * output +
    usage.cacheRead * cacheRead +
    usage.cacheWrite5m * cacheWrite5m +
    usage.cacheWrite1h * cacheWrite1h
  return perMillion / 1_000_000 + (usage.webSearches * webSearches) / 1_000
}

const NAMES = ['input', 'output', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'webSearches']

/** @throws InvalidArgumentError for what is not a price */
export function assertPrices(prices: unknown): asserts prices is Prices {
  if (typeof prices !== 'object' || prices === null) {
    throw new InvalidArgumentError('prices must be an object of prices by model name.')
  }
  for (const [model, price] of Object.entries(prices)) {
    const isPrice =
      typeof price === 'object' &&
      price !== null &&
      'input' in price &&
      Object.entries(price).every(
        ([name, value]: [string, unknown]) => NAMES.includes(name) && isAmount(value),
      )
    if (!isPrice) {
      throw new InvalidArgumentError(
        `prices: '${model}' must be an object of dollars, with 'input' and any of: ${NAMES.slice(1).join(', ')}.`,
      )
    }
  }
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
