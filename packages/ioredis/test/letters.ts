import type { Dialect } from '@idem/core/dialect'

/** A provider whose streams are letters, and a `.` at their end. */
export const letters: Dialect = {
  specVersion: 1,
  door: 'letters',
  matches: () => true,
  identify: (body) => ({ body, streaming: true, isSampled: false }),
  credentialHeaders: ['authorization'],
  assess: () => ({ keep: 'store' }),
  errorBody: (error) => error,
  streams: {
    inspect() {
      let last = ''
      return {
        push(piece) {
          last = Buffer.from(piece).toString().at(-1) ?? last
        },
        get state() {
          return last === '.' ? 'whole' : 'running'
        },
      }
    },
    fold: (answer) => ({ ...answer, body: Buffer.from('{}') }),
    expand: (answer) => answer,
    ping: '',
    errorEvent: () => '',
  },
}
