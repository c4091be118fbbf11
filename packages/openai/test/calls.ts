import type { OpenAI } from 'openai'

const model = 'gpt-5.4-mini'
export const chat = { model, messages: [{ role: 'user' as const, content: 'What is idempotency?' }] }
export const counted = { ...chat, stream_options: { include_usage: true } }
export const asked = { model, input: 'What is idempotency?' }
export const embedded = { model: 'text-embedding-3-small', input: 'idempotency' }

export type Form = 'whole' | 'stream'

/** An answer of each API, asked for as a whole or put together by the SDK from a stream, and its text. */
export const calls = {
  async chat(client: OpenAI, form: Form, options?: OpenAI.RequestOptions): Promise<unknown> {
    const { id, usage, choices } =
      form === 'whole'
        ? await client.chat.completions.create(chat, options)
        : await client.chat.completions.stream(counted, options).finalChatCompletion()
    return plain({ id, usage, choices })
  },
  async responses(client: OpenAI, form: Form, options?: OpenAI.RequestOptions): Promise<unknown> {
    const { id, usage, output, output_text } =
      form === 'whole'
        ? await client.responses.create(asked, options)
        : await client.responses.stream(asked, options).finalResponse()
    return plain({ id, usage, output, output_text })
  },
}

/** Without the members that the SDK adds to an answer it has put together. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, one) => (name === 'parsed' ? undefined : one)))
}
