/** Every request is a stream, and each stream is in the state that is told of it, whatever comes of it. */
export const plainDialect = (stateOf) => ({
  door: 'test',
  matches: () => true,
  identify: (_headers, body) => ({
    body,
    headers: {},
    credential: 'key',
    streaming: true,
    isSampled: false,
    isRetry: false,
  }),
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
