type Json = Record<string, unknown>

export interface Choice extends Json {
  index: number
  message: Json
}

export type Completion = Json & { choices: Choice[] }

export interface Example {
  readonly name: string
  readonly completion: Completion
  /** The reason why the SDK's stream parser reads something else. */
  readonly unlikeSdk?: string
}

const usage = {
  prompt_tokens: 19,
  completion_tokens: 10,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0, cache_write_tokens: 3 },
  completion_tokens_details: {
    reasoning_tokens: 6,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
}

export function completion(choices: Choice[], change: Json = {}): Completion {
  return {
    id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
    object: 'chat.completion',
    created: 1741569952,
    model: 'gpt-5.4-mini-2026-03-17',
    choices,
    usage,
    service_tier: 'default',
    system_fingerprint: 'fp_44709d6fcb',
    ...change,
  }
}

export function choice(message: Json, change: Json = {}): Choice {
  const whole = { role: 'assistant', content: null, refusal: null, ...message }
  return { index: 0, message: whole, logprobs: null, finish_reason: 'stop', ...change }
}

export const text = (content: string, change: Json = {}) => choice({ content }, change)
export const call = (name: string, args: string, id = `call_${name}`) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})

const token = (token: string, logprob: number) => ({
  token,
  logprob,
  bytes: [...Buffer.from(token)],
  top_logprobs: [{ token, logprob, bytes: null }],
})
const calling = (...tool_calls: Json[]) => choice({ tool_calls }, { finish_reason: 'tool_calls' })
const citation = { start_index: 0, end_index: 3, title: 'T', url: 'a:b' }

const choices: Record<string, Choice[]> = {
  text: [text('Hello! How can I help you today?')],
  emoji: [text('👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽')],
  'combining characters': [text('e\u0301 Z͑ͫ̓ นี่')],
  'CJK and right to left': [text('冪等性 멱등성 עברית 𠮷')],
  'text that looks like events': [text('data: [DONE]\n\n: x\r\ndata {"error":{"message":"no"}}')],
  'line separators, NUL and BOM': [text('a\u2028b\u2029c\r\nd\u0085e\u0000f\uFEFF')],
  'quotes and backslashes': [text('"\\" \\n \\u0041 \t')],
  'a refusal': [choice({ refusal: 'I’m sorry, I can’t help with that. 🙏' })],
  'a tool call': [calling(call('weather', '{"city":"Zürich","days":[1,2]}'))],
  'a tool call without arguments': [calling(call('now', ''))],
  'a tool call of an empty object': [calling(call('now', '{}'))],
  'parallel tool calls': [calling(call('a', '{"x":1}'), call('b', '{"é":"👍"}'), call('c', '{}'))],
  'text before tool calls': [
    choice({ content: 'Let me look.', tool_calls: [call('a', '{}')] }, { finish_reason: 'tool_calls' }),
  ],
  'a tool call there was no choice about': [choice({ tool_calls: [call('a', '{}')] })],
  'a function call of the old kind': [
    choice({ function_call: { name: 'f', arguments: '{"a":1}' } }, { finish_reason: 'function_call' }),
  ],
  'several choices': ['one', 'zwei 冪', 'trois é'].map((one, index) => text(one, { index })),
  'several choices of several kinds': [
    text('Hi'),
    choice({ refusal: 'No.' }, { index: 1 }),
    { ...calling(call('a', '{"b":2}')), index: 2 },
    text('cut', { index: 3, finish_reason: 'length' }),
  ],
  logprobs: [text('Hi 👍', { logprobs: { content: [token('Hi', -0.1), token(' 👍', -2)], refusal: null } })],
  'logprobs of a refusal': [
    choice({ refusal: 'No.' }, { logprobs: { content: null, refusal: [token('No', -0.5), token('.', 0)] } }),
  ],
  'logprobs of nothing': [text('Hi', { logprobs: { content: [], refusal: null } })],
  annotations: [choice({ content: 'Yes', annotations: [{ type: 'url_citation', url_citation: citation }] })],
  'no annotations': [choice({ content: 'Yes', annotations: [] })],
  audio: [choice({ audio: { id: 'audio_1', data: 'AAEC', transcript: 'Hé', expires_at: 1741569999 } })],
  ...Object.fromEntries(
    ['stop', 'length', 'content_filter', 'tool_calls', 'function_call', 'tomorrow'].map((finish_reason) => [
      `finished by ${finish_reason}`,
      [text('Hi', { finish_reason })],
    ]),
  ),
  'filters of Azure': [
    text('Hi', { content_filter_results: { hate: { filtered: false, severity: 'safe' } } }),
  ],
}

const odd: Example[] = [
  { name: 'empty text', completion: completion([text('', { finish_reason: 'length' })]), unlikeSdk: 'null' },
  {
    name: 'a custom tool call',
    completion: completion([calling({ id: 'c', type: 'custom', custom: { name: 'n', input: 'a b' } })]),
    unlikeSdk: 'throws',
  },
  { name: 'no tool calls', completion: completion([choice({ content: 'Hi', tool_calls: [] })]) },
  {
    name: 'a message of nothing else than its role',
    completion: completion([{ index: 0, message: { role: 'assistant' }, finish_reason: 'stop' }]),
    unlikeSdk: 'adds null for what is not there',
  },
  {
    name: 'members of a message not known yet',
    completion: completion([choice({ content: 'Hi', reasoning_content: 'Hm…', hologram: { width: [3] } })]),
  },
  { name: 'no usage', completion: without(completion([text('Hi')]), 'usage') },
  { name: 'no fingerprint', completion: without(completion([text('Hi')]), 'system_fingerprint') },
  {
    name: 'no fingerprint but its name',
    completion: completion([text('Hi')], { system_fingerprint: null }),
    unlikeSdk: 'leaves it out',
  },
  {
    name: 'members not known yet',
    completion: completion([text('Hi')], { hologram: { a: [1] }, none: null }),
  },
  {
    name: 'usage not known yet',
    completion: completion([text('Hi')], { usage: { ...usage, joules: { gpu: 12.5 } } }),
  },
]

export const examples: Example[] = [
  ...Object.entries(choices).map(([name, some]) => ({ name, completion: completion(some) })),
  ...odd,
]

function without(completion: Completion, name: string): Completion {
  const { [name]: _, ...rest } = completion
  return rest as Completion
}
