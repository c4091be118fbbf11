/** Every request is a stream, and each stream is in this state whatever comes of it. */
export const plainDialect = (state) => ({
  door: 'test',
  matches: () => true,
  identify: ({ body }) => ({ payload: body, credential: 'key', streaming: true }),
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
