export { conformanceTests } from './areas/index.js'
export type { Ability, Area, ConformanceTest, Open, OpenStore, TestContext } from './kit.js'
export {
  type ConformanceOptions,
  type Runner,
  type RunOptions,
  runConformance,
  storeConformance,
  type Verdict,
} from './run.js'
