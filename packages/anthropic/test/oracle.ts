import { BetaMessageStream } from '@anthropic-ai/sdk/lib/BetaMessageStream'
import { MessageStream } from '@anthropic-ai/sdk/lib/MessageStream'
import { Stream } from '@anthropic-ai/sdk/streaming'
import type { HttpAnswer } from '@idem/core/dialect'
import { statesOf as statesIn } from '@idem/testing'
import { expect } from 'vitest'
import { messagesStreams as streams } from '../src/streams.js'

export function answer(body: string | Uint8Array): HttpAnswer {
  return { status: 200, headers: [['request-id', 'req_01']], body: Buffer.from(body) }
}

export function parsed({ body }: HttpAnswer): unknown {
  return JSON.parse(Buffer.from(body).toString())
}

export function fold(stream: string | Uint8Array): unknown {
  return parsed(streams.fold(answer(stream)))
}

export function expand(message: unknown): Uint8Array {
  return streams.expand(answer(JSON.stringify(message))).body
}

/** The message the SDK makes of a stream: the beta's reader, or the one that knows less. */
export async function sdk(
  stream: string | Uint8Array,
  Reader: typeof BetaMessageStream | typeof MessageStream = BetaMessageStream,
): Promise<unknown> {
  const events = Stream.fromSSEResponse(new Response(stream), new AbortController())
  const message = await Reader.fromReadableStream(events.toReadableStream()).finalMessage()
  const { parsed_output, ...rest } = JSON.parse(JSON.stringify(message))
  return rest
}

/** The error that the SDK throws at a reader of single events. */
export async function thrownBySdk(stream: string): Promise<unknown> {
  try {
    for await (const _ of Stream.fromSSEResponse(new Response(stream), new AbortController()));
  } catch (error) {
    return error
  }
  return undefined
}

/** The message the SDK reads in a stream. Every reader that knows all of its members must agree. */
export async function readBySdk(stream: string | Uint8Array, beta = false): Promise<unknown> {
  const message = await sdk(stream)
  if (!beta) expect(await sdk(stream, MessageStream)).toStrictEqual(message)
  return message
}

/** The message a stream folds to, which must be the one the SDK reads in it. */
export async function foldAsTheSdk(stream: string | Uint8Array, beta = false): Promise<unknown> {
  const folded = fold(stream)
  expect(folded).toStrictEqual(await readBySdk(stream, beta))
  return folded
}

/** The states of the inspector, fed in pieces of `size`. */
export function statesOf(stream: Uint8Array, size: number): Record<string, number> {
  return statesIn(streams.inspect(), stream, size)
}
