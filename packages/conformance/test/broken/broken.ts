import type { Store } from '@idem/core/store'
import { faults } from '../../src/areas/faults.js'
import type { Area, StoreUnderTest } from '../../src/index.js'
import { Shared } from './plain-store.js'

/** A store with one mistake, and what the kit must say of it. */
export interface Broken {
  /** The mistake, as a sentence about the store. */
  readonly breaks: string
  /** The test meant for it. */
  readonly fails: string
  /** Every other test that fails, and why it cannot but fail. */
  readonly alsoFails: Readonly<Record<string, string>>
  /** Tests that fail now and then, and what that depends on. */
  readonly mayFail?: Readonly<Record<string, string>>
  /** Opens one more handle. */
  readonly open: () => Store
  /** Where the mistake reaches tests that run beside it: this area alone is run, one test after another. */
  readonly alone?: Area
  /** What else the kit is given; without it, it skips some tests. */
  readonly means?: Omit<StoreUnderTest, 'open'> & { disrupt?(store: Store): Promise<void> }
}

/** The tests that make an idem on the store. */
export const FAULTS: readonly string[] = faults.map(({ name }) => name)

/** Every handle is the same store. */
export const one = (store: Store) => () => store

/** Every handle is a store of its own over the same data. */
export function several(Handle: new (shared: Shared) => Store): () => Store {
  const shared = new Shared()
  return () => new Handle(shared)
}

/** Says of several tests at once why they fail. */
export function because(reason: string, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]))
}
