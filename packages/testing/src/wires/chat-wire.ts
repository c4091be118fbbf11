import { openaiError, openaiWire } from './openai-wire.js'
import { type AnswerScript, sse, type Wire } from './wire.js'
import { epochSeconds, tokens, wireId, words } from './wire-text.js'

/** OpenAI's Chat Completions API: a stream is bare data that ends in `[DONE]`. */
export const chatWire: Wire = {
  ...openaiWire('messages'),
  answer(request, script) {
    const whole = buildCompletion(request, script)
    const options = (request.stream_options ?? {}) as { include_usage?: boolean }
    return {
      whole,
      stream: {
        events: () => [...toChunks(whole, options.include_usage === true), '[DONE]'].map((data) => sse(data)),
        failure: ({ status, error }) => sse({ error: openaiError(status, error) }),
      },
    }
  },
}

type WireCompletion = ReturnType<typeof buildCompletion>

function buildCompletion(request: Record<string, unknown>, { text, stopReason = 'stop' }: AnswerScript) {
  const prompt = tokens([request.messages, request.tools])
  const completion = tokens(text)
  return {
    id: wireId('chatcmpl-'),
    object: 'chat.completion',
    created: epochSeconds(),
    model: request.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: stopReason,
      },
    ],
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    service_tier: 'default',
    system_fingerprint: 'fp_0000000000',
  }
}

function toChunks({ choices, usage, ...head }: WireCompletion, withUsage: boolean): object[] {
  const { message, finish_reason } = choices[0]!
  const { content, annotations: _, ...start } = message
  const piece = (delta: object, reason: string | null = null) =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: reason }])
  return [
    piece({ ...start, content: '' }),
    ...words(content).map((word) => piece({ content: word })),
    piece({}, finish_reason),
    ...(withUsage ? [chunk([], usage)] : []),
  ]

  /** With usage asked for, every chunk has the key, and only the last a value. */
  function chunk(choices: object[], counts: object | null = null): object {
    return { ...head, object: 'chat.completion.chunk', choices, ...(withUsage && { usage: counts }) }
  }
}
