import { bytes, json, streamOf } from './fetch-tools.js'

/**
 * The arguments of one call below this URL. They are made anew each time, since bodies and signals can be used once.
 */
export type Call = (base: string) => readonly unknown[]

const headers = { 'content-type': 'application/json', 'x-mine': 'yes' }
/** A POST of a dialect. */
export const post = { method: 'POST', headers, body: json }

class Init {
  method = 'POST'
  get body() {
    return json
  }
  get headers() {
    return headers
  }
  toString() {
    return 'an init with a prototype'
  }
}

/** Arguments of `fetch`, right and wrong. */
export const calls: Record<string, Call> = {
  'a string': (base) => [`${base}/echo`, post],
  'a URL': (base) => [new URL(`${base}/echo`), post],
  'a URL with a fragment': (base) => [`${base}/echo#part`, post],
  'a URL in capitals': (base) => [`${base.replace('http', 'HTTP')}/a/../echo`, post],
  'an object that reads as a URL': (base) => [{ toString: () => `${base}/echo` }, post],
  'a Request': (base) => [new Request(`${base}/echo`, post)],
  'a Request with bytes': (base) => [new Request(`${base}/echo`, { ...post, body: bytes() })],
  'a Request with a stream': (base) => [
    new Request(`${base}/echo`, { ...post, body: streamOf(bytes()), duplex: 'half' } as RequestInit),
  ],
  'a Request with a stream of text': (base) => [
    new Request(`${base}/echo`, { ...post, body: streamOf(json), duplex: 'half' } as RequestInit),
  ],
  'a Request with a stream that fails': (base) => [
    new Request(`${base}/echo`, { ...post, body: failing(), duplex: 'half' } as RequestInit),
  ],
  'a Request with a referrer': (base) => [
    new Request(`${base}/echo`, { ...post, referrer: 'http://other/', referrerPolicy: 'unsafe-url' }),
  ],
  'a Request with a referrer, and idem': (base) => [
    new Request(`${base}/echo`, { ...post, referrer: 'http://other/' }),
    { idem: {} },
  ],
  'a Request and an init': (base) => [new Request(`${base}/echo`, { method: 'PUT' }), post],
  'a Request and an init with one member': (base) => [
    new Request(`${base}/echo`, { ...post, referrer: 'http://other/' }),
    { headers: { 'x-other': '1' } },
  ],
  'a Request that has been used': (base) => [usedUp(new Request(`${base}/echo`, post))],
  'a Request that has been used, and a new body': (base) => [
    usedUp(new Request(`${base}/echo`, post)),
    { body: '{}' },
  ],
  'a GET Request': (base) => [new Request(`${base}/echo`)],
  'a Request as init': (base) => [`${base}/echo`, new Request('http://elsewhere/', post)],
  'a Request as init that has been used': (base) => [
    `${base}/echo`,
    usedUp(new Request('http://elsewhere/', post)),
  ],
  'no init': (base) => [`${base}/echo`],
  'undefined as init': (base) => [`${base}/echo`, undefined],
  'null as init': (base) => [`${base}/echo`, null],
  'a frozen init': (base) => [`${base}/echo`, Object.freeze({ ...post })],
  'an init with a prototype': (base) => [`${base}/echo`, new Init()],
  'an init that inherits': (base) => [`${base}/echo`, Object.create(post)],
  'an init without a prototype': (base) => [`${base}/echo`, Object.assign(Object.create(null), post)],
  'a function as init': (base) => [`${base}/echo`, Object.assign(() => {}, post)],
  'an init with idem': (base) => [`${base}/echo`, { ...post, idem: { ttl: 'chat' } }],
  'an init with idem and a prototype': (base) => [
    `${base}/echo`,
    Object.assign(new Init(), { idem: { bypass: true } }),
  ],
  'an unknown member': (base) => [`${base}/echo`, { ...post, unheardOf: 1 }],
  'members that are undefined': (base) => [
    `${base}/echo`,
    { ...post, signal: undefined, redirect: undefined, mode: undefined, idem: undefined },
  ],
  'a method in small letters': (base) => [`${base}/echo`, { ...post, method: 'post' }],
  'a signal that is null': (base) => [`${base}/echo`, { ...post, signal: null }],
  'headers as a list': (base) => [
    `${base}/echo`,
    {
      ...post,
      headers: [
        ['x-mine', 'a'],
        ['x-mine', 'b'],
      ],
    },
  ],
  'headers as Headers': (base) => [`${base}/echo`, { ...post, headers: new Headers(headers) }],
  'no headers': (base) => [`${base}/echo`, { method: 'POST', body: json }],
  'credentials, cache, mode and keepalive': (base) => [
    `${base}/echo`,
    { ...post, credentials: 'include', cache: 'no-store', mode: 'no-cors', keepalive: true },
  ],
  'a referrer': (base) => [`${base}/echo`, { ...post, referrer: 'http://other/path' }],
  'integrity that holds not': (base) => [`${base}/echo`, { ...post, integrity: 'sha256-AAAA' }],
  'a priority': (base) => [`${base}/echo`, { ...post, priority: 'high', window: null }],

  // Errors in them must be reported as the platform reports them.
  'no arguments': () => [],
  'a relative URL': () => ['/ai/echo', post],
  'an invalid URL': () => ['http://', post],
  'another scheme': () => ['ai:echo', post],
  'a URL with a password': (base) => [`${base.replace('//', '//u:p@')}/echo`, post],
  'a symbol as a URL': () => [Symbol('url'), post],
  'a number as init': (base) => [`${base}/echo`, 5],
  'a string as init': (base) => [`${base}/echo`, 'POST'],
  'an invalid method': (base) => [`${base}/echo`, { ...post, method: 'PO ST' }],
  'a method that is forbidden': (base) => [`${base}/echo`, { ...post, method: 'TRACE' }],
  'an invalid header': (base) => [`${base}/echo`, { ...post, headers: { 'a b': 'c' } }],
  'an invalid header value': (base) => [`${base}/echo`, { ...post, headers: { a: 'b\nc' } }],
  'a GET with a body': (base) => [`${base}/echo`, { body: json }],
  'an invalid redirect mode': (base) => [`${base}/echo`, { ...post, redirect: 'maybe' }],
  'an invalid mode': (base) => [`${base}/echo`, { ...post, mode: 'navigate' }],
  'a cache mode that does not go with it': (base) => [`${base}/echo`, { ...post, cache: 'only-if-cached' }],
  'an invalid signal': (base) => [`${base}/echo`, { ...post, signal: {} }],
  'a window': (base) => [`${base}/echo`, { ...post, window: 1 }],
  'a stream without duplex': (base) => [`${base}/echo`, { ...post, body: streamOf(bytes()) }],
}

