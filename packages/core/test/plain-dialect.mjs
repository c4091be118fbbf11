/** Every request is a stream, and each stream is in this state whatever comes of it. */
export const plainDialect = (state) => ({
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
    inspect: () => ({ push() {}, state }),
    fold: (answer) => answer,
    expand: (answer) => answer,
    ping: '',
    errorEvent: () => '',
  },
})
