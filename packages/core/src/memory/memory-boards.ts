import { LRUCache } from 'lru-cache'

/** The reports of a memory store, apart from its keys. Few and small: a board a day, with a report an idem. */
export class MemoryBoards {
  readonly #boards = new LRUCache<string, Map<string, Uint8Array>>({ max: 100, ttlResolution: 0 })

  write(board: string, name: string, bytes: Uint8Array, ms: number): void {
    const reports = this.#boards.get(board) ?? new Map()
    this.#boards.set(board, reports.set(name, new Uint8Array(bytes)), { ttl: ms })
  }

  /** Copies, which the reader may change. */
  read(board: string): Uint8Array[] {
    return [...(this.#boards.get(board)?.values() ?? [])].map((report) => new Uint8Array(report))
  }

  clear(): void {
    this.#boards.clear()
  }
}
