import type { StoreError } from '@idem/core'
import type { RedisDriver } from './driver.js'
import { asStoreError, replyCode } from './errors.js'
import type { Script } from './lua.gen.js'
import type { Notices } from './notices.js'

/** The line of each command in a script: tells which one the server refused. */
const LINE = /user_script:(\d+)/
const CALL = /redis\.p?call\('(\w+)'/

/** Runs the Lua of the protocol. */
export class Scripts {
  readonly #driver: RedisDriver
  readonly #prefix: string
  readonly #notices: Notices

  constructor(driver: RedisDriver, prefix: string, notices: Notices) {
    this.#driver = driver
    this.#prefix = prefix
    this.#notices = notices
  }

  /**
   * By its hash; the source travels only where the server does not know it yet, or takes no hashes.
   * @throws StoreError
   */
  async run<T>(script: Script, key: string, args: readonly (string | Buffer)[]): Promise<T> {
    try {
      return (await this.#driver.send(key, ['EVALSHA', script.sha1, '1', key, ...args])) as T
    } catch (error) {
      if (replyCode(error) === 'NOSCRIPT') return this.#send(script, key, args)
      const failed = this.#failed(error, 'EVALSHA', script, key)
      if (failed.refused !== 'EVALSHA') throw failed
      const reply = await this.#send<T>(script, key, args)
      this.#notices.tell(failed)
      return reply
    }
  }

  async #send<T>(script: Script, key: string, args: readonly (string | Buffer)[]): Promise<T> {
    try {
      return (await this.#driver.send(key, ['EVAL', script.source, '1', key, ...args])) as T
    } catch (error) {
      throw this.#failed(error, 'EVAL', script, key)
    }
  }

  #failed(error: unknown, sent: string, { source }: Script, key: string): StoreError {
    const line = Number(LINE.exec(String((error as Error).message))?.[1])
    const command = CALL.exec(source.split('\n')[line - 1] ?? '')?.[1] ?? sent
    return asStoreError(error, { command, key, prefix: this.#prefix })
  }
}
