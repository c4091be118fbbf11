export { conformanceTests } from './areas/index.js'
export { type Fault, type FaultPlan, type FaultyCommand, faulty } from './faulty.js'
export type {
  Ability,
  Area,
  ConformanceTest,
  Means,
  Need,
  Open,
  OpenStore,
  StoreUnderTest,
  TestContext,
} from './kit.js'
export type { ForkModule, StoreProcess } from './process.js'
export {
  type ConformanceOptions,
  type Runner,
  type RunOptions,
  runConformance,
  storeConformance,
  type Verdict,
} from './run.js'
export { serveStore } from './serve.js'
export { verdictTable } from './verdict-table.js'
