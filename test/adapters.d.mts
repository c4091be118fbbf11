import type { Store } from '@idem/core/store'

type Open<Where> = (where: Where, prefix: string) => Promise<Store>
export const serverAdapters: Record<string, Open<string>>
export const clusterAdapters: Record<string, Open<readonly { host: string; port: number }[]>>
