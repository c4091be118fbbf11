import type { Choice, Completion } from './completions.js'

type Json = Record<string, unknown>

/** The chunks the API sends for a completion, in deltas of so many code points, choices taking turns. */
export function chunksOf({ choices, usage, ...completion }: Completion, size: number): Json[] {
  const head = { ...completion, object: 'chat.completion.chunk' }
  const isCounted = usage !== undefined
  const chunks = turns(choices.map((choice) => choiceChunks(choice, size))).map((choice) => ({
    ...head,
    choices: [choice],
    ...(isCounted && { usage: null }),
    obfuscation: 'aGk4Xw',
  }))
  return [...chunks, ...(isCounted ? [{ ...head, choices: [], usage }] : [])]
}

export function bytesOf(chunks: readonly Json[], newline = '\n'): Buffer {
  const frames = [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'].map((data) => `data: ${data}`)
  return Buffer.from(frames.map((frame) => frame + newline + newline).join(''))
}

export function cut(text: string, size: number): string[] {
  const points = [...text]
  const step = Math.min(size, Math.max(1, points.length))
  return Array.from({ length: Math.ceil(points.length / step) }, (_, i) =>
    points.slice(i * step, (i + 1) * step).join(''),
  )
}

function choiceChunks({ index, message, finish_reason, logprobs, ...rest }: Choice, size: number): Json[] {
  const { role, content, refusal, tool_calls, function_call, audio, ...others } = message
  const isLogged = logprobs !== undefined
  const begun = {
    role,
    // A refusal does not show yet that it is one.
    ...(content !== undefined && { content: typeof content === 'string' || refusal ? '' : content }),
    ...(refusal !== undefined && { refusal: null }),
  }
  const deltas = [
    ...pieces(content, size).map((piece) => ({ content: piece })),
    ...pieces(refusal, size).map((piece) => ({ refusal: piece })),
    ...(tool_calls === undefined ? [] : callDeltas(tool_calls as Json[], size)),
    ...oldCall(function_call as Json | undefined, size),
    ...audioDeltas(audio as Json | undefined, size),
    ...Object.entries(others).map(([name, value]) => ({ [name]: value })),
  ]
  const plain = (delta: Json) => ({ index, delta, ...(isLogged && { logprobs: null }), finish_reason: null })
  return [
    plain(begun),
    ...logDeltas(logprobs as Json | null).map((logprobs) => ({ ...plain({}), logprobs })),
    ...deltas.map(plain),
    { ...plain({}), finish_reason, ...rest },
  ]
}

function pieces(text: unknown, size: number): string[] {
  return typeof text === 'string' ? cut(text, size) : []
}

function logDeltas(logprobs: Json | null | undefined): Json[] {
  if (!logprobs) return []
  const tokens = Object.entries(logprobs).flatMap(([name, list]) =>
    ((list as unknown[] | null) ?? []).map((one) => ({ ...nulls(logprobs), [name]: [one] })),
  )
  return tokens.length > 0 ? tokens : [logprobs]
}

function nulls(object: Json): Json {
  return Object.fromEntries(Object.keys(object).map((name) => [name, null]))
}

function callDeltas(calls: readonly Json[], size: number): Json[] {
  const deltas = calls.flatMap((call, index) => {
    const called = call.function as Json | undefined
    if (!called) return [{ index, ...call }]
    return [
      { index, ...call, function: { ...called, arguments: '' } },
      ...cut(String(called.arguments), size).map((piece) => ({ index, function: { arguments: piece } })),
    ]
  })
  return deltas.length > 0 ? deltas.map((delta) => ({ tool_calls: [delta] })) : [{ tool_calls: [] }]
}

function oldCall(call: Json | undefined, size: number): Json[] {
  if (!call) return []
  const begun = { function_call: { ...call, arguments: '' } }
  return [
    begun,
    ...cut(String(call.arguments), size).map((piece) => ({ function_call: { arguments: piece } })),
  ]
}

function audioDeltas(audio: Json | undefined, size: number): Json[] {
  if (!audio) return []
  return [
    { audio: { id: audio.id } },
    ...cut(String(audio.transcript), size).map((transcript) => ({ audio: { transcript } })),
    ...cut(String(audio.data), size).map((data) => ({ audio: { data } })),
    { audio: { expires_at: audio.expires_at } },
  ]
}

function turns<T>(lists: T[][]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length))
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat()
}
