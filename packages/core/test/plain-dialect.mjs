/** Every request is a stream, and each stream is in the state that is told of it, whatever comes of it. */
export const plainDialect = (stateOf) => ({
  specVersion: 1,
  door: 'test',
  matches: () => true,
  identify: (body) => ({ body, streaming: true, isSampled: false }),
  credentialHeaders: ['authorization'],
  assess: () => ({ keep: 'store' }),
  errorBody: (error) => error,
  streams: {
    inspect: () => ({
      push() {},
      get state() {
        return stateOf()
      },
    }),
    fold: (answer) => answer,
    expand: (answer) => answer,
    ping: '',
    errorEvent: () => '',
  },
})