/** Bodies of every kind. */
export const bodies: Record<string, () => unknown> = {
  text: () => json,
  'an empty text': () => '',
  'text with half a character': () => '{"a":"\ud800"}',
  'text with a byte order mark': () => `\ufeff${json}`,
  'a text object': () => new String(json),
  bytes: () => bytes(),
  'a part of bytes': () => new Uint8Array(Buffer.from(`xx${json}xx`)).subarray(2, 2 + bytes().byteLength),
  'a Buffer': () => Buffer.from(json),
  'an ArrayBuffer': () => bytes().buffer,
  'a DataView': () => new DataView(bytes().buffer),
  '16-bit numbers': () => new Uint16Array(new TextEncoder().encode('{"a": 1}').buffer),
  'bytes that are not UTF-8': () => Buffer.from(json, 'latin1'),
  'bytes with a byte order mark': () => Buffer.from(`\ufeff${json}`),
  'a Blob': () => new Blob([json], { type: 'application/x-mine' }),
  'a Blob without a type': () => new Blob([json]),
  parameters: () => new URLSearchParams({ prompt: 'a b' }),
  'an object': () => ({ prompt: 'x' }),
  'a number': () => 12,
  'a list': () => [1, 2],
  null: () => null,
  undefined: () => undefined,
  'a stream': () => streamOf(bytes()),
  'a stream that fails': () => failing(),
  'a stream in use': () => {
    const stream = streamOf(bytes())
    stream.getReader()
    return stream
  },
  'an iterable': () => iterable(),
}

function failing(): ReadableStream {
  return new ReadableStream({
    pull(controller) {
      controller.error(new Error('cannot be read'))
    },
  })
}

async function* iterable() {
  yield bytes()
}

function usedUp(request: Request): Request {
  void request.text()
  return request
}
