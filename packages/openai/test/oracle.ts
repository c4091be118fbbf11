import type { HttpAnswer, StreamFormat } from '@idem/core/dialect'
import { statesOf as statesIn } from '@idem/testing'
import { OpenAI } from 'openai'
import { Stream } from 'openai/streaming'

export function answer(body: string | Uint8Array): HttpAnswer {
  return { status: 200, headers: [['x-request-id', 'req_01']], body: Buffer.from(body) }
}

export function parsed({ body }: Pick<HttpAnswer, 'body'>): unknown {
  return JSON.parse(Buffer.from(body).toString())
}

/** The two directions of a format, as JSON and bytes. */
export function bothWays(streams: StreamFormat) {
  return {
    fold: (stream: string | Uint8Array): unknown => parsed(streams.fold(answer(stream))),
    expand: (whole: unknown): Uint8Array => streams.expand(answer(JSON.stringify(whole))).body,
  }
}

/** The completion the SDK's own parser reads in a stream. */
export async function completionInSdk(stream: string | Uint8Array): Promise<unknown> {
  const { chat } = clientThatReads(stream)
  return cleaned(await chat.completions.stream({ model: 'm', messages: [] }).finalChatCompletion())
}

/** The response the SDK's own parser reads in a stream. */
export async function responseInSdk(stream: string | Uint8Array): Promise<unknown> {
  const { responses } = clientThatReads(stream)
  const { output_text, ...response } = cleaned(
    await responses.stream({ model: 'm', input: '' }).finalResponse(),
  )
  return response
}

/** The events the SDK reads in a stream one by one, and what it throws. */
export async function eventsInSdk(
  stream: string | Uint8Array,
): Promise<{ events: unknown[]; thrown?: unknown }> {
  const events: unknown[] = []
  try {
    for await (const event of Stream.fromSSEResponse(new Response(stream), new AbortController())) {
      events.push(event)
    }
  } catch (thrown) {
    return { events, thrown }
  }
  return { events }
}

/** The states of an inspector, fed in pieces of `size`. */
export function statesOf(streams: StreamFormat, stream: Uint8Array, size: number): Record<string, number> {
  return statesIn(streams.inspect(), stream, size)
}

function clientThatReads(stream: string | Uint8Array): OpenAI {
  return new OpenAI({ apiKey: 'key', logLevel: 'off', fetch: async () => new Response(stream) })
}

/** As JSON, without what the SDK adds of its own. */
function cleaned(value: unknown): Record<string, unknown> {
  const own = ['parsed', 'parsed_arguments', 'output_parsed']
  return JSON.parse(JSON.stringify(value, (name, one) => (own.includes(name) ? undefined : one)))
}
